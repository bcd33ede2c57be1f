import json
import os
import shutil
import subprocess
import sys
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


def two_cores(task: Path) -> list[str]:
    """The command of a supervisor on at most two cores: one thread a worker, wherever the tests run."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    return [shutil.which("taskset"), "-c", cores, sys.executable, "-m", "training", str(task)]


@pytest.fixture(name="two_cores", scope="session")
def _two_cores():
    return two_cores


class Run:
    """A supervisor in a process of its own, as `python -m training` starts it, on at most two cores."""

    def __init__(self, folder: Path, task: dict, *, environment: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{task['out'].name}.json"
        path.write_text(json.dumps(task, default=str))
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            two_cores(path),
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, text: str) -> None:
        """Read on until a line holds a text."""
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if text in line:
                return
        raise AssertionError(f"ended without {text!r}: {self.lines} {self.process.stderr.read()}")

    def finish(self) -> int:
        """Read on to the end."""
        output, self.errors = self.process.communicate(timeout=300)
        self.lines += output.splitlines()
        return self.process.returncode

    def workers(self) -> dict[int, int]:
        """Process ids of the workers by rank."""
        found = {}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            config = next(one for one in environment if one.startswith("TF_CONFIG="))
            found[json.loads(config.removeprefix("TF_CONFIG="))["task"]["index"]] = int(pid)
        return found


@pytest.fixture
def start():
    """Start supervisors that do not outlive the test."""
    runs: list[Run] = []

    def _start(*args, **kwargs):
        runs.append(Run(*args, **kwargs))
        return runs[-1]

    yield _start
    for run in runs:
        run.process.kill()
        run.process.wait()
        run.process.stdout.close()
        run.process.stderr.close()


SMALL = {"kind": "ranker", "hidden": [32, 16]}


def train_task(data: Path, out: Path, **model) -> dict:
    """A task of a small ranker."""
    declared = {"name": "small", "examples": "examples", "batch": 1024, "epochs": 4, "family": SMALL, **model}
    return {"task": "train", "model": declared, "data": data, "out": out}


@pytest.fixture(name="train_task", scope="session")
def _train_task():
    return train_task


@pytest.fixture(scope="session")
def training_set(tmp_path_factory):
    """A set of 24,000 training examples in six row groups."""
    return write_training_set(tmp_path_factory.mktemp("set") / "data", 24_000, 7)


@pytest.fixture(scope="session")
def run():
    """Run a task to its end, in a process of its own."""

    def _run(folder: Path, task: dict, *, succeeds: bool = True) -> Run:
        one = Run(folder, task)
        try:
            code = one.finish()
        finally:
            one.process.kill()
            one.process.wait()
        assert (code == 0) == succeeds, one.errors
        return one

    return _run
