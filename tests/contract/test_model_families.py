"""What every model family must do; a new one is tested by being registered.

The work is done in one process of its own for each family: TensorFlow's conversion leaks, and its warnings are its own.
"""

import json
import os
import subprocess
import sys
from typing import get_args

import pytest

from assets.features import SHAPES
from training.compression.registry import TECHNIQUES
from training.failure import TaskError
from training.families import FAMILIES, Family
from training.runtimes import RUNTIMES
from training.schema import CategoryInput, DenseInput, Inputs, TokensInput

CODE = """
import json, os, sys
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tf_keras
from pathlib import Path
from training.feed import score
from training.input import model_inputs
from training.families import FAMILIES
from training.normalise import DenseConstants, Normalisation
from training.saved import load_float, save_float
from training.schema import CategoryInput, DenseInput, Inputs, TokensInput
from training.spec import ModelSpec
from training.step import ExchangingAdam, TrainingModel

family, folder = FAMILIES[sys.argv[1]].model_validate_json(sys.argv[3]), Path(sys.argv[2])
spec = ModelSpec(name="small", examples="e", family=family, workers=1)
category = CategoryInput(name="user", size=50, dimension=8)
tokens = TokensInput(name="title", size=40, length=4, dimension=8)
dense = (DenseInput(name="price"), DenseInput(name="views"))
rng = np.random.default_rng(3)
rows = 2000
ids = rng.integers(1, 40, (rows, 4)).astype(np.int32)
ids[:, 2:][rng.random((rows, 2)) < 0.5] = 0
ids[::10] = 0
table = pa.table({
    "user": rng.integers(0, 50, rows).astype(np.int32),
    "title": pa.FixedSizeListArray.from_arrays(pa.array(ids.reshape(-1)), 4),
    "price": rng.normal(100, 20, rows).astype(np.float32),
    "views": np.floor(rng.pareto(1, rows) * 9).astype(np.float32),
})
label = ((table["user"].to_numpy() % 2 + rng.normal(0, 0.3, rows)) > 0.5).astype(np.float32)
normalisation = Normalisation(columns=(
    DenseConstants(name="price", log=False, mean=100, scale=20), DenseConstants(name="views", log=True, mean=2, scale=1)
))
found = {"combinations": {}}
every = {"all": (category, *dense, tokens), "category": (category,), "tokens": (tokens,), "dense": dense}
for name, kinds in every.items():
    inputs = Inputs(inputs=kinds)
    constants = normalisation if inputs.dense else Normalisation()
    model = family.build(inputs, seed=7)
    probabilities = score(model, model_inputs(table, inputs, constants))
    found["combinations"][name] = [
        list(model.output_shape), model.output.dtype.name, model.output_names, bool(np.isfinite(probabilities).all()),
        float(probabilities.min()), float(probabilities.max()),
    ]

inputs = Inputs(inputs=(category, *dense, tokens))
arrays = model_inputs(table, inputs, normalisation)
plain = family.build(inputs, seed=7)
kinds = [type(layer) for layer in plain.layers]
found["plain"] = [kind.__module__.startswith("tf_keras.src.") and kind.__name__ != "Lambda" for kind in kinds]
found["names"] = [layer.name for layer in plain.layers]
found["input_dtypes"] = {name: tensor.dtype.name for name, tensor in plain.input.items()}
model = TrainingModel(plain.input, plain.output)
model.compile(optimizer=ExchangingAdam(0.01), loss=family.loss())
dataset = tf.data.Dataset.from_tensors((arrays, label.reshape(-1, 1), np.ones(rows, np.float32))).repeat()
model.fit(dataset, epochs=2, steps_per_epoch=20, verbose=0)
after = score(plain, arrays)
found["accuracy"] = float(((after > 0.5) == label).mean())

save_float(plain, folder / "float", spec=spec, inputs=inputs, normalisation=normalisation)
found["reload"] = float(np.abs(score(load_float(folder / "float"), arrays) - after).max())
saved_model = tf_keras.models.load_model(str(folder / "float" / "saved_model"), compile=False)
found["saved_model"] = float(np.abs(score(saved_model, arrays) - after).max())

from tensorflow_model_optimization.sparsity.keras import prune_low_magnitude, strip_pruning
pruned = prune_low_magnitude(load_float(folder / "float"))
found["pruned"] = float(np.abs(score(strip_pruning(pruned), arrays) - after).max())

converter = tf.lite.TFLiteConverter.from_keras_model(plain)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: (
    {name: values[row : row + 1] for name, values in arrays.items()} for row in range(200)
)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
from ai_edge_litert.interpreter import Interpreter
runner = Interpreter(model_content=converter.convert()).get_signature_runner()
quantised = next(iter(runner(**arrays).values())).reshape(-1)
found["int8_error"] = float(np.abs(quantised - after).mean())
found["int8_agreement"] = float(np.corrcoef(quantised, after)[0, 1])
print(json.dumps(found))
"""


