"""The Dagster components: one declaration each, and nothing but wiring."""

from dagster.components import scaffold_with

from assets.components.features import Features
from assets.components.labels import Labels
from assets.components.model import Model
from assets.components.refresh import Refresh
from assets.components.scaffold import DeclarationScaffolder
from assets.components.source import Source
from assets.components.table import Table

for _component in (Source, Table, Labels, Features, Model, Refresh):
    scaffold_with(DeclarationScaffolder)(_component)
del _component  # or it would be listed as one more component

__all__ = ["Features", "Labels", "Model", "Refresh", "Source", "Table"]
