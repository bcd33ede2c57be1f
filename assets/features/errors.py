"""What can be wrong with a declaration of features, or with the days that it is asked about."""

from foundation.located import LocatedError


class FeaturesError(LocatedError):
    """A declaration of features that cannot be met; the message names the fix."""


class NoExamplesError(FeaturesError):
    """A window of days without one example."""


class NoPositivesError(FeaturesError):
    """A window of days without one positive label: nothing could be learned."""


class TooFewDaysError(FeaturesError):
    """A window with fewer days of examples than the split needs."""


class MissingCatalogueError(FeaturesError):
    """A feature of the catalogue was asked for without the catalogue, or without its key."""
