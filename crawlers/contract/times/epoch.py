"""Times as a count of seconds, or of parts of seconds, since 1970 in UTC."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crawlers.contract.times.moments import Moments, in_utc
from crawlers.contract.times.registry import TIME_FORMATS

_MICROS = 1_000_000
# Days beyond the years that can be kept, so that products stay within 64 bits.
_FIRST_SECOND, _LAST_SECOND = -99_999_999_999, 999_999_999_999
_FRACTION = r"^([+-]?)([0-9]+)(\.[0-9]*)$"


@dataclass(frozen=True)
class Epoch:
    """A count since 1970-01-01T00:00:00Z, whole or with a fraction; read exactly, to the microsecond.

    Attributes:
        unit: what is counted, for the reference.
        per_second: how many there are in a second.
        example: a text that it reads.
    """

    unit: str
    per_second: int
    example: str

    @property
    def describes(self) -> str:
        """One sentence for the reference."""
        return f"{self.unit} since 1970-01-01 in UTC, as a number or its text."

    def read(self, texts: pl.Series, zone: str | None) -> Moments:
        """The moments of counts; a zone has no meaning for them."""
        del zone
        whole = texts.cast(pl.Int64, strict=False)
        micros = self._micros(whole)
        open_ = texts.is_not_null() & whole.is_null()
        if open_.any():
            index = open_.arg_true()
            micros = micros.scatter(index, self._other(texts.gather(index)))
        return in_utc(micros)

    def _micros(self, whole: pl.Series) -> pl.Series:
        # What lies far outside is moved to just outside, so that it is out of range rather than wrapped round.
        bounded = whole.clip(_FIRST_SECOND * self.per_second, _LAST_SECOND * self.per_second) if self._narrow else whole
        if self.per_second > _MICROS:
            return bounded // (self.per_second // _MICROS)
        return bounded * (_MICROS // self.per_second)

    @property
    def _narrow(self) -> bool:
        return _LAST_SECOND * self.per_second < 2**63

    def _other(self, texts: pl.Series) -> pl.Series:
        """Microseconds of texts that are no whole numbers of 64 bits: fractions, exponents, too many digits."""
        unit = _MICROS / self.per_second
        parts = texts.str.extract_groups(_FRACTION).struct.unnest()
        sign, digits, fraction = (parts.to_series(at) for at in range(3))
        # The fraction by itself, so that the digits before it cost it none.
        beside = (fraction.str.replace(r"^\.$", "0").cast(pl.Float64, strict=False) * unit).round().cast(pl.Int64)
        down = sign == "-"
        before = digits.cast(pl.Int64, strict=False)
        scaled = self._micros(before) if self.per_second <= _MICROS else before // int(1 / unit)
        if self.per_second > _MICROS:
            beside = beside * 0
        exact = pl.select(pl.when(down).then(-(scaled + beside)).otherwise(scaled + beside)).to_series()
        number = texts.cast(pl.Float64, strict=False) * unit
        limit = float(_LAST_SECOND * _MICROS)
        rough = pl.select(pl.when(number.is_finite()).then(number.clip(-limit, limit))).to_series().round()
        return pl.select(pl.coalesce(exact, rough.cast(pl.Int64))).to_series()


TIME_FORMATS.register("epoch_s", Epoch("Seconds", 1, "1772359200"))
TIME_FORMATS.register("epoch_ms", Epoch("Milliseconds", 1_000, "1772359200000"))
TIME_FORMATS.register("epoch_us", Epoch("Microseconds", 1_000_000, "1772359200000000"))
TIME_FORMATS.register("epoch_ns", Epoch("Nanoseconds", 1_000_000_000, "1772359200000000000"))
