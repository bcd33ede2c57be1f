"""Labelling functions as expressions: from SQL, checked with the definitions, and from Python, imported when run."""

import importlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl

from assets.labeling.errors import LabelsError, first_line
from assets.labeling.spec import LabelsSpec, PythonFunction, SqlFunction
from assets.labeling.sql import Schema, explain, read
from foundation.nearest import hint
from foundation.row_only import beyond_row

ABSTAIN = -1


def vote_expression(function: SqlFunction | PythonFunction, spec: LabelsSpec, schema: Schema) -> pl.Expr:
    """Return a function's votes as an Int8 expression: -1 abstains, else the index of the label.

    Raises:
        LabelsError: The function does not fit the units' schema, or its Python cannot be used.
    """
    if isinstance(function, SqlFunction):
        return _from_sql(function, spec, schema)
    return _from_python(function, spec, schema)


def _subject(function: SqlFunction | PythonFunction, spec: LabelsSpec) -> str:
    return f"Labels '{spec.name}', labelling function '{function.name}'"


def _from_sql(function: SqlFunction, spec: LabelsSpec, schema: Schema) -> pl.Expr:
    subject, shown = _subject(function, spec), repr(function.when)
    condition = read(function.when, subject=subject)
    if culprit := beyond_row(condition):
        raise LabelsError(
            f"{subject}: {shown} looks beyond its unit, or may, through {culprit}, so a vote would depend on which "
            "other units there are; refer to each unit's own columns."
        )
    kind = _kind(condition, schema, subject=subject, shown=shown)
    if kind != pl.Boolean:
        raise LabelsError(f"{subject}: {shown} gives {kind}, not true or false; compare it with something.")
    _refuse_constant(condition, schema, subject=subject, shown=shown)
    index = pl.lit(spec.labels.index(function.vote), pl.Int8)
    return pl.when(condition).then(index).otherwise(pl.lit(ABSTAIN, pl.Int8))


def _from_python(function: PythonFunction, spec: LabelsSpec, schema: Schema) -> pl.Expr:
    subject, shown = _subject(function, spec), f"the expression of {function.python}"
    expression = _call(_load(function, subject), function, spec, subject)
    missing = [column for column in expression.meta.root_names() if column not in schema]
    for label in missing:
        if label in spec.labels:
            raise LabelsError(
                f"{subject}: {shown} reads '{label}' as a column; a label in an expression is pl.lit('{label}')."
            )
    kind = _kind(expression, schema, subject=subject, shown=shown)
    if kind == pl.Null:
        return pl.lit(ABSTAIN, pl.Int8)
    if isinstance(kind, pl.Categorical | pl.Enum):
        expression, kind = expression.cast(pl.String), pl.String()
    if kind != pl.String and not kind.is_integer():
        fix = f"pl.when(condition).then(pl.lit('{spec.labels[-1]}'))"
        raise LabelsError(f"{subject}: {shown} gives {kind}, neither a label's name nor its index; return {fix}.")
    _refuse_constant(expression, schema, subject=subject, shown=shown)
    to_votes = partial(_names_to_votes if kind == pl.String else _indices_to_votes, labels=spec.labels, subject=subject)
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


def _kind(expression: pl.Expr, schema: Schema, *, subject: str, shown: str) -> pl.DataType:
    try:
        return pl.LazyFrame(schema=dict(schema)).select(expression.alias("value")).collect().schema["value"]
    except pl.exceptions.PolarsError as error:
        raise explain(error, expression, schema, subject=subject, shown=shown) from None


def _refuse_constant(expression: pl.Expr, schema: Schema, *, subject: str, shown: str) -> None:
    # On two rows a vote is two values; an aggregate is one, which would be repeated for every unit without a word.
    two_rows = pl.DataFrame({column: pl.Series([None, None], dtype=kind) for column, kind in schema.items()})
    try:
        height = two_rows.select(expression.alias("value")).height
    except Exception:  # noqa: BLE001 - somebody's own code may not bear nulls alone; the real rows will tell
        return
    if height != two_rows.height:
        raise LabelsError(f"{subject}: {shown} is one value for all units; refer to each unit's own columns.")


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
