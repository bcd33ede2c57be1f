"""`python -m crawlers --request FILE`: run one crawl in a process of its own.

FILE holds a `crawlers.job.CrawlRequest` as JSON. Started by Dagster Pipes, it reports there; else it prints one JSON
line a day on standard output, and progress on standard error. A day that fails is a message, not an exit code.
"""

import argparse
import json
import sys
from pathlib import Path

from dagster_pipes import PipesEnvVarParamsLoader, open_dagster_pipes
from pydantic import ValidationError

from crawlers.job import CrawlRequest, Message
from crawlers.run import run


def main(arguments: list[str] | None = None) -> int:
    """Run the crawl that a request file describes.

    Returns:
        0 when every day was reported; 2 when the request cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m crawlers", description="Run one crawl.")
    parser.add_argument("--request", type=Path, required=True, help="JSON file with spec, days and root")
    path: Path = parser.parse_args(arguments).request
    try:
        request = CrawlRequest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        print(f"The crawl request {path} cannot be read: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    if PipesEnvVarParamsLoader().is_dagster_pipes_process():  # type: ignore[no-untyped-call]
        with open_dagster_pipes() as context:
            run(request, report=context.report_custom_message, log=context.log.info)
    else:
        run(request, report=_print_message, log=_print_progress)
    return 0


def _print_message(message: Message) -> None:
    print(json.dumps(message), flush=True)  # noqa: T201 - this is a command


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main())
