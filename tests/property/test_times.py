"""Times mean what Python's `strptime` says, on the fast path and on the exact one."""

import datetime as dt
import re

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawlers.contract.times import time_format
from foundation.located import LocatedError

#: Each way to say a date, a time of day and a zone in Python's own directives.
DATES = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%Y%m%d",
    "%d %b %Y",
    "%B %d, %Y",
    "%a %d %b %Y",
    "%Y %j",
    "%Y-%m",
    "%d%m%Y",
]
TIMES = ["", "%H", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H%M%S", "%I:%M %p", "%I%p", "%I:%M:%S.%f%p"]
ZONES = ["", "%z", " %z"]
BETWEEN = [" ", "T", " at ", "  ", "_", ""]
ODD = ["{}", " {}", "{} ", "{}0", "0{}", "{}x"]
# Python writes years before 1000 without their zeros.
EARLY, LATE = dt.datetime(1000, 1, 2), dt.datetime(9999, 12, 30)  # noqa: DTZ001 - on the wall
HALF_PAST = dt.datetime(2026, 1, 5, 10, 0, 0, 500_000)  # noqa: DTZ001


def expected(text, spelling):
    """Microseconds since 1970, as Python reads a text; nothing when it does not."""
    try:
        moment = dt.datetime.strptime(text, spelling)  # noqa: DTZ007 - the oracle
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or dt.UTC)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    try:
        return (moment - epoch) // dt.timedelta(microseconds=1)
    except OverflowError:
        return None


@st.composite
def spellings(draw):
    date, time = draw(st.sampled_from(DATES)), draw(st.sampled_from(TIMES))
    if not time:
        return date
    return date + draw(st.sampled_from(BETWEEN)) + time + draw(st.sampled_from(ZONES))


def shortened(text, numbers):
    """The text with zeros taken from before some numbers, or with spaces for them."""
    return re.sub(r"(?<![0-9])0(?=[0-9])", lambda _: next(numbers), text)


@st.composite
def written(draw, spelling):
    zone = dt.timezone(dt.timedelta(minutes=draw(st.integers(-1439, 1439))))
    moment = draw(st.datetimes(min_value=EARLY, max_value=LATE))
    text = moment.replace(tzinfo=zone).strftime(spelling)
    change = draw(st.sampled_from(["none", "none", "short", "case", "odd", "damage", "digits"]))
    match change:
        case "short":
            return shortened(text, iter(draw(st.lists(st.sampled_from(["", " ", "0"]), min_size=30, max_size=30))))
        case "case":
            return draw(st.sampled_from([text.upper(), text.lower()]))
        case "odd":
            return draw(st.sampled_from(ODD)).format(text)
        case "damage":
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + draw(st.sampled_from(["", "9", "0", ":", " ", "-", "Z"])) + text[at + 1 :]
        case "digits":
            return re.sub(r"[0-9]", lambda _: str(draw(st.integers(0, 9))), text)
    return text


def read(texts, spelling):
    return time_format(spelling).read(pl.Series(texts, dtype=pl.String), None).micros.to_list()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_pattern_reads_what_strptime_reads(data):
    spelling = data.draw(spellings())
    texts = data.draw(st.lists(written(spelling), min_size=1, max_size=6))
    assert read(texts, spelling) == [expected(text, spelling) for text in texts]


@settings(max_examples=50, deadline=None)
@given(
    moment=st.datetimes(min_value=EARLY),
    spelling=st.sampled_from(
        ["%Y-%m-%d %H:%M:%S.%f", "%d/%b/%Y:%H:%M:%S", "%Y%m%d%H%M", "%B %d, %Y %I:%M %p", "%d.%m.%Y"]
    ),
)
@example(moment=HALF_PAST, spelling="%Y-%m-%d %H:%M:%S.%f")
def test_the_fast_path_and_the_exact_one_agree(moment, spelling):
    form = time_format(spelling)
    assert form.proved is not None
    texts = pl.Series([moment.strftime(spelling)])
    assert texts.str.contains(form.proved).all()
    assert form._quickly(texts, None).micros.to_list() == form._exactly(texts, None).micros.to_list()


@settings(max_examples=100, deadline=None)
@given(spelling=st.text(st.sampled_from(list("%YmdbHMSfzpIyjZBAae-_k:. TFsc")), max_size=12).map("%{}".format))
def test_any_pattern_is_refused_or_read_as_python_reads_it(spelling):
    try:
        form = time_format(spelling)
    except LocatedError as error:
        refused = str(error)
        assert spelling in refused
        return
    moments = (dt.datetime(2026, 1, 5, 9, 5, 7, 500_000, dt.UTC), dt.datetime(1999, 12, 31, 23, tzinfo=dt.UTC))
    texts = [moment.strftime(spelling) for moment in moments]
    found = form.read(pl.Series(texts), None).micros.to_list()
    wanted = [expected(text, spelling) for text in texts]
    # Python's own directives only: it refuses the others.
    if all(value is not None for value in wanted) and "%Z" not in spelling:
        assert found == wanted


@settings(max_examples=50, deadline=None)
@given(moment=st.datetimes(timezones=st.just(dt.UTC)), places=st.sampled_from([0, 3, 6, 9]))
def test_counts_since_1970_are_exact(moment, places):
    micros = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    name = {0: "epoch_s", 3: "epoch_ms", 6: "epoch_us", 9: "epoch_ns"}[places]
    if places <= 6:
        scale = 10 ** (6 - places)
        sign, (whole, rest) = "-" if micros < 0 else "", divmod(abs(micros), scale)
        text = f"{sign}{whole}" + (f".{rest:0{6 - places}d}" if scale > 1 else "")
    else:
        text = str(micros * 1000)
    if places == 9 and abs(micros * 1000) >= 2**63:
        return
    assert read([text, text[:-1] + "x"], name) == [micros, None]


@pytest.mark.parametrize("name", ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"])
@given(text=st.one_of(st.text(max_size=25), st.integers().map(str), st.floats().map(str)))
@settings(max_examples=15, deadline=None)
def test_no_text_makes_a_count_raise(name, text):
    moments = time_format(name).read(pl.Series([text]), None)
    assert len(moments.micros) == len(moments.problem) == 1
