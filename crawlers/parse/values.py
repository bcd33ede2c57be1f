"""From texts to typed values, with a reason for every text that is not one."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from crawlers.contract import TIMESTAMP, Column

_ISO_WITH_ZONE = "%Y-%m-%dT%H:%M:%S%.f%#z"
_ISO_WITHOUT_ZONE = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_WHOLE_FLOAT = r"^([+-]?[0-9]+)\.0*$"
_TRUE, _FALSE = ("true", "1"), ("false", "0")
# The years 1 to 9999, in seconds: what other readers of the tables can represent.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


def typed(texts: pl.Series, column: Column) -> pl.Series:
    """The values of a column; null where there is no text, and where the text is no such value.

    Args:
        texts: as served (String), null where the record has no value.
        column: its declaration.

    Returns:
        A series of `column.declared_dtype`.
    """
    match column.type:
        case "string":
            return texts
        case "integer":
            return _resolved(texts, pl.Int64(), (_integer, _whole_float))
        case "float":
            values = texts.cast(pl.Float64, strict=False)
            return _nulled(values, ~values.is_finite())
        case "boolean":
            return _boolean(texts)
        case "datetime":
            return _resolved(texts, TIMESTAMP, tuple(_reader(spelling) for spelling in column.spelled))
        case "date":
            moments = _resolved(texts, TIMESTAMP, tuple(_reader(spelling) for spelling in column.spelled))
            return moments.dt.date()


Reader = Callable[[pl.Series], pl.Series]


def _resolved(texts: pl.Series, dtype: pl.DataType, readers: tuple[Reader, ...]) -> pl.Series:
    """Try readers in order, each only on the texts that the earlier ones could not read."""
    values = readers[0](texts).cast(dtype)
    for reader in readers[1:]:
        open_ = texts.is_not_null() & values.is_null()
        if not open_.any():
            break
        index = open_.arg_true()
        values = values.scatter(index, reader(texts.gather(index)).cast(dtype))
    return values


def _nulled(values: pl.Series, mask: pl.Series) -> pl.Series:
    if not mask.any():
        return values
    return pl.select(pl.when(~mask).then(values)).to_series().alias(values.name)


def _integer(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Int64, strict=False)


def _whole_float(texts: pl.Series) -> pl.Series:
    return texts.str.extract(_WHOLE_FLOAT).cast(pl.Int64, strict=False)


def _boolean(texts: pl.Series) -> pl.Series:
    lower = texts.str.to_lowercase()
    values = pl.when(lower.is_in(_TRUE)).then(pl.lit(value=True)).when(lower.is_in(_FALSE)).then(pl.lit(value=False))
    return pl.select(values.otherwise(None).cast(pl.Boolean)).to_series().alias(texts.name)


def _reader(spelling: str) -> Reader:
    match spelling:
        case "epoch_ms":
            return lambda texts: _epoch(texts, 1_000)
        case "epoch_s":
            return lambda texts: _epoch(texts, 1)
        case "iso8601":
            return _iso8601
        case _:
            return lambda texts: _pattern(texts, spelling)


def _epoch(texts: pl.Series, per_second: int) -> pl.Series:
    # Whole numbers exactly; numbers with a fraction to the microsecond.
    whole = texts.cast(pl.Int64, strict=False)
    within = whole.is_between(_FIRST_SECOND * per_second, _LAST_SECOND * per_second)
    micros = pl.select(pl.when(within).then(whole * (1_000_000 // per_second))).to_series()
    open_ = texts.is_not_null() & whole.is_null()
    if open_.any():
        number = texts.cast(pl.Float64, strict=False) / per_second
        usable = open_ & number.is_between(_FIRST_SECOND, _LAST_SECOND)
        rounded = (pl.select(pl.when(usable).then(number)).to_series() * 1_000_000).round().cast(pl.Int64)
        micros = pl.select(pl.coalesce(micros, rounded)).to_series()
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _iso8601(texts: pl.Series) -> pl.Series:
    # RFC 3339 allows a space for the T; without a zone, times are UTC.
    normal = texts.str.strip_chars().str.replace(" ", "T", literal=True)
    naive = tuple(lambda t, p=pattern: _naive(t, p) for pattern in _ISO_WITHOUT_ZONE)
    return _resolved(normal, TIMESTAMP, (lambda t: _zoned(t, _ISO_WITH_ZONE), *naive))


def _pattern(texts: pl.Series, pattern: str) -> pl.Series:
    zoned = any(directive in pattern for directive in ("%z", "%:z", "%#z", "%+"))
    return _zoned(texts, pattern) if zoned else _naive(texts, pattern)


def _zoned(texts: pl.Series, pattern: str) -> pl.Series:
    return texts.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)


def _naive(texts: pl.Series, pattern: str) -> pl.Series:
    if any(directive in pattern for directive in ("%H", "%I", "%T", "%s", "%R", "%c", "%X", "%r")):
        return texts.str.to_datetime(pattern, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    return texts.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