INPUTS = (CategoryInput, DenseInput, TokensInput)
SETTINGS = {"ranker": {"hidden": [32, 16], "dropout": 0.1}}
"""Settings other than the defaults, for what they bring in; a new family is tried as it is by default."""


@pytest.fixture(scope="module", params=FAMILIES.names())
def found(request, tmp_path_factory):
    settings = json.dumps({"kind": request.param, **SETTINGS.get(request.param, {})})
    process = subprocess.run(
        [sys.executable, "-c", CODE, request.param, str(tmp_path_factory.mktemp(request.param)), settings],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["all", "category", "tokens", "dense"])
def test_it_is_built_from_any_kinds_of_inputs_and_gives_one_probability_also_for_rows_without_tokens(found, kinds):
    shape, dtype, names, finite, least, greatest = found["combinations"][kinds]
    assert (shape, dtype, names) == ([None, 1], "float32", ["probability"])
    assert finite
    assert 0 <= least <= greatest <= 1


@pytest.mark.slow
def test_it_is_made_of_plain_named_layers_and_takes_integers_for_its_tables(found):
    assert all(found["plain"])
    assert len(set(found["names"])) == len(found["names"])
    assert {"logit", "probability"} <= set(found["names"])
    dtypes = {"user": "int32", "title": "int32", "title__token_weights": "float32", "dense_features": "float32"}
    assert found["input_dtypes"] == dtypes


@pytest.mark.slow
def test_it_learns(found):
    assert found["accuracy"] > 0.85


@pytest.mark.slow
def test_it_reloads_as_weights_and_as_a_saved_model(found):
    assert found["reload"] < 1e-6
    assert found["saved_model"] < 1e-6


@pytest.mark.slow
def test_it_can_be_pruned_and_converted_to_int8(found):
    assert found["pruned"] < 1e-6
    assert found["int8_error"] < 0.03
    assert found["int8_agreement"] > 0.98


@pytest.mark.parametrize("kind", FAMILIES.names())
def test_it_declares_what_it_takes_and_bears_in_words_that_are_registered(kind):
    family = FAMILIES[kind]()
    assert family.kind == kind
    assert family.shape in SHAPES
    assert family.inputs <= {get_args(one.model_fields["kind"].annotation)[0] for one in INPUTS}
    assert family.inputs
    assert family.measured_by
    assert family.techniques <= set(TECHNIQUES)
    assert family.runtimes <= set(RUNTIMES)
    assert type(family).__doc__ != Family.__doc__, "a family says what it is"
    assert FAMILIES[kind].model_validate(family.model_dump(mode="json")) == family


@pytest.mark.parametrize("kind", FAMILIES.names())
def test_an_input_that_it_does_not_take_is_named(kind):
    family = FAMILIES[kind]()
    for one in INPUTS:
        needed = {"name": "price", "size": 3, "length": 2}
        column = one(**{name: value for name, value in needed.items() if name in one.model_fields})
        if column.kind in family.inputs:
            family.check(Inputs(inputs=(column,)))
        else:
            with pytest.raises(TaskError, match="which 'price' is; it takes"):
                family.check(Inputs(inputs=(column,)))
