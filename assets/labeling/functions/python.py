"""A labelling function written in Python, imported when labels are made."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
from pydantic import model_validator

from assets.labeling.errors import LabelsError, first_line
from assets.labeling.function import ABSTAIN, LabellingFunction, register_function
from assets.labeling.sql import Schema, refuse_constant, type_of
from foundation.located import LocatedError
from foundation.nearest import hint

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec


@register_function("python")
class PythonFunction(LabellingFunction):
    """A labelling function written in Python: `module:function`, imported only when labels are made.

    The function takes nothing, or this declaration (`LabelsSpec`), and returns one Polars expression over the columns
    of a unit that gives the label's name, or its index, or null to abstain.

    Attributes:
        python: Where it is, such as `orchestration.defs.shop.engagement.functions:returned_within_a_day`.
    """

    example: ClassVar[Mapping[str, Any]] = {"python": "orchestration.defs.shop.engagement.functions:looked_again"}

    python: str

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", self.python) is None:
            raise LocatedError(
                f"Labelling function '{self.name}': python {self.python!r} is not of the form module:function; "
                "write the dotted module, a colon and the function's name.",
                ["python"],
            )
        return self

    @property
    def module(self) -> str:
        """Where the function is written."""
        return self.python.split(":")[0]

    def check(self, spec: LabelsSpec, columns: Schema) -> None:
        """Nothing shows without importing it."""

    def reads(self, spec: LabelsSpec, columns: Schema) -> frozenset[str]:
        """All of them: which, shows only when it is imported."""
        del spec
        return frozenset(columns)

    def expression(self, spec: LabelsSpec, columns: Schema) -> pl.Expr:
        """What the function returns, as votes."""
        subject, shown = self.subject(spec), f"the expression of {self.python}"
        expression = _call(_load(self, subject), self, spec, subject)
        missing = [column for column in expression.meta.root_names() if column not in columns]
        for label in missing:
            if label in spec.labels:
                raise LabelsError(
                    f"{subject}: {shown} reads '{label}' as a column; a label in an expression is pl.lit('{label}')."
                )
        kind = type_of(expression, columns, subject=subject, shown=shown)
        if kind == pl.Null:
            return pl.lit(ABSTAIN, pl.Int8)
        if isinstance(kind, pl.Categorical | pl.Enum):
            expression, kind = expression.cast(pl.String), pl.String()
        if kind != pl.String and not kind.is_integer():
            fix = f"pl.when(condition).then(pl.lit('{spec.labels[-1]}'))"
            raise LabelsError(f"{subject}: {shown} gives {kind}, neither a label's name nor its index; return {fix}.")
        refuse_constant(expression, columns, subject=subject, shown=shown)
        to_votes = partial(
            _names_to_votes if kind == pl.String else _indices_to_votes, labels=spec.labels, subject=subject
        )
        return expression.map_batches(to_votes, return_dtype=pl.Int8(), is_elementwise=True)


def _load(function: PythonFunction, subject: str) -> Callable[..., Any]:
    module_name, name = function.python.split(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise LabelsError(
            f"{subject}: the module '{module_name}' cannot be imported: {first_line(error)}. "
            "Write the module as Python imports it, and install its package."
        ) from error
    found = getattr(module, name, None)
    if found is None:
        functions = [word for word, value in vars(module).items() if inspect.isfunction(value)]
        raise LabelsError(f"{subject}: '{module_name}' has no function '{name}'; {hint(name, functions)}")
    if not callable(found):
        raise LabelsError(f"{subject}: '{function.python}' is no function but {type(found).__name__}.")
    return found  # type: ignore[no-any-return]


def _call(found: Callable[..., Any], function: PythonFunction, spec: LabelsSpec, subject: str) -> pl.Expr:
    required = [
        parameter
        for parameter in inspect.signature(found).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if len(required) > 1 or any(parameter.kind is parameter.KEYWORD_ONLY for parameter in required):
        raise LabelsError(
            f"{subject}: {function.python} must take nothing, or the declaration alone, and takes "
            f"{', '.join(parameter.name for parameter in required)}; it returns an expression and sees no row."
        )
    try:
        expression = found(spec) if required else found()
    except Exception as error:
        raise LabelsError(
            f"{subject}: {function.python} fails with {type(error).__name__}: {first_line(error)}"
        ) from error
    if isinstance(expression, pl.Expr):
        return expression
    then = getattr(expression, "otherwise", None)  # `pl.when(...).then(...)` is an expression from here on
    if then is not None:
        return then(None)  # type: ignore[no-any-return]
    raise LabelsError(
        f"{subject}: {function.python} returns {type(expression).__name__}; it must return one Polars expression, such "
        f"as pl.when(pl.col('…') > 0).then(pl.lit('{spec.labels[-1]}'))."
    )


def _names_to_votes(values: pl.Series, *, labels: tuple[str, ...], subject: str) -> pl.Series:
    unknown = values.drop_nulls().unique().sort()
    unknown = unknown.filter(~unknown.is_in(labels))
    if len(unknown):
        raise LabelsError(f"{subject}: gives {unknown[0]!r}, which is no label; {hint(unknown[0], labels)}")
    indices = {label: index for index, label in enumerate(labels)}
    return values.replace_strict(indices, default=None, return_dtype=pl.Int8).fill_null(ABSTAIN)


def _indices_to_votes(values: pl.Series, *, labels: tuple[str, ...], subject: str) -> pl.Series:
    known = values.drop_nulls()
    unknown = known.filter((known < ABSTAIN) | (known >= len(labels)))
    if len(unknown):
        raise LabelsError(
            f"{subject}: gives {unknown[0]}, which is no index of a label; they go from 0 to {len(labels) - 1}, "
            "and null abstains."
        )
    return values.cast(pl.Int8).fill_null(ABSTAIN)
