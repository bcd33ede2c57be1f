"""`python -m orchestration.override`: publish what a gate refused, on purpose, with a name and a reason on the record.

It is a run like any other, with two tags; the UI's launch dialog takes the same ones. Materialise what depends on the
table afterwards.
"""

from __future__ import annotations

import argparse
import getpass
import importlib
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings

from assets.components.run_tags import BY_TAG, OVERRIDE_TAG


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish one refused day of one table.

    Returns:
        0 when it was published, 1 when not.
    """
    parser = argparse.ArgumentParser(
        prog="python -m orchestration.override", description=(__doc__ or "").partition(": ")[2].partition("\n")[0]
    )
    parser.add_argument("table", help="the table, such as shop_events")
    parser.add_argument("day", type=date.fromisoformat, help="the refused day, as YYYY-MM-DD")
    parser.add_argument("--reason", required=True, help="why it is right to publish it all the same")
    parser.add_argument("--by", default=getpass.getuser(), help="who decides; the user of the shell when left out")
    parser.add_argument("--module", default="orchestration.definitions", help="the code location")
    chosen = parser.parse_args(arguments)
    if not chosen.reason.strip() or not chosen.by.strip():
        parser.error("--reason and --by must say something: they stay on the record.")
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(Path("data/dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    with disable_dagster_warnings(), dg.DagsterInstance.get() as instance:
        definitions: dg.Definitions = importlib.import_module(chosen.module).defs()
        key = dg.AssetKey(chosen.table)
        if key not in definitions.resolve_asset_graph().get_all_asset_keys():
            print(f"There is no asset '{chosen.table}'; `dg list defs` shows them.", file=sys.stderr)  # noqa: T201
            return 1
        job = definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[key],
            partition_key=chosen.day.isoformat(),
            tags={OVERRIDE_TAG: chosen.reason, BY_TAG: chosen.by},
            raise_on_error=False,
        )
    published = key in {event.asset_key for event in result.get_asset_materialization_events()}
    if published:
        print(  # noqa: T201 - the command's answer
            f"{chosen.table} {chosen.day} is published, by {chosen.by}: {chosen.reason}\n"
            f'What depends on it: dg launch --assets \'key:"{chosen.table}"+ and not key:"{chosen.table}"\' '
            f"--partition {chosen.day}"
        )
    return 0 if published else 1


if __name__ == "__main__":
    sys.exit(main())
