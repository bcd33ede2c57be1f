"""Table: cleaned records from one or more sources, behind a gate."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

import dagster as dg
import polars as pl

from assets.cleaning import CleaningError, TableSpec, check_table
from assets.components import metadata
from assets.components.catalogue import Dataset, Offering, find
from assets.components.days import Recorded, behind, check_spec, days_of, forced, run_days
from assets.components.source import Source
from assets.components.verdict import every_day_check
from assets.stages import table
from assets.stages.day import DayResult
from assets.stages.raw import quarantine_table
from crawlers.quarantine import QUARANTINE_SCHEMA
from expectations.gate import ExpectationSpec, GateError, check_gate, parse_gate


class Table(Offering[TableSpec]):
    """Cleaned records. What breaks a rule is quarantined; what passes the gate is published."""

    spec_class: ClassVar[type[TableSpec]] = TableSpec

    def dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The table, for those who read from it.

        Raises:
            DeclarationError: A step does not fit the sources' columns.
        """
        schemas = {source.name: source.dataset(context).schema for source in self._sources(context)}
        try:
            schema = check_table(self.spec, schemas)
        except CleaningError as error:
            raise self.fail(str(error), ["steps"]) from None
        return Dataset(self.name, self.name, dg.AssetKey(self.name), schema)

    def _sources(self, context: dg.ComponentLoadContext) -> list[Source]:
        return [find(context, self, name, "from", Source) for name in self.spec.from_]

    def _gate(self, schema: Mapping[str, pl.DataType]) -> tuple[ExpectationSpec, ...]:
        try:
            gate = parse_gate(list(self.spec.gate))
            check_gate(gate, schema)
        except GateError as error:
            raise self.fail(str(error), ["gate"]) from None
        return gate

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The table and its quarantine, each expectation as a check."""
        dataset = self.dataset(context)
        gate = self._gate(dataset.schema)
        sources = self._sources(context)
        partitions = self.product.partitions
        lateness = self.spec.lateness_days
        key, rejected = dataset.key, dg.AssetKey(f"{self.name}__quarantine")
        # No offsets here, although late records make a day read the days after it: Dagster would stretch every backfill
        # by them, into days that nobody asked for. The run brings the days behind it up to date itself.
        deps = [dg.AssetDep(source.dataset(context).key) for source in sources]
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
                code_version=table.code_version(self.spec),
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
        checks = [
            check_spec("conserved", key, partitions, "Rows in = rows out + quarantined + removed."),
            *(check_spec(e.check_name, key, partitions, f"{e.type} ({e.severity}): {dict(e.kwargs)}") for e in gate),
        ]
        tables = {source.name: source.dataset(context).table for source in sources}

        @dg.multi_asset(
            name=self.name,
            specs=specs,
            can_subset=True,
            check_specs=checks,
            backfill_policy=dg.BackfillPolicy.single_run(),
            required_resource_keys={"lake"},
        )
        def clean(context: dg.AssetExecutionContext) -> Iterator[Any]:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return table.materialize(
                    lake, self.spec, gate, tables, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            yield from run_days(
                context,
                days=days,
                work=work,
                records=[
                    Recorded(key),
                    Recorded(rejected, frozenset({"published", "unchanged", "refused"})),
                ],
                checks=checks,
                describe=metadata.rows,
                amend=behind(days, lateness, lake, self.name),
            )

        return dg.Definitions(assets=[clean], asset_checks=[every_day_check(key)])
