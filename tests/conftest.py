"""A real S3-compatible server, started when the first test asks for it, once for each test process."""

import datetime as dt
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_BUCKET = "sluice-tests"


@dataclass(frozen=True)
class S3:
    """A running server with one bucket.

    Attributes:
        environment: What a process needs to reach it, and all that a user would set.
    """

    environment: dict[str, str]

    def place(self):
        """The URI of a prefix that nothing else uses."""
        return f"s3://{_BUCKET}/{uuid.uuid4().hex}"


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _die_with_parent():
    # A test process that is killed leaves no server behind. Linux only, and not essential.
    with suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _start(folder):
    config = folder / "s3.json"
    keys = {"accessKey": "sluice-test", "secretKey": "not-a-secret"}
    actions = ["Admin", "Read", "Write", "List"]
    config.write_text(json.dumps({"identities": [{"name": "tests", "credentials": [keys], "actions": actions}]}))
    (folder / "data").mkdir()
    names = ["master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc"]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    arguments = [f"-{name.split('.')[0]}.port{'.grpc' * ('.' in name)}={port}" for name, port in ports.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("weed")),
                *("server", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}"),
                *(f"-s3.config={config}", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
                *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=0"),
                *arguments,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it calls nothing that threads could hold
        )
    return process, f"http://127.0.0.1:{ports['s3']}"


def _make_bucket(endpoint, process, log):
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        _BUCKET,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="sluice-test",
        secret_access_key="not-a-secret",
        client_options={"allow_http": True},
    )
    host = endpoint.removeprefix("http://")
    address = obstore.sign(store, "PUT", "", expires_in=dt.timedelta(minutes=5)).removeprefix(endpoint)
    deadline = time.monotonic() + 60
    while (answer := _put(host, address)) != 200:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def _put(host, address):
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("PUT", address)
        return connection.getresponse().status
    except OSError as error:
        return error
    finally:
        connection.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """The server. Ask for `objects` where the process's own environment is to lead to it."""
    folder = tmp_path_factory.mktemp("s3")
    process, endpoint = _start(folder)
    try:
        _make_bucket(endpoint, process, folder / "log")
        yield S3(
            {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "sluice-test",
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            }
        )
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        shutil.rmtree(folder / "data", ignore_errors=True)


@pytest.fixture
def objects(s3, monkeypatch, tmp_path):
    """The server, with this process's environment leading to it, and a cache of the test's own."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    return s3


@pytest.fixture(params=["folder", "objects"])
def any_place(request, tmp_path):
    """A place to keep things, of each kind: a folder whose name is unusual, and a prefix on an object store."""
    if request.param == "folder":
        return str(tmp_path / "my lake é [1]*")
    return request.getfixturevalue("objects").place()
