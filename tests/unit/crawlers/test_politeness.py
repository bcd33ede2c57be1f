import codecs
import datetime as dt

import pytest
from protego import Protego

from crawlers.kinds.files import FilesCrawl
from crawlers.politeness import _seconds, robots_text, settings

NOW = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Thu, 01 Oct 2026 12:00:30 GMT", 30.0),
        (b"Thu, 01 Oct 2026 11:00:00 GMT", 0.0),
        (b"soon", None),
        (b"-5", None),
        (b"", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value, seconds):
    assert _seconds(value, NOW) == seconds


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_robots_txt_is_obeyed_in_whatever_encoding(encoding):
    rules = Protego.parse(robots_text("User-agent: *\nDisallow: /gr\u00fc\u00dfe\n".encode(encoding)))
    assert not rules.can_fetch("http://x/gr%C3%BC%C3%9Fe", "Sluice")
    assert rules.can_fetch("http://x/other", "Sluice")


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_says_how_robots_txt_is_to_be_read(mark):
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    assert robots_text(mark + "User-agent: *".encode(encoding)).lstrip("\ufeff") == "User-agent: *"


def test_politeness_becomes_scrapy_settings():
    crawl = FilesCrawl.model_validate(
        {"start": "http://x/", "follow": "x", "politeness": {"delay": 2, "concurrency": 3, "user_agent": "Me/1"}}
    )
    made = settings(crawl)
    assert (made["DOWNLOAD_DELAY"], made["CONCURRENT_REQUESTS_PER_DOMAIN"], made["USER_AGENT"]) == (2, 3, "Me/1")
    assert made["AUTOTHROTTLE_ENABLED"]
    assert "crawlers.politeness.RobotsMiddleware" in made["DOWNLOADER_MIDDLEWARES"]


def test_every_setting_is_one_that_scrapy_knows():
    from scrapy.settings import default_settings

    made = settings(FilesCrawl(start="http://x/", follow="x"))
    assert not [name for name in made if not hasattr(default_settings, name)]


def test_private_names_of_scrapy_are_where_the_download_handler_expects_them():
    import inspect

    from scrapy.core.downloader.handlers import http11

    assert list(inspect.signature(http11._ScrapyAgent._get_agent).parameters) == ["self", "request", "timeout"]
    names = set(inspect.signature(http11._ScrapyAgent).parameters)
    assert {"contextFactory", "pool", "crawler"} <= names
    source = inspect.getsource(http11.HTTP11DownloadHandler.__init__)
    assert "self._pool" in source
    assert "self._contextFactory" in source
