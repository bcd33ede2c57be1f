"""Memory does not grow with the file."""

import hashlib
import os
import time
from pathlib import Path

import pytest

DAY = "2026-03-01"
BLOCK = os.urandom(1 << 20)


def large(megabytes):
    def respond(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(megabytes << 20))
        handler.end_headers()
        for _ in range(megabytes):
            handler.wfile.write(BLOCK)

    return respond


def peak_memory(process):
    """Highest resident size in bytes, as the kernel keeps it, read until the process ends."""
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.02)
    return peak


def measure(crawl, site, megabytes, make):
    day = f"2026-03-{megabytes % 28 + 1:02}"
    site.pages[f"/{day}/"] = make["index"]("part-1")
    site.pages[f"/{day}/part-1"] = large(megabytes)
    process = crawl.start(site.url, [day])
    peak = peak_memory(process)
    messages, _ = crawl.finish(process)
    assert messages[day]["manifest"]["bytes"] == megabytes << 20
    (file,) = (crawl.folder(day) / "files").iterdir()
    assert file.name.startswith(hashlib.sha256(BLOCK * megabytes).hexdigest()[:16])
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(crawl, new_site, make):
    site = new_site()
    small = measure(crawl, site, 1, make)
    big = measure(crawl, site, 64, make)
    assert big - small < 16 << 20
