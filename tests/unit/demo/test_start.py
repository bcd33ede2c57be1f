"""The shop starts from the command line and from the environment, and says what is wrong if it cannot."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import date

import pytest

from crawlers import demo
from crawlers.demo.__main__ import main
from crawlers.demo.broken import BROKEN_DAYS_VARIABLE
from crawlers.demo.logs import log


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - of the shop
        return answer.read()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_the_shop_is_and_ends_when_told_to(stop):
    command = [sys.executable, "-m", "crawlers.demo", "--port", "0", "--seed", "3", "--broken-day", "2026-03-12"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
            body = fetch(f"{url}/logs/2026-03-12/events-00.jsonl.gz")
            process.send_signal(stop)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()

    assert body == log(date(2026, 3, 12), 3, broken=True).files["events-00.jsonl.gz"]
    assert (process.returncode, errors) == (0, "")


def test_the_access_log_is_off_unless_wanted(capfd):
    with demo.serve() as url:
        fetch(url)
    assert capfd.readouterr().err == ""
    with demo.serve(access_log=True) as url:
        fetch(f"{url}/robots.txt")
    assert "GET /robots.txt" in capfd.readouterr().err


def test_the_environment_declares_seed_and_broken_days(monkeypatch):
    monkeypatch.setenv(demo.SEED_VARIABLE, "5")
    monkeypatch.setenv(BROKEN_DAYS_VARIABLE, "2026-03-01, 2026-03-08")
    with demo.serve() as url:
        for day, broken in ((date(2026, 3, 1), True), (date(2026, 3, 8), True), (date(2026, 3, 10), False)):
            body = fetch(f"{url}/logs/{day}/events-00.jsonl.gz")
            assert body == log(day, 5, broken=broken).files["events-00.jsonl.gz"]


def test_two_days_of_january_are_broken_unless_others_are_declared(monkeypatch, tmp_path):
    monkeypatch.delenv(BROKEN_DAYS_VARIABLE, raising=False)
    with demo.serve(seed=7, lake=str(tmp_path)) as url:
        for day, broken in ((date(2026, 1, 10), True), (date(2026, 1, 11), False), (date(2026, 3, 10), False)):
            body = fetch(f"{url}/logs/{day}/events-00.jsonl.gz")
            assert body == log(day, 7, broken=broken).files["events-00.jsonl.gz"]
    monkeypatch.setenv(BROKEN_DAYS_VARIABLE, "")
    with demo.serve(seed=7, lake=str(tmp_path)) as url:
        body = fetch(f"{url}/logs/2026-01-10/events-00.jsonl.gz")
        assert body == log(date(2026, 1, 10), 7).files["events-00.jsonl.gz"]


@pytest.mark.parametrize(
    ("variable", "text"),
    [(demo.SEED_VARIABLE, "seven"), (demo.SEED_VARIABLE, "-1"), (BROKEN_DAYS_VARIABLE, "10 March")],
)
def test_a_variable_that_makes_no_sense_is_named_with_what_it_should_hold(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValueError, match=rf"{variable} must .*(such as 7|2026-03-01).*{text}"), demo.serve():
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "choose another one with --port"),
        (["--seed", "-4"], "--seed must not be negative"),
        (["--broken-day", "10 March"], "--broken-day"),
    ],
)
def test_wrong_arguments_are_explained(capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_taken_port_is_explained(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit):
        main(["--port", str(taken.getsockname()[1])])
    assert "choose another one with --port" in capsys.readouterr().err
