"""Types of columns, one a file, in a registry."""

from crawlers.contract.types import boolean as _boolean
from crawlers.contract.types import date as _date
from crawlers.contract.types import datetime as _datetime
from crawlers.contract.types import float as _float
from crawlers.contract.types import integer as _integer
from crawlers.contract.types import json as _json
from crawlers.contract.types import list as _list
from crawlers.contract.types import string as _string
from crawlers.contract.types import struct as _struct
from crawlers.contract.types.reading import read_column
from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Fault, Kind, Typed

__all__ = ["COLUMN_TYPES", "ColumnType", "Fault", "Kind", "Typed", "read_column"]

del _boolean, _date, _datetime, _float, _integer, _json, _list, _string, _struct
