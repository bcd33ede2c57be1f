"""Features: what was known before each labelled moment, as examples to train on."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, ClassVar

import dagster as dg
import polars as pl

from assets.components import metadata
from assets.components.catalogue import ColumnLineage, Dataset, DeclaredDataset, find
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.declaration import Declared
from assets.components.labels import Labels
from assets.components.run_tags import days_of, forced
from assets.components.source import Source
from assets.components.table import Table
from assets.features import FeaturesError, FeaturesSpec, check_features, daily_schema
from assets.features.lineage import Role, check_personal, daily_lineage, examples_lineage
from assets.stages import features
from assets.stages.amend import days_to_amend
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
        kinds: tuple[type[DeclaredDataset[Any]], ...] = (Source, Table)
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
        read = self._read(context)
        catalogue = read.get("catalogue")
        try:
            schema = check_features(
                self.spec,
                pl.Schema(read["events"].schema),
                pl.Schema(read["labels"].schema),
                pl.Schema(catalogue.schema) if catalogue else None,
            )
            check_personal(self.spec, {role: dataset.personal for role, dataset in read.items()})
        except FeaturesError as error:
            raise self.fail(error) from None
        return schema

    def _read(self, context: dg.ComponentLoadContext) -> dict[Role, Dataset]:
        read: dict[Role, Dataset] = {
            "events": self.events(context).dataset(context),
            "labels": self.labels(context).dataset(context),
        }
        if (catalogue := self.catalogue(context)) is not None:
            read["catalogue"] = catalogue
        return read

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The daily aggregates and the examples."""
        schema, inputs, read = self.schema(context), self.inputs(context), self._read(context)
        lateness = self.events(context).spec.lateness_days
        return dg.Definitions.merge(self._daily(inputs, read, lateness), self._examples(inputs, schema, read, lateness))

    def _origins(
        self, lineage: Mapping[str, Collection[tuple[Role, str]]], read: Mapping[Role, Dataset]
    ) -> ColumnLineage:
        keys = {role: dataset.key for role, dataset in read.items()} | {"daily": dg.AssetKey(f"{self.name}__daily")}
        return {name: [(keys[role], column) for role, column in origins] for name, origins in lineage.items()}

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

    def _daily(self, inputs: features.Inputs, read: Mapping[Role, Dataset], lateness: int) -> dg.Definitions:
        key = dg.AssetKey(f"{self.name}__daily")
        table = features.daily_table(self.name)
        text = "Partial aggregates of one day's events, from which windows are added up."
        deps = [dg.AssetDep(one.key) for role, one in read.items() if role != "labels"]
        spec = self._spec(key, deps, table, daily_schema(self.spec), text)

        def aggregate(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return features.materialize_daily(
                    lake, self.spec, inputs, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            return Days(days, work, metadata.rows, amend=days_to_amend(days, lateness, lake, table))

        lineage = {key: self._origins(daily_lineage(self.spec), read)}
        return day_assets(aggregate, name=f"{self.name}__daily", specs=[spec], resources={"lake"}, lineage=lineage)

    def _examples(
        self, inputs: features.Inputs, schema: pl.Schema, read: Mapping[Role, Dataset], lateness: int
    ) -> dg.Definitions:
        key = dg.AssetKey(self.name)
        before = dg.AssetDep(dg.AssetKey(f"{self.name}__daily"))
        text = self.spec.description or f"{self.name}: examples with point-in-time features."
        deps = [*(dg.AssetDep(one.key) for role, one in read.items() if role != "events"), before]
        spec = self._spec(key, deps, self.name, schema, text)
        checks = {"has_positives": "The day has positive labels."}

        def make_examples(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            days = days_of(context)

            def work(day: date) -> DayResult:
                return features.materialize_examples(
                    lake, self.spec, inputs, day, run_id=context.run.run_id, force=forced(context) and day in days
                )

            return Days(days, work, metadata.rows, amend=days_to_amend(days, lateness, lake, self.name))

        lineage = {key: self._origins(examples_lineage(self.spec), read)}
        return day_assets(
            make_examples, name=self.name, specs=[spec], checks=checks, resources={"lake"}, lineage=lineage
        )
