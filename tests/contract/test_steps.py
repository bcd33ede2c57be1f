"""What every registered cleaning step keeps to. A new step brings its example, and needs no test here."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from assets.cleaning import Step, StepError, TableSpec, check_table, make_step, register_step, steps, table_lineage
from assets.cleaning.lineage import step_lineage
from assets.cleaning.registry import STEPS
from assets.cleaning.step import ACTIVE, LINE, MADE, PART, REJECT, REMOVE, TIME, WORKING, require_columns

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def rows(count=60):
    """Rows of a few people, some of whom are hasty, some events twice, some already out."""
    return pl.DataFrame(
        {
            "event_id": [f"e{i % 50}" if i % 11 else None for i in range(count)],
            "user_id": ["hasty" if 30 <= i < 36 else f"u{i % 4}" if i % 13 else None for i in range(count)],
            "price": [float(i % 7) if i % 17 else None for i in range(count)],
            "items": [
                [{"item_id": f"i{j}", "paid": j * 1.5} for j in range(i % 4)] if i % 9 else None for i in range(count)
            ],
            REJECT: ["earlier" if i % 19 == 5 else None for i in range(count)],
            REMOVE: ["earlier" if i % 23 == 7 else None for i in range(count)],
            TIME: [NOON + dt.timedelta(seconds=i if 30 <= i < 36 else (i * i * 37) % 5000) for i in range(count)],
            "__landed": [NOON.date()] * count,
            "__known": [NOON.date()] * count,
            "__source": [0] * count,
            "__file": [f"f{i % 2}" for i in range(count)],
            LINE: list(range(count)),
            PART: [0] * count,
            MADE: [None] * count,
            "__whole": [None] * count,
        },
        schema={
            "event_id": pl.String,
            "user_id": pl.String,
            "price": pl.Float64,
            "items": pl.List(pl.Struct({"item_id": pl.String, "paid": pl.Float64})),
        }
        | WORKING,
    )


@pytest.fixture(params=sorted(steps()))
def step(request):
    return make_step({request.param: steps()[request.param].example})


def test_its_schema_is_as_announced(step):
    frame = rows()
    step.check(frame.schema)
    assert step.apply(frame.lazy()).collect().schema == step.output_schema(frame.schema)


def test_an_empty_frame_stays_empty(step):
    empty = step.apply(rows().clear().lazy()).collect()
    assert empty.height == 0
    assert empty.schema == step.output_schema(rows().schema)


def test_no_row_is_lost_and_each_that_is_made_is_marked(step):
    result = step.apply(rows().lazy()).collect()
    assert sorted(result.filter(pl.col(MADE).is_null())[LINE]) == sorted(rows()[LINE])
    assert (result[MADE].count() > 0) == step.makes_rows
    assert result.select(LINE, PART).is_unique().all()


def test_rows_that_are_out_stay_out_as_they_are(step):
    before = rows().filter(~ACTIVE).sort(LINE, PART)
    after = step.apply(rows().lazy()).collect().filter(pl.col(LINE).is_in(before[LINE].implode())).sort(LINE, PART)
    assert_frame_equal(after.select(LINE, REJECT, REMOVE), before.select(LINE, REJECT, REMOVE))


def test_rows_that_are_out_do_not_influence_the_others(step):
    with_them = step.apply(rows().lazy()).collect()
    alone = step.apply(rows().filter(ACTIVE).lazy()).collect()
    active = with_them.filter(pl.col(LINE).is_in(alone[LINE].implode()))
    assert_frame_equal(active.sort(LINE, PART), alone.sort(LINE, PART))


def test_the_order_of_the_rows_and_repeating_it_change_nothing(step):
    first = step.apply(rows().lazy()).collect().sort(LINE, PART)
    again = step.apply(rows().lazy()).collect().sort(LINE, PART)
    shuffled = step.apply(rows().sample(fraction=1, shuffle=True, seed=3).lazy()).collect().sort(LINE, PART)
    assert_frame_equal(first, again)
    assert_frame_equal(first, shuffled)


def test_both_engines_agree(step):
    memory = step.apply(rows().lazy()).collect(engine="in-memory").sort(LINE, PART)
    assert_frame_equal(memory, step.apply(rows().lazy()).collect(engine="streaming").sort(LINE, PART))


KEY = [LINE, PART]
CHANGEABLE = [name for name in rows().columns if name not in (*KEY, MADE, "__whole", "__source", "__landed")]


def changed(column, seed):
    """The same rows, with the values of one column dealt out anew."""
    frame = rows()
    values = frame[column].shuffle(seed)
    if column in (REJECT, REMOVE):
        values = pl.Series(
            column, ["earlier" if value is None and line % 3 == 0 else None for line, value in enumerate(values)]
        )
    return frame.with_columns(values.alias(column))


def differing(step, column, seed):
    """The columns whose values are others after the step, for what was changed in one column before it."""
    before, after = (step.apply(one.lazy()).collect() for one in (rows(), changed(column, seed)))
    different = {PART} if set(before.select(KEY).rows()) != set(after.select(KEY).rows()) else set()
    both = before.join(after, on=KEY, how="inner", suffix=" after")
    for name in before.columns:
        if name not in KEY and not both[name].equals(both[f"{name} after"].alias(name), null_equal=True):
            different.add(name)
    return different


@pytest.mark.parametrize("column", CHANGEABLE)
def test_a_change_shows_in_no_column_that_is_not_said_to_come_from_it(step, column):
    lineage = step_lineage(step, rows().schema)
    assert set(lineage) == set(step.output_schema(rows().schema))
    said = {name for name, origins in lineage.items() if column in origins}
    for seed in range(3):
        assert differing(step, column, seed) <= said


def test_what_a_column_is_said_to_come_from_shows_in_it(step):
    lineage = step_lineage(step, rows().schema)
    for name, origins in lineage.items():
        for column in sorted(origins & set(CHANGEABLE) - {name, "__file"}):
            # Rows that are out show little here, and a row that was made is known by its part.
            if name not in (MADE, "__whole") and column not in (REJECT, REMOVE):
                assert any(name in differing(step, column, seed) for seed in range(8)), (name, column)


def test_its_reasons_are_announced(step):
    result = step.apply(rows().lazy()).collect()
    flagged = {*result[REJECT].drop_nulls(), *result[REMOVE].drop_nulls()} - {"earlier"}
    assert flagged == set(step.reasons)


def test_a_column_that_is_not_there_is_named_with_the_nearest_right_one(step):
    declared = str(step.model_dump(mode="json"))
    for culprit, right in (
        ("price", "prices"),
        ("event_id", "event_ids"),
        ("user_id", "user_ids"),
        ("items", "itemz"),
    ):
        if f"{culprit}" in declared:
            frame = rows().rename({culprit: right})
            with pytest.raises(StepError, match=f"'{culprit}' is not there|uses column '{culprit}'.*did you mean"):
                step.check(frame.schema)
            break
    else:
        pytest.fail("the example names no column")


def test_an_unknown_parameter_is_refused(step):
    with pytest.raises(ValidationError, match="whenn"):
        make_step({step.step: {**step.example} | {"whenn": "x"}})


def test_it_survives_its_declaration(step):
    assert make_step({step.step: step.model_dump(mode="json")}) == step


class Shout(Step):
    """Texts in capitals.

    Attributes:
        column: the texts.
    """

    column: str

    def check(self, schema):
        require_columns([self.column], schema, "column")

    def transform(self, frame):
        return frame.with_columns(pl.col(self.column).str.to_uppercase())


def test_a_step_registered_elsewhere_is_declared_checked_shown_and_forgotten():
    declared = {"name": "events", "from": "clicks", "steps": [{"shout": {"column": "user_id"}}]}
    schema = {"user_id": pl.String(), "ts": pl.Datetime("us", "UTC"), "_file": pl.String(), "_line": pl.Int64()}
    with STEPS.temporarily("shout", Shout):
        Shout.step = "shout"
        table = TableSpec.model_validate(declared)
        assert check_table(table, {"clicks": schema}) == {**schema, "known_on": pl.Date()}
        assert table_lineage(table, {"clicks": schema})["user_id"] == {("clicks", "user_id")}
        assert TableSpec.model_validate_json(table.model_dump_json(by_alias=True)) == table
        assert "shout" in TableSpec.model_json_schema()["properties"]["steps"]["items"]["properties"]
        with pytest.raises(ValidationError, match="Step 'shut' is unknown; did you mean 'shout'"):
            TableSpec.model_validate(declared | {"steps": ["shut"]})
    assert "shout" not in TableSpec.model_json_schema()["properties"]["steps"]["items"]["properties"]
    with pytest.raises(ValidationError, match="Step 'shout' is unknown"):
        TableSpec.model_validate(declared)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'dwell' is registered already"):
        register_step("dwell")(type(make_step("dwell")))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"dedupe": {}}, "Step 'dedupe' is unknown; did you mean 'deduplicate'"),
        ({"drop": {}, "select": {}}, "one name with its parameters"),
        (7, "one name with its parameters"),
    ],
)
def test_a_declaration_that_is_no_step_is_explained(declared, message):
    with pytest.raises(ValueError, match=message):
        make_step(declared)
