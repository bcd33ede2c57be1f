"""Features: what was known before each labelled moment, as examples to train on."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import dagster as dg
import polars as pl

from assets.components import metadata
from assets.components.catalogue import Dataset, Offering, find
from assets.components.days import Recorded, behind, check_spec, days_of, forced, run_days
from assets.components.declaration import Declared
from assets.components.labels import Labels
from assets.components.source import Source
from assets.components.table import Table
from assets.features import FeaturesError, FeaturesSpec, check_features, daily_schema
from assets.stages import features
from assets.stages.day import DayResult


class Features(Declared[FeaturesSpec]):
    """Point-in-time features: daily partial aggregates of events, and examples made of labels and what came before."""

    spec_class: ClassVar[type[FeaturesSpec]] = FeaturesSpec

    def labels(self, context: dg.ComponentLoadContext) -> Labels:
        """The labels that become examples."""
        return find(context, self, self.spec.labels, "labels", Labels)

    def events(self, context: dg.ComponentLoadContext) -> Table:
        """The table whose events are counted."""
        if self.spec.events is None:
            return self.labels(context).table(context)
        return find(context, self, self.spec.events, "events", Table)

    def catalogue(self, context: dg.ComponentLoadContext) -> Dataset | None:
        """The snapshots of the items, when declared."""
        if self.spec.catalogue is None:
            return None
        kinds: tuple[type[Offering[Any]], ...] = (Source, Table)
        return find(context, self, self.spec.catalogue, "catalogue", *kinds).dataset(context)

    def inputs(self, context: dg.ComponentLoadContext) -> features.Inputs:
        """The lake's tables that are read."""
        catalogue = self.catalogue(context)
        return features.Inputs(
            self.events(context).name,
            self.spec.labels,
            catalogue.table if catalogue else None,
            catalogue.key.to_user_string() if catalogue else "",
        )

    def schema(self, context: dg.ComponentLoadContext) -> pl.Schema:
        """The columns of the examples.

        Raises:
            DeclarationError: A feature does not fit the columns it reads.
        """
        catalogue = self.catalogue(context)
        try:
            return check_features(
                self.spec,
                pl.Schema(self.events(context).dataset(context).schema),
                pl.Schema(self.labels(context).dataset(context).schema),
                pl.Schema(catalogue.schema) if catalogue else None,
            )
        except FeaturesError as error:
            raise self.fail(str(error), ["features"]) from None

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The daily aggregates and the examples."""
        schema, inputs = self.schema(context), self.inputs(context)
        events = self.events(context).dataset(context)
        labels = self.labels(context).dataset(context)
        catalogue = self.catalogue(context)
        lateness = self.events(context).spec.lateness_days
        return dg.Definitions(
            assets=[
                self._daily(inputs, [events, *([catalogue] if catalogue else [])], lateness),
                self._examples(inputs, schema, [labels, *([catalogue] if catalogue else [])], lateness),
            ]
        )

    def _spec(
        self, key: dg.AssetKey, deps: list[dg.AssetDep], table: str, schema: pl.Schema, text: str
    ) -> dg.AssetSpec:
        return dg.AssetSpec(
            key,
            deps=deps,
            description=text,
            kinds={"polars", "deltalake"},
            code_version=features.code_version(self.spec),
            metadata=metadata.definition(schema, table),
            partitions_def=self.product.partitions,
            group_name=self.product.name,
            owners=list(self.spec.owners or self.product.owners) or None,
            tags=dict(self.spec.tags),
        )

    def _daily(self, inputs: features.Inputs, read: list[Dataset], lateness: int) -> dg.AssetsDefinition:
        key = dg.AssetKey(f"{self.name}__daily")
        table = features.daily_table(self.name)
        text = "Partial aggregates of one day's events, from which windows are added up."
        spec = self._spec(key, [dg.AssetDep(one.key) for one in read], table, daily_schema(self.spec), text)

        @dg.multi_asset(
            name=f"{self.name}__daily",
            specs=[spec],
            backfill_policy=dg.BackfillPolicy.single_run(),
            required_resource_keys={"lake"},
        )
        def aggregate(context: dg.AssetExecutionContext) -> Iterator[Any]:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return features.materialize_daily(
                    lake, self.spec, inputs, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            yield from run_days(
                context,
                days=days,
                work=work,
                records=[Recorded(key)],
                checks=[],
                describe=metadata.rows,
                amend=behind(days, lateness, lake, table),
            )

        return aggregate

    def _examples(
        self, inputs: features.Inputs, schema: pl.Schema, read: list[Dataset], lateness: int
    ) -> dg.AssetsDefinition:
        key = dg.AssetKey(self.name)
        before = dg.AssetDep(dg.AssetKey(f"{self.name}__daily"))
        text = self.spec.description or f"{self.name}: examples with point-in-time features."
        spec = self._spec(key, [*(dg.AssetDep(one.key) for one in read), before], self.name, schema, text)
        checks = [check_spec("has_positives", key, self.product.partitions, "The day has positive labels.")]

        @dg.multi_asset(
            name=self.name,
            specs=[spec],
            check_specs=checks,
            backfill_policy=dg.BackfillPolicy.single_run(),
            required_resource_keys={"lake"},
        )
        def make_examples(context: dg.AssetExecutionContext) -> Iterator[Any]:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return features.materialize_examples(
                    lake, self.spec, inputs, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            yield from run_days(
                context,
                days=days,
                work=work,
                records=[Recorded(key)],
                checks=checks,
                describe=metadata.rows,
                amend=behind(days, lateness, lake, self.name),
            )

        return make_examples
