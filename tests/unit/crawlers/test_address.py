import datetime as dt
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.address import (
    Boundary,
    MissingVariableError,
    canonical,
    compile_pattern,
    expand,
    spellings,
    substitute_date,
)

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


@pytest.mark.parametrize(
    ("spelled", "one"),
    [
        ("http://x/part 1", "http://x/part%201"),
        ("http://x/part%201", "http://x/part%201"),
        ("http://x/\u00e9", "http://x/%C3%A9"),
        ("http://x/%c3%a9", "http://x/%C3%A9"),
        ("http://x/%7Eme%2D1", "http://x/~me-1"),
        ("HTTP://X.example:80", "http://x.example/"),
        ("https://x:443/a?b=c d#e", "https://x/a?b=c%20d"),
        ("https://x:80/", "https://x:80/"),
        ("http://x/100%", "http://x/100%25"),
        ("http://x/a%2Fb", "http://x/a%2Fb"),
        ("http://x/a+b", "http://x/a+b"),
        ("http://me:Pw@X/", "http://me:Pw@x/"),
    ],
)
def test_equivalent_addresses_have_one_spelling(spelled, one):
    assert canonical(spelled) == one


@given(st.text(min_size=1, max_size=30))
def test_the_one_spelling_is_ascii_and_stays_what_it_is(text):
    one = canonical(f"http://x/{text}")
    assert one.isascii()
    assert not any(map(str.isspace, one))
    assert canonical(one) == one


@given(st.text(alphabet="abz09-_.~ \u00e9\u4e16", min_size=1, max_size=20))
def test_an_escaped_and_a_plain_spelling_are_one(text):
    assert canonical(f"http://x/{text}!") == canonical(f"http://x/{quote(text, safe='')}!")


def test_a_pattern_may_be_written_in_either_spelling():
    for link in ("http://x/part 1", "http://x/part%201"):
        for pattern in ("part 1$", "part%201$"):
            assert any(compile_pattern(pattern, DAY).search(spelling) for spelling in spellings(link))


def test_a_secret_that_ends_in_a_slash_is_hidden():
    assert "000/" not in expand("http://x/?key=${KEY}", {"KEY": "000/"}, source="s").show("http://x/?key=000/")
