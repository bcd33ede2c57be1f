"""The methods of labelling, one a file; importing this package registers them."""

from assets.labeling.methods import label_model, majority_vote

MODULES = (label_model, majority_vote)

__all__ = ["MODULES"]
