import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.address import Boundary, MissingVariableError, compile_pattern, expand, substitute_date

DAY = dt.date(2026, 10, 1)


def test_the_date_of_a_pattern_matches_itself_alone():
    pattern = compile_pattern(r"log-{date:%Y.%m.%d}-\d{2}$", DAY)
    assert pattern.search("http://x/log-2026.10.01-07")
    assert not pattern.search("http://x/log-2026x10x01-07")
    assert not pattern.search("http://x/log-2026.10.02-07")


def test_a_slash_between_variable_and_path_is_not_doubled():
    assert expand("${A}/logs/{date}/", {"A": "http://x/"}, source="s").start(DAY) == "http://x/logs/2026-10-01/"


def test_a_missing_variable_names_source_and_variable():
    with pytest.raises(MissingVariableError, match=r"Source 's'.*variable SHOP is not set; export SHOP"):
        expand("${SHOP}/x", {"SHOP": ""}, source="s")


def test_a_variable_without_an_address_is_refused():
    with pytest.raises(ValueError, match=r"no http\(s\) address once filled in"):
        expand("${SHOP}/x", {"SHOP": "file:///etc"}, source="s")


def test_credentials_leave_the_address_for_a_header_and_are_never_shown():
    site = expand("${SHOP}/x?token=${KEY}", {"SHOP": "https://me:s3cret%21x@shop.example", "KEY": "k/ey99"}, source="s")
    assert site.start(DAY) == "https://shop.example/x?token=k/ey99"
    assert site.authorization == "Basic bWU6czNjcmV0IXg="
    for text in ("https://me:s3cret%21x@shop.example/x", "https://shop.example/x?token=k%2Fey99", site.authorization):
        shown = site.show(text)
        assert "s3cret" not in shown
        assert "ey99" not in shown
        assert "bWU6" not in shown
    assert site.show("https://shop.example/logs/a.gz") == "${SHOP}/logs/a.gz"
    assert "s3cret" not in repr(site)


def test_credentials_belong_to_their_own_origin():
    site = expand("https://me:secret@shop.example/", {}, source="s")
    assert site.same_origin("https://shop.example:443/x")
    assert not site.same_origin("http://shop.example/x")
    assert not site.same_origin("https://shop.example:8443/x")


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=30))
def test_no_secret_survives_being_shown(secret):
    site = expand("http://x/?key=${KEY}", {"KEY": secret}, source="s")
    hidden = site.show(f"before {site.expanded} after")
    assert secret not in hidden.replace("${KEY}", "").replace("before http://x/?key=", "").replace(" after", "")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://shop.example/a", True),
        ("https://shop.example/a", True),
        ("http://SHOP.example/a", True),
        ("http://shop.example:8080/", False),
        ("http://cdn.shop.example/", False),
        ("http://shop.example.evil/", False),
        ("http://evil/?http://shop.example/", False),
        ("http://shop.example@evil/", False),
        ("ftp://shop.example/", False),
        ("file:///etc/passwd", False),
        ("http://[::1/", False),
        ("http://shop.example:99999/", False),
    ],
)
def test_by_default_only_the_own_host_may_be_asked(url, allowed):
    assert Boundary("http://shop.example/logs/", None).allows(url) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://files.cdn.example/a", True),
        ("http://cdn.example:9000/a", True),
        ("http://notcdn.example/a", False),
        ("http://cdn.example:9001/a", False),
        ("http://other.example:8080/a", True),
        ("http://other.example/a", False),
        ("http://shop.example:9000/a", False),
    ],
)
def test_declared_domains_include_subdomains_and_may_name_a_port(url, allowed):
    boundary = Boundary("http://shop.example:9000/", ("cdn.example", "other.example:8080"))
    assert boundary.allows(url) is allowed


def test_the_date_takes_any_form():
    assert substitute_date("{date:%Y/%m/%d}-{date}", DAY) == "2026/10/01-2026-10-01"
