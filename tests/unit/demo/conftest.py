import gzip
from collections.abc import Callable
from datetime import date

import pytest

from crawlers.demo.logs import log

Lines = list[tuple[str, bytes]]


@pytest.fixture(scope="session")
def lines_of() -> Callable[..., Lines]:
    """The lines of a day's log as a reader finds them, each with the name of its file."""

    def lines(day: date, seed: int = 7, *, broken: bool = False) -> Lines:
        return [
            (name, line)
            for name, body in log(day, seed, broken=broken).files.items()
            for line in gzip.decompress(body).removesuffix(b"\n").split(b"\n")
        ]

    return lines
