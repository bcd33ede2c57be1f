"""Cleaning: raw records become the rows of a table, step by step, and no row is lost on the way.

A step is one file in `steps`, registered under the name that declarations use.
"""

from assets.cleaning.errors import CleaningError, StepError
from assets.cleaning.lineage import row_lineage, table_lineage
from assets.cleaning.plan import Cleaned, check_table, plan
from assets.cleaning.registry import make_step, register_step, steps
from assets.cleaning.spec import TableSpec
from assets.cleaning.step import Step
from assets.cleaning.write import write

__all__ = [
    "Cleaned",
    "CleaningError",
    "Step",
    "StepError",
    "TableSpec",
    "check_table",
    "make_step",
    "plan",
    "register_step",
    "row_lineage",
    "steps",
    "table_lineage",
    "write",
]
