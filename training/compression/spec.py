"""How a model is made smaller, as declarations say it."""

from typing import Literal

from pydantic import Field

from foundation.declaration import Declaration


class PruneSpec(Declaration):
    """Magnitude pruning: `sparsity` of the weights of each pruned layer end at zero, over `epochs` of fine-tuning."""

    sparsity: float = Field(default=0.5, gt=0, lt=1)
    epochs: int = Field(default=2, ge=1)


class CompressSpec(Declaration):
    """Which compressed candidates are made beside the float model."""

    prune: PruneSpec | None = PruneSpec()
    quantize: Literal["int8", "none"] = "int8"
