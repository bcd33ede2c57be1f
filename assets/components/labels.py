"""Labels: weak votes on units of a table, weighed by a label model."""

from datetime import date
from typing import ClassVar

import dagster as dg

from assets.components import metadata, plots
from assets.components.catalogue import Dataset, DeclaredDataset, find
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.run_tags import days_of, forced
from assets.components.table import Table
from assets.labeling import LabelsError, LabelsSpec, check_labels, labels_lineage
from assets.stages import labels
from assets.stages.amend import days_to_amend
from assets.stages.day import DayResult


class Labels(DeclaredDataset[LabelsSpec]):
    """Weak labels: every function votes on every unit, and a label model weighs the votes."""

    spec_class: ClassVar[type[LabelsSpec]] = LabelsSpec

    def table(self, context: dg.ComponentLoadContext) -> Table:
        """The table that is labelled."""
        return find(context, self, self.spec.from_, "from", Table)

    def _dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The labels, for those who read from them.

        Raises:
            DeclarationError: A function or an aggregate does not fit the table's columns.
        """
        events = self.table(context).dataset(context)
        try:
            schema = check_labels(self.spec, events.schema)
        except LabelsError as error:
            raise self.fail(error) from None
        origins = labels_lineage(self.spec, events.schema)
        return Dataset(
            self.name,
            self.name,
            dg.AssetKey(self.name),
            schema,
            {name: [(events.key, column) for column in origins.get(name, ())] for name in schema},
            frozenset(name for name in schema if origins.get(name, frozenset()) & events.personal),
        )

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The labels of each day, with the analysis of their functions."""
        dataset, table = self.dataset(context), self.table(context)
        try:
            labels.check_modules(self.spec)
        except LabelsError as error:
            raise self.fail(error) from None
        lateness = table.spec.lateness_days
        spec = dg.AssetSpec(
            dataset.key,
            deps=[dg.AssetDep(table.dataset(context).key)],
            description=self.spec.description or f"{self.name}: weak labels.",
            kinds={"polars", "deltalake", "snorkel"},
            code_version=labels.code_version(self.spec),
            metadata=metadata.definition(dataset.schema, self.name),
            partitions_def=self.product.partitions,
            group_name=self.product.name,
            owners=list(self.spec.owners or self.product.owners) or None,
            tags=dict(self.spec.tags),
        )

        def label(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return labels.materialize(
                    lake, self.spec, table.name, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            return Days(
                days,
                work,
                lambda result: {**plots.labelling_functions(result), **metadata.rows(result)},
                amend=days_to_amend(days, lateness, lake, self.name),
            )

        return day_assets(
            label,
            name=self.name,
            specs=[spec],
            checks=labels.CHECKS,
            resources={"lake"},
            lineage={dataset.key: dataset.lineage},
        )
