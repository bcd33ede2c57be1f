"""The declaration of weak labels: units, aggregates, labelling functions, and how their votes become labels."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

import assets.labeling.functions
import assets.labeling.methods  # noqa: F401 - both register their kinds
from assets.labeling.errors import LabelsError
from assets.labeling.function import AnyFunction, LabellingFunction
from assets.labeling.method import METHODS, MethodName
from foundation.declaration import Declaration, Name, Names
from foundation.durations import Days
from foundation.nearest import hint

TIME = "time"
VOTE, PREVIOUS = "vote_", "previous_"
RESERVED = frozenset({TIME, "date", "covered", "label", "majority", "probability", "probabilities", "rows"})
"""Column names that a table of labels, or its counts of vote patterns, uses itself."""

LabelName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class HistorySpec(Declaration):
    """What a unit also knows of the days before: each aggregate once more, as `previous_<aggregate>`.

    Attributes:
        window: How many days before the unit's own day.
        by: Columns of the unit that the past events must share.
    """

    window: Days
    by: Names


class LabelsSpec(Declaration):
    """Weak labels, declared.

    Attributes:
        name: Table of the labels.
        from_: Table of events that they are made from (`from` in YAML).
        unit: Columns whose values make a unit: one row, one label.
        time: Time column of the events; the unit's earliest is its `time`.
        aggregate: What a unit knows of its events: SQL aggregate expressions by column name. Counting by `sum` of a
            condition works; it is null where the condition is null for every event. The sum of no values is null, as
            in SQL, and a condition on it abstains; `coalesce(sum(…), 0)` says that nothing is 0.
        history: What a unit knows of the days before.
        labels: Their names; the last is the positive one, whose probability is `probability`.
        functions: The labelling functions.
        method: `label_model` (Snorkel's), with the majority vote as fallback for days that cannot be fitted, or
            `majority_vote`.
        class_balance: Share of each label in the population, when known; else it is estimated and recorded.
        gold: Column of the unit with the true label (name or index), null where unknown: it measures the functions,
            and gives the class balance when there is enough of it. It takes no part in the votes.
        seed: Of the label model.
        epochs: Steps of the label model.
        fit_on: `all` units, as Snorkel does, or the `covered` ones; the latter where most units have no vote at all.
        minimum_rows_to_fit: With fewer units that have a vote, the majority decides.
        fit_window: The label model learns from the votes of so many days, up to the day labelled.
        description: What it is, for people.
        owners: Who answers for it.
        tags: For selections.
    """

    name: Name
    from_: Name = Field(alias="from")
    unit: Names
    time: str = "ts"
    aggregate: dict[Name, str] = Field(default_factory=dict)
    history: HistorySpec | None = None
    labels: tuple[LabelName, ...] = Field(min_length=2, max_length=100)
    functions: tuple[Annotated[LabellingFunction, AnyFunction()], ...] = Field(min_length=1)
    method: Annotated[str, MethodName()] = "label_model"
    class_balance: dict[str, float] | None = None
    gold: str | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)
    epochs: PositiveInt = 500
    fit_on: Literal["all", "covered"] = "all"
    minimum_rows_to_fit: PositiveInt = 100
    fit_window: Days = timedelta(days=1)
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def vote_columns(self) -> list[str]:
        """Columns of the votes, in the order of the functions."""
        return [VOTE + function.name for function in self.functions]

    def fail(self, message: str, *location: str | int) -> LabelsError:
        """An error about this declaration, and where in it."""
        return LabelsError(f"Labels '{self.name}': {message}", location)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        _refuse_repeated(self, "label", self.labels)
        _refuse_repeated(self, "labelling function", [function.name for function in self.functions])
        _refuse_repeated(self, "unit column", self.unit)
        for column in (*self.unit, *self.aggregate):
            if column in RESERVED or column.startswith((VOTE, PREVIOUS)):
                raise self.fail(
                    f"the column '{column}' would take a name that the table of labels uses itself; choose another."
                )
        for column in self.aggregate:
            if column in self.unit:
                raise self.fail(
                    f"the aggregate '{column}' has the name of a unit column; choose another.", "aggregate", column
                )
        if self.gold is not None and self.gold not in (known := (*self.unit, *self.aggregate)):
            raise self.fail(f"gold names '{self.gold}', which is no column of a unit; {hint(self.gold, known)}", "gold")
        for column in self.history.by if self.history else ():
            if column not in self.unit:
                raise self.fail(
                    f"history.by names '{column}', which is no unit column; {hint(column, self.unit)}", "history", "by"
                )
        if self.history and not self.aggregate:
            raise self.fail("history repeats the aggregates, and none is declared; add `aggregate`, or remove it.")
        return self

    @model_validator(mode="after")
    def _check_votes(self) -> Self:
        for place, function in enumerate(self.functions):
            for vote in function.polarity or ():
                if vote not in self.labels:
                    raise self.fail(
                        f"labelling function '{function.name}' votes '{vote}', which is no label"
                        f"; {hint(vote, self.labels)}",
                        *("functions", place, "vote"),
                    )
        METHODS[self.method].check(self)
        return self

    @model_validator(mode="after")
    def _check_class_balance(self) -> Self:
        balance = self.class_balance
        if balance is None:
            return self
        for label in balance:
            if label not in self.labels:
                raise self.fail(
                    f"class_balance names '{label}', which is no label; {hint(label, self.labels)}",
                    "class_balance",
                    label,
                )
        missing = [label for label in self.labels if label not in balance]
        if missing:
            raise self.fail(f"class_balance leaves out '{missing[0]}'; give every label its share.", "class_balance")
        if min(balance.values()) <= 0 or abs(sum(balance.values()) - 1) > 1e-6:
            raise self.fail(
                f"the shares of class_balance must be positive and sum to 1, not {sum(balance.values()):g}."
            )
        return self


def history_days(spec: LabelsSpec, day: date) -> tuple[date, date] | None:
    """Return the first and the last day (both included) of the events that `history` looks at, or None without it."""
    if spec.history is None:
        return None
    return day - spec.history.window, day - timedelta(days=1)


def fit_days(spec: LabelsSpec, day: date) -> tuple[date, date] | None:
    """Return the first and the last earlier day (both included) whose votes the label model also learns from."""
    before = spec.fit_window.days - 1
    return (day - timedelta(days=before), day - timedelta(days=1)) if before else None


def _refuse_repeated(spec: LabelsSpec, what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise spec.fail(f"the {what} '{name}' is declared {times} times; names are unique.")
