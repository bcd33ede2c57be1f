"""Refresh: one scheduled run of everything selected, for the newest partition, and of the housekeeping."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, field_validator

from assets.components.declaration import Declared
from assets.components.model import Model
from assets.components.source import Source
from assets.lake.housekeeping import Cleaned, Household, Retention, keep_house


class Retries(BaseModel):
    """How often a failed step is tried again, and how long it waits.

    Attributes:
        max: Tries after the first one.
        backoff: Whether the delay stays or doubles.
        delay_seconds: The first delay.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max: int = Field(default=0, ge=0, le=20)
    backoff: Literal["constant", "exponential"] = "exponential"
    delay_seconds: float = Field(default=30, gt=0)


class RefreshSpec(BaseModel):
    """What is refreshed, and when.

    Attributes:
        name: The job's and the schedule's name.
        select: An asset selection, such as `group:shop`.
        cron: When, in UTC, as five cron fields.
        retries: What happens to a step that fails.
        enabled: Whether the schedule runs without being switched on in the UI.
        retention: How long what is no longer needed is kept; each refresh removes what is older.
        description: One sentence for the UI.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    select: str
    cron: str = "0 2 * * *"
    retries: Retries = Retries()
    enabled: bool = True
    retention: Retention = Retention()
    description: str = ""

    @field_validator("cron")
    @classmethod
    def _cron_is_valid(cls, value: str) -> str:
        from dagster._utils.schedules import is_valid_cron_schedule

        if not is_valid_cron_schedule(value):
            raise ValueError(f"'{value}' is not a cron line; write five fields, such as '0 2 * * *' for 02:00 UTC")
        return value

    @field_validator("select")
    @classmethod
    def _selection_parses(cls, value: str) -> str:
        try:
            dg.AssetSelection.from_string(value)
        except Exception as error:
            raise ValueError(f"'{value}' is not an asset selection, such as 'group:shop': {error}") from error
        return value


class Refresh(Declared[RefreshSpec]):
    """One scheduled run of everything selected, for the newest partition."""

    spec_class: ClassVar[type[RefreshSpec]] = RefreshSpec

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """A job, a schedule that starts it for yesterday, the newest complete day, and the housekeeping in it."""
        housekeeping = self._housekeeping(context)
        retries = self.spec.retries
        job = dg.define_asset_job(
            self.name,
            selection=dg.AssetSelection.from_string(self.spec.select) | dg.AssetSelection.assets(housekeeping),
            description=self.spec.description or f"Refreshes {self.spec.select} for one day.",
            op_retry_policy=dg.RetryPolicy(
                max_retries=retries.max,
                delay=retries.delay_seconds,
                backoff=dg.Backoff.EXPONENTIAL if retries.backoff == "exponential" else None,
                jitter=dg.Jitter.PLUS_MINUS,
            )
            if retries.max
            else None,
        )
        partitions = self.product.partitions

        @dg.schedule(
            name=f"{self.name}_schedule",
            job=job,
            cron_schedule=self.spec.cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING if self.spec.enabled else dg.DefaultScheduleStatus.STOPPED,
            description=f"Starts {self.name} for the newest complete day.",
        )
        def newest_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            newest = partitions.get_partition_keys(current_time=context.scheduled_execution_time)[-1:]
            if not newest:
                return dg.SkipReason(f"No day is complete yet; the first partition is {self.product.start}.")
            return dg.RunRequest(run_key=newest[0], partition_key=newest[0])

        return dg.Definitions(assets=[housekeeping], jobs=[job], schedules=[newest_day])

    def _housekeeping(self, context: dg.ComponentLoadContext) -> dg.AssetsDefinition:
        names = household(context, self.product.name)

        # It depends on nothing: what a broken refresh leaves behind is cleaned up as well. And it is in no product's
        # group, whose days are materialised in ranges.
        @dg.asset(
            name=f"{self.name}__housekeeping",
            group_name="housekeeping",
            owners=list(self.product.owners),
            kinds={"python"},
            description=f"Removes what {self.product.name} keeps no longer, each kind after its declared retention.",
            code_version="1",
            required_resource_keys={"lake"},
        )
        def housekeeping(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
            lake = context.resources.lake.open()
            cleaned = keep_house(lake, names(lake.tables()), self.spec.retention, now=datetime.now(UTC))
            for one in cleaned:
                context.log.info(f"{one.name or 'local copies'}: {one.count} of {one.kind}, {one.bytes} bytes, removed")
            return dg.MaterializeResult(metadata=_told(cleaned))

        return housekeeping


def household(context: dg.ComponentLoadContext, product: str) -> Callable[[Iterable[str]], Household]:
    """What is kept of a product, as a function of the tables that there are."""
    declared = [
        component
        for component in context.component_tree.get_all_components(of_type=Declared)  # type: ignore[type-abstract]
        if component.is_usable and component.product.name == product
    ]
    names = {component.name for component in declared}
    sources = {component.name: component.spec.retention for component in declared if isinstance(component, Source)}
    models = tuple(component.name for component in declared if isinstance(component, Model))

    def of(tables: Iterable[str]) -> Household:
        # Two underscores in a row set apart the tables that a declaration makes beside its own.
        return Household(tuple(table for table in tables if table.split("__")[0] in names), sources, models)

    return of


def _told(cleaned: Sequence[Cleaned]) -> dict[str, dg.MetadataValue]:
    rows = [
        dg.TableRecord({"kind": one.kind, "of": one.name, "count": one.count, "bytes": one.bytes}) for one in cleaned
    ]
    schema = dg.TableSchema(
        [dg.TableColumn("kind"), dg.TableColumn("of"), *(dg.TableColumn(c, "int") for c in ("count", "bytes"))]
    )
    return {
        "removed_bytes": dg.MetadataValue.int(sum(one.bytes for one in cleaned)),
        "removed": dg.MetadataValue.table(rows, schema=schema),
    }
