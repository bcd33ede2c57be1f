"""`python -m crawlers.demo`: serve the demo shop until it is interrupted."""

import argparse
import signal
import sys
import threading
from datetime import date

from crawlers.demo import SEED, serve


def main(arguments: list[str] | None = None) -> int:
    """Serve, and print the address."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.demo", description="Serve the demo shop on loopback.")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--broken-day", type=date.fromisoformat, action="append", help="a day whose log has the broken schema"
    )
    chosen = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with serve(port=chosen.port, seed=chosen.seed, broken_days=chosen.broken_day) as url:
        print(f"The demo shop is at {url}; export SHOP_URL={url} to crawl it. Ctrl-C ends it.", flush=True)  # noqa: T201
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
