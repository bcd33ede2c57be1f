"""The gate beside Great Expectations on pandas: sixteen expectations, the same rows, each in a process of its own.

`python tests/benchmarks/bench_gate.py` compares both at 5 million rows; `--rows 5 20 50` (millions) shows how time and
memory grow, without pandas past 5; `--failing` makes uniqueness and more fail. Peaks are of the whole process, with
Great Expectations imported. From files, the time includes reading Parquet, and the rows are never held; in memory, as
with pandas, the frame is at hand when the clock starts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import polars as pl

KINDS = ["view", "click", "cart", "purchase"]
SUITE: list[dict[str, Any]] = [
    {"expect_table_row_count_to_be_between": {"min_value": 1}},
    {"expect_column_values_to_not_be_null": {"column": "event_id"}},
    {"expect_column_values_to_be_unique": {"column": "event_id"}},
    {"expect_column_value_lengths_to_equal": {"column": "event_id", "value": 16}},
    {"expect_column_values_to_not_be_null": {"column": "user_id"}},
    {"expect_column_values_to_match_regex": {"column": "user_id", "regex": "^u[0-9]+$"}},
    {"expect_column_values_to_not_be_null": {"column": "item_id"}},
    {"expect_column_values_to_be_in_set": {"column": "kind", "value_set": KINDS}},
    {"expect_column_distinct_values_to_be_in_set": {"column": "kind", "value_set": KINDS}},
    {"expect_column_values_to_be_between": {"column": "dwell", "min_value": 0, "max_value": 1000, "mostly": 0.99}},
    {"expect_column_mean_to_be_between": {"column": "dwell", "min_value": 1, "max_value": 600}},
    {"expect_column_stdev_to_be_between": {"column": "dwell", "min_value": 0, "max_value": 600}},
    {"expect_column_median_to_be_between": {"column": "dwell", "min_value": 1, "max_value": 600}},
    {"expect_column_max_to_be_between": {"column": "price", "max_value": 10000}},
    {"expect_column_unique_value_count_to_be_between": {"column": "item_id", "min_value": 10, "max_value": 1000000}},
    {"expect_column_pair_values_a_to_be_greater_than_b": {"column_A": "left", "column_B": "entered", "or_equal": True}},
]  # fmt: skip
MILLION = 1_000_000


def make(path: Path, rows: int, *, failing: bool, seed: int = 7) -> None:
    """Write the rows, a few millions a file, so that making them takes no memory to speak of."""
    path.mkdir()
    for number, start in enumerate(range(0, rows, 5 * MILLION)):
        size = min(5 * MILLION, rows - start)
        index = pl.int_range(start, start + size, eager=True)
        word = index.hash(seed)
        # One in a thousand event ids occurs twice.
        source = pl.when(index % 1000 == 999).then(index - 1).otherwise(index) if failing else pl.lit(index)
        frame = pl.select(
            event_id=source.cast(pl.String).str.zfill(16),
            user_id="u" + (word % 200_000).cast(pl.String),
            item_id="i" + (word // 7 % 50_000).cast(pl.String),
            kind=pl.Series(["view", "click", "cart", "purchase", "remove" if failing else "view"]).gather(word % 5),
            dwell=(word % 60_000).cast(pl.Float64) / 100,
            price=(word // 3 % 10_000).cast(pl.Float64) / 10,
            entered=(index * 1000).cast(pl.Datetime("ms")),
            left=(index * 1000 + 500).cast(pl.Datetime("ms")),
        )
        frame.write_parquet(path / f"{number:03}.parquet")


def on_polars(path: Path, *, held: bool) -> dict[str, Any]:
    from expectations.gate import parse_gate, run_gate

    frame = pl.scan_parquet(path / "*.parquet")
    if held:
        frame = frame.collect().lazy()
    gate = parse_gate(SUITE)
    # Importing Great Expectations takes seconds once a process, whatever the engine.
    run_gate(gate, frame.head(10), name="warm", partition="up")
    started, busy = time.perf_counter(), time.process_time()
    report = run_gate(gate, frame, name="bench", partition="now")
    return {**since(started, busy), "met": sum(result.success for result in report.results)}


def on_pandas(path: Path) -> dict[str, Any]:
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name="bench")
    for entry in SUITE:
        ((kind, kwargs),) = entry.items()
        suite.add_expectation_configuration(ExpectationConfiguration(type=kind, kwargs=dict(kwargs)))
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole")
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="bench", data=batch, suite=context.suites.add(suite))
    )
    frame = pl.read_parquet(path / "*.parquet").to_pandas()
    started, busy = time.perf_counter(), time.process_time()
    result = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
    return {**since(started, busy), "met": result.statistics["successful_expectations"]}


def since(started: float, busy: float) -> dict[str, float]:
    """Seconds on the clock, and of processors: on a machine that others use, the second tells more."""
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - busy}


def measure(engine: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--engine", engine, "--path", str(path)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(sizes: list[int], *, failing: bool, pandas_up_to: int) -> None:
    print(f"{'rows':>12}  {'engine':<22}{'seconds':>9}{'cpu s':>8}{'peak MB':>9}{'met':>5}{'faster':>9}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows"
            make(path, size * MILLION, failing=failing)
            engines = ["files", "memory", "pandas"] if size <= pandas_up_to else ["files"]
            found_by = {engine: measure(engine, path) for engine in engines}
            for engine, found in found_by.items():
                name = {"files": "Sluice, from files", "memory": "Sluice, in memory", "pandas": "GX on pandas"}[engine]
                theirs = found_by.get("pandas")
                ratio = f"{theirs['seconds'] / found['seconds']:.1f} x" if theirs else ""
                print(
                    f"{size * MILLION:>12,}  {name:<22}{found['seconds']:>9.2f}{found['cpu']:>8.2f}"
                    f"{found['peak']:>9.0f}{found['met']:>5}{ratio:>9}",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5], help="millions of rows")
    parser.add_argument("--failing", action="store_true", help="uniqueness and membership are not met")
    parser.add_argument("--pandas-up-to", type=int, default=5, help="millions of rows beyond which pandas is left out")
    parser.add_argument("--engine", choices=["files", "memory", "pandas"], help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.engine is None:
        table(chosen.rows, failing=chosen.failing, pandas_up_to=chosen.pandas_up_to)
        return
    warnings.simplefilter("ignore")
    held = chosen.engine == "memory"
    found = on_pandas(chosen.path) if chosen.engine == "pandas" else on_polars(chosen.path, held=held)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "peak": peak}))


if __name__ == "__main__":
    main()
