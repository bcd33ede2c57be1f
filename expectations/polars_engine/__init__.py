"""Great Expectations on Polars: importing this package registers `context.data_sources.add_polars(name)`.

It needs nothing else of this project; see README.md beside this file.
"""

from expectations.polars_engine import bounds, integers, metrics, stored, types
from expectations.polars_engine.batch import PolarsBatchData
from expectations.polars_engine.bundle import Aggregate, Procedure, Query
from expectations.polars_engine.datasource import (
    PolarsDataFrameAsset,
    PolarsDatasource,
    PolarsDeltaAsset,
    PolarsParquetAsset,
)
from expectations.polars_engine.domain import Column, Domain
from expectations.polars_engine.engine import PolarsExecutionEngine
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.providers import (
    column_aggregate_metric,
    column_map_metric,
    column_pair_map_metric,
    multicolumn_map_metric,
    table_metric,
)

__all__ = [
    "Aggregate",
    "Column",
    "Domain",
    "PolarsBatchData",
    "PolarsDataFrameAsset",
    "PolarsDatasource",
    "PolarsDeltaAsset",
    "PolarsEngineError",
    "PolarsExecutionEngine",
    "PolarsParquetAsset",
    "Procedure",
    "Query",
    "bounds",
    "column_aggregate_metric",
    "column_map_metric",
    "column_pair_map_metric",
    "integers",
    "metrics",
    "multicolumn_map_metric",
    "stored",
    "table_metric",
    "types",
]
