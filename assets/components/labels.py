"""Labels: weak votes on units of a table, weighed by a label model."""

from datetime import date
from typing import ClassVar

import dagster as dg

from assets.components import metadata, plots
from assets.components.catalogue import Dataset, Offering, find
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.run_tags import days_of, forced
from assets.components.table import Table
from assets.labeling import LabelsError, LabelsSpec, check_labels
from assets.stages import labels
from assets.stages.amend import days_to_amend
from assets.stages.day import DayResult


class Labels(Offering[LabelsSpec]):
    """Weak labels: every function votes on every unit, and a label model weighs the votes."""

    spec_class: ClassVar[type[LabelsSpec]] = LabelsSpec

    def table(self, context: dg.ComponentLoadContext) -> Table:
        """The table that is labelled."""
        return find(context, self, self.spec.from_, "from", Table)

    def dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The labels, for those who read from them.

        Raises:
            DeclarationError: A function or an aggregate does not fit the table's columns.
        """
        try:
            schema = check_labels(self.spec, self.table(context).dataset(context).schema)
        except LabelsError as error:
            raise self.fail(error) from None
        return Dataset(self.name, self.name, dg.AssetKey(self.name), schema)

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The labels of each day, with the analysis of their functions."""
        dataset, table = self.dataset(context), self.table(context)
        for function, module in labels.missing_modules(self.spec):
            raise self.fail(f"function '{function}': there is no Python module '{module}'.", ["functions"])
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

        return day_assets(label, name=self.name, specs=[spec], checks=labels.CHECKS, resources={"lake"})
