"""The task `evaluate`: candidates, popularity and the champion on the test days, in one table."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.compression.recipe import FLOAT, recipes
from training.description import Description, read_description
from training.evaluate.intervals import CONFIDENCE, RESAMPLES, interval_of_means
from training.evaluate.measure import POPULARITY, OnRanking, OnTest, on_ranking, on_test
from training.evaluate.quality import quality
from training.failure import TaskError
from training.input import read_units, split_files
from training.metrics.metric import needing, titles
from training.runtimes import load_model, model_file
from training.schema import read_inputs
from training.scoring import Scoring, read_encoded
from training.spec import EvaluateTask
from training.worker import Worker

CHAMPION = "champion"
_BATCH = 256
_NOTES = (
    (
        "A label of at least 0.5 counts as positive in AUC; log loss and calibration take labels as they are; "
        "example weights are ignored."
    ),
    (
        "AUC is over the test examples; of popularity, which has no score for an example, over the ranked pairs, "
        "as is ranking_auc of all."
    ),
)


@dataclass(frozen=True)
class _Contestant:
    name: str
    kind: str
    compared_with: str | None
    path: Path
    made: dict[str, Any]


def work(task: EvaluateTask, worker: Worker) -> dict[str, Any]:
    """Write `evaluation.json`.

    Raises:
        TaskError: There are no candidates, or the data is not as its description says.
    """
    worker.progress.ready()
    name, k = task.model.name, task.model.evaluate.k
    contestants = _contestants(task)
    worker.progress.phase("scoring the candidates")
    test, ranking = _measured(contestants, read_description(task.out / "float"), task.data, k, worker)
    rows = [_row(one, test, ranking, task, worker) for one in contestants]
    popularity = {
        "name": POPULARITY,
        "kind": "baseline",
        "compared_with": None,
        "auc": ranking.auc.get(POPULARITY),
        "auc_of": "ranking",
        **_ranked(POPULARITY, ranking, seed=task.model.seed),
    }
    if task.champion is not None:
        worker.progress.phase("scoring the champion")
        rows.append(_champion_row(task, task.champion, worker))
    beats = beats_popularity(ranking, k=k, seed=task.model.seed)
    evaluation = {
        "k": k,
        "test": _sentence(test, ranking),
        "confidence": CONFIDENCE,
        "notes": _NOTES,
        "candidates": [popularity, *rows],
        "beats_popularity": beats,
    }
    (worker.output / "evaluation.json").write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n")
    for row in (popularity, *rows):
        worker.progress.log(f"{name}: {_line(row, k)}")
    worker.progress.report({"model": name, "beats_popularity": beats}, f"{name}: {beats['message']}")
    return {"candidates": len(rows)}


def _contestants(task: EvaluateTask) -> list[_Contestant]:
    folder = task.out / "candidates"
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("*/candidate.json"))}
    if FLOAT not in found:
        raise TaskError(f"There is no candidate '{FLOAT}' in {folder}; run the task compress first")
    known = [recipe.name for recipe in recipes(task.model.compress)]
    order = sorted(found, key=lambda name: known.index(name) if name in known else len(known))
    return [
        _Contestant(name, made["kind"], made["compared_with"], folder / name / made["file"], made)
        for name, made in ((name, found[name]) for name in order)
    ]


def _measured(
    contestants: list[_Contestant], found: Description, data: Path, k: int, worker: Worker
) -> tuple[OnTest, OnRanking]:
    scoring = Scoring(
        {one.name: one.path for one in contestants}, found.inputs, found.normalisation, threads=worker.threads
    )
    test = on_test(data / "test", found.inputs, scoring, [one.name for one in contestants], worker)
    return test, on_ranking(data / "ranking", scoring, worker, k=k)


def _champion_row(task: EvaluateTask, folder: Path, worker: Worker) -> dict[str, Any]:
    data = task.champion_data or task.data
    found = read_description(folder / "float")
    if read_inputs(data) != found.inputs:
        raise TaskError(
            f"The champion {folder} takes other inputs than {data} has; give as champion_data the test examples "
            f"encoded with the champion's own encoding"
        )
    path = model_file(folder)
    if path is None:
        raise TaskError(f"The champion {folder} has no model file; choose another champion")
    one = _Contestant(CHAMPION, CHAMPION, None, path, {})
    test, ranking = _measured([one], found, data, task.model.evaluate.k, worker)
    return {**_row(one, test, ranking, task, worker, data=data, found=found), "version": folder.name}


def _row(
    one: _Contestant,
    test: OnTest,
    ranking: OnRanking,
    task: EvaluateTask,
    worker: Worker,
    *,
    data: Path | None = None,
    found: Description | None = None,
) -> dict[str, Any]:
    worker.progress.phase(f"measuring {one.name}")
    content = one.path.read_bytes()
    found = found or read_description(task.out / "float")
    return {
        "name": one.name,
        "kind": one.kind,
        "compared_with": one.compared_with,
        **quality(test.labels, test.scores[one.name], seed=task.model.seed),
        **_ranked(one.name, ranking, seed=task.model.seed),
        "bytes": len(content),
        "gzip_bytes": one.made.get("gzip_bytes") or len(gzip.compress(content, 9, mtime=0)),
        "sparsity": one.made.get("sparsity"),
        **_latency(one.path, found, data or task.data),
        **_agreement(one, test),
        "how": one.made.get("how"),
        "fallback": one.made.get("fallback"),
    }


def _ranked(name: str, ranking: OnRanking, *, seed: int) -> dict[str, Any]:
    metrics = [metric for metric in needing("lists") if name in ranking.values.get(metric.name, {})]
    found: dict[str, Any] = dict.fromkeys(column for metric in needing("lists") for column in metric.columns)
    found["ranking_auc"] = ranking.auc.get(name)
    found["recall_by_popularity"] = ranking.slices.get(name)
    if not metrics:
        return found
    users = np.stack([ranking.values[metric.name][name] for metric in metrics], axis=1)
    users = users[~np.isnan(users).any(axis=1)]
    if not len(users):
        return found
    lows, highs = interval_of_means(users, seed=seed)
    for metric, *values in zip(metrics, users.mean(axis=0), lows, highs, strict=True):
        found |= dict(zip(metric.columns, map(float, values), strict=True))
    return found


def _latency(path: Path, found: Description, data: Path) -> dict[str, float | None]:
    units = read_units(split_files(data / "test")) or read_units(split_files(data / "train"))
    if not units:
        return {"latency_single_us": None, "latency_batch_us_per_row": None}
    _, arrays = read_encoded(units[0], found.inputs, found.normalisation)
    model = load_model(path)
    return {
        "latency_single_us": model.latency(arrays, rows=1, repeats=300) * 1e6,
        "latency_batch_us_per_row": model.latency(arrays, rows=_BATCH, repeats=60) * 1e6 / _BATCH,
    }


def _agreement(one: _Contestant, test: OnTest) -> dict[str, float | None]:
    """How far probabilities lie from those of the float file on the test examples; of that file, from Keras's own."""
    if one.name == FLOAT:
        return {
            "agreement_max": one.made.get("conversion_error_max"),
            "agreement_mean": one.made.get("conversion_error_mean"),
        }
    if FLOAT not in test.scores or not len(test.labels):
        return {"agreement_max": None, "agreement_mean": None}
    difference = np.abs(test.scores[one.name] - test.scores[FLOAT])
    return {"agreement_max": float(difference.max()), "agreement_mean": float(difference.mean())}


