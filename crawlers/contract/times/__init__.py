"""Time formats: named ones in a registry, and patterns of strptime's directives."""

from crawlers.contract.times import epoch as _epoch
from crawlers.contract.times import iso8601 as _iso8601
from crawlers.contract.times.formats import check_format, time_format
from crawlers.contract.times.moments import PROBLEMS, Moments
from crawlers.contract.times.registry import TIME_FORMATS, TimeFormat
from crawlers.contract.times.zones import check_zone

__all__ = ["PROBLEMS", "TIME_FORMATS", "Moments", "TimeFormat", "check_format", "check_zone", "time_format"]

del _epoch, _iso8601
