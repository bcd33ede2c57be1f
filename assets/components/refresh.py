"""Refresh: one scheduled run of everything selected, for the newest partition."""

from typing import ClassVar, Literal

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, field_validator

from assets.components.declaration import Declared


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
        description: One sentence for the UI.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    select: str
    cron: str = "0 2 * * *"
    retries: Retries = Retries()
    enabled: bool = True
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
        """A job and a schedule that starts it for yesterday, the newest complete day."""
        del context
        retries = self.spec.retries
        job = dg.define_asset_job(
            self.name,
            selection=dg.AssetSelection.from_string(self.spec.select),
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

        return dg.Definitions(jobs=[job], schedules=[newest_day])
