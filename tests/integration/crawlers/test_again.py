"""The same days crawled three times, while the site changes, fails and recovers, and landing is damaged."""

import json
import random

import pytest

pytestmark = pytest.mark.slow

PART = random.Random(3).randbytes(200_000)
SMALL = b'{"a": "1"}\n'
CHANGED, PLAIN, FAILED, DAMAGED, FORGOTTEN, EMPTIED, LOST = (f"2026-03-0{n}" for n in range(1, 8))
DAYS = [CHANGED, PLAIN, FAILED, DAMAGED, FORGOTTEN, EMPTIED, LOST]
MAINTENANCE = b"<html><body><h1>Back soon</h1><a href='/contact'>Write to us</a></body></html>"


@pytest.fixture(scope="module")
def visits(module_crawl, new_site, make):
    crawl, stored, page, index = module_crawl, make["stored"], make["page"], make["index"]
    pages = {f"/{day}/": index("part-1", "part-2") for day in DAYS}
    pages |= {f"/{day}/part-1": stored(PART) for day in DAYS} | {f"/{day}/part-2": stored(SMALL) for day in DAYS}
    pages[f"/{LOST}/"], pages[f"/{LOST}/sub/"] = index("part-1", "sub/"), index("part-2")
    pages[f"/{LOST}/sub/part-2"] = stored(SMALL)
    pages[f"/{PLAIN}/part-1"] = pages[f"/{PLAIN}/part-2"] = page(SMALL)
    site = new_site(pages)
    records = []

    def visit(address):
        messages, _ = crawl(address, DAYS, listings="/sub/$")
        manifests = {day: json.loads((crawl.folder(day) / "manifest.json").read_text()) for day in DAYS}
        landed = {day: list(crawl.landed(day).values()) for day in DAYS}
        records.append((messages, manifests, landed, site.paths()))
        site.forget()

    visit(site.url)
    site.pages[f"/{CHANGED}/part-2"] = stored(SMALL * 2)
    site.pages[f"/{FAILED}/part-1"] = stored(SMALL * 3)
    site.pages[f"/{FAILED}/part-2"] = page(b"", status=500)
    for lost in (f"/{EMPTIED}/", f"/{LOST}/sub/"):
        site.pages[lost] = page(MAINTENANCE, Content_Type="text/html")
    (large,) = (path for path in (crawl.folder(DAMAGED) / "files").iterdir() if path.stat().st_size == len(PART))
    large.write_bytes(PART[:100])
    (crawl.folder(FORGOTTEN) / "manifest.json").write_bytes(b'{"source": "sh')
    # Another address of the same site, as after a restart: the manifest knows files by the template.
    moved = new_site(site.pages)
    moved.asked = site.asked
    visit_messages, _ = crawl(moved.url, DAYS, listings="/sub/$")
    manifests = {day: json.loads((crawl.folder(day) / "manifest.json").read_text()) for day in DAYS}
    records.append((visit_messages, manifests, {day: list(crawl.landed(day).values()) for day in DAYS}, moved.paths()))
    moved.forget()
    site.pages[f"/{FAILED}/part-2"] = stored(SMALL * 2)
    visit(site.url)
    return records


def test_an_unchanged_file_is_not_fetched_again_and_a_changed_one_is(visits):
    (first, before, *_), (second, after, landed, _), _ = visits
    assert second[CHANGED]["stats"]["statuses"]["304"] == 1
    assert second[CHANGED]["stats"]["bytes"] < 1000
    assert second[CHANGED]["stats"]["unchanged"] == 1
    assert after[CHANGED]["files"][0] == before[CHANGED]["files"][0] | {"unchanged": True}
    assert after[CHANGED]["files"][1]["fetched_at"] > before[CHANGED]["files"][1]["fetched_at"]
    assert landed[CHANGED] == [PART, SMALL * 2]
    assert first[CHANGED]["manifest"]["digest"] != second[CHANGED]["manifest"]["digest"]


def test_a_server_without_validators_gives_the_same_digest_for_the_same_bytes(visits):
    (first, before, *_), (second, after, _, asked), _ = visits
    assert asked[f"/{PLAIN}/part-1"] == 1
    assert first[PLAIN]["manifest"]["digest"] == second[PLAIN]["manifest"]["digest"]
    assert after[PLAIN]["files"][0] == before[PLAIN]["files"][0] | {"unchanged": True}


def test_a_failed_day_leaves_the_last_good_manifest_and_its_files(visits):
    (_, before, *_), (second, after, landed, _), _ = visits
    assert second[FAILED]["status"] == "failed"
    assert after[FAILED] == before[FAILED]
    assert landed[FAILED] == [PART, SMALL]


def test_what_a_failed_crawl_had_fetched_is_not_fetched_again(visits):
    third, _, landed, asked = visits[2]
    assert third[FAILED]["stats"]["continued"] == 1
    assert f"/{FAILED}/part-1" not in asked
    assert landed[FAILED] == [SMALL * 3, SMALL * 2]


def test_a_damaged_file_is_fetched_anew(visits):
    second, _, landed, _ = visits[1]
    assert landed[DAMAGED] == [PART, SMALL]
    assert second[DAMAGED]["stats"]["unchanged"] == 1


def test_a_damaged_manifest_is_replaced(visits):
    second, _, landed, _ = visits[1]
    assert second[FORGOTTEN]["status"] == "landed"
    assert landed[FORGOTTEN] == [PART, SMALL]


def test_a_third_crawl_of_unchanged_days_moves_no_file(visits):
    third, *_ = visits[2]
    assert third[CHANGED]["stats"]["unchanged"] == 2
    assert third[DAMAGED]["stats"]["statuses"]["304"] == 2


@pytest.mark.parametrize("day", [EMPTIED, LOST])
def test_a_maintenance_page_does_not_take_away_what_landed(visits, day):
    (_, before, *_), (second, after, landed, _), _ = visits
    assert second[day]["status"] == "failed"
    assert second[day]["transient"] is False
    assert after[day] == before[day]
    assert landed[day] == [PART, SMALL]


def test_the_listing_that_lost_its_links_is_named(visits):
    second, *_ = visits[1]
    assert "the listing ${SITE}/2026-03-07/sub/ linked to 1 files when" in second[LOST]["error"]
    assert "what landed stands" in second[LOST]["error"]
