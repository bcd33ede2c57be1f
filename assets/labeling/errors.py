"""What can be wrong with a declaration of labels, or with what a labelling function returns."""

from foundation.located import LocatedError


class LabelsError(LocatedError):
    """A declaration of labels that cannot be met; the message names the subject, the culprit and the fix."""


class LabelModelError(RuntimeError):
    """The label model could not be fitted to these votes; labels fall back on the majority vote."""


def first_line(error: BaseException) -> str:
    """Return what an error says, without the query plan that Polars adds to it."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
