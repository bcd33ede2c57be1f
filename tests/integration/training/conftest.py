import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

USERS, ITEMS, TOKENS, LENGTH = 300, 200, 512, 6


def write_training_set(
    path: Path,
    rows: int,
    seed: int,
    *,
    users: int = USERS,
    items: int = ITEMS,
    row_group: int = 4096,
    ranked_users: int = 20,
) -> Path:
    """Write a prepared training set with a planted taste.

    Users and items have hidden positions on a line; who stands near an item likes it. Counts with a long tail tell
    the popularity of the item, the tokens of its title tell its position again. Labels are probabilities.

    Args:
        path: Folder to write: train/, validation/, test/, ranking/, encoding/features.json.
        rows: Rows of the train split; validation and test have a fifth of it each.
        seed: Of everything.
        users: Number of users.
        items: Number of items.
        row_group: Rows of a row group.
        ranked_users: Users in ranking/, each with every item.
    """
    rng = np.random.default_rng(seed)
    taste, place = rng.normal(size=users), rng.normal(size=items)
    popularity = rng.pareto(1.5, items) + 0.1
    first = np.clip(((place + 3) / 6 * 200).astype(int), 0, 199) + 1
    titles = np.zeros((items, LENGTH), np.int32)
    titles[:, 0] = first
    titles[:, 1] = rng.integers(201, TOKENS, items)
    titles[items // 10 :, 2] = rng.integers(201, TOKENS, items - items // 10)
    # A tenth of the items has no title at all.
    titles[::10] = 0

    def encode(user, item, generator):
        affinity = 2.5 - 2.0 * np.abs(taste[user] - place[item]) + 0.5 * np.log(popularity[item])
        probability = 1 / (1 + np.exp(-affinity))
        label = (generator.random(len(user)) < probability) * 0.9 + 0.05
        return pl.DataFrame(
            {
                "user_id": pl.Series(user, dtype=pl.Int32),
                "item_id": pl.Series(item, dtype=pl.Int32),
                "title": pl.Series(titles[item], dtype=pl.Array(pl.Int32, LENGTH)),
                "item_id__view__28d": pl.Series(np.floor(popularity[item] * 40), dtype=pl.Float32),
                "price": pl.Series(generator.normal(50, 10, len(user)), dtype=pl.Float32),
                "price__missing": pl.Series(np.zeros(len(user)), dtype=pl.Float32),
                "label": pl.Series(label, dtype=pl.Float32),
                "weight": pl.Series(np.where(generator.random(len(user)) < 0.5, 1.0, 0.5), dtype=pl.Float32),
            }
        )

    weights = popularity / popularity.sum()
    for number, (split, count) in enumerate({"train": rows, "validation": rows // 5, "test": rows // 5}.items()):
        generator = np.random.default_rng([seed, number])
        frame = encode(generator.integers(0, users, count), generator.choice(items, count, p=weights), generator)
        (path / split).mkdir(parents=True)
        # Several files, for a shard is made of parts of files.
        half = count // 2
        for part, piece in enumerate([frame[:half], frame[half:]]):
            piece.write_parquet(path / split / f"part-{part}.parquet", row_group_size=row_group)
    generator = np.random.default_rng([seed, 9])
    user = np.repeat(np.arange(min(ranked_users, users)), items)
    item = np.tile(np.arange(items), min(ranked_users, users))
    ranking = encode(user, item, generator).with_columns(
        user_index=pl.Series(user, dtype=pl.Int32),
        relevance=(pl.col("label") > 0.5).cast(pl.Float32),
        popularity=pl.Series(popularity[item], dtype=pl.Float32),
    )
    (path / "ranking").mkdir()
    ranking.drop("label", "weight").write_parquet(path / "ranking" / "part-0.parquet", row_group_size=row_group)
    (path / "encoding").mkdir()
    features = {
        "inputs": [
            {"name": "user_id", "kind": "category", "size": users, "dimension": 16},
            {"name": "item_id", "kind": "category", "size": items, "dimension": 16},
            {"name": "item_id__view__28d", "kind": "dense"},
            {"name": "price", "kind": "dense"},
            {"name": "price__missing", "kind": "dense"},
            {"name": "title", "kind": "tokens", "size": TOKENS, "length": LENGTH, "dimension": 16},
        ],
        "label": "label",
        "weight": "weight",
    }
    (path / "encoding" / "features.json").write_text(json.dumps(features))
    return path


@pytest.fixture(name="write_training_set", scope="session")
def _write_training_set():
    return write_training_set
