"""The engine's folder, copied elsewhere under another name, works without the rest of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import expectations

ENGINE = Path(expectations.__file__).parent / "polars_engine"
OWN = ("assets", "crawlers", "expectations", "orchestration", "training")
PROGRAM = """
import sys

# The checkout may be installed, as for development: nothing of it is to be found.
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {own}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import gx_polars

context = gx.get_context(mode="ephemeral")
batch = context.data_sources.add_polars("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("w")
suite = gx.ExpectationSuite(name="s", expectations=[
    gxe.ExpectColumnValuesToBeBetween(column="n", max_value=2, row_condition="s = 'a' OR n > 2"),
    gxe.ExpectColumnValuesToBeUnique(column="s"),
    gxe.ExpectColumnMedianToBeBetween(column="n", min_value=2),
])
definition = gx.ValidationDefinition(name="v", data=batch, suite=context.suites.add(suite))
frame = pl.DataFrame({{"n": [1, 2, 3], "s": ["a", "b", "b"]}})
result = context.validation_definitions.add(definition).run(batch_parameters={{"dataframe": frame}})
for each in sorted(result.results, key=lambda each: each.expectation_config.type):
    print(each.success, each.result.get("partial_unexpected_list"), each.result.get("observed_value"))
"""


def test_a_copy_under_another_name_validates_a_frame(tmp_path):
    copy = tmp_path / "gx_polars"
    shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\bexpectations\.polars_engine\b", "gx_polars", text), encoding="utf-8")
        assert not re.search(rf"^\s*(from|import) ({'|'.join(OWN)})\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    (tmp_path / "program.py").write_text(PROGRAM.format(own=set(OWN)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["True None 2.0", "False [3] None", "False ['b', 'b'] None"]
