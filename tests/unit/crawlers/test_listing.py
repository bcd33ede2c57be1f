import gzip

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from crawlers.listing import UnreadableListingError, read_listing

URL = "http://x/logs/"


def links(body, kind=HtmlResponse, url=URL):
    return read_listing(kind(url, body=body)).links


def test_links_of_a_page_are_absolute_and_listed_once():
    body = b'<a href="a.gz#x">1</a><A HREF=" /b.gz ">2</A><a href="a.gz">3</a><area href="?p=2"><a>none</a>'
    assert links(body) == ("http://x/logs/a.gz", "http://x/b.gz", "http://x/logs/?p=2")


def test_a_base_element_is_honoured():
    assert links(b'<base href="http://y/z/"><a href="a">1</a>') == ("http://y/z/a",)


def test_other_schemes_and_malformed_links_are_passed_over():
    body = b'<a href="mailto:a@b">1</a><a href="javascript:x()">2</a><a href="http://[bad/">3</a><a href="ok">4</a>'
    assert links(body) == ("http://x/logs/ok",)
    reasons = [reason for _, reason in read_listing(HtmlResponse(URL, body=body)).left_out]
    assert reasons == ["of another scheme", "of another scheme", "malformed"]


def test_a_plain_list_is_read_line_by_line():
    assert links(b"a.gz\r\n\n http://y/b.gz \nnot a link\n", TextResponse) == ("http://x/logs/a.gz", "http://y/b.gz")


def test_a_sitemap_and_its_index_are_read():
    index = read_listing(
        XmlResponse(URL, body=b"<?xml version='1.0'?><sitemapindex><sitemap><loc>/s.xml</loc></sitemap></sitemapindex>")
    )
    assert index.links == ("http://x/s.xml",)
    assert index.sitemaps == {"http://x/s.xml"}
    sitemap = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>http://x/a</loc></url></urlset>'
    assert links(sitemap, XmlResponse) == ("http://x/a",)


SITEMAP = "<?xml version='1.0' encoding='{}'?><!-- {} --><urlset><url><loc>http://x/\u00e9</loc></url></urlset>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_sitemap_is_read_in_any_encoding_with_a_long_comment_gzipped_or_not(encoding, pack):
    named = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
    body = pack(SITEMAP.format(named, "long " * 2000).encode(encoding))
    assert links(body, Response, "http://x/sitemap.xml.gz") == ("http://x/\u00e9",)


def test_a_gzipped_page_is_read_as_what_it_holds():
    assert links(gzip.compress(b"<html><a href='a'>1</a></html>"), Response) == ("http://x/logs/a",)


@pytest.mark.parametrize(
    "body", [gzip.compress(b"<urlset/>" * 999, mtime=0)[:-9], b"\x1f\x8bnot really"], ids=["cut", "no-gzip"]
)
def test_a_damaged_gzipped_listing_is_an_error(body):
    with pytest.raises(UnreadableListingError, match="gzipped and cannot be read"):
        read_listing(Response(URL, body=body))


def test_a_gzipped_listing_that_would_fill_the_memory_is_an_error():
    with pytest.raises(UnreadableListingError):
        read_listing(Response(URL, body=gzip.compress(bytes(33 * 1024**2))))


def test_lines_with_spaces_are_left_out_with_a_reason_unless_they_are_addresses():
    listing = read_listing(TextResponse(URL, body=b"a.gz\nmy file.gz\nhttp://y/my file.gz\n"))
    assert listing.links == ("http://x/logs/a.gz", "http://y/my file.gz")
    assert listing.left_out == (("my file.gz", "lines with a space"),)


@pytest.mark.parametrize("body", [b"<h1>Oops</h1>", b'{"error":503}', b"Service temporarily down", b"<Error/>"])
def test_an_error_page_of_any_kind_has_no_links(body):
    assert links(body, TextResponse) == ()


def test_entities_of_a_sitemap_are_not_read_from_disk():
    body = (
        b'<!DOCTYPE u [<!ENTITY e SYSTEM "file:///etc/hostname">]><urlset><url><loc>http://x/&e;</loc></url></urlset>'
    )
    assert links(body, XmlResponse) in {("http://x/",), ()}


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"<urlset", b"<sitemapindex><sitemap>"])
def test_a_body_that_is_no_listing_has_no_links(body):
    assert links(body, Response) == ()
