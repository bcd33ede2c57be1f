"""The kinds of labelling functions, one a file; importing this package registers them."""

from assets.labeling.functions import python, sql

MODULES = (python, sql)

__all__ = ["MODULES"]
