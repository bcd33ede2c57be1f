"""The task `compress`: trains the float model on where a technique wants it, and writes the candidates."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.compression.convert import Written
from training.compression.recipe import FLOAT, Recipe, recipes
from training.compression.registry import TECHNIQUES
from training.compression.tune import Tuner, Weights, digest_of
from training.description import Description, read_description
from training.failure import TaskError
from training.feed import score
from training.input import Arrays, read_units, split_files
from training.runtimes import RUNTIMES
from training.saved import load_float
from training.scoring import read_encoded
from training.spec import CompressTask
from training.strategies import create_strategy
from training.worker import Worker

SAMPLES, SAMPLE_ROWS = 16, 128
_CHECKED_SAMPLES, _EXACT = 4, 1e-3


def work(task: CompressTask, worker: Worker) -> dict[str, Any]:
    """Make the candidates of a task together with the other workers, each writing its share of the files.

    Returns:
        The digest of all weights, which must be the same for all workers.

    Raises:
        TaskError: The float model or the data is not there.
    """
    plan = recipes(task.model.compress)
    found = read_description(task.out / "float")
    worker.progress.phase("joining the other workers")
    strategy = create_strategy(task.model.strategy, worker)
    worker.progress.phase("reading the float model")
    weights: dict[str | None, Weights] = {None: load_float(task.out / "float").get_weights()}
    how: dict[str | None, str] = {None: ""}
    tunings = list(dict.fromkeys(recipe.tuning for recipe in plan if recipe.tuning is not None))
    tuner = Tuner(task, worker, strategy) if tunings else None
    for name in tunings:
        if tuner is not None:
            weights[name], how[name] = tuner.tune(name)
    worker.progress.ready()
    worker.progress.phase("converting")
    samples = representative(task.data, found, seed=task.model.seed)
    for recipe in plan[worker.rank :: worker.world]:
        _make(recipe, weights[recipe.tuning], how[recipe.tuning], found, samples, worker)
    return {"digest": digest_of(list(weights.values()))}


def representative(data: Path, found: Description, *, seed: int) -> list[Arrays]:
    """A few small samples of the train split: they show a converter which values inputs and activations take."""
    units = read_units(split_files(data / "train"))
    order = np.random.default_rng(seed)
    picked = [units[index] for index in sorted(order.permutation(len(units))[:SAMPLES])]
    share = -(-SAMPLES // len(picked))
    samples: list[Arrays] = []
    for unit in picked:
        _, whole = read_encoded(unit, found.inputs, found.normalisation)
        rows = order.permutation(unit.rows)[: share * SAMPLE_ROWS]
        samples += [
            {name: values[part] for name, values in whole.items()}
            for part in np.array_split(np.sort(rows), min(share, len(rows)))
        ]
    return samples


def _make(
    recipe: Recipe, weights: Weights, tuned: str, found: Description, samples: Sequence[Arrays], worker: Worker
) -> None:
    model = found.model.family.build(found.inputs, seed=found.model.seed)
    model.set_weights(weights)
    conversion = TECHNIQUES[recipe.conversion]
    runtime = RUNTIMES[conversion.runtime]
    written: Written = conversion.load()(model, samples)
    worker.progress.beat()
    folder = worker.output / "candidates" / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / runtime.file
    path.write_bytes(written.content)
    # What cannot be loaded where it will be used is no candidate.
    loaded = runtime.load(path)
    differences = np.concatenate(
        [np.abs(loaded.score(sample) - score(model, sample)) for sample in samples[:_CHECKED_SAMPLES]]
    )
    if recipe.conversion == FLOAT and differences.max() > _EXACT:
        raise TaskError(
            f"Conversion changed the probabilities of '{recipe.name}' by up to {differences.max():.3f}; a layer of "
            f"family '{found.model.family.kind}' is not converted as it computes"
        )
    size, zipped = len(written.content), len(gzip.compress(written.content, 9, mtime=0))
    description = {
        "name": recipe.name,
        "runtime": runtime.name,
        "file": runtime.file,
        "kind": recipe.kind,
        "compared_with": recipe.compared_with,
        "bytes": size,
        "gzip_bytes": zipped,
        "sparsity": _sparsity(weights),
        "how": "; ".join(part for part in (tuned, written.how) if part),
        "fallback": written.fallback,
        "conversion_error_max": float(differences.max()),
        "conversion_error_mean": float(differences.mean()),
    }
    (folder / "candidate.json").write_text(json.dumps(description, indent=2) + "\n")
    line = f"{found.model.name}: {recipe.name}: {size:,} bytes, {zipped:,} gzipped, {description['how']}"
    if written.fallback:
        line += f"; full int8 was not possible: {written.fallback}"
    worker.progress.report({"model": found.model.name, "made": description}, line)


def _sparsity(weights: Weights) -> float:
    """Share of zeros among the weights of all matrices, biases left out."""
    matrices = [one for one in weights if one.ndim > 1]
    return float(sum((one == 0).sum() for one in matrices) / max(1, sum(one.size for one in matrices)))
