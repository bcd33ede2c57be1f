"""What a person tells a run by its tags: which days, that everything is to be done again, that a refusal is wrong."""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.stages.override import Override

FORCE_TAG = "sluice/force"
OVERRIDE_TAG = "sluice/publish_refused"
BY_TAG = "sluice/by"


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of the run, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def forced(context: dg.AssetExecutionContext) -> bool:
    """Whether the run was told to do everything again, by the tag `sluice/force: "true"`."""
    return context.run.tags.get(FORCE_TAG, "").lower() == "true"


def overriding(context: dg.AssetExecutionContext) -> Override | None:
    """Whether the run was told to publish what was refused, by the tags `sluice/publish_refused` and `sluice/by`.

    Raises:
        dg.Failure: Only one of the two tags is there.
    """
    tags = context.run.tags
    reason, by = (tags.get(name, "").strip() for name in (OVERRIDE_TAG, BY_TAG))
    if OVERRIDE_TAG not in tags:
        return None
    if not reason or not by:
        raise dg.Failure(
            f"Publishing refused days needs the tag {OVERRIDE_TAG} with the reason, and {BY_TAG} with the name of who "
            "decides; they stay on the record. Add what is missing, and run it again.",
            allow_retries=False,
        )
    return Override(reason, by)
