"""`context.data_sources.add_polars(…)`: frames, Parquet files and Delta tables as assets of Great Expectations."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Literal, Optional, Type, Union  # noqa: UP035 - GX's pydantic reads these

import polars as pl
from great_expectations.core.batch import LegacyBatchDefinition
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.core.id_dict import IDDict
from great_expectations.datasource.fluent import BatchRequest
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.config_str import ConfigStr
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource, TestConnectionError
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from expectations.polars_engine.engine import PolarsExecutionEngine

# The one name that GX leaves out of what it writes down and logs.
FRAME = "dataframe"
# A value may name a variable, `${KEY}`, which is what is written down.
StorageOptions = Optional[Dict[str, Union[ConfigStr, str]]]  # noqa: UP006, UP007, UP045 - GX's pydantic reads it


class _PolarsAsset(DataAsset):  # type: ignore[misc]
    """What all assets share: one batch, the whole asset."""

    class Config:
        extra = "allow"

    def test_connection(self) -> None:
        """Nothing to test: the data come with the batch, or are looked for when it is read."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """The names that `batch_parameters` may have."""
        return ()

    def get_batch_identifiers_list(self, batch_request: BatchRequest) -> list[dict[str, Any]]:
        """One batch."""
        return [IDDict(batch_request.options)]

    def add_batch_definition_whole_dataframe(self, name: str) -> Any:
        """Define the batch that is the whole asset."""
        return self.add_batch_definition(name=name, partitioner=None)

    def build_batch_request(
        self, options: dict[str, Any] | None = None, batch_slice: Any = None, partitioner: Any = None
    ) -> BatchRequest:
        """Ask for the batch.

        Raises:
            BuildBatchRequestError: The options are not those that the asset needs.
        """
        if batch_slice is not None or partitioner is not None:
            raise BuildBatchRequestError(
                message="A Polars asset is one batch: batch_slice and partitioner must be None."
            )
        self._check_options(options or {})
        return BatchRequest(datasource_name=self.datasource.name, data_asset_name=self.name, options=options or {})

    def get_batch(self, batch_request: BatchRequest) -> Batch:
        """Read the batch: lazily, so that nothing is loaded yet."""
        self._check_options(batch_request.options or {})
        specification = RuntimeDataBatchSpec(batch_data=self._frame(batch_request.options or {}))
        engine = self.datasource.get_execution_engine()
        data, markers = engine.get_batch_data_and_markers(batch_spec=specification)
        definition = LegacyBatchDefinition(
            datasource_name=self.datasource.name,
            data_connector_name=_DATA_CONNECTOR_NAME,
            data_asset_name=self.name,
            batch_identifiers=make_batch_identifier(batch_request.options),
            batch_spec_passthrough=None,
        )
        metadata = self._get_batch_metadata_from_batch_request(batch_request=batch_request, ignore_options=(FRAME,))
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=batch_request,
            data=data,
            metadata=metadata,
            batch_markers=markers,
            batch_spec=specification,
            batch_definition=definition,
        )

    def _check_options(self, options: dict[str, Any]) -> None:
        if options:
            raise BuildBatchRequestError(
                message=f"Asset '{self.name}' reads what it was declared with; it takes no batch_parameters, "
                f"but was given {', '.join(options)}."
            )

    def _frame(self, options: dict[str, Any]) -> pl.DataFrame | pl.LazyFrame:
        raise NotImplementedError


class PolarsDataFrameAsset(_PolarsAsset):
    """A frame that is handed over at run time: `batch_parameters={"dataframe": frame}`."""

    type: Literal["dataframe"] = "dataframe"

    class Config:  # noqa: D106 - pydantic's own word
        extra = "forbid"

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """The names that `batch_parameters` may have."""
        return (FRAME,)

    def _check_options(self, options: dict[str, Any]) -> None:
        if set(options) != {FRAME}:
            raise BuildBatchRequestError(message=f"batch_parameters must have exactly one key, '{FRAME}'.")
        if not isinstance(options[FRAME], pl.DataFrame | pl.LazyFrame):
            raise BuildBatchRequestError(
                message=f"batch_parameters['{FRAME}'] must be a polars.DataFrame or polars.LazyFrame, "
                f"not {type(options[FRAME]).__name__}."
            )

    def _frame(self, options: dict[str, Any]) -> pl.DataFrame | pl.LazyFrame:
        frame: pl.DataFrame | pl.LazyFrame = options[FRAME]
        return frame


class _StoredAsset(_PolarsAsset):
    """What lies at a path, local or on an object store."""

    path: str
    storage_options: StorageOptions = None

    def _storage_options(self) -> dict[str, str] | None:
        if self.storage_options is None:
            return None
        variables = self.datasource._config_provider  # noqa: SLF001 - pinned by a characterisation test
        return {
            key: value.get_config_value(variables) if isinstance(value, ConfigStr) else value
            for key, value in self.storage_options.items()
        }


class PolarsParquetAsset(_StoredAsset):
    """Parquet files: a path, a folder or a glob."""

    type: Literal["parquet"] = "parquet"
    hive_partitioning: bool | None = None

    class Config:  # noqa: D106 - pydantic's own word
        extra = "forbid"

    def _frame(self, options: dict[str, Any]) -> pl.LazyFrame:  # noqa: ARG002
        return pl.scan_parquet(
            self.path, hive_partitioning=self.hive_partitioning, storage_options=self._storage_options()
        )


class PolarsDeltaAsset(_StoredAsset):
    """A Delta table, or a version of it."""

    type: Literal["delta"] = "delta"
    version: int | None = None

    class Config:  # noqa: D106 - pydantic's own word
        extra = "forbid"

    def _frame(self, options: dict[str, Any]) -> pl.LazyFrame:  # noqa: ARG002
        return pl.scan_delta(self.path, version=self.version, storage_options=self._storage_options())


class PolarsDatasource(Datasource):  # type: ignore[misc]
    """Frames, Parquet files and Delta tables, evaluated by Polars."""

    asset_types: ClassVar[List[Type[DataAsset]]] = [PolarsDataFrameAsset, PolarsParquetAsset, PolarsDeltaAsset]  # noqa: UP006

    type: Literal["polars"] = "polars"
    assets: List[_PolarsAsset] = []  # noqa: UP006, RUF012 - GX's pydantic copies it

    @property
    def execution_engine_type(self) -> Type[PolarsExecutionEngine]:  # noqa: UP006 - `type` is a field here
        """The engine."""
        return PolarsExecutionEngine

    def test_connection(self, test_assets: bool = True) -> None:  # noqa: FBT001, FBT002 - GX's signature
        """Check each asset, if asked.

        Raises:
            TestConnectionError: An asset cannot be reached.
        """
        if not test_assets:
            return
        for asset in self.assets:
            try:
                asset.test_connection()
            except OSError as error:
                raise TestConnectionError(f"Asset '{asset.name}': {error}") from error

    def add_dataframe_asset(self, name: str, batch_metadata: dict[str, Any] | None = None) -> PolarsDataFrameAsset:
        """Add a frame that is handed over at run time."""
        asset: PolarsDataFrameAsset = self._add_asset(
            PolarsDataFrameAsset(name=name, batch_metadata=batch_metadata or {})
        )
        return asset

    def add_parquet_asset(
        self,
        name: str,
        path: str,
        *,
        hive_partitioning: bool | None = None,
        storage_options: dict[str, str] | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> PolarsParquetAsset:
        """Add Parquet files: a path, a folder or a glob."""
        asset: PolarsParquetAsset = self._add_asset(
            PolarsParquetAsset(
                name=name,
                path=str(path),
                hive_partitioning=hive_partitioning,
                storage_options=storage_options,
                batch_metadata=batch_metadata or {},
            )
        )
        return asset

    def add_delta_asset(
        self,
        name: str,
        path: str,
        *,
        version: int | None = None,
        storage_options: dict[str, str] | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> PolarsDeltaAsset:
        """Add a Delta table, or a version of it."""
        asset: PolarsDeltaAsset = self._add_asset(
            PolarsDeltaAsset(
                name=name,
                path=str(path),
                version=version,
                storage_options=storage_options,
                batch_metadata=batch_metadata or {},
            )
        )
        return asset
