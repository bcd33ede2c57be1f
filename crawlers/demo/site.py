"""The shop's web site: which page is where."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from threading import Lock

from crawlers.demo import pages
from crawlers.demo.logs import Log, log
from crawlers.demo.pages import Page
from crawlers.demo.reviews import reviews
from crawlers.demo.world import catalogue, item_name, on_sale

API_PAGE = 50
LISTED_DAYS = 60
"""How many days the lists of logs and exports go back; older ones are there all the same."""
_DAY = r"(\d{4}-\d{2}-\d{2})"


class Site:
    """The pages of the shop.

    Args:
        seed: The shop's seed.
        broken_days: Days whose log has the broken schema.
        today: Says which day it is, UTC; there is nothing beyond it.
    """

    def __init__(self, *, seed: int, broken_days: Collection[date], today: Callable[[], date]) -> None:
        self._seed = seed
        self._broken = broken_days
        self._today = today
        # Several requests at once for the files of a day generate it once.
        self._lock = Lock()
        self._routes: tuple[tuple[re.Pattern[str], Callable[..., Page | None]], ...] = tuple(
            (re.compile(pattern, re.ASCII), handler)
            for pattern, handler in (
                (r"/", self._home),
                (r"/robots\.txt", self._robots),
                (r"/admin/", self._admin),
                (r"/(logs|exports)/", self._days),
                (rf"/logs/{_DAY}/", self._log_index),
                (rf"/logs/{_DAY}/(events-\d+\.jsonl\.gz)", self._log_file),
                (rf"/exports/{_DAY}/", self._export_index),
                (rf"/exports/{_DAY}/catalogue-00\.csv", self._export),
                (r"/api/products", self._products),
                (r"/products/i(\d{4,9})", self._product),
            )
        )

    def page(self, path: str, query: Mapping[str, list[str]]) -> Page | None:
        """The page at a path, or None when there is none."""
        for pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return handler(*match.groups(), **({"query": query} if handler == self._products else {}))
        return None

    def nothing_here(self, path: str) -> Page:
        """What to say when there is no such page."""
        return pages.nothing_here(path, self._yesterday())

    def is_broken(self, day: date) -> bool:
        """Whether the schema of a day's log is broken."""
        return day in self._broken

    def _day(self, text: str) -> date | None:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        # A day needs the log of several days before it, so the calendar's very first ones have none.
        return day if date(1, 1, 31) < day <= self._today() else None

    def _yesterday(self) -> date:
        return self._today() - timedelta(days=1)

    def _changed(self, day: date) -> date:
        """What belongs to a day is ready when the day is over; today's is there already."""
        return min(day + timedelta(days=1), self._today())

    def _home(self) -> Page:
        return pages.home(self._yesterday(), self._today())

    def _robots(self) -> Page:
        return Page(pages.ROBOTS, "text/plain; charset=utf-8", date(2026, 1, 1))

    def _admin(self) -> Page:
        return pages.html_page("Back office", "<p>For staff, and not for robots.</p>", date(2026, 1, 1))

    def _days(self, folder: str) -> Page:
        names = [f"{self._today() - timedelta(days=back)}/" for back in range(1, LISTED_DAYS + 1)]
        return pages.index(f"All {folder}", names, self._today())

    def _log(self, day: date) -> Log:
        with self._lock:
            return log(day, self._seed, broken=self.is_broken(day))

    def _log_index(self, text: str) -> Page | None:
        day = self._day(text)
        return None if day is None else pages.index(f"Logs of {day}", self._log(day).files, self._changed(day))

    def _log_file(self, text: str, name: str) -> Page | None:
        day = self._day(text)
        body = None if day is None else self._log(day).files.get(name)
        return None if day is None or body is None else Page(body, "application/gzip", self._changed(day))

    def _export_index(self, text: str) -> Page | None:
        day = self._day(text)
        return None if day is None else pages.index(f"Exports of {day}", ["catalogue-00.csv"], self._changed(day))

    def _export(self, text: str) -> Page | None:
        day = self._day(text)
        return None if day is None else pages.csv(catalogue(day, self._seed), self._changed(day))

    def _products(self, *, query: Mapping[str, list[str]]) -> Page | None:
        text = query.get("page", ["1"])[0]
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            return None
        return pages.products(catalogue(self._today(), self._seed), int(text), API_PAGE, self._today())

    def _product(self, number: str) -> Page | None:
        index = int(number)
        if index >= on_sale(self._today()) or item_name(index) != f"i{number}":
            return None
        item = catalogue(self._today(), self._seed).row(index, named=True)
        return pages.product(item=item.pop("item_id"), **item, reviews=reviews(index, self._seed))
