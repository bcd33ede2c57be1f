"""A source whose files hold many days: crawled as one, parsed once, and split into the days that raw reads."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.components import metadata
from assets.components.run_tags import forced
from assets.stages import history, raw
from assets.stages.day import DayResult
from crawlers.landing import landed
from crawlers.quarantine import QUARANTINE_SCHEMA
from crawlers.spec import ALL_DAYS

if TYPE_CHECKING:
    from assets.components.source import Source


def history_assets(source: "Source") -> dg.Definitions:
    """The landing of all days as one, and their records by day."""
    spec, product = source.spec, source.product
    owners = list(spec.owners or product.owners) or None
    landing, kept = dg.AssetKey(f"{source.name}__landing"), dg.AssetKey(f"{source.name}__history")

    @dg.asset(
        name=landing.path[-1],
        description=f"{spec.description or source.name}: the files as they are, which hold many days, with a manifest.",
        kinds=set(spec.crawl.tools),
        required_resource_keys={"lake", "crawler"},
        group_name=product.name,
        owners=owners,
        tags=dict(spec.tags),
    )
    def land(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        result = source.crawl(context, [ALL_DAYS])[ALL_DAYS]
        if not result.visible:
            raise dg.Failure(description=result.message, allow_retries=result.transient)
        return dg.MaterializeResult(metadata=metadata.landing(result))

    shown = {
        **metadata.definition(spec.contract.raw_schema(), history.history_table(source.name)),
        "rejected": history.rejected_table(source.name),
    }

    @dg.asset(
        name=kept.path[-1],
        deps=[landing],
        description=f"{spec.description or source.name}: the records of all days, each in its own, from one pass.",
        kinds={"polars", "deltalake"},
        metadata=shown,
        code_version=raw.code_version(spec),
        required_resource_keys={"lake", "secrets"},
        check_specs=[
            dg.AssetCheckSpec("conserved", asset=kept, description="Rows in = rows out + quarantined + removed."),
            dg.AssetCheckSpec("mostly_readable", asset=kept, description=raw.CHECKS["mostly_readable"]),
        ],
        group_name=product.name,
        owners=owners,
        tags=dict(spec.tags),
    )
    def split(context: dg.AssetExecutionContext) -> Iterator[Any]:
        lake = context.resources.lake.open()
        manifest = landed(lake.store, source.name, ALL_DAYS)
        secret = context.resources.secrets.pii_key(demo=manifest is not None and manifest.demo)
        with tempfile.TemporaryDirectory(prefix="sluice-history-") as scratch:
            result = history.split(
                lake,
                spec,
                history.Span(product.start, _yesterday()),
                code=raw.code_version(spec),
                secret=secret,
                scratch=Path(scratch),
                run_id=context.run.run_id,
                force=forced(context),
            )
        if not result.visible:
            raise dg.Failure(description=result.message, allow_retries=False)
        yield dg.MaterializeResult(
            metadata={**metadata.rows(result), **metadata.column_lineage(_lineage(source, landing))},
            check_results=[_check(kept, result, one.name) for one in result.checks],
        )

    return dg.Definitions(assets=[land, split])


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def _lineage(source: "Source", landing: dg.AssetKey) -> dict[str, list[tuple[dg.AssetKey, str]]]:
    known = source.spec.contract.lineage()
    names = {*source.spec.contract.raw_schema(), *QUARANTINE_SCHEMA} & set(known)
    return {name: [(landing, field) for field in known[name].fields] for name in sorted(names)}


def _check(key: dg.AssetKey, result: DayResult, name: str) -> dg.AssetCheckResult:
    (found,) = [one for one in result.checks if one.name == name]
    return dg.AssetCheckResult(
        check_name=name, asset_key=key, passed=found.passed, description=found.description, metadata={}
    )
