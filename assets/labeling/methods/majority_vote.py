"""The majority vote: what the label model is always reported beside, and falls back on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.labeling.class_balance import balance_from_majority
from assets.labeling.majority import Floats, Matrix, vote_shares
from assets.labeling.method import LabelMethod, Outcome, Window, register_method

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec


@register_method("majority_vote")
class MajorityVote(LabelMethod):
    """The share of its votes is the probability of a label; nothing is learned."""

    def check(self, spec: LabelsSpec) -> None:
        """Any votes will do."""

    def class_balance(self, patterns: Matrix, rows: Matrix, cardinality: int) -> tuple[Floats, str]:
        """The mean share of votes."""
        return balance_from_majority(patterns, rows, cardinality), "vote shares"

    def outcome(self, window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
        """The shares of votes."""
        del window, class_balance
        return Outcome(vote_shares(patterns, len(spec.labels)), self.name)