def beats_popularity(ranking: OnRanking, *, k: int, seed: int) -> dict[str, Any]:
    """Whether the float model ranks better than popularity, beyond chance, users resampled in pairs."""
    empty = dict.fromkeys(("ndcg", "popularity_ndcg", "difference", "low", "high"))
    found = ranking.values.get("ndcg", {})
    pairs = np.stack([found[FLOAT], found[POPULARITY]], axis=1) if FLOAT in found else np.empty((0, 2))
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    if not len(pairs):
        return {
            "passed": False,
            "message": "Nobody could be ranked: no user of the test days engaged with an item that was known before "
            "them; test on more days, or look whether labels were made.",
            "users": 0,
            **empty,
        }
    differences = pairs[:, 0] - pairs[:, 1]
    lows, highs = interval_of_means(differences[:, None], seed=seed)
    low, high = float(lows[0]), float(highs[0])
    ndcg, popularity = (float(mean) for mean in pairs.mean(axis=0))
    passed = low > 0
    verdict = "better than" if passed else "worse than" if high < 0 else "not clearly better than"
    return {
        "passed": passed,
        "message": f"NDCG@{k} of the float model is {ndcg:.4f}, {verdict} {popularity:.4f} of popularity; "
        f"the difference is {ndcg - popularity:+.4f}, between {low:+.4f} and {high:+.4f} in {CONFIDENCE:.0%} of "
        f"{RESAMPLES} resamples of {len(pairs)} users.",
        "users": len(pairs),
        "ndcg": ndcg,
        "popularity_ndcg": popularity,
        "difference": ndcg - popularity,
        "low": low,
        "high": high,
    }


def _sentence(test: OnTest, ranking: OnRanking) -> str:
    examples = f"{len(test.labels):,} examples of the test days"
    if not ranking.users:
        return f"{examples}, without ranking, for no user of theirs could be ranked"
    return f"{examples}, {ranking.users:,} users x {ranking.rows // ranking.users:,} items"


def _line(row: dict[str, Any], k: int) -> str:
    shown = titles(row, k)
    if row.get("bytes"):
        shown.append(f"{row['bytes']:,} bytes")
    if row.get("latency_single_us"):
        shown.append(f"{row['latency_single_us']:.1f} us a row, {row['latency_batch_us_per_row']:.2f} in a batch")
    return f"{row['name']}: {', '.join(shown) or 'not measured'}"
