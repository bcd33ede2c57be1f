"""What every registered compression technique promises; a new one is tested by being registered."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.compression.recipe import recipes
from training.compression.registry import TECHNIQUES, Technique
from training.compression.spec import CompressSpec

TUNING = [one.name for one in TECHNIQUES.entries().values() if one.stage == "tuning"]
CONVERSION = [one.name for one in TECHNIQUES.entries().values() if one.stage == "conversion"]
ERROR = {"float": 1e-5, "int8": 0.05}
"""How far probabilities may move; a new conversion is held to the loosest."""


@pytest.fixture(scope="module")
def compressed(tmp_path_factory):
    """What `compressed.py` found, by technique."""
    folder = tmp_path_factory.mktemp("compressed")
    found = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("compressed.py")), str(folder)],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return json.loads(found.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", TUNING)
def test_a_tuning_gives_back_finite_weights_of_the_plain_model(compressed, name):
    found = compressed[name]
    assert found["shapes"]
    assert found["finite"]
    assert found["how"]
    assert found["error"] < ERROR["float"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERSION)
def test_a_file_scores_like_the_model_in_any_batch(compressed, name):
    found = compressed[name]
    assert found["error"] < ERROR.get(name, max(ERROR.values()))
    assert found["within_0_and_1"]
    assert found["any_batch"]
    assert found["distinct_scores"] > 100
    assert found["inputs"] == ["dense_features", "item", "title", "title__token_weights"]
    assert found["bytes"] <= compressed["float"]["bytes"]
    assert found["fallback"] is None


@pytest.mark.slow
def test_pruning_leaves_the_declared_share_of_zeros_in_every_matrix_but_the_last(compressed):
    *hidden, logit = compressed["prune"]["sparsity"]
    assert hidden == pytest.approx([0.6] * len(hidden), abs=0.01)
    assert logit == 0
    assert max(compressed["continue"]["sparsity"]) == 0


@pytest.mark.slow
def test_int8_is_a_third_of_the_bytes(compressed):
    assert compressed["int8"]["bytes"] <= 0.35 * compressed["float"]["bytes"]


@pytest.mark.slow
def test_a_model_that_full_int8_cannot_express_falls_back_and_says_so(compressed):
    found = compressed["refused"]
    assert "would stay in float, such as" in found["fallback"]
    assert "dynamic range" in found["written"]
    assert found["error"] < ERROR["int8"]


def test_a_technique_is_registered_once():
    with pytest.raises(ValueError, match="'int8' is registered already"):
        TECHNIQUES.register("int8", Technique("int8", "conversion", "elsewhere:write"))


def test_an_unknown_technique_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="'pruned' is unknown; did you mean 'prune'"):
        TECHNIQUES["pruned"]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (
            {},
            {
                "float": "reference",
                "int8": "candidate",
                "float_tuned": "reference",
                "pruned": "candidate",
                "pruned_int8": "candidate",
            },
        ),
        ({"prune": None}, {"float": "reference", "int8": "candidate"}),
        ({"quantize": "none"}, {"float": "reference", "float_tuned": "reference", "pruned": "candidate"}),
        ({"prune": None, "quantize": "none"}, {"float": "candidate"}),
    ],
)
def test_a_declaration_makes_its_candidates_each_compared_with_a_reference_of_the_same_training(declared, expected):
    made = recipes(CompressSpec.model_validate(declared))
    assert {one.name: one.kind for one in made} == expected
    tuning = {one.name: one.tuning is not None for one in made}
    assert all(tuning[one.name] == tuning[one.compared_with] for one in made)
    assert {one.conversion for one in made} | {one.tuning for one in made} - {None} <= {*TUNING, *CONVERSION}
