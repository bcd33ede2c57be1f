"""Conversion to TensorFlow Lite.

The converter leaks memory and can abort a process as a whole: it runs in the worker processes of the task `compress`,
which the supervisor starts, watches, and ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from training.input import Arrays


@dataclass(frozen=True, slots=True)
class Written:
    """What a conversion made.

    Attributes:
        content: Of the file.
        how: What was done, for people.
        fallback: Why the declared conversion was not possible and a weaker one was taken, or None.
    """

    content: bytes
    how: str
    fallback: str | None = None


def write_float(model: Any, samples: Sequence[Arrays]) -> Written:  # noqa: ARG001 - one signature for all
    """Write a model in float32; its output is `probability`."""
    return Written(converter(model).convert(), "float32")


def converter(model: Any) -> Any:
    """A TensorFlow Lite converter of a functional model, whose batch may be resized.

    Args:
        model: Its inputs are a dict of named inputs; its output has the name of its last layer.
    """
    names = [one.name.split(":")[0] for one in model.inputs]
    signature = {
        name: tf.TensorSpec((None, *one.shape[1:]), one.dtype, name=name)
        for name, one in zip(names, model.inputs, strict=True)
    }
    output = model.output_names[0]

    @tf.function(input_signature=[signature], autograph=False)  # type: ignore[untyped-decorator]
    def serve(inputs: dict[str, Any]) -> dict[str, Any]:
        return {output: model(inputs, training=False)}

    return tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], model)


def without_sigmoid(model: Any, logit: str) -> Any:
    """The same model, ending at its logit."""
    return type(model)(model.input, model.get_layer(logit).output, name=model.name)


def feeding(samples: Sequence[Arrays]) -> Any:
    """A representative dataset for `TFLiteConverter`, from arrays by input name."""

    def give() -> Iterator[dict[str, Any]]:
        yield from ({name: tf.constant(values) for name, values in sample.items()} for sample in samples)

    return give
