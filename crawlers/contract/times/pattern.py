"""Time patterns such as `%d.%m.%Y %H:%M`, read as Python's `strptime` reads them.

A pattern becomes a regular expression, as in Python, and its groups become numbers, all of it vectorised. Texts of the
usual width, which are nearly all, are proved by a cheaper expression and left to Polars' own parser, which takes some
directives otherwise than Python (`%f`, `%Z`) and drops what it does not know (`%-H`), but agrees on what is proved.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import polars as pl

from crawlers.contract.times.directives import COMPOSED, DIRECTIVES, MONTHS, REFUSED, Directive
from crawlers.contract.times.moments import Moments, in_utc, none_of, nothing, on_the_wall
from crawlers.contract.times.zones import OFFSETS
from foundation.located import LocatedError
from foundation.nearest import hint

_TOKEN = re.compile(
    r"%(?P<directive>[-_0][A-Za-z]|[:#]z|\.?[369]f|\.f|.)|(?P<space>\s+)|(?P<text>[^%\s]+|%)", re.DOTALL
)
_SPACE = r"[\s\x1c-\x1f]+"
_DAY_MICROS = 86_400_000_000
_ONE_OF = (("year", "short_year"), ("month", "named_month"), ("hour", "half_day_hour"), ("offset", "zone_name"))


_HOURS = frozenset({"hour", "half_day_hour"})
_MONTHS = frozenset({"month", "named_month"})
#: Parts, of which any needs one of others, and what is to say when none is there; no parts: every format needs one.
_INCOMPLETE: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (
        frozenset(),
        frozenset({"year", "short_year"}),
        "has no year, so its values are no dates; add %Y, or compose the column of several fields with `from`",
    ),
    (frozenset({"day"}), _MONTHS, "has a day, but no month"),
    (
        frozenset({"half_day_hour"}),
        frozenset({"half"}),
        "has an hour of the 12-hour clock (%I), but no %p that says which half of the day; use %H or add %p",
    ),
    (
        frozenset({"half"}),
        frozenset({"half_day_hour"}),
        "has %p, but no hour of the 12-hour clock; use %I for the hour, or remove %p",
    ),
    (frozenset({"minute"}), _HOURS, "has minutes, but no hour"),
    (frozenset({"second"}), frozenset({"minute"}), "has seconds, but no minutes"),
    (frozenset({"fraction", "point_fraction"}), frozenset({"second"}), "has a fraction, but no seconds"),
    (frozenset({"offset", "zone_name"}), _HOURS, "has a zone, but no hour"),
)
#: Parts that say in two ways what others say.
_CONTRADICTING = (
    (frozenset({"day_of_year"}), _MONTHS | {"day"}, "has a day of the year (%j) beside a month or a day"),
    (frozenset({"fraction"}), frozenset({"point_fraction"}), "says the fraction in two ways"),
)


@dataclass(frozen=True)
class _Token:
    directive: Directive | None
    text: str


@dataclass(frozen=True)
class Pattern:
    """A pattern that has been checked.

    Attributes:
        text: as declared.
        parts: what its groups say of a time, in order.
        exact: the regular expression of the texts that it takes, with a group for each part and one for the rest.
        proved: the same for texts of the usual width, or nothing.
        fast: what Polars' parser is given for those.
    """

    text: str
    parts: tuple[str, ...]
    exact: str
    proved: str | None
    fast: str

    def read(self, texts: pl.Series, zone: str | None) -> Moments:
        """The moments of texts; see `TimeFormat`."""
        if self.proved is None:
            return self._exactly(texts, zone)
        usual = texts.str.contains(self.proved)
        if not usual.any():
            return self._exactly(texts, zone)
        quick = self._quickly(texts if usual.all() else pl.select(pl.when(usual).then(texts)).to_series(), zone)
        left = texts.is_not_null() & ~usual.fill_null(value=False)
        if not left.any():
            return quick
        index = left.arg_true()
        rest = self._exactly(texts.gather(index), zone)
        return Moments(quick.micros.scatter(index, rest.micros), quick.problem.scatter(index, rest.problem))

    def _quickly(self, texts: pl.Series, zone: str | None) -> Moments:
        if "offset" in self.parts:
            moments = texts.str.to_datetime(self.fast, time_unit="us", time_zone="UTC", strict=False)
            return in_utc(moments.dt.timestamp("us"))
        if "hour" in self.parts or "half_day_hour" in self.parts:
            wall = texts.str.to_datetime(self.fast, time_unit="us", strict=False)
        else:
            wall = texts.str.to_date(self.fast, strict=False).cast(pl.Datetime("us"))
        return on_the_wall(wall.dt.timestamp("us"), zone)

    def _exactly(self, texts: pl.Series, zone: str | None) -> Moments:
        if texts.is_empty():
            return nothing(0)
        groups = texts.str.extract_groups(self.exact).struct.unnest()
        # Without the rest in the expression it would try other ways to read the digits until nothing is left over.
        whole = groups.to_series(len(self.parts)) == ""
        frame = pl.DataFrame([groups.to_series(at).alias(part) for at, part in enumerate(self.parts)])
        if not whole.all():
            frame = frame.select(pl.when(whole).then(pl.all()))
        # A day of month 13 or second 60 has the form, but is no time.
        wall = frame.select(_wall(self.parts)).to_series()
        if "offset" in self.parts:
            return in_utc(wall - frame.select(_offset()).to_series())
        if "zone_name" in self.parts:
            return _named(wall, frame["zone_name"].str.to_uppercase())
        return on_the_wall(wall, zone)


def _named(wall: pl.Series, names: pl.Series) -> Moments:
    hours = names.replace_strict(OFFSETS, default=None, return_dtype=pl.Int64)
    lost = wall.is_not_null() & hours.is_null()
    problem = none_of(len(wall))
    if lost.any():
        problem = pl.select(pl.when(lost).then(pl.lit("unknown_zone"))).to_series()
    return in_utc(wall - hours * 3_600_000_000, problem)


def _wall(parts: tuple[str, ...]) -> pl.Expr:
    """Microseconds since 1970 by the clock on the wall; null where the groups are no date or no time of day."""
    zero = pl.lit(0, dtype=pl.Int64)
    year, month, day = _year(parts), _month(parts), _number("day") if "day" in parts else pl.lit(1, dtype=pl.Int64)
    # Days since 1970 in the Gregorian calendar, after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    from_march = year - (month <= 2).cast(pl.Int64)
    shifted = (month + 9) % 12
    in_year = (153 * shifted + 2) // 5 + day - 1
    days = 365 * from_march + from_march // 4 - from_march // 100 + from_march // 400 + in_year - 719_468
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    lengths = pl.when(month == 2).then(28 + leap.cast(pl.Int64)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    valid = (day <= lengths) & (year >= 1)
    if "day_of_year" in parts:
        of_year = _number("day_of_year")
        days = days + of_year - 1
        valid = valid & (of_year <= 365 + leap.cast(pl.Int64))
    second = _number("second") if "second" in parts else zero
    minute = _number("minute") if "minute" in parts else zero
    fraction = _fraction(parts) if {"fraction", "point_fraction"} & set(parts) else zero
    micros = ((_hour(parts) * 60 + minute) * 60 + second) * 1_000_000 + fraction
    # A year that is not there is out of range, which the caller says; it must not be null for that.
    valid = (valid | (year < 1)) & (second <= 59)
    return pl.when(valid).then(days * _DAY_MICROS + micros)


def _number(part: str) -> pl.Expr:
    return pl.col(part).str.strip_chars_start(" ").cast(pl.Int64, strict=False)


def _year(parts: tuple[str, ...]) -> pl.Expr:
    if "year" in parts:
        return _number("year")
    short = _number("short_year")
    # As POSIX has it.
    return short + pl.when(short <= 68).then(2000).otherwise(1900)


def _month(parts: tuple[str, ...]) -> pl.Expr:
    if "month" in parts:
        return _number("month")
    if "named_month" in parts:
        numbers = {name[:3].lower(): number for number, name in enumerate(MONTHS, start=1)}
        short = pl.col("named_month").str.slice(0, 3).str.to_lowercase()
        return short.replace_strict(numbers, default=None, return_dtype=pl.Int64)
    return pl.lit(1, dtype=pl.Int64)


def _hour(parts: tuple[str, ...]) -> pl.Expr:
    if "hour" in parts:
        return _number("hour")
    if "half_day_hour" in parts:
        afternoon = pl.col("half").str.to_lowercase() == "pm"
        return _number("half_day_hour") % 12 + 12 * afternoon.cast(pl.Int64)
    return pl.lit(0, dtype=pl.Int64)


def _fraction(parts: tuple[str, ...]) -> pl.Expr:
    """Microseconds of the digits after the point, as many as there are; more than six are cut."""
    part = "fraction" if "fraction" in parts else "point_fraction"
    digits = pl.col(part).str.strip_chars_start(".")
    return (digits + "000000").str.slice(0, 6).cast(pl.Int64, strict=False)


def _offset() -> pl.Expr:
    """Microseconds east of UTC; null from a day on, which no zone is."""
    text = pl.col("offset")
    digits = text.str.slice(1).str.replace_all(":", "", literal=True)

    def two(at: int) -> pl.Expr:
        return digits.str.slice(at, 2).cast(pl.Int64, strict=False).fill_null(0)

    beyond = (digits.str.extract(r"\.([0-9]+)$") + "000000").str.slice(0, 6).cast(pl.Int64, strict=False).fill_null(0)
    size = ((two(0) * 60 + two(2)) * 60 + two(4)) * 1_000_000 + beyond
    signed = pl.when(text.str.starts_with("-")).then(-size).otherwise(size)
    return pl.when(size < _DAY_MICROS).then(signed)


@functools.lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """A pattern, unless it cannot be read exactly.

    Args:
        text: as declared.

    Raises:
        LocatedError: it holds a directive that is not read, one twice, or too little or too much for a time.
    """
    tokens = _tokens(text, text)
    parts = tuple(token.directive.part for token in tokens if token.directive and token.directive.part)
    _check(text, parts)
    exact, proved, fast = [], [], []
    plain = True
    for token in tokens:
        if token.directive is None:
            blank = token.text.isspace()
            exact.append(_SPACE if blank else re.escape(token.text))
            proved.append(re.escape(token.text))
            fast.append(token.text.replace("%", "%%"))
            # The parser of the fast path takes any white space for another.
            plain = plain and (not blank or set(token.text) == {" "})
        else:
            one = token.directive
            exact.append(f"({one.pattern})" if one.part else f"(?:{one.pattern})")
            proved.append(f"(?:{one.padded})")
            fast.append(one.fast or "")
            plain = plain and one.padded is not None
    return Pattern(
        text,
        parts,
        rf"(?i)^{''.join(exact)}((?s:.*))$",
        rf"^{''.join(proved)}$" if plain and _whole(parts) else None,
        "".join(fast),
    )


def _whole(parts: tuple[str, ...]) -> bool:
    """Whether Polars' parser takes a time of these parts: a whole date, and hours with minutes or none."""
    have = set(parts)
    date = "year" in have and {"month", "named_month"} & have and "day" in have
    return bool(date) and (not {"hour", "half_day_hour", "offset"} & have or "minute" in have)


