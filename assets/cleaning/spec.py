"""The declaration of a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializeAsAny,
    field_serializer,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

import assets.cleaning.steps  # noqa: F401 - registers the steps
from assets.cleaning.registry import make_step, steps
from assets.cleaning.step import Step
from foundation.declaration import Declaration, Name, Names
from foundation.durations import WholeDays
from foundation.located import LocatedError


def steps_schema() -> dict[str, Any]:
    """The JSON schema of a list of steps: each an object with one key, the name of the step, or the name alone."""
    one = {
        "type": ["object", "string"],
        "pattern": f"^({'|'.join(steps())})$",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {name: step.model_json_schema() for name, step in steps().items()},
    }
    return {"type": "array", "items": one, "default": []}


class _StepsSchema:
    """The schema of a list of steps, of all that are registered when it is asked for."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema, handler
        return steps_schema()


class TableSpec(Declaration):
    """Cleaned records from one or more sources.

    Attributes:
        name: of the table.
        from_: the sources (in YAML `from`), one or several with the same columns.
        event_time: the datetime column that says to which day a record belongs; null for a snapshot, whose records
            belong to the day that they were crawled for.
        lateness: how many days after its event a record may still land and count, such as `1d`; later ones are
            quarantined as `too_late`.
        steps: what is done, in order.
        gate: the expectations that the cleaned rows must meet.
        max_quarantined_share: the largest share of a day's rows, from 0 to 1, that may be quarantined; a day with more
            is refused, and its quarantine is published for people to look into.
        description: for the people who read the graph.
        owners: who answers for it.
        tags: free tags.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Name
    from_: Names = Field(alias="from")
    event_time: str | None = "ts"
    lateness: WholeDays = timedelta(days=1)
    steps: Annotated[tuple[Annotated[SerializeAsAny[Step], BeforeValidator(make_step)], ...], _StepsSchema()] = ()
    gate: tuple[dict[str, Any], ...] = ()
    max_quarantined_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)

    @field_validator("steps", mode="before")
    @classmethod
    def _list_of_steps(cls, declared: Any) -> Any:
        if not isinstance(declared, Sequence) or isinstance(declared, str):
            raise LocatedError("`steps` is a list, such as `- deduplicate: {by: [event_id]}`")
        return declared

    @field_serializer("steps")
    def _steps_with_names(self, value: tuple[Step, ...]) -> list[dict[str, Any]]:
        return [{step.step: step.model_dump(mode="json")} for step in value]

    @property
    def lateness_days(self) -> int:
        """How many days after its own a day's records may land; none for a snapshot."""
        return self.lateness.days if self.event_time is not None else 0
