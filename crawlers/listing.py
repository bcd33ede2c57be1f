"""Links of a listing: an HTML index, a plain list, or a sitemap."""

from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.utils.response import get_base_url
from scrapy.utils.sitemap import Sitemap


@dataclass(frozen=True)
class Listing:
    """What a listing links to.

    Attributes:
        links: Absolute http(s) addresses in order of appearance, once each.
        sitemaps: Those that are sitemaps themselves, because a sitemap index says so.
    """

    links: tuple[str, ...]
    sitemaps: frozenset[str] = frozenset()


def read_listing(response: Response) -> Listing:
    """Find the links of a listing.

    Args:
        response: The page, in memory.

    Returns:
        Its links; none for a body that is no text.
    """
    if _is_sitemap(response):
        sitemap = Sitemap(response.body)
        found = _absolute(response.url, [entry["loc"] for entry in sitemap if entry.get("loc")])
        return Listing(found, frozenset(found) if sitemap.type == "sitemapindex" else frozenset())
    if not isinstance(response, TextResponse):
        return Listing(())
    if isinstance(response, HtmlResponse) or b"<a" in response.body[:100_000].lower():
        hrefs = response.xpath("//a/@href | //area/@href").getall()
        return Listing(_absolute(get_base_url(response), hrefs))
    lines = [line.strip() for line in response.text.splitlines()]
    return Listing(_absolute(response.url, [line for line in lines if line and not any(map(str.isspace, line))]))


def _is_sitemap(response: Response) -> bool:
    head = response.body[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and (b"<urlset" in head or b"<sitemapindex" in head)


def _absolute(base: str, hrefs: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for href in hrefs:
        try:
            url = urldefrag(urljoin(base, href.strip())).url
        except ValueError:
            # A malformed link of a page is the page's fault, and no reason to lose the others.
            continue
        if url.startswith(("http://", "https://")):
            found[url] = None
    return tuple(found)
