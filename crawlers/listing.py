"""Links of a listing: an HTML index, a plain list, or a sitemap, gzipped or not."""

import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

from lxml import etree
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.responsetypes import responsetypes
from scrapy.utils.response import get_base_url
from scrapy.utils.sitemap import Sitemap

_LARGEST = 32 * 1024**2
_SITEMAP_ROOTS = frozenset({"urlset", "sitemapindex"})
_WEB = ("http://", "https://")


@dataclass(frozen=True)
class Listing:
    """What a listing links to.

    Attributes:
        links: Absolute http(s) addresses in order of appearance, once each.
        sitemaps: Those that are sitemaps themselves, because a sitemap index says so.
        left_out: What could not be taken as a link, as it stands in the listing, with the reason.
        what: What kind of body it was, for messages.
    """

    links: tuple[str, ...]
    sitemaps: frozenset[str] = frozenset()
    left_out: tuple[tuple[str, str], ...] = ()
    what: str = ""


class UnreadableListingError(Exception):
    """A listing cannot be read at all; the message goes on from its address."""


def read_listing(response: Response) -> Listing:
    """Find the links of a listing.

    Args:
        response: The page, in memory.

    Returns:
        Its links; none for a body that is no text.

    Raises:
        UnreadableListingError: A gzipped body is damaged, or larger than 32 MiB once decompressed.
    """
    response = _decompressed(response)
    root = _xml_root(response.body)
    if root in _SITEMAP_ROOTS:
        sitemap = Sitemap(response.body)
        found, left_out = _absolute(response.url, [entry["loc"] for entry in sitemap if entry.get("loc")])
        return Listing(found, frozenset(found) if sitemap.type == "sitemapindex" else frozenset(), left_out, "sitemap")
    if not isinstance(response, TextResponse):
        return Listing((), what="body that is no text")
    text = response.text.lstrip("\ufeff \t\r\n")
    if isinstance(response, HtmlResponse) or text.startswith("<") or "<a" in text[:100_000].lower():
        hrefs = response.xpath("//a/@href | //area/@href").getall()
        found, left_out = _absolute(get_base_url(response), hrefs)
        return Listing(found, left_out=left_out, what="HTML page")
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    # A relative name with a space may as well be prose; an absolute address is an address, whatever it holds.
    unclear = {line: reason for line in lines if not line.startswith(_WEB) and (reason := _no_address(line))}
    found, left_out = _absolute(response.url, [line for line in lines if line not in unclear])
    return Listing(found, left_out=(*left_out, *unclear.items()), what="plain list")


def _no_address(line: str) -> str:
    """Why a line of a plain list is taken for prose, JSON or markup; empty when it may be an address."""
    if any(map(str.isspace, line)):
        return "lines with a space"
    return "lines that are no address" if any(sign in line for sign in '<>{}"\\^`|') else ""


def _decompressed(response: Response) -> Response:
    """The response with the body of a `.xml.gz` as it is meant to be read."""
    if not response.body.startswith(b"\x1f\x8b"):
        return response
    try:
        body = _gunzip(response.body)
    except zlib.error as error:
        raise UnreadableListingError(f"is gzipped and cannot be read: {error}") from error
    name = response.url.partition("?")[0].removesuffix(".gz")
    return responsetypes.from_args(url=name, body=body)(response.url, body=body)


def _gunzip(packed: bytes) -> bytes:
    """All members, whole: half a listing would be taken for one that lost its links."""
    text = b""
    while packed.startswith(b"\x1f\x8b"):
        member = zlib.decompressobj(wbits=31)
        text += member.decompress(packed, _LARGEST + 1 - len(text))
        if len(text) > _LARGEST:
            raise zlib.error("it holds more than 32 MiB, and is no listing")
        if not member.eof:
            raise zlib.error("it is not whole")
        packed = member.unused_data
    return text


def _xml_root(body: bytes) -> str | None:
    """The local name of the first element, however much stands before it and in whatever encoding."""
    text = body.lstrip()
    # Only what may be XML is handed to a parser: it begins with `<`, after a byte-order mark at most.
    if not text.startswith((b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00<")):
        return None
    events = etree.iterparse(
        io.BytesIO(text), events=("start",), recover=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        _, first = next(events)
    except (StopIteration, etree.XMLSyntaxError):
        return None
    return str(etree.QName(first).localname).lower()


def _absolute(base: str, hrefs: Iterable[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    found: dict[str, None] = {}
    left_out: dict[tuple[str, str], None] = {}
    for href in hrefs:
        try:
            url = urldefrag(urljoin(base, href.strip())).url
        except ValueError:
            # A malformed link of a page is the page's fault, and no reason to lose the others.
            left_out[href, "malformed"] = None
            continue
        if url.startswith(_WEB):
            found[url] = None
        else:
            left_out[href, "of another scheme"] = None
    return tuple(found), tuple(left_out)
