"""Examples as the numbers that a model reads, and the vocabularies that this takes, in files that travel with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from assets.features.errors import FeaturesError
from assets.features.examples import LABELLED
from assets.features.inputs import Category, Dense, Tokens
from assets.features.spec import LABEL, ORIGIN, WEIGHT, FeaturesSpec, inputs
from foundation.stable_hash import HASH_NAME, bucket

_DESCRIPTION = "features.json"
_DECLARATION = "declaration.json"

# What a declaration says of columns and their values; the rest may change under a model that is in use.
_DECIDES_ENCODING = {"user", "item", "catalogue_key", "attributes", "windows", "features"}


@dataclass(frozen=True)
class Encoding:
    """Fitted vocabularies: for each category its words with their `count` and `index`, the most frequent first."""

    spec: FeaturesSpec
    vocabularies: Mapping[str, pl.DataFrame]

    def encoded(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return rows with an Int32 column for each category, and tokens padded to their fixed length.

        The order of the rows stays, as do their other columns.
        """
        for entry in inputs(self.spec):
            if isinstance(entry, Category):
                rows = self._with_category(rows, entry)
            elif isinstance(entry, Tokens):
                padding = pl.lit([0] * entry.length, dtype=pl.List(pl.Int32))
                padded = pl.concat_list(pl.col(entry.name).fill_null([]), padding).list.head(entry.length)
                rows = rows.with_columns(padded.list.to_array(entry.length).alias(entry.name))
        return rows

    def columns(self) -> tuple[str, ...]:
        """Return the names of the inputs, in the order of the files."""
        return tuple(entry.name for entry in inputs(self.spec))

    def _with_category(self, rows: pl.LazyFrame, entry: Category) -> pl.LazyFrame:
        words = (
            self.vocabularies[entry.name]
            .lazy()
            .select(pl.col("word").alias(entry.source), pl.col("index").alias("__index"))
        )
        word = pl.col(entry.source)
        index = (
            pl.when(word.is_null())
            .then(pl.lit(0, dtype=pl.Int32))
            .otherwise(pl.coalesce("__index", 1 + bucket(entry.source, entry.buckets)))
        )
        found = rows.join(words, on=entry.source, how="left", maintain_order="left")
        return found.with_columns(index.cast(pl.Int32).alias(entry.name)).drop("__index")

    def description(self) -> dict[str, Any]:
        """Return what features.json says of the inputs."""
        return {
            "inputs": [self._described(entry) for entry in inputs(self.spec)],
            "label": LABEL,
            "weight": WEIGHT,
        }

    def _described(self, entry: Category | Dense | Tokens) -> dict[str, Any]:
        if isinstance(entry, Category):
            size = 1 + entry.buckets + self.vocabularies[entry.name].height
            return {"name": entry.name, "kind": "category", "size": size, "dimension": entry.dimension}
        if isinstance(entry, Tokens):
            shape = {"size": entry.size, "length": entry.length, "dimension": entry.dimension}
            return {"name": entry.name, "kind": "tokens", **shape}
        return {"name": entry.name, "kind": "dense"}

    def declaration(self) -> dict[str, Any]:
        """Return what the numbers depend on beside the vocabularies."""
        return {"hash": HASH_NAME, **self.spec.model_dump(mode="json", by_alias=True, include=_DECIDES_ENCODING)}

    def save(self, folder: Path) -> None:
        """Write vocabulary_<input>.parquet, declaration.json and, last, features.json, which says that all is there."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, words in self.vocabularies.items():
            words.write_parquet(folder / f"vocabulary_{name}.parquet")
        for name, content in ((_DECLARATION, self.declaration()), (_DESCRIPTION, self.description())):
            partial = folder / f"{name}.partial"
            partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            partial.replace(folder / name)


def fit_encoding(train: pl.LazyFrame, spec: FeaturesSpec) -> Encoding:
    """Return the vocabularies of the training examples.

    Only labelled examples count: a word that was merely drawn as a negative has told nothing yet.
    """
    categories = [entry for entry in inputs(spec) if isinstance(entry, Category)]
    seen = train.filter(pl.col(ORIGIN) == LABELLED)
    counted = [seen.group_by(pl.col(entry.source).alias("word")).agg(pl.len().alias("count")) for entry in categories]
    frames = pl.collect_all(counted, engine="streaming")
    return Encoding(spec, {e.name: _ranked(frame, e) for e, frame in zip(categories, frames, strict=True)})


def _ranked(counts: pl.DataFrame, entry: Category) -> pl.DataFrame:
    frequent = counts.filter(pl.col("word").is_not_null(), pl.col("count") >= entry.min_count)
    ordered = frequent.sort("count", "word", descending=[True, False])
    return ordered.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).add(1 + entry.buckets).alias("index"))


def load_encoding(folder: Path, spec: FeaturesSpec) -> Encoding:
    """Return the encoding that `save` wrote, if it is that of the declaration as it stands and of this hash."""
    if not (folder / _DESCRIPTION).is_file():
        raise FeaturesError(f"There is no {_DESCRIPTION} in {folder}: prepare the training set of '{spec.name}' first.")
    found = json.loads((folder / _DECLARATION).read_text(encoding="utf-8"))
    expected = Encoding(spec, {}).declaration()
    if changed := [name for name in expected if found.get(name) != expected[name]]:
        raise FeaturesError(
            f"The encoding in {folder} was not made by '{spec.name}' as declared now: {', '.join(changed)} differs. "
            "Prepare a training set and train again, or go back to the declaration that the model was trained with."
        )
    categories = [entry.name for entry in inputs(spec) if isinstance(entry, Category)]
    return Encoding(spec, {name: pl.read_parquet(folder / f"vocabulary_{name}.parquet") for name in categories})
