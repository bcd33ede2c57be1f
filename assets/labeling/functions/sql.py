"""A labelling function as an SQL condition, checked with the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from pydantic import Field

from assets.labeling.errors import LabelsError
from assets.labeling.function import ABSTAIN, LabellingFunction, register_function
from assets.labeling.sql import Schema, read, refuse_constant, type_of
from foundation.row_only import beyond_row

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec


@register_function("when")
class SqlFunction(LabellingFunction):
    """A labelling function as a condition: it votes one label where the condition is true, else it abstains.

    Attributes:
        vote: The label that it votes.
        when: A Polars SQL condition over the columns of a unit. A null is no vote. Texts stand in single quotes.
    """

    example: ClassVar[Mapping[str, Any]] = {"vote": "engaged", "when": "dwell > 30"}

    vote: str
    when: str = Field(min_length=1)

    @property
    def polarity(self) -> tuple[str, ...]:
        """The declared label."""
        return (self.vote,)

    def check(self, spec: LabelsSpec, columns: Schema) -> None:
        """The condition fits, looks at its unit alone, and is true or false."""
        try:
            self.expression(spec, columns)
        except LabelsError as error:
            raise error.within("when") from None

    def expression(self, spec: LabelsSpec, columns: Schema) -> pl.Expr:
        """The label where the condition is true."""
        subject, shown = self.subject(spec), repr(self.when)
        condition = read(self.when, subject=subject)
        if culprit := beyond_row(condition):
            raise self.fail(
                spec,
                f"{shown} looks beyond its unit, or may, through {culprit}, so a vote would depend on which other "
                "units there are; refer to each unit's own columns.",
            )
        kind = type_of(condition, columns, subject=subject, shown=shown)
        if kind != pl.Boolean:
            raise self.fail(spec, f"{shown} gives {kind}, not true or false; compare it with something.")
        refuse_constant(condition, columns, subject=subject, shown=shown)
        index = pl.lit(spec.labels.index(self.vote), pl.Int8)
        return pl.when(condition).then(index).otherwise(pl.lit(ABSTAIN, pl.Int8))

    def reads(self, spec: LabelsSpec, columns: Schema) -> frozenset[str]:
        """The columns that the condition names."""
        del columns
        return frozenset(read(self.when, subject=self.subject(spec)).meta.root_names())
