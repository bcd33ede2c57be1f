"""Table: cleaned records from one or more sources, behind a gate."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

import dagster as dg

from assets.cleaning import CleaningError, TableSpec, check_table, table_lineage
from assets.components import gate_plot, metadata
from assets.components.catalogue import Dataset, DeclaredDataset, find, tells_a_person
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.run_tags import days_of, forced, overriding
from assets.components.source import Source
from assets.lake import Lake
from assets.stages import table
from assets.stages.amend import days_to_amend
from assets.stages.day import DayResult
from assets.stages.past import Audit, Reference
from assets.stages.raw import quarantine_table
from crawlers.quarantine import QUARANTINE_SCHEMA
from expectations.gate import ExpectationSpec, GateError, check_gate, parse_gate
from expectations.history import Watched, parse_history, watched
from foundation.nearest import hint

SLUICES_OWN = ("crawled_at", "known_on", "_unknown", "_file", "_line")


class Table(DeclaredDataset[TableSpec]):
    """Cleaned records. What breaks a rule is quarantined; what passes the gate is published."""

    spec_class: ClassVar[type[TableSpec]] = TableSpec

    def _dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The table, for those who read from it.

        Raises:
            DeclarationError: A step does not fit the sources' columns.
        """
        sources = {source.name: source.dataset(context) for source in self._sources(context)}
        schemas = {name: source.schema for name, source in sources.items()}
        try:
            schema = check_table(self.spec, schemas)
        except CleaningError as error:
            raise self.fail(error) from None
        origins = table_lineage(self.spec, schemas)
        return Dataset(
            self.name,
            self.name,
            dg.AssetKey(self.name),
            schema,
            {name: [(sources[source].key, column) for source, column in origins[name]] for name in schema},
            frozenset(name for name in schema if any(c in sources[s].personal for s, c in origins[name])),
            frozenset(
                name
                for name, dtype in schema.items()
                if tells_a_person(dtype) and any(c in sources[s].hidden for s, c in origins[name])
            ),
        )

    def _sources(self, context: dg.ComponentLoadContext) -> list[Source]:
        return [find(context, self, name, "from", Source) for name in self.spec.from_]

    def _audit(self, context: dg.ComponentLoadContext, dataset: Dataset) -> Audit:
        schema = dataset.schema
        declared = list(self.spec.gate)
        try:
            gate = parse_gate(declared, folder=self.origin.path.parent)
            check_gate(gate, schema)
            # What Sluice adds to the rows (their file, their line, when they were crawled) tells nothing of a day.
            own = {name: dtype for name, dtype in schema.items() if name not in SLUICES_OWN}
            history = parse_history(declared, own)
        except GateError as error:
            raise self.fail(error, ["gate"]) from None
        for spec in history:
            named = {str(one.column) for one in watched(spec, own) if one.watch == "distribution"}
            if shown := sorted(named & dataset.hidden):
                raise self.fail(
                    f"the distribution of '{shown[0]}' would write values of persons into reports; leave it out.",
                    ["gate"],
                )
        return Audit(gate, history, self._references(context, gate), own, dataset.hidden)

    def _references(self, context: dg.ComponentLoadContext, gate: Sequence[ExpectationSpec]) -> dict[str, Reference]:
        references = {}
        for expectation in gate:
            if "other_table" not in expectation.kwargs:
                continue
            name, key = str(expectation.kwargs["other_table"]), str(expectation.kwargs["key"])
            if name == self.name:
                message = f"{expectation.type}: '{name}' cannot look into itself."
                raise self.fail(message, ["gate", *expectation.place, "other_table"])
            other: Any = find(context, self, name, "gate", Source, Table)
            dataset = other.dataset(context)
            if key not in dataset.schema:
                message = f"{expectation.type}: '{name}' has no column '{key}'; {hint(key, dataset.schema)}"
                raise self.fail(message, ["gate", *expectation.place, "key"])
            snapshot = other.spec.snapshot if isinstance(other, Source) else other.spec.event_time is None
            references[name] = Reference(dataset.table, snapshot, dataset.key.to_user_string())
        return references

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The table and its quarantine, each expectation as a check."""
        dataset = self.dataset(context)
        audit = self._audit(context, dataset)
        sources = self._sources(context)
        partitions = self.product.partitions
        lateness = self.spec.lateness_days
        key, rejected = dataset.key, dg.AssetKey(f"{self.name}__quarantine")
        # No offsets here, although late records make a day read the days after it: Dagster would stretch every backfill
        # by them, into days that nobody asked for. The run amends the days before it by itself.
        upstream = [source.dataset(context).key for source in sources]
        upstream += [dg.AssetKey(reference.asset) for reference in audit.references.values()]
        deps = [dg.AssetDep(key) for key in dict.fromkeys(upstream)]
        common: dict[str, Any] = {
            "partitions_def": partitions,
            "group_name": self.product.name,
            "owners": list(self.spec.owners or self.product.owners) or None,
            "tags": dict(self.spec.tags),
            "deps": deps,
        }
        described = {
            name: column.description for source in sources for name, column in source.spec.contract.columns.items()
        }
        specs = [
            dg.AssetSpec(
                key,
                description=self.spec.description or f"{self.name}: cleaned records.",
                kinds={"polars", "deltalake", "greatexpectations"},
                code_version=table.code_version(self.spec, audit),
                metadata=metadata.definition(dataset.schema, self.name, described),
                **common,
            ),
            dg.AssetSpec(
                rejected,
                description="Every record that a rule rejected, with its reason and origin.",
                kinds={"polars", "deltalake"},
                metadata=metadata.definition(QUARANTINE_SCHEMA, quarantine_table(self.name)),
                **common,
            ),
        ]
        checks = {
            **table.CHECKS,
            **{e.check_name: f"{e.type} ({e.severity}): {dict(e.kwargs)}" for e in audit.gate},
            **{w.check_name: _watching(w) for w in audit.watched},
        }
        tables = {source.name: source.dataset(context).table for source in sources}

        def clean(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            days, override = days_of(context), overriding(context)

            def work(day: date) -> DayResult:
                if override and day in days:
                    return table.publish_refused(
                        lake, self.spec, audit, tables, day, override, first_day=self.product.start
                    )
                return table.materialize(
                    lake,
                    self.spec,
                    audit,
                    tables,
                    day,
                    first_day=self.product.start,
                    run_id=context.run.run_id,
                    force=forced(context) and day in days,
                )

            return Days(
                days,
                work,
                lambda result: metadata.rows(result) | _plot(lake, self.name, result, days[-1]),
                amend=days_to_amend(days, lateness, lake, self.name),
            )

        read = [source.dataset(context) for source in sources]
        return day_assets(
            clean,
            name=self.name,
            specs=specs,
            checks=checks,
            beside=[rejected],
            resources={"lake"},
            lineage={
                key: dataset.lineage,
                rejected: {"record": [(source.key, column) for source in read for column in source.schema]},
            },
        )


def _plot(lake: Lake, name: str, result: DayResult, last: date) -> dict[str, Any]:
    """What each expectation observed over the last partitions; a run over a range draws it once, for its last day."""
    if result.day != last or not result.report.get("expectations"):
        return {}
    return gate_plot.over_days([*table.observed(lake, name, before=last), (last, result.report["expectations"])])


def _watching(one: Watched) -> str:
    what = {
        "row_count": "The number of rows",
        "null_share": "The share of missing values",
        "mean": "The mean",
        "distribution": "The distribution",
    }[one.watch]
    return f"{what}{f' of {one.column}' if one.column else ''} is what the last good days let expect ({one.severity})."
