"""Whether a day landed about as much as the days before it: a fall is often a site that lost part of its listing."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from crawlers.landing import Manifest

DAYS = 7
"""How many earlier days are compared with."""
_FEWEST_DAYS = 3
_SHARE = 0.5


@dataclass(frozen=True)
class Volume:
    """A day's volume beside that of the days before it.

    Attributes:
        passed: Whether neither files nor bytes are less than half of what is usual.
        files: Files of the day.
        bytes: Their size.
        usual_files: Median of the earlier days; None with less than three of them.
        usual_bytes: Likewise.
    """

    passed: bool
    files: int
    bytes: int
    usual_files: float | None
    usual_bytes: float | None

    @property
    def description(self) -> str:
        """One sentence for people."""
        if self.usual_files is None or self.usual_bytes is None:
            return f"{self.files} files landed; there are not yet three days to compare with."
        usual = f"{self.usual_files:g} files and {self.usual_bytes:,.0f} bytes were usual in the days before"
        if self.passed:
            return f"{self.files} files and {self.bytes:,} bytes landed; {usual}."
        return (
            f"Only {self.files} files and {self.bytes:,} bytes landed, less than half of what is usual: {usual}. Look "
            f"whether the site lists everything."
        )


def volume(manifest: Manifest, earlier: Sequence[Manifest]) -> Volume:
    """Compare a day with the days before it.

    Args:
        manifest: What the day landed.
        earlier: What the last days before it landed; empty days do not count, as they say nothing of what is usual.
    """
    others = [other for other in earlier if other.files and other.demo == manifest.demo]
    if len(others) < _FEWEST_DAYS:
        return Volume(passed=True, files=len(manifest.files), bytes=manifest.bytes, usual_files=None, usual_bytes=None)
    files, size = median(len(other.files) for other in others), median(other.bytes for other in others)
    passed = len(manifest.files) >= _SHARE * files and manifest.bytes >= _SHARE * size
    return Volume(passed, len(manifest.files), manifest.bytes, float(files), float(size))
