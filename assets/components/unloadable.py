"""A product whose declarations have problems, as it stands in the graph until they are mended."""

from __future__ import annotations

import re
from collections.abc import Sequence

import dagster as dg

EVERY_NIGHT = "0 2 * * *"


def unloadable(product: str, problems: Sequence[str]) -> dg.Definitions:
    """One asset in the product's group that says what is wrong, and a schedule that fails with it.

    Without the schedule a product would just stop being refreshed, and nobody would hear of it.

    Args:
        product: The folder of the product.
        problems: Messages that name file, line, culprit and fix.
    """
    slug = re.sub(r"[^a-z0-9_]+", "_", product.lower()).strip("_") or "product"
    text = f"{len(problems)} problems keep this product from loading:\n\n" + "\n".join(f"- {one}" for one in problems)

    @dg.asset(
        name=f"{slug}__declarations",
        group_name=slug,
        description=text,
        kinds={"yaml"},
        tags={"sluice/problems": str(len(problems))},
    )
    def declarations() -> None:
        raise dg.Failure(f"{text}\n\nMend them, then reload the code location.", allow_retries=False)

    job = dg.define_asset_job(f"{slug}__declarations_job", selection=[declarations.key])
    schedule = dg.ScheduleDefinition(
        name=f"{slug}__declarations_schedule",
        job=job,
        cron_schedule=EVERY_NIGHT,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Fails until the declarations of this product are mended.",
    )
    return dg.Definitions(assets=[declarations], jobs=[job], schedules=[schedule])
