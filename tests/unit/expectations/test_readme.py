"""The worked example of the engine's README is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import expectations

README = Path(expectations.__file__).parent / "polars_engine" / "README.md"
DIFFERENTIAL = Path(__file__).parents[2] / "property" / "test_gx_differential.py"


def test_the_examples_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "example.py").write_text("\n".join(blocks), encoding="utf-8")
    subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True)


def test_every_difference_that_the_differential_test_excuses_is_explained():
    excused = re.findall(
        r'^    "([A-Za-z ]+)": lambda kind', DIFFERENTIAL.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert len(excused) == 8
    text = README.read_text(encoding="utf-8")
    for name in excused:
        assert f"| {name} |" in text
