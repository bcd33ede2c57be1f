"""`python -m crawlers.demo`: serve the demo shop until it is interrupted."""

import argparse
import errno
import signal
import sys
from collections.abc import Sequence
from datetime import date

from crawlers.demo import SEED, SEED_VARIABLE, serve
from crawlers.demo.broken import BROKEN_DAYS_VARIABLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, and print the address."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.demo", description="Serve the demo shop on loopback.")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: 8765)")
    parser.add_argument("--seed", type=int, help=f"the shop's seed (default: {SEED_VARIABLE}, or {SEED})")
    parser.add_argument(
        "--broken-day",
        type=date.fromisoformat,
        action="append",
        metavar="YYYY-MM-DD",
        help="a day whose log has the broken schema, as often as wanted "
        f"(default: {BROKEN_DAYS_VARIABLE}, or 10 and 24 January 2026 and what the demo chose)",
    )
    parser.add_argument("--access-log", action="store_true", help="write a line for each request")
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None and chosen.seed < 0:
        parser.error(f"--seed must not be negative; it is {chosen.seed}")
    # Waited for, not handled: Polars restarts the system calls that a signal interrupts, and so a handler written in
    # Python would not run while the main thread sleeps.
    ends = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with serve(
            port=chosen.port, seed=chosen.seed, broken_days=chosen.broken_day, access_log=chosen.access_log
        ) as url:
            print(f"The demo shop is at {url}; export SHOP_URL={url} to crawl it. Ctrl-C ends it.", flush=True)  # noqa: T201
            signal.sigwait(ends)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno != errno.EADDRINUSE:
            raise
        parser.error(f"port {chosen.port} is taken or is none; choose another one with --port, or 0 for a free one")
    except ValueError as error:
        parser.error(str(error))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
