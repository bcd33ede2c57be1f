"""Work that is planned first and run together: the aggregates of a whole suite in one streaming query.

A metric plans one of three things:

- an `Aggregate`: expressions over the rows of the batch. All of them go into one `select`.
- a `Query`: a small frame of its own (samples, counts by value). All of them are collected with the aggregates.
- a `Procedure`: something that needs a whole column at once (a median, the distinct values). These run one after
  the other, so that at most one column is in memory; those that need the same column share it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Aggregate:
    """Expressions that give one row, and what to make of it."""

    frame: pl.LazyFrame
    expressions: tuple[pl.Expr, ...]
    finish: Callable[..., Any] = lambda value: value


@dataclass(frozen=True)
class Query:
    """A frame to collect, and what to make of it."""

    frame: pl.LazyFrame
    finish: Callable[[pl.DataFrame], Any]


@dataclass(frozen=True)
class Procedure:
    """Something to prepare once for each `key`, and what to make of it."""

    key: Hashable
    prepare: Callable[[], Any]
    finish: Callable[[Any], Any]


Work = Aggregate | Query | Procedure


def run(work: Mapping[Any, Work]) -> dict[Any, Any]:
    """Do everything at once, and give each result under its own key."""
    results = _collect({key: item for key, item in work.items() if not isinstance(item, Procedure)})
    results |= _proceed({key: item for key, item in work.items() if isinstance(item, Procedure)})
    return {key: results[key] for key in work}


def _collect(work: Mapping[Any, Work]) -> dict[Any, Any]:
    aggregates: dict[int, dict[Any, Aggregate]] = {}
    queries: dict[Any, Query] = {}
    for key, item in work.items():
        if isinstance(item, Aggregate):
            aggregates.setdefault(id(item.frame), {})[key] = item
        elif isinstance(item, Query):
            queries[key] = item
    frames = [_fused(group) for group in aggregates.values()] + [query.frame for query in queries.values()]
    if not frames:
        return {}
    collected = pl.collect_all(frames, engine="streaming")
    results: dict[Any, Any] = {}
    for group, frame in zip(aggregates.values(), collected, strict=False):
        # In the order of `_fused`: the cells of one metric lie side by side.
        cells = iter(frame.row(0))
        for key, item in group.items():
            results[key] = item.finish(*itertools.islice(cells, len(item.expressions)))
    for (key, query), frame in zip(queries.items(), collected[len(aggregates) :], strict=True):
        results[key] = query.finish(frame)
    return results


def _fused(group: Mapping[Any, Aggregate]) -> pl.LazyFrame:
    first = next(iter(group.values()))
    return first.frame.select(
        expression.alias(f"{number}.{place}")
        for number, item in enumerate(group.values())
        for place, expression in enumerate(item.expressions)
    )


def _proceed(work: Mapping[Any, Procedure]) -> dict[Any, Any]:
    results = {}
    for shared in _grouped(work.items()):
        prepared = shared[0][1].prepare()
        for key, procedure in shared:
            results[key] = procedure.finish(prepared)
        del prepared
    return results


def _grouped(items: Iterable[tuple[Any, Procedure]]) -> list[list[tuple[Any, Procedure]]]:
    groups: dict[Hashable, list[tuple[Any, Procedure]]] = {}
    for key, procedure in items:
        groups.setdefault(procedure.key, []).append((key, procedure))
    return list(groups.values())
