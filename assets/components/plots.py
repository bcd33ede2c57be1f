"""Plots for the UI, as pictures inside Markdown metadata. matplotlib is imported when one is drawn."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.stages.day import DayResult

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
    figure, axes = _figure(height=0.5 * len(names) + 1.2)
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
    """Loss of each epoch, on the training and the validation split."""
    if not history:
        return {}
    figure, axes = _figure()
    epochs = [row.get("epoch", number) for number, row in enumerate(history, 1)]
    for key, colour in (("loss", BLUE), ("val_loss", ORANGE), ("val_auc", GREEN)):
        values = [float(row[key]) for row in history if row.get(key) is not None]
        if len(values) == len(epochs):
            axes.plot(epochs, values, marker="o", color=colour, label=key)
    axes.set_xlabel("epoch")
    axes.legend(frameon=False)
    return {"training_plot": picture(figure, "Loss and AUC of each epoch")}


def candidates(rows: Sequence[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Size against quality of each candidate."""
    measured = [row for row in rows if row.get("bytes") and row.get(metric) is not None]
    if not measured:
        return {}
    figure, axes = _figure()
    for row in measured:
        axes.scatter(row["gzip_bytes"] / 1024, row[metric], color=BLUE)
        axes.annotate(row["name"], (row["gzip_bytes"] / 1024, row[metric]), xytext=(5, 5), textcoords="offset points")
    axes.set_xlabel("KB, gzipped")
    axes.set_ylabel(metric)
    axes.margins(0.2)
    return {"candidates_plot": picture(figure, f"{metric} against size of each candidate")}


def _figure(*, height: float = 3.2) -> tuple[Figure, Axes]:
    # The object-oriented interface: no backend is chosen and no global state grows.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def picture(figure: Figure, alternative: str) -> dg.MetadataValue[Any]:
    """A figure as a PNG inside Markdown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return dg.MetadataValue.md(
        f"![{alternative}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
    )
