"""Source: one crawled origin, declared once, becomes landing, raw and quarantine."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from assets.components import metadata
from assets.components.catalogue import Dataset, DeclaredDataset
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.history import history_assets
from assets.components.run_tags import days_of, forced, overriding
from assets.lake import Lake
from assets.stages import raw
from assets.stages.day import Check, DayResult
from crawlers import volume
from crawlers.landing import Manifest, ManifestError, expire, landed
from crawlers.quarantine import QUARANTINE_SCHEMA
from crawlers.spec import SourceSpec

LANDING_CHECKS = {
    "crawled": "The crawl finished, and what the site listed was fetched.",
    "volume": "About as many files and bytes landed as in the days before (a warning).",
}


class Source(DeclaredDataset[SourceSpec]):
    """One crawled origin: bytes as served (landing), typed records (raw), and what was rejected (quarantine)."""

    spec_class: ClassVar[type[SourceSpec]] = SourceSpec

    def _dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The raw table, for those who read from this source."""
        del context
        landing = self._read_by_raw
        known = self.spec.contract.lineage()
        schema = raw.raw_schema(self.spec)
        return Dataset(
            self.name,
            raw.raw_table(self.name),
            dg.AssetKey(f"{self.name}__raw"),
            schema,
            {
                name: [(landing, field) for field in ((name,) if self.spec.history else known[name].fields)]
                for name in schema
                if name in known
            },
            frozenset(name for name, one in known.items() if one.personal == "values"),
            frozenset(name for name, one in known.items() if one.personal in ("hash", "values") and name in schema),
        )

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Landing, raw and quarantine assets with their checks."""
        landing = history_assets(self) if self.spec.history else self._landing()
        return dg.Definitions.merge(landing, self._raw(self.dataset(context)))

    @property
    def _read_by_raw(self) -> dg.AssetKey:
        return dg.AssetKey(f"{self.name}__history" if self.spec.history else f"{self.name}__landing")

    def _common(self) -> dict[str, Any]:
        return {
            "partitions_def": self.product.partitions,
            "group_name": self.product.name,
            "owners": list(self.spec.owners or self.product.owners) or None,
            "tags": dict(self.spec.tags),
        }

    def _landing(self) -> dg.Definitions:
        key = dg.AssetKey(f"{self.name}__landing")
        spec = dg.AssetSpec(
            key,
            description=f"{self.spec.description or self.name}: the bytes as the site served them, with a manifest.",
            kinds=set(self.spec.crawl.tools),
            **self._common(),
        )

        def crawl(context: dg.AssetExecutionContext) -> Days:
            days = days_of(context)
            return Days(days, self.crawl(context, days).__getitem__, metadata.landing)

        return day_assets(
            crawl,
            name=f"{self.name}__landing",
            specs=[spec],
            checks=LANDING_CHECKS,
            resources={"lake", "crawler"},
            pool=_pool(self.spec),
        )

    def crawl(self, context: dg.AssetExecutionContext, days: list[date]) -> dict[date, DayResult]:
        """Crawl days in a process of its own, and tell how each ended."""
        lake = context.resources.lake.open()
        request = {
            "spec": self.spec.model_dump(mode="json", by_alias=True),
            "days": [day.isoformat() for day in days],
            "root": lake.root,
        }
        messages = context.resources.crawler.run(context, ["--request"], request=request)
        results = {}
        for message in messages:
            if isinstance(message, dict) and "day" in message:
                day = date.fromisoformat(message["day"])
                results[day] = self._landed(day, message, lake)
        return {
            day: results.get(day)
            or DayResult(day, "failed", message="The crawler ended without a word about this day.", transient=True)
            for day in days
        }

    def _landed(self, day: date, message: Mapping[str, Any], lake: Lake) -> DayResult:
        error = str(message.get("error") or "")
        failed = message["status"] == "failed"
        report = dict(message.get("manifest") or {})
        report["outcome"] = message["status"]
        check = Check("crawled", not failed, description=error or f"The crawl {message['status']}.", metadata=report)
        transient = bool(message.get("transient"))
        if failed:
            return DayResult(day, "failed", report, (check,), error, transient=transient)
        return DayResult(day, "published", report, (check, *self._volume(day, lake)), error)

    def _volume(self, day: date, lake: Lake) -> list[Check]:
        manifest, *earlier = (_readable(lake, self.name, day - timedelta(days=back)) for back in range(volume.DAYS + 1))
        if manifest is None:
            return []
        found = volume.volume(manifest, [other for other in earlier if other is not None])
        return [Check("volume", found.passed, "warning", found.description, asdict(found))]

    def _raw(self, dataset: Dataset) -> dg.Definitions:
        key = dataset.key
        rejected = dg.AssetKey(f"{self.name}__quarantine")
        landing = dg.AssetDep(self._read_by_raw)
        specs = [
            dg.AssetSpec(
                key,
                deps=[landing],
                description=f"{self.spec.description or self.name}: records typed by the contract.",
                kinds={"polars", "deltalake"},
                metadata=metadata.definition(
                    dataset.schema,
                    dataset.table,
                    {name: column.description for name, column in self.spec.contract.columns.items()},
                ),
                code_version=raw.code_version(self.spec),
                **self._common(),
            ),
            dg.AssetSpec(
                rejected,
                deps=[landing],
                description="Lines and records that break the contract, each with its reason and origin.",
                kinds={"polars", "deltalake"},
                metadata=metadata.definition(QUARANTINE_SCHEMA, raw.quarantine_table(self.name)),
                **self._common(),
            ),
        ]

        def parse(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            secrets, override = context.resources.secrets, overriding(context)

            def work(day: date) -> DayResult:
                manifest = landed(lake.store, self.name, day)
                demo = manifest is not None and manifest.demo
                secret, run_id = secrets.pii_key(demo=demo), context.run.run_id
                with tempfile.TemporaryDirectory(prefix="sluice-parse-") as name:
                    scratch = Path(name)
                    # A run that overrides a gate further on comes by here with days that nobody refused.
                    if override and lake.refused(raw.raw_table(self.name), day):
                        return raw.publish_refused(
                            lake, self.spec, day, override, secret=secret, scratch=scratch, run_id=run_id
                        )
                    return raw.materialize(
                        lake, self.spec, day, secret=secret, scratch=scratch, run_id=run_id, force=forced(context)
                    )

            return Days(days_of(context), work, metadata.rows, afterwards=lambda: self._expire(context, lake))

        return day_assets(
            parse,
            name=f"{self.name}__raw",
            specs=specs,
            checks=raw.CHECKS,
            beside=[rejected],
            resources={"lake", "secrets"},
            lineage={key: dataset.lineage, rejected: {"record": [(landing.asset_key, "*")]}},
        )

    def _expire(self, context: dg.AssetExecutionContext, lake: Lake) -> None:
        """Delete landed bytes that are older than declared; what was parsed from them stays."""
        if self.spec.retention is None:
            return
        oldest = datetime.now(UTC).date() - timedelta(days=self.spec.retention)
        gone = expire(lake.store, self.name, before=oldest)
        if gone:
            context.log.info(f"{self.name}: landing of {len(gone)} days before {oldest} was deleted (retention)")


def _readable(lake: Lake, source: str, day: date) -> Manifest | None:
    """A manifest, or None: a damaged one of another day is that day's trouble."""
    try:
        return landed(lake.store, source, day)
    except ManifestError:
        return None


def _pool(spec: SourceSpec) -> str:
    """One pool a site, so that two sources never crawl it at once when the pool's limit is 1."""
    return "crawl_" + (re.sub(r"[^a-z0-9]+", "_", spec.crawl.place.lower()).strip("_") or spec.name)
