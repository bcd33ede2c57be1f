"""The model card: what a published model is, what it was made of, and how it was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.metrics import METRICS

MEASURED = (
    ("bytes", "bytes"),
    ("gzip_bytes", "gzipped"),
    ("latency_single_us", "µs, one row"),
    ("latency_batch_us_per_row", "µs a row, batch"),
)
"""What a card shows of each model beside its metrics."""


def render_card(card: Mapping[str, Any]) -> str:
    """A model card in Markdown.

    Args:
        card: As `training.publish.publish` is given it, with `version`, `candidate`, `sha256` and `bytes`.
    """
    model, data, verdict = card["model"], card["data"], card["verdict"]
    evaluation = card["evaluation"]
    parts = "\n".join(
        f"| {name} | {_days(part['days'])} | {part['rows']} | {part['positives']} |"
        for name, part in data["parts"].items()
    )
    reasons = "\n".join(f"- {reason}" for reason in verdict["reasons"])
    return f"""# {model["name"]} {card["version"]}

{model.get("description") or ""}

Family `{model["family"]["kind"]}`, candidate `{card["candidate"]}`, as of {card["as_of"]}, seed {model["seed"]}.
File `{card.get("file", "")}`: {card["bytes"]} bytes, SHA-256 `{card["sha256"]}`.

## Why it was blessed

{reasons}

## How it compares

{_table(evaluation)}

Measured on {evaluation.get("test", "the test days")}; popularity ranks by engagement in the training window.

## What it was made of

Table `{data["table"]}` at version {data["version"]}, {len(data["days"])} days.

| part | days | rows | positives |
| --- | --- | --- | --- |
{parts}

## What it must not be used for

Labels are weak: they are a label model's opinion of votes, not what people said. Scores rank items of this catalogue
for users of this site; they are not probabilities of anything outside it. Users and items that were not seen in
training share out-of-vocabulary embeddings.
"""


def _table(evaluation: Mapping[str, Any]) -> str:
    k, rows = evaluation.get("k", 10), evaluation["candidates"]
    metrics = [metric for metric in METRICS.entries().values() if any(metric.name in row for row in rows)]
    columns = [("name", "model"), *((metric.name, metric.called(k)) for metric in metrics), *MEASURED]
    head = "| " + " | ".join(title for _, title in columns) + " |"
    rule = "|" + " --- |" * len(columns)
    lines = ["| " + " | ".join(_cell(row.get(key)) for key, _ in columns) + " |" for row in rows]
    return "\n".join([head, rule, *lines])


def _days(days: Sequence[str]) -> str:
    return f"{days[0]} to {days[-1]}" if days else "none"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
