"""Landing beside curl and stock Scrapy: the same files of one local nginx, with the SHA-256 of each.

Run by itself: `python tests/benchmarks/bench_landing.py [--megabytes 1024] [--nginx /usr/sbin/nginx]`. Needs nginx and
curl (`apt-get install nginx-core curl`). All read warm pages, in processes of their own, the same number of times; the
best run of each is shown, with the processor seconds that it took and its largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FILES = 8
RUNS = 3

NGINX = """
daemon off; pid {folder}/pid; error_log stderr crit; worker_processes 2;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; autoindex on; }}
}}
"""

SCRAPY = """
import hashlib, pathlib, sys
import scrapy
from scrapy.crawler import CrawlerProcess

class Stock(scrapy.Spider):
    name = "stock"
    start_urls = [f"{sys.argv[1]}/part-{n}.bin" for n in range(int(sys.argv[2]))]
    custom_settings = {"DOWNLOAD_MAXSIZE": 0, "DOWNLOAD_WARNSIZE": 0, "LOG_LEVEL": "ERROR", "ROBOTSTXT_OBEY": False,
                       "DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "TELNETCONSOLE_ENABLED": False}
    def parse(self, response):
        pathlib.Path(sys.argv[3], response.url.rsplit("/", 1)[-1]).write_bytes(response.body)
        hashlib.sha256(response.body).hexdigest()

process = CrawlerProcess({"LOG_LEVEL": "ERROR"})
process.crawl(Stock)
process.start()
"""


class Run(NamedTuple):
    """One run: seconds on the clock, of processors, and the largest process in MB."""

    seconds: float
    cpu: float
    peak: float


def measured(command: list[str], environment: dict[str, str]) -> Run:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{command[0]} ended with {status}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def served(nginx: str, folder: Path, megabytes: int) -> Iterator[str]:
    folder.chmod(0o755)  # Started by root, nginx reads as nobody.
    (folder / "www").mkdir()
    for number in range(FILES):
        with (folder / f"www/part-{number}.bin").open("wb") as file:
            for _ in range(megabytes // FILES):
                file.write(os.urandom(1 << 20))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        until = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > until:
                raise SystemExit("nginx did not come up")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def ours(url: str, target: Path) -> list[str]:
    spec = {
        "name": "bench",
        "crawl": {"kind": "files", "start": f"{url}/", "follow": r"part-\d+\.bin$"},
        "format": {"kind": "jsonl"},
        "contract": {"columns": {"a": {"type": "string"}}},
    }
    path = target / "request.json"
    path.write_text(json.dumps({"spec": spec, "days": ["2026-03-01"], "root": str(target)}))
    return [sys.executable, "-m", "crawlers", "--request", str(path)]


def curl(url: str, target: Path, then: str) -> list[str]:
    one = f"curl -sSf -o {target}/part-{{}} {url}/part-{{}}.bin{then.format(target=target)}"
    return ["sh", "-c", f"seq 0 {FILES - 1} | xargs -P {FILES} -I{{}} sh -c '{one}'"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--nginx", default=shutil.which("nginx") or "/usr/sbin/nginx")
    chosen = parser.parse_args()
    if not (Path(chosen.nginx).is_file() and shutil.which("curl")):
        print("Left out: it needs nginx and curl (apt-get install nginx-core curl).")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stock.py").write_text(SCRAPY)
        found: dict[str, list[Run]] = {}
        with served(chosen.nginx, folder, chosen.megabytes) as url:
            for _ in range(chosen.runs):
                for who in ("Sluice", "curl", "curl, then sha256sum", "stock Scrapy"):
                    with tempfile.TemporaryDirectory(dir=folder) as scratch:
                        target = Path(scratch)
                        command = {
                            "Sluice": ours(url, target),
                            "curl": curl(url, target, ""),
                            "curl, then sha256sum": curl(url, target, " && sha256sum {target}/part-{{}}"),
                            "stock Scrapy": [sys.executable, str(folder / "stock.py"), url, str(FILES), str(target)],
                        }[who]
                        found.setdefault(who, []).append(measured(command, {"NO_PROXY": "*", "no_proxy": "*"}))
                        arrived = sum(path.stat().st_size for path in target.rglob("*part-*"))
                        if arrived != (chosen.megabytes // FILES * FILES) << 20:
                            raise SystemExit(f"{who} brought {arrived:,} bytes, which is not what there is.")
    best = {who: min(runs) for who, runs in found.items()}
    print(f"{chosen.megabytes} MB in {FILES} files, best of {chosen.runs}")
    print(f"{'who':<24}{'seconds':>9}{'cpu s':>8}{'peak MB':>9}{'Sluice is':>12}")
    for who, run in best.items():
        ratio = f"{run.seconds / best['Sluice'].seconds:.2f} x" if who != "Sluice" else ""
        print(f"{who:<24}{run.seconds:>9.2f}{run.cpu:>8.2f}{run.peak:>9.0f}{ratio:>12}")


if __name__ == "__main__":
    main()
