import polars as pl
import pytest

from assets.cleaning.errors import StepError
from assets.cleaning.sql import check_sql

SCHEMA = {
    "price": pl.Float64(),
    "quantity": pl.Int64(),
    "name": pl.String(),
    "ts": pl.Datetime("us", "UTC"),
    "crawled_at": pl.Datetime("us", "UTC"),
    "__working": pl.String(),
}


@pytest.mark.parametrize(
    ("sql", "dtype"),
    [
        ("price * quantity > 5", pl.Boolean()),
        ("price * quantity", pl.Float64()),
        ("case when quantity < 0 then 'return' else 'purchase' end", pl.String()),
        ("starts_with(name, 'C') and price is not null", pl.Boolean()),
        ("ts > crawled_at", pl.Boolean()),
        ("name in ('a', 'b')", pl.Boolean()),
        ("cast(name as bigint)", pl.Int64()),
        ("upper(name)", pl.String()),
        ("1 = 1", pl.Boolean()),
        ("'constant'", pl.String()),
    ],
)
def test_sql_over_a_row_has_a_type(sql, dtype):
    assert check_sql(sql, SCHEMA) == dtype


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("prise > 0", "uses column 'prise', which is not there; did you mean 'price'"),
        ("price >", "cannot be read"),
        ("no_such_function(price)", "cannot be read"),
        ("name > 5", "does not fit the types"),
        ("sum(price) > 5", "looks beyond its row"),
        ("price > avg(price)", "looks beyond its row"),
        ("price * 2 > avg(price)", "looks beyond its row"),
        ("count(*)", "looks beyond its row"),
        ("row_number() over (order by price)", "looks beyond its row"),
        ("lag(price) over (order by ts) > price", "looks beyond its row"),
        # Values that suit no such cast said nothing of rows, when rows were tried.
        ("price > avg(price) and cast(name as date) is not null", r"looks beyond its row.*an aggregate \(mean\)"),
        ("count(*) > 1 and cast(name as date) is not null", "looks beyond its row.*a count of rows"),
        ("ts > now()", r"reads the clock \(now\(\)\)"),
    ],
)
def test_other_sql_is_refused_with_a_reason(sql, message):
    with pytest.raises(StepError, match=message):
        check_sql(sql, SCHEMA)


def test_working_columns_are_not_suggested():
    with pytest.raises(StepError) as caught:
        check_sql("working is null", SCHEMA)
    assert "__working" not in str(caught.value)
