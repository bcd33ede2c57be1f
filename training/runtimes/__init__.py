"""Runtimes: what scores a published file, without the framework that made it."""

from training.runtimes.runtime import RUNTIMES, Loaded, Runtime, load_model, model_file

RUNTIMES.register(
    "litert",
    Runtime(
        "litert", ".tflite", "training.runtimes.litert:LiteModel", "LiteRT's interpreter, which needs no TensorFlow."
    ),
)

__all__ = ["RUNTIMES", "Loaded", "Runtime", "load_model", "model_file"]
