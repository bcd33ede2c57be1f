"""Post-training quantisation to int8: weights, embeddings and activations, with float inputs and outputs.

The file ends at the logit and not at the probability: 256 steps over the logits that occur keep apart what 256 steps
between 0 and 1 would rank as equal near both ends. Whoever scores applies the sigmoid, as its runtime does.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from training.compression.convert import Written, converter, feeding, without_sigmoid
from training.input import Arrays
from training.runtimes.litert import LOGIT, float_tensors


def write_int8(model: Any, samples: Sequence[Arrays]) -> Written:
    """Write a model in int8; by dynamic range where full int8 is impossible, which `fallback` then says.

    Args:
        model: A functional model with a layer `logit`.
        samples: Inputs of the train split that show which values activations take.
    """
    cut = without_sigmoid(model, LOGIT)
    full = converter(cut)
    full.optimizations = [tf.lite.Optimize.DEFAULT]
    full.representative_dataset = feeding(samples)
    full.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    rows = sum(len(next(iter(sample.values()))) for sample in samples)
    try:
        content = full.convert()
    except Exception as error:  # noqa: BLE001 - the converter raises bare Exceptions and its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    else:
        # The converter is silent about what it leaves in float.
        left = float_tensors(content)
        if not left:
            return Written(content, f"full int8 with float input and output, calibrated on {rows} training rows")
        reason = f"{len(left)} tensors would stay in float, such as {left[0]}"
    dynamic = converter(cut)
    dynamic.optimizations = [tf.lite.Optimize.DEFAULT]
    return Written(dynamic.convert(), "int8 weights with float activations (dynamic range)", fallback=reason)
