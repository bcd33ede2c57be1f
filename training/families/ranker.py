"""The `ranker` family: embeddings and dense features into hidden relu layers and one probability.

Only plain functional layers, each with a name, so that every technique of compression can take the model apart:
the means over tokens are dot products with weights that the input computes, because the masks of Keras neither
survive full int8 conversion nor handle a row without any token.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from training.families.family import FAMILIES, Family
from training.schema import DENSE, TOKEN_WEIGHTS, Inputs

LOGIT = "logit"
PROBABILITY = "probability"


@FAMILIES.registered("ranker")
class Ranker(Family):
    """Embeddings and dense features into hidden relu layers and one probability.

    Attributes:
        hidden: Widths of the hidden layers.
        dropout: Share of each hidden layer dropped in training. A run that was interrupted resumes to exactly the
            weights of an uninterrupted one only without dropout, whose random state is not kept.
        embedding_dimension: Overrides the widths of all embeddings; without it each input's own counts.
    """

    kind: Literal["ranker"] = "ranker"
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128, 32)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    embedding_dimension: int | None = Field(default=None, ge=1)

    def build(self, inputs: Inputs, *, seed: int) -> Any:
        """Build an untrained ranker; compression may cut it at `logit`, where int8 has enough steps for ranking."""
        return _network(self, inputs, seed)


def _network(spec: Ranker, inputs: Inputs, seed: int) -> Any:
    import tf_keras

    layers = tf_keras.layers
    tensors: dict[str, Any] = {}
    parts: list[Any] = []

    for category in inputs.categories:
        tensors[category.name] = layers.Input((), name=category.name, dtype="int32")
        width = spec.embedding_dimension or category.dimension
        parts.append(_embedding(category.name, category.size, width)(tensors[category.name]))

    for tokens in inputs.tokens:
        ids = tensors[tokens.name] = layers.Input((tokens.length,), name=tokens.name, dtype="int32")
        weights_name = tokens.name + TOKEN_WEIGHTS
        weights = tensors[weights_name] = layers.Input((tokens.length,), name=weights_name, dtype="float32")
        embedded = _embedding(tokens.name, tokens.size, spec.embedding_dimension or tokens.dimension)(ids)
        parts.append(layers.Dot(axes=1, name=f"{tokens.name}__mean")([weights, embedded]))

    if inputs.dense:
        tensors[DENSE] = layers.Input((len(inputs.dense),), name=DENSE, dtype="float32")
        parts.append(tensors[DENSE])

    flow = layers.Concatenate(name="features")(parts) if len(parts) > 1 else parts[0]
    for number, width in enumerate(spec.hidden, start=1):
        flow = layers.Dense(width, activation="relu", name=f"hidden_{number}")(flow)
        if spec.dropout:
            flow = layers.Dropout(spec.dropout, seed=seed + number, name=f"dropout_{number}")(flow)
    # In float32 whatever the precision of the rest: near 0 and 1 the loss lives on small differences.
    logit = layers.Dense(1, name=LOGIT, dtype="float32")(flow)
    probability = layers.Activation("sigmoid", name=PROBABILITY, dtype="float32")(logit)
    return tf_keras.Model(tensors, probability, name=spec.kind)


def _embedding(name: str, size: int, width: int) -> Any:
    # The rows start about as long as a normalised dense feature, divided by their width: the layer's own default
    # (0.05 at any width) leaves rare categories unheard for many epochs.
    import tf_keras

    start = tf_keras.initializers.RandomNormal(stddev=0.1 / math.sqrt(width / 16), seed=None)
    return tf_keras.layers.Embedding(size, width, embeddings_initializer=start, name=f"{name}__embedding")
