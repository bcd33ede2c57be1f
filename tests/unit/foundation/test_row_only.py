"""SQL over one row passes, whatever the function; what looks at other rows is refused, however deep it stands."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_series_equal

from foundation.row_only import beyond_row, reads_clock

#: Rows that differ from each other in each column, so that a look at another row shows.
ROWS = pl.DataFrame(
    {
        "p": [0.5, -0.25, 0.75, None],
        "q": [3, 1, 2, None],
        "n": ["ab", "Bc ", "a,b", None],
        "d": ["2026-01-01", "2026-01-02", "1999-12-31", None],
        "b": [True, False, True, None],
        "t": [dt.datetime(2026, 1, day, day, tzinfo=dt.UTC) for day in (1, 2, 3)] + [None],
        "l": [[1, 2], [3], [], None],
        "s": [{"x": 1}, {"x": 2}, {"x": None}, None],
    },
    schema_overrides={"t": pl.Datetime("us", "UTC")},
)

ROW_BY_ROW = """
abs(p); acos(p); acosd(p); asin(p); asind(p); atan(p); atand(p); atan2(p, q); atan2d(p, q); cbrt(p); ceil(p)
ceiling(p); cos(p); cosd(p); cot(p); cotd(p); degrees(p); div(q, 2); exp(p); floor(p); ln(p); log(p, 2); log10(p)
log1p(p); log2(p); mod(q, 2); pi(); pow(p, 2); power(p, 2); radians(p); round(p); round(p, 1); trunc(p); trunc(p, 1)
sign(p); sin(p); sind(p); sqrt(p); tan(p); tand(p); greatest(p, q); least(p, q); coalesce(p, q); nullif(p, q)
ifnull(p, q); if(p > 1, p, q); bit_and(q, 1); bit_or(q, 1); bit_xor(q, 1); bit_count(q); q & 1; q | 1; q % 2; q // 2
q / 2; -p; p + q * 2 - 1; not b; b and not b or b; bit_length(n); concat(n, n); concat_ws(',', n, q); n || 'x'
date(d, '%Y-%m-%d'); timestamp(d, '%Y-%m-%d'); strptime(d, '%Y-%m-%d'); ends_with(n, 'b'); initcap(n); left(n, 1)
right(n, 1); left(n, q); right(n, q); length(n); char_length(n); octet_length(n); lower(n); upper(n); lpad(n, 3, 'x')
rpad(n, 3, 'x'); ltrim(n); rtrim(n); trim(n); trim(both 'a' from n); normalize(n); regexp_like(n, 'a')
replace(n, 'a', 'b'); regexp_replace(n, 'a', 'b'); reverse(n); split_part(n, ',', 1); starts_with(n, 'a')
strpos(n, 'a'); position('a' in n); substr(n, 1, 2); substring(n, 1, 2); substr(n, 2); substr(n, q, q)
string_to_array(n, ','); n like 'a%'; n like '_b%'; n not like '%b%'; n ilike 'A%'; n rlike 'a'; n regexp 'a'; n ~ 'a'
date_part('year', t); date_part('decade', t); date_part('epoch', t); date_part('dow', t); date_part('millisecond', t)
extract(year from t); extract(week from t); strftime(t, '%Y'); t::date; cast(t as date); t + interval '1 day'
t - interval '1 hour'; t::date > date '2026-01-02'; year(t); month(t); day(t); hour(t); minute(t); second(t); quarter(t)
week(t); cast(q as varchar); cast(p as decimal(10, 2)); try_cast(n as int); array_contains(l, 1); array_get(l, 1)
array_length(l); array_lower(l); array_upper(l); array_mean(l); array_sum(l); array_reverse(l); array_unique(l)
array_to_string(l, ','); l[1]; s.x; s->'x'; q = any(l); p is null; p is not null; b is true; b is not false
p between 0 and q; q in (1, 2); q in (1, p); q not in (1, 2); n in ('ab'); p is distinct from q
p is not distinct from q; p <=> q; case when p > 0 then 'up' else 'down' end
case q when 1 then 'one' end; 1 = 1; 'constant'; null; true
"""
BEYOND = {
    "avg(p)": "an aggregate (mean)",
    "sum(p)": "an aggregate (sum)",
    "total(p)": "an aggregate (sum)",
    "min(p)": "an aggregate (min)",
    "max(p)": "an aggregate (max)",
    "median(p)": "an aggregate (median)",
    "stddev(p)": "an aggregate (std)",
    "variance(p)": "an aggregate (var)",
    "first(p)": "an aggregate (first)",
    "last(p)": "an aggregate (last)",
    "count(*)": "a count of rows",
    "count(p)": "an aggregate (count)",
    "count(distinct p)": "an aggregate (nunique)",
    "array_agg(p)": "an aggregate (implode)",
    "sum(p) filter (where b)": "an aggregate",
    "corr(p, q)": "",
    "covar(p, q)": "the function Correlation",
    "quantile_cont(p, 0.5)": "the function Quantile",
    "quantile_disc(p, 0.5)": "the function Quantile",
    "approx_quantile(p, 0.5)": "the function ApproxQuantile",
    "string_agg(n, ',')": "",
    "group_concat(n)": "",
    "row_number()": "the function Range",
    "row_number() over (order by p)": "a window",
    "rank() over (order by p)": "the function Rank",
    "dense_rank() over (order by p)": "the function Rank",
    "percent_rank() over (order by p)": "",
    "cume_dist() over (order by p)": "a window",
    "ntile(2) over (order by p)": "a window",
    "lag(p) over (order by q)": "a window",
    "lead(p) over (order by q)": "a window",
    "first_value(p) over (order by q)": "a window",
    "nth_value(p, 2) over (order by q)": "a window",
    "sum(p) over ()": "an aggregate",
    "sum(p) over (partition by n)": "a window",
    "sum(p) over (order by q rows between 1 preceding and current row)": "a window",
    "max(p) over (order by q)": "a window",
    "count(*) over ()": "a count of rows",
    "unnest(l)": "rows made of a list",
    "generate_series(1, 3)": "the function Range",
    "p = (select 1)": "a query of its own",
    "exists(select 1)": "a query of its own",
    "p in (select 1)": "",
    "columns('p')": "a choice of columns by pattern",
    "date(d)": "a time whose format is guessed",
    "timestamp(d)": "a time whose format is guessed",
}
NESTINGS = (
    "{}",
    "1 = 1 and cast(n as varchar) is not null and ({}) is not null",
    "case when b then 0 else coalesce(1, 2) end = 1 or ({}) is null",
    "coalesce(null, upper(cast(({}) as varchar)), 'x')",
    "round(abs(p - 1), 2) > 1 and not (({}) in (1, 2))",
)


def row_by_row():
    return [sql.strip() for line in ROW_BY_ROW.strip().splitlines() for sql in line.split(";")]


@pytest.mark.parametrize("sql", row_by_row())
def test_functions_of_a_row_pass(sql):
    assert beyond_row(pl.sql_expr(sql)) is None


@pytest.mark.parametrize("sql", row_by_row())
def test_what_passes_gives_each_row_the_same_alone_as_among_others(sql):
    expression = pl.sql_expr(sql).alias("value")
    together = ROWS.with_columns(expression)["value"]
    for row in range(ROWS.height):
        alone = ROWS[row].with_columns(expression)["value"]
        assert_series_equal(alone, together[row : row + 1])


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("sql", BEYOND)
def test_what_looks_at_other_rows_is_named_however_deep_it_stands(sql, nesting):
    assert BEYOND[sql] in (beyond_row(pl.sql_expr(nesting.format(sql))) or "nothing")


@pytest.mark.parametrize(
    "expression",
    [
        pl.col("p").cum_sum() > 1,
        pl.col("p").shift(1).is_null(),
        pl.col("p").rolling_mean(2) > 1,
        pl.col("p").sort() > 1,
        pl.col("p").fill_null(strategy="forward") > 1,
        pl.col("p").is_duplicated(),
        pl.col("p").is_first_distinct(),
        pl.col("p").interpolate() > 1,
        pl.col("b").any(),
        pl.col("q").bitwise_and() > 1,
        pl.col("p").mode().is_in([1]),
        pl.col("p").sample(1) > 1,
        pl.col("p").map_batches(lambda values: values) > 1,
        pl.all() > 1,
    ],
    ids=str,
)
def test_expressions_that_are_not_known_to_look_at_their_row_alone_are_refused(expression):
    assert beyond_row(~expression | pl.col("b")) is not None


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("t > now()", "now()"),
        ("coalesce(t, NOW ( ))", "now()"),
        ("t::date = current_date", "current_date"),
        ("t > CURRENT_TIMESTAMP", "current_timestamp"),
        ("t > localtimestamp", "localtimestamp"),
        ("note = 'now()' and \"current_date\" is null -- now()", None),
        ("now > 1", None),
    ],
)
def test_the_present_is_found_in_the_text(sql, word):
    assert reads_clock(sql) == word
