"""Plots for the UI, as pictures inside Markdown metadata. matplotlib is imported when one is drawn."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.stages.day import DayResult
from training.metrics import METRICS
from training.metrics.metric import VALIDATION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#3b6fb6", "#e08a2e", "#4a9a5b", "#9aa3ad"


def labelling_functions(result: DayResult) -> dict[str, Any]:
    """Coverage, overlaps and conflicts of each labelling function."""
    analysis = result.report.get("analysis")
    if not analysis:
        return {}
    names = [row["function"] for row in analysis]
    figure, (axes,) = _figure(height=0.5 * len(names) + 1.2)
    positions = range(len(names))
    for offset, (share, colour) in enumerate((("coverage", BLUE), ("overlaps", ORANGE), ("conflicts", GREY))):
        values = [row[share] for row in analysis]
        axes.barh([p + (offset - 1) * 0.27 for p in positions], values, height=0.25, color=colour, label=share)
    axes.set_yticks(list(positions), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of units")
    axes.legend(frameon=False, loc="lower right")
    return {"labelling_functions_plot": picture(figure, "Coverage, overlaps and conflicts of each labelling function")}


def training_curves(history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each epoch: the loss of the training examples, and beside it every metric of the validation examples.

    Curves of one kind share their axes: the loss and the log loss, which are of one scale, and each other metric below.
    """
    curves = _curves(history)
    if not curves:
        return {}
    figure, panels = _figure(height=2.2 + 1.6 * len(curves), panels=len(curves))
    for axes, (title, lines) in zip(panels, curves.items(), strict=True):
        for (label, points), colour in zip(lines.items(), (BLUE, ORANGE, GREEN, GREY), strict=False):
            axes.plot(list(points), list(points.values()), marker="o", color=colour, label=label)
        axes.set_ylabel(title)
        axes.legend(frameon=False)
    panels[-1].set_xlabel("epoch")
    told = ", ".join(label for lines in curves.values() for label in lines)
    return {"training_plot": picture(figure, f"By epoch: {told}")}


def _curves(history: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[int, float]]]:
    """By panel and label, the value of each epoch that has one."""
    losses = {"training": _points(history, "loss"), "validation": _points(history, f"{VALIDATION}log_loss")}
    curves = {"loss": losses}
    for metric in METRICS.entries().values():
        if metric.name != "log_loss":
            title = metric.title.partition("@")[0]
            curves[title] = {f"validation {title}": _points(history, f"{VALIDATION}{metric.name}")}
    shown = {title: {label: points for label, points in lines.items() if points} for title, lines in curves.items()}
    return {title: lines for title, lines in shown.items() if lines}


def _points(history: Sequence[dict[str, Any]], key: str) -> dict[int, float]:
    return {
        int(row.get("epoch", number)): float(row[key])
        for number, row in enumerate(history, 1)
        if row.get(key) is not None
    }


def candidates(rows: Sequence[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Size against quality of each candidate."""
    measured = [row for row in rows if row.get("bytes") and row.get(metric) is not None]
    if not measured:
        return {}
    figure, (axes,) = _figure()
    for row in measured:
        axes.scatter(row["gzip_bytes"] / 1024, row[metric], color=BLUE)
        axes.annotate(row["name"], (row["gzip_bytes"] / 1024, row[metric]), xytext=(5, 5), textcoords="offset points")
    axes.set_xlabel("KB, gzipped")
    axes.set_ylabel(f"{metric} ({METRICS[metric].better} is better)")
    axes.margins(0.2)
    return {"candidates_plot": picture(figure, f"{metric} against size of each candidate")}


def _figure(*, height: float = 3.2, panels: int = 1) -> tuple[Figure, list[Axes]]:
    # The object-oriented interface: no backend is chosen and no global state grows.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, height), layout="constrained")
    found = list(figure.subplots(panels, sharex=True, squeeze=False)[:, 0])
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, found


def picture(figure: Figure, alternative: str) -> dg.MetadataValue[Any]:
    """A figure as a PNG inside Markdown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return dg.MetadataValue.md(
        f"![{alternative}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
    )