def _tokens(text: str, declared: str) -> list[_Token]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        name = match["directive"]
        if name is None:
            if match["text"] == "%":
                raise LocatedError(f"format '{declared}' ends with a single %; write %% for a percent sign")
            tokens.append(_Token(None, match[0]))
        elif name == "%":
            tokens.append(_Token(None, "%"))
        elif name in COMPOSED:
            tokens.extend(_tokens(COMPOSED[name], declared))
        elif name in DIRECTIVES:
            tokens.append(_Token(DIRECTIVES[name], name))
        else:
            why = REFUSED.get(name) or hint(f"%{name}", (f"%{known}" for known in DIRECTIVES))
            raise LocatedError(f"format '{declared}' holds %{name}, which is not read: {why}")
    return tokens


def _check(text: str, parts: tuple[str, ...]) -> None:
    """Refuse what gives no time, or leaves open which."""
    have = set(parts)
    reasons = [f"says the {part.replace('_', ' ')} twice" for part in sorted(have) if parts.count(part) > 1]
    reasons += [f"says the {one} in two ways" for one, other in _ONE_OF if {one, other} <= have]
    reasons += [reason for some, wanted, reason in _INCOMPLETE if (not some or some & have) and not wanted & have]
    reasons += [reason for some, others, reason in _CONTRADICTING if some & have and others & have]
    if reasons:
        raise LocatedError(f"format '{text}' {reasons[0]}")
