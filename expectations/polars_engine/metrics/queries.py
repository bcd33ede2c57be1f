"""Expectations written in SQL over the batch, and those of several data sources, which one frame cannot answer."""

from __future__ import annotations

from typing import Any, NoReturn

import polars as pl

from expectations.polars_engine.bundle import Query, Work
from expectations.polars_engine.domain import Domain
from expectations.polars_engine.errors import PolarsEngineError, plain
from expectations.polars_engine.providers import table_metric
from expectations.polars_engine.registration import TABLE_KEYS, register_direct
from expectations.polars_engine.samples import MOST_VALUES


def _answer(domain: Domain, query: str) -> pl.LazyFrame:
    try:
        # As GX formats it for a database: {batch} is the table, and doubled braces are braces.
        answer = pl.SQLContext({"batch": domain.rows()}).execute(query.format(batch="batch"))
        # The plan is resolved now, so that a column that is not there is told with the query.
        answer.collect_schema()
    except (pl.exceptions.PolarsError, KeyError, IndexError) as error:
        raise PolarsEngineError(f"The query {query!r} cannot be answered: {plain(error)}") from None
    return answer


@table_metric("unexpected_rows_query.row_count", keys=("unexpected_rows_query",))
def unexpected_row_count(domain: Domain, unexpected_rows_query: str) -> Work:
    """How many rows a query gives."""
    return Query(_answer(domain, unexpected_rows_query).select(pl.len()), lambda found: int(found.item()))


@table_metric("unexpected_rows_query.table", keys=("unexpected_rows_query",))
def unexpected_rows(domain: Domain, unexpected_rows_query: str) -> Work:
    """The first rows that a query gives."""
    return Query(_answer(domain, unexpected_rows_query).head(MOST_VALUES), lambda found: found.to_dicts())


def _two_sources(**_: Any) -> NoReturn:
    raise PolarsEngineError(
        "expect_query_results_to_match_comparison compares the answers of two SQL data sources; a Polars batch is one "
        "frame. Use unexpected_rows_expectation, or join the two frames first."
    )


register_direct("base_query.table", _two_sources, domain_keys=TABLE_KEYS)
register_direct("comparison_query.data_source_table", _two_sources, domain_keys=TABLE_KEYS)
