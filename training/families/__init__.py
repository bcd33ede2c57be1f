"""Model families: one file each, which declares itself."""

from training.families.family import FAMILIES, Family
from training.families.ranker import Ranker

__all__ = ["FAMILIES", "Family", "Ranker"]
