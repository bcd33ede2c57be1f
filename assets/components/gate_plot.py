"""What each expectation of a gate observed over the partitions, with its bounds: one small panel each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from assets.components.plots import BLUE, GREY, ORANGE, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MOST_PANELS = 24


def over_days(history: Sequence[tuple[date, Sequence[Mapping[str, Any]]]]) -> dict[str, Any]:
    """The plot as metadata; empty when no expectation observes a number.

    Args:
        history: Of each partition, oldest first: the expectations as rows with `expectation`, `passed`, `value`, `low`
            and `high`, as they stand in its report. Those of the newest partition are drawn, the first 24 of them.
    """
    names = [row["expectation"] for row in history[-1][1] if row.get("value") is not None][:MOST_PANELS]
    if not names:
        return {}
    from matplotlib.figure import Figure

    rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(11, 1.9 * rows), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for number, name in enumerate(names):
        _panel(axes[number // COLUMNS][number % COLUMNS], name, history)
    for unused in range(len(names), rows * COLUMNS):
        axes[unused // COLUMNS][unused % COLUMNS].set_axis_off()
    return {"gate_plot": picture(figure, "What each expectation observed over the partitions, with its bounds")}


def _panel(axes: Axes, name: str, history: Sequence[tuple[date, Sequence[Mapping[str, Any]]]]) -> None:
    found = [(day, row) for day, rows in history for row in rows if row["expectation"] == name]
    found = [(day, row) for day, row in found if row.get("value") is not None]
    days = [day.toordinal() for day, _ in found]
    for bound in ("low", "high"):
        values = [row.get(bound) for _, row in found]
        if any(value is not None for value in values):
            steps: list[float] = [float("nan") if value is None else value for value in values]
            axes.plot(days, steps, color=GREY, linewidth=1, linestyle="--", drawstyle="steps-mid")
    axes.plot(days, [row["value"] for _, row in found], color=BLUE, linewidth=1.2)
    colours = [BLUE if row["passed"] else ORANGE for _, row in found]
    axes.scatter(days, [row["value"] for _, row in found], c=colours, s=14, zorder=3)
    percent = found[-1][1].get("unexpected") is not None
    axes.set_title(f"{_title(name)}{' (% unexpected)' if percent else ''}", fontsize=8, loc="left")
    ends = sorted({found[0][0], found[-1][0]})
    axes.set_xticks([day.toordinal() for day in ends], [f"{day:%d %b}" for day in ends], fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _title(name: str) -> str:
    short = name.removeprefix("expect_").replace("column_values_", "values_").replace("__", ": ")
    return short if len(short) <= 52 else f"{short[:50]}…"
