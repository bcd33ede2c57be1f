"""Shapes of examples: what one example is, what it needs, and how it is made."""

from assets.features.shapes.shape import SHAPES, Shape

__all__ = ["SHAPES", "Shape"]
