"""Bounds learned from the past, and gates proposed from it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from expectations.gate import GateError, check_gate, parse_gate, run_gate
from expectations.history import HistorySpec, Profile, divergence, expectations_from_history, learn, profile
from expectations.profile import as_yaml, propose

DAY = date(2026, 3, 1)


def rows(count: int, *, missing: float = 0.1, price: float = 10.0, kinds: str = "aaab") -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "id": [f"e{n}" for n in range(count)],
            "price": [None if n < count * missing else price + n % 5 for n in range(count)],
            "kind": [kinds[n % len(kinds)] for n in range(count)],
        },
        schema={"id": pl.String, "price": pl.Float64, "kind": pl.String},
    )


def past(days: int = 10) -> list[Profile]:
    return [profile(rows(100 + n % 3), day=DAY - timedelta(days=n + 1)) for n in range(days)]


def verdicts(frame: pl.LazyFrame, spec: HistorySpec, history: list[Profile] | None = None) -> dict[str, bool]:
    gate = expectations_from_history(spec, past() if history is None else history, day=DAY)
    return {each.check_name: each.success for each in run_gate(gate, frame, name="t", partition="p").results}


EVERYTHING = HistorySpec(watch=("row_count", "null_share", "mean", "distribution"))


def test_a_day_like_the_others_is_good():
    found = verdicts(rows(102), EVERYTHING)
    assert all(found.values())
    assert set(found) == {
        "history__row_count", "history__null_share__id", "history__null_share__price", "history__null_share__kind",
        "history__mean__price", "history__distribution__kind",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "check"),
    [
        (rows(40), "history__row_count"),
        (rows(200), "history__row_count"),
        (rows(101, missing=0.4), "history__null_share__price"),
        (rows(101, missing=0.0), "history__null_share__price"),
        (rows(101, price=30.0), "history__mean__price"),
        (rows(101, kinds="abbb"), "history__distribution__kind"),
        (rows(101, kinds="aaac"), "history__distribution__kind"),
    ],
)
def test_a_day_unlike_the_others_is_told_apart(frame, check):
    found = verdicts(frame, EVERYTHING)
    assert not found[check]
    assert all(good for name, good in found.items() if name != check)


def test_nothing_is_expected_before_there_is_a_past():
    assert expectations_from_history(EVERYTHING, past(4), day=DAY) == ()
    assert len(expectations_from_history(EVERYTHING, past(5), day=DAY)) == 6


def test_a_backfill_is_not_judged_by_its_own_future():
    later = [profile(rows(9000), day=DAY + timedelta(days=n)) for n in range(20)]
    assert expectations_from_history(EVERYTHING, [*past(), *later], day=DAY) == expectations_from_history(
        EVERYTHING, past(), day=DAY
    )


def test_one_bad_day_among_the_good_ones_does_not_widen_the_bounds():
    spoiled = [*past(), profile(rows(5000), day=DAY - timedelta(days=30))]
    assert not verdicts(rows(300), HistorySpec(watch=("row_count",)), spoiled)["history__row_count"]


def test_a_watched_column_that_nobody_knows_is_named():
    with pytest.raises(GateError, match="no column 'prise'; did you mean 'price'"):
        expectations_from_history(HistorySpec(columns=("prise",)), past(), day=DAY)


def test_a_column_that_is_gone_is_left_to_others():
    found = expectations_from_history(EVERYTHING, past(), day=DAY, schema={"id": pl.String()})
    assert [each.check_name for each in found] == ["history__row_count", "history__null_share__id"]


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40),
    deviations=st.floats(0.1, 10),
    slack=st.floats(0, 1),
)
def test_bounds_surround_the_median_and_grow_with_what_is_allowed(values, deviations, slack):
    bounds = learn(values, deviations=deviations, slack=slack)
    wider = learn(values, deviations=deviations * 2, slack=slack)
    middle = sorted(values)[len(values) // 2]
    assert bounds.hold(middle) or len(values) % 2 == 0
    assert wider.low <= bounds.low <= bounds.high <= wider.high


def test_divergence_is_none_of_itself_and_counts_the_unseen():
    same = {"a": 0.5, "b": 0.5}
    assert divergence(same, same, tail=0.01) == 0
    assert divergence({"c": 1.0}, same, tail=0.01) == pytest.approx(4.605, abs=0.001)


def test_profiles_survive_being_kept():
    kept = past(1)[0]
    assert Profile.from_json(json.loads(json.dumps(kept.to_json()))) == kept


def test_odd_columns_are_described_too():
    frame = pl.LazyFrame(
        {
            "empty": pl.Series([None, None], dtype=pl.Null),
            "list": [[1], None],
            "inf": [float("inf"), float("nan")],
            "day": [date(2026, 1, 1), None],
            "flag": [True, None],
            "level": pl.Series(["x", None], dtype=pl.Categorical),
        }
    )
    found = profile(frame, day=DAY)
    assert [each.null_share for each in found.columns.values()] == [1.0, 0.5, 0.5, 0.5, 0.5, 0.5]
    json.dumps(found.to_json(), allow_nan=False)
    assert profile(frame.filter(pl.lit(value=False)), day=DAY).columns["inf"].null_share == 0


def test_a_proposed_gate_is_met_by_the_past_that_it_comes_from():
    frames = [rows(100 + n, price=10.0 + n) for n in range(5)]
    gate = parse_gate(yaml.safe_load(as_yaml(propose([profile(frame, day=DAY) for frame in frames])))["gate"])
    check_gate(gate, frames[0].collect_schema())
    assert {each.type for each in gate} == {
        "expect_table_row_count_to_be_between", "expect_column_values_to_not_be_null",
        "expect_column_mean_to_be_between", "expect_column_values_to_be_in_set", "expect_column_values_to_be_between",
    }  # fmt: skip
    for frame in frames:
        report = run_gate(gate, frame, name="t", partition="p")
        assert [each.message for each in report.results if not each.success] == []


def test_the_command_prints_yaml(tmp_path):
    for n in range(3):
        rows(50 + n).collect().write_parquet(tmp_path / f"2026-01-0{n + 1}.parquet")
    rows(50).with_columns(date=pl.lit("2026-01-04")).collect().write_delta(
        str(tmp_path / "table"), delta_write_options={"partition_by": ["date"]}
    )
    command = [sys.executable, "-m", "expectations.profile"]
    files = [*map(str, sorted(tmp_path.glob("*.parquet"))), f"{tmp_path / 'table'}@2026-01-04"]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=True)
    assert parse_gate(yaml.safe_load(done.stdout)["gate"])
    assert "- expect_column_values_to_be_in_set: {column: kind, value_set: [a, b]}" in done.stdout
    lost = subprocess.run([*command, str(tmp_path / "none.parquet")], capture_output=True, text=True, check=False)
    assert (lost.returncode, lost.stdout) == (1, "")
    assert "none.parquet cannot be read" in lost.stderr
