"""What the shop's pages say: bytes, their type, and when they last changed."""

from __future__ import annotations

import hashlib
import html
import io
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import polars as pl

from crawlers.demo.reviews import Review

HTML = "text/html; charset=utf-8"
ROBOTS = b"# Everybody is welcome, except in the back office.\nUser-agent: *\nDisallow: /admin/\n"


@dataclass(frozen=True)
class Page:
    """One answer.

    Attributes:
        body: Its bytes.
        content_type: Its media type.
        changed: The day at whose beginning, UTC, it last changed.
    """

    body: bytes
    content_type: str
    changed: date

    @cached_property
    def etag(self) -> str:
        """A strong validator of the bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'

    @property
    def last_modified(self) -> datetime:
        """When it last changed."""
        return datetime(self.changed.year, self.changed.month, self.changed.day, tzinfo=UTC)


def html_page(title: str, body: str, changed: date) -> Page:
    """A page for people; the title is text, the body HTML."""
    name = html.escape(title)
    text = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{name}</title></head>\n'
        f"<body>\n<h1>{name}</h1>\n{body}\n</body>\n</html>\n"
    )
    return Page(text.encode(), HTML, changed)


def home(newest: date, changed: date) -> Page:
    """What this site is, and where everything is."""
    return html_page(
        "Sluice demo shop",
        "<p>An invented shop that serves data to try a crawler on. Nobody who shops here exists, and nothing is for "
        "sale. What it serves depends on its seed and on the day, and on nothing else.</p>\n<ul>\n"
        f'<li><a href="/logs/">Logs</a> of every day, such as <a href="/logs/{newest}/">{newest}</a>: '
        "gzipped JSON Lines, with the dirt that logs have</li>\n"
        f'<li><a href="/exports/">Exports</a> of the catalogue, such as <a href="/exports/{newest}/">{newest}</a>: '
        "CSV</li>\n"
        '<li><a href="/api/products?page=1">Products</a> as JSON, page by page</li>\n'
        '<li><a href="/products/i0000">A product</a> with its reviews</li>\n'
        '<li><a href="/admin/">The back office</a>, which robots.txt asks robots to leave alone</li>\n</ul>',
        changed,
    )


def index(title: str, names: Collection[str], changed: date) -> Page:
    """Links to names in the same folder."""
    links = "\n".join(f'<li><a href="{name}">{name}</a></li>' for name in names)
    return html_page(title, f"<ul>\n{links}\n</ul>", changed)


def csv(goods: pl.DataFrame, changed: date) -> Page:
    """A table as CSV."""
    buffer = io.BytesIO()
    goods.write_csv(buffer)
    return Page(buffer.getvalue(), "text/csv; charset=utf-8", changed)


def products(goods: pl.DataFrame, number: int, size: int, changed: date) -> Page | None:
    """One page of the products as JSON: items, page, pages, total, and the address of the next page or null."""
    pages = -(-goods.height // size)
    if not 1 <= number <= pages:
        return None
    answer = {
        "items": goods.slice((number - 1) * size, size).with_columns(pl.col("added_at").cast(pl.String)).to_dicts(),
        "page": number,
        "pages": pages,
        "total": goods.height,
        "next": f"/api/products?page={number + 1}" if number < pages else None,
    }
    return Page(json.dumps(answer).encode(), "application/json", changed)


def product(
    *, item: str, title: str, category: str, brand: str, price: float, added_at: date, reviews: Sequence[Review]
) -> Page:
    """An item and what people say about it."""
    facts = (("category", category), ("brand", brand), ("price", f"{price:.2f}"), ("added", str(added_at)))
    rows = "\n".join(f'<dt>{name}</dt><dd class="{name}">{html.escape(fact)}</dd>' for name, fact in facts)
    said = "\n".join(
        f'<article class="review"><span class="stars">{review.stars}</span> <p>{html.escape(review.text)}</p></article>'
        for review in reviews
    )
    return html_page(
        title,
        f'<dl class="product" data-id="{item}">\n{rows}\n</dl>\n<h2>Reviews</h2>\n{said or "<p>None yet.</p>"}',
        added_at,
    )


def nothing_here(path: str, newest: date) -> Page:
    """What to say when there is no such page."""
    return html_page(
        "Nothing here",
        f"<p>There is nothing at <code>{html.escape(path)}</code>. Logs are at "
        f'<a href="/logs/{newest}/">/logs/YYYY-MM-DD/</a>, exports at <a href="/exports/{newest}/">'
        "/exports/YYYY-MM-DD/</a>, both up to today (UTC); products at "
        '<a href="/api/products?page=1">/api/products?page=1</a> and '
        '<a href="/products/i0000">/products/i0000</a>.</p>',
        newest,
    )
