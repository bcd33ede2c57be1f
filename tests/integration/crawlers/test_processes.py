"""Crawls that follow, interrupt or meet one another, in real processes."""

import itertools
import json
import random
import signal
import threading
import time
from contextlib import suppress

import pytest

DAY = "2026-03-01"
PART = random.Random(3).randbytes(2_000_000)
SMALL = b'{"a": "1"}\n'


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def pages(make, **files):
    return {f"/{DAY}/": make["index"](*files)} | {f"/{DAY}/{name}": page for name, page in files.items()}


def named(**files):
    return {name.replace("_", "-"): page for name, page in files.items()}


def test_a_killed_crawl_goes_on_where_it_was(crawl, new_site, make):
    halfway, killed = threading.Event(), threading.Event()

    def half(handler):
        # The first time half the file comes, and then nothing until the crawler is gone.
        if "Range" in handler.headers or killed.is_set():
            make["stored"](PART)(handler)
            return
        etag = stored_etag(make, PART)
        with suppress(OSError):
            handler.answer(200, PART[: len(PART) // 2], Content_Length=str(len(PART)), ETag=etag)
            handler.wfile.flush()
            halfway.set()
            killed.wait(20)
        handler.close_connection = True

    done = {f"part-{n}": make["stored"](SMALL * n) for n in range(2, 6)}
    site = new_site(pages(make, **{"part-1": half, **done}))
    process = crawl.start(site.url, [DAY])
    journal = crawl.folder(DAY) / "journal.jsonl"
    partial = crawl.folder(DAY) / "partial"
    wait_until(lambda: halfway.is_set() and journal.exists() and len(journal.read_text().splitlines()) == 5)
    wait_until(lambda: max(path.stat().st_size for path in partial.iterdir()) >= len(PART) // 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed.set()
    assert not (crawl.folder(DAY) / "manifest.json").exists()
    site.forget()

    messages, _ = crawl(site.url, [DAY])
    assert messages[DAY]["status"] == "landed"
    assert messages[DAY]["stats"]["continued"] == 4
    assert {path for path in site.paths() if "part" in path} == {f"/{DAY}/part-1"}
    (request,) = site.requests(f"/{DAY}/part-1")
    assert request.headers["range"] == f"bytes={len(PART) // 2}-"
    assert list(crawl.landed(DAY).values()) == [PART, *(SMALL * n for n in range(2, 6))]
    assert not journal.exists()
    assert len(list((crawl.folder(DAY) / "files").iterdir())) == 5


def stored_etag(make, body):
    captured = {}

    class Recorder:
        headers: dict = {}  # noqa: RUF012

        def answer(self, _status, _body=b"", **headers):
            captured.update(headers)

    make["stored"](body)(Recorder())
    return captured["ETag"]


def test_a_terminated_crawl_reports_its_days_and_ends_soon(crawl, new_site, make):
    site = new_site(pages(make, **named(part_1=make["hanging"])))
    process = crawl.start(site.url, [DAY, "2026-03-02"], limits={"timeout_seconds": 60})
    wait_until(lambda: f"/{DAY}/part-1" in site.paths())
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    days, _ = crawl.finish(process, timeout=20)
    assert time.monotonic() - began < 10
    assert "the crawl was stopped" in days[DAY]["error"]
    assert days["2026-03-02"]["status"] == "failed"


def test_two_crawls_of_one_day_at_once_take_turns(crawl, new_site, make):
    def slowly(handler):
        time.sleep(0.5)
        make["stored"](PART)(handler)

    site = new_site(pages(make, **named(part_1=slowly, part_2=slowly)))
    processes = [crawl.start(site.url, [DAY]) for _ in range(2)]
    outcomes = [crawl.finish(process)[0][DAY] for process in processes]
    assert [outcome["status"] for outcome in outcomes] == ["landed", "landed"]
    assert sorted(outcome["stats"]["unchanged"] for outcome in outcomes) == [0, 2]
    assert outcomes[0]["manifest"]["digest"] == outcomes[1]["manifest"]["digest"]
    assert list(crawl.landed(DAY).values()) == [PART, PART]
    assert len(list((crawl.folder(DAY) / "files").iterdir())) == 2


def test_a_disk_that_takes_no_more_fails_the_day_and_the_next_crawl_goes_on(crawl, new_site, make):
    site = new_site(pages(make, **named(part_1=make["stored"](PART), part_2=make["stored"](SMALL))))
    messages, _ = crawl.finish(crawl.start(site.url, [DAY], largest_file_kib=512))
    assert "could not be written to disk" in messages[DAY]["error"]
    messages, _ = crawl(site.url, [DAY])
    assert messages[DAY]["status"] == "landed"
    assert list(crawl.landed(DAY).values()) == [PART, SMALL]


def test_without_an_address_the_demo_shop_stands_in(crawl, monkeypatch):
    monkeypatch.delenv("SHOP_URL", raising=False)
    options = {"start": "${SHOP_URL}/logs/{date}/", "follow": r"events-\d+\.jsonl\.gz$"}
    messages, _ = crawl("unused", ["2026-10-01"], **options)
    assert messages["2026-10-01"]["manifest"]["demo"] is True
    assert all(body.startswith(b"\x1f\x8b") for body in crawl.landed("2026-10-01").values())


def test_a_server_that_is_down_fails_every_day_with_one_round_of_attempts(crawl, new_site):
    site = new_site()
    gone = site.url.rsplit(":", 1)[0] + ":1"
    days = [f"2026-03-{n:02}" for n in range(1, 21)]
    messages, log = crawl(gone, days)
    assert {message["status"] for message in messages.values()} == {"failed"}
    assert "refuses connections" in messages[DAY]["error"]
    assert sum(message["stats"]["requests"] for message in messages.values()) == 3
    assert "Traceback" not in log


def test_robots_txt_that_cannot_be_read_forbids_everything(crawl, new_site, make):
    site = new_site({"/robots.txt": make["page"](b"", status=503)} | pages(make, **named(part_1=make["stored"](SMALL))))
    messages, _ = crawl(site.url, [DAY])
    assert "without its rules nothing may be asked" in messages[DAY]["error"]
    assert set(site.paths()) == {"/robots.txt"}


def test_robots_txt_is_left_alone_and_missing_days_are_empty_by_declaration(crawl, new_site, make):
    deny = make["page"](b"User-agent: *\nDisallow: /\n")
    site = new_site({"/robots.txt": deny} | pages(make, **named(part_1=make["stored"](SMALL))))
    messages, _ = crawl(site.url, [DAY, "2026-03-02"], politeness={"obey_robots": False}, missing="empty")
    assert messages[DAY]["status"] == "landed"
    assert messages["2026-03-02"]["status"] == "empty"
    assert json.loads((crawl.folder("2026-03-02") / "manifest.json").read_text())["finish_reason"] == "no_files"
    assert "/robots.txt" not in site.paths()


def test_crawl_delay_and_declared_delay_space_the_requests(crawl, new_site, make):
    rules = make["page"](b"User-agent: *\nCrawl-delay: 0.4\n")
    site = new_site(
        {"/robots.txt": rules} | pages(make, **named(part_1=make["stored"](SMALL), part_2=make["stored"](SMALL)))
    )
    crawl(site.url, [DAY])
    times = sorted(request.at for request in site.asked if request.path != "/robots.txt")
    assert min(after - before for before, after in itertools.pairwise(times)) > 0.35


def test_days_that_share_a_start_page_read_it_once_and_take_their_own_files(crawl, new_site, make):
    files = {f"part-{n}-2026-03-0{n}": make["stored"](SMALL * n) for n in (1, 2, 3)}
    site = new_site({"/all/": make["index"](*files)} | {f"/all/{name}": page for name, page in files.items()})
    days = [f"2026-03-0{n}" for n in (1, 2, 3, 4)]
    messages, _ = crawl(site.url, days, start="${SITE}/all/", follow=r"part-\d-{date}$")
    assert site.paths()["/all/"] == 1
    assert [messages[day]["status"] for day in days] == ["landed", "landed", "landed", "failed"]
    assert list(crawl.landed("2026-03-02").values()) == [SMALL * 2]


def test_credentials_are_sent_and_shown_nowhere(crawl, new_site, make):
    site = new_site(pages(make, **named(part_1=make["stored"](SMALL), part_2=make["page"](b"", status=403))))
    address = site.url.replace("http://", "http://reader:hunter2secret@")
    messages, log = crawl(address, [DAY])
    (request,) = site.requests(f"/{DAY}/part-1")
    assert request.headers["authorization"] == "Basic cmVhZGVyOmh1bnRlcjJzZWNyZXQ="
    kept = "".join(path.read_text(errors="replace") for path in crawl.folder(DAY).rglob("*") if path.is_file())
    for text in (json.dumps(messages), log, kept):
        assert "hunter2secret" not in text
        assert "cmVhZGVy" not in text
    assert "${SITE}/2026-03-01/part-2" in messages[DAY]["error"]


# Dagster's own Pipes client uses names that Dagster itself has deprecated or not yet settled.
@pytest.mark.filterwarnings("ignore")
def test_messages_reach_dagster_through_pipes(crawl, new_site, make, monkeypatch):
    import sys

    import dagster as dg

    site = new_site(pages(make, **named(part_1=make["stored"](SMALL))))
    monkeypatch.setenv("SITE", site.url)
    request = crawl.request([DAY, "2026-03-02"])
    received = []

    @dg.asset
    def landing(context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient):
        command = [sys.executable, "-m", "crawlers", "--request", str(request)]
        done = client.run(command=command, context=context)
        received.extend(done.get_custom_messages())
        return done.get_materialize_result()

    assert dg.materialize([landing], resources={"client": dg.PipesSubprocessClient()}).success
    by_day = {message["day"]: message for message in received}
    assert by_day[DAY]["status"] == "landed"
    assert by_day[DAY]["manifest"]["files"] == 1
    assert by_day["2026-03-02"]["status"] == "failed"
