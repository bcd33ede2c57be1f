import polars as pl
import pytest
from pydantic import ValidationError

from crawlers.accounting import Accounting, AccountingError
from crawlers.contract import Column, Contract


def test_the_raw_schema_has_the_declared_columns_then_those_of_sluice():
    contract = Contract.model_validate(
        {
            "columns": {
                "user": {"type": "integer", "pii": "hash"},
                "email": {"type": "string", "pii": "drop"},
                "ts": {"type": "datetime"},
            },
            "event_time": "ts",
        }
    )
    utc = pl.Datetime("us", "UTC")
    schema = contract.raw_schema()
    assert list(schema) == ["user", "ts", "_unknown", "crawled_at", "_file", "_line"]
    assert schema["user"] == pl.String
    assert schema["ts"] == schema["crawled_at"] == utc
    discarding = contract.model_copy(update={"unknown_columns": "discard"})
    assert "_unknown" not in discarding.raw_schema()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "text"}, "string"),
        ({"type": "string", "requierd": True}, "did you mean 'required'"),
        ({"type": "string", "formats": ["iso8601"]}, "for columns of type date, datetime, not for string"),
        ({"type": "datetime", "formats": ["epoch_msec"]}, "did you mean 'epoch_ms'"),
        ({"type": "string", "minimum": 1}, "for columns of type .*float, integer, not for string"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no value would pass"),
        ({"type": "integer", "one_of": ["a"]}, "'a', which is not an integer"),
        ({"type": "string", "one_of": []}, "no value would pass"),
        ({"type": "date", "one_of": ["2026-03-01"]}, "for columns of type float, integer, string, not for date"),
    ],
)
def test_a_column_whose_options_do_not_fit_is_refused(declared, message):
    with pytest.raises(ValidationError, match=message):
        Column.model_validate(declared)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"columns": {}}, "at least 1"),
        ({"columns": {"_file": {"type": "string"}}}, "'_file' is declared, but Sluice uses"),
        ({"columns": {"__x": {"type": "string"}}}, "Sluice uses"),
        ({"columns": {"date": {"type": "date"}}}, "Sluice uses"),
        ({"columns": {"ts": {"type": "datetime"}}, "event_time": "tss"}, "did you mean 'ts'"),
        ({"columns": {"ts": {"type": "string"}}, "event_time": "ts"}, "must be a datetime"),
    ],
)
def test_a_contract_that_cannot_be_kept_is_refused(declared, message):
    with pytest.raises(ValidationError, match=message):
        Contract.model_validate(declared)


def test_an_account_balances_or_says_what_is_wrong():
    account = Accounting(10, 6, {"not_json": 3}, {"blank_line": 1})
    account.check("shop")
    assert Accounting.from_json(account.to_json()) == account
    assert account + account == Accounting(20, 12, {"not_json": 6}, {"blank_line": 2})
    with pytest.raises(AccountingError, match=r"shop 2026-03-01 does not balance.*2 rows were lost"):
        Accounting(12, 6, {"not_json": 3}, {"blank_line": 1}).check("shop 2026-03-01")
    with pytest.raises(AccountingError, match="1 rows were doubled"):
        Accounting(5, 6).check("shop")
    made = Accounting(5, 6, {}, {"empty_list": 1}, {"exploded_items": 2})
    made.check("shop")
    assert Accounting.from_json((made + made).to_json()) == made + made
    assert made.in_words() == "5 rows in + 2 made = 6 out + 0 quarantined + 1 removed"
    with pytest.raises(AccountingError, match=r"7 rows came in, 2 were made, 7 went out.*2 rows were lost"):
        Accounting(7, 7, made={"exploded_items": 2}).check("shop")
