"""The page on contracts names all that there is, and its example loads."""

import re
from pathlib import Path

import yaml

from crawlers.contract import Column, Contract
from crawlers.contract.times import PROBLEMS, TIME_FORMATS
from crawlers.contract.types import COLUMN_TYPES

PAGE = (Path(__file__).parents[3] / "docs" / "contracts.md").read_text()


def test_the_example_loads():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    contract = Contract.model_validate(yaml.safe_load(example))
    assert contract.columns["at"].minimum == "2020-01-01"


def test_every_option_type_and_format_is_on_the_page():
    words = [*Column.keys(), *COLUMN_TYPES, *TIME_FORMATS, *PROBLEMS]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    rows = re.findall(r"^\| (`[a-z`, _]+`) \| ([a-z, ]+) \| .* \|$", PAGE, re.MULTILINE)
    options = dict(rows)
    for names, types in options.items():
        for name in re.findall("`([a-z_]+)`", names):
            takers = [each for each, kind in COLUMN_TYPES.entries().items() if name in kind.options]
            assert types == "all" or sorted(types.split(", ")) == takers, name
