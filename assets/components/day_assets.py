"""The one way in which a stage becomes assets with a partition for each day, so that no stage can fail unseen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.components import metadata
from assets.components.catalogue import ColumnLineage
from assets.components.day_checks import check_spec, published_check
from assets.components.days import Days, Recorded, run_days
from assets.components.verdict import every_day_check
from assets.stages.day import Status

BESIDE: frozenset[Status] = frozenset({"published", "unchanged", "refused"})
"""When a quarantine counts as published: also on a day whose rows were refused, when people look into it most."""


def day_assets(
    plan: Callable[[dg.AssetExecutionContext], Days],
    *,
    name: str,
    specs: Sequence[dg.AssetSpec],
    resources: set[str],
    checks: Mapping[str, str] | None = None,
    beside: Sequence[dg.AssetKey] = (),
    pool: str | None = None,
    lineage: Mapping[dg.AssetKey, ColumnLineage] | None = None,
) -> dg.Definitions:
    """A step that makes one or several assets day by day, with the checks that each of them has.

    Every asset gets the check `published`, with a result for each day that says why a day is bad, and the check
    `every_day_published`, which ends the run red when there is one.

    Args:
        plan: What is done for the days of a run.
        name: Of the step.
        specs: The assets, partitioned by day; the first one decides whether a run has any content.
        resources: Keys of the resources that `plan` uses.
        checks: The checks that the stage reports of the first asset, with what they say.
        beside: Assets that are published even when the first one is refused, such as a quarantine.
        pool: The pool that bounds how many such steps run at once.
        lineage: Where the columns of each asset come from, which every materialisation shows.
    """
    partitions: Any = specs[0].partitions_def
    first = specs[0].key
    declared = [
        *(published_check(spec.key, partitions) for spec in specs),
        *(check_spec(check, first, partitions, text) for check, text in (checks or {}).items()),
    ]
    shown = {key: metadata.column_lineage(columns) for key, columns in (lineage or {}).items()}
    records = [
        Recorded(spec.key, BESIDE if spec.key in beside else Recorded.when, shown.get(spec.key, {})) for spec in specs
    ]

    @dg.multi_asset(
        name=name,
        specs=specs,
        can_subset=len(specs) > 1,
        check_specs=declared,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys=resources,
        pool=pool,
    )
    def make(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from run_days(context, plan(context), records, declared)

    return dg.Definitions(assets=[make], asset_checks=[every_day_check(spec.key) for spec in specs])
