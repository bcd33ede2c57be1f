"""Applies every registered technique to a small model and prints what came of it, as JSON by technique.

A process of its own, for TensorFlow warns too much to be imported into a test.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from training.compression.convert import write_float
from training.compression.quantize import write_int8
from training.compression.registry import TECHNIQUES
from training.compression.spec import CompressSpec, PruneSpec
from training.families import Ranker
from training.feed import score
from training.runtimes import load_model
from training.schema import TOKEN_WEIGHTS, Inputs
from training.spec import ModelSpec

ROWS, BATCH, EPOCHS = 2048, 256, 2

inputs = Inputs.model_validate(
    {
        "inputs": [
            {"name": "item", "kind": "category", "size": 3000, "dimension": 16},
            {"name": "price", "kind": "dense"},
            {"name": "age", "kind": "dense"},
            {"name": "title", "kind": "tokens", "size": 500, "length": 4, "dimension": 8},
        ]
    }
)
spec = ModelSpec(name="small", examples="examples", family=Ranker(hidden=(32, 16)))
declared = CompressSpec(prune=PruneSpec(sparsity=0.6, epochs=EPOCHS))
rng = np.random.default_rng(7)
tokens = rng.integers(0, 500, (ROWS, 4)).astype(np.int32)
arrays = {
    "item": rng.integers(0, 3000, ROWS).astype(np.int32),
    "title": tokens,
    "title" + TOKEN_WEIGHTS: (tokens != 0).astype(np.float32) / 4,
    "dense_features": rng.normal(size=(ROWS, 2)).astype(np.float32),
}
labels = (arrays["dense_features"][:, :1] > 0).astype(np.float32)
samples = [{name: values[start : start + 64] for name, values in arrays.items()} for start in range(0, 512, 64)]
folder = Path(sys.argv[1])


def trained():
    tf_keras.utils.set_random_seed(7)
    model = spec.family.build(inputs, seed=spec.seed)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(arrays, labels, batch_size=BATCH, epochs=1, verbose=0)
    return model


def tuned(technique):
    model = trained()
    tuning = technique.load()(model, declared, steps=EPOCHS * ROWS // BATCH)
    tuning.model.compile(optimizer="adam", loss="binary_crossentropy")
    tuning.model.fit(arrays, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=list(tuning.callbacks))
    weights = tuning.weights()
    plain = spec.family.build(inputs, seed=spec.seed)
    matrices = [one for one in weights if one.ndim > 1]
    found = {
        "shapes": [one.shape for one in weights] == [one.shape for one in plain.get_weights()],
        "finite": all(np.isfinite(one).all() for one in weights),
        "sparsity": [float((one == 0).mean()) for one in matrices],
        "how": tuning.how,
    }
    plain.set_weights(weights)
    return {**found, **written(technique.name, plain, write_float(plain, samples))}


def written(name, model, result):
    path = folder / f"{name}.tflite"
    path.write_bytes(result.content)
    lite = load_model(path)
    scores = lite.score(arrays)
    one_by_one = np.concatenate(
        [lite.score({key: values[row : row + 1] for key, values in arrays.items()}) for row in range(5)]
    )
    return {
        "bytes": len(result.content),
        "error": float(np.abs(scores - score(model, arrays)).max()),
        "within_0_and_1": bool((scores >= 0).all() and (scores <= 1).all()),
        "distinct_scores": len(np.unique(scores)),
        "any_batch": bool(np.allclose(one_by_one, scores[:5], atol=1e-6)),
        "inputs": sorted(lite.inputs),
        "fallback": result.fallback,
        "written": result.how,
    }


def refused():
    """A model that full int8 cannot express."""
    dense = tf_keras.layers.Input((2,), name="dense_features")
    bent = tf_keras.layers.Lambda(tf.sin)(dense)
    logit = tf_keras.layers.Dense(1, name="logit")(bent)
    model = tf_keras.Model({"dense_features": dense}, tf_keras.layers.Activation("sigmoid", name="probability")(logit))
    return written("refused", model, write_int8(model, [{"dense_features": arrays["dense_features"][:64]}]))


found = {}
for one in TECHNIQUES.entries().values():
    if one.stage == "tuning":
        found[one.name] = tuned(one)
    else:
        model = trained()
        found[one.name] = written(one.name, model, one.load()(model, samples))
found["refused"] = refused()
sys.stdout.write(json.dumps(found))
