"""One day of the table `sales`, cleaned, gated and published in a process that dies at a given moment."""

import json
import os
import signal
import sys
import threading
import time
from datetime import date
from pathlib import Path

from assets.cleaning import TableSpec
from assets.lake import Lake
from assets.stages import table
from assets.stages.past import Audit
from expectations.gate import parse_gate


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Moment:
    """Die at the n-th time that the lake comes to a step."""

    def __init__(self, step, number):
        self.step, self.left = step, number

    def __call__(self, step):
        self.left -= step == self.step
        if step == self.step and not self.left:
            die()


def die_when(exists):
    """Die as soon as something is on the disk that the work leaves there half-way."""

    def watch():
        while not exists():
            time.sleep(0.0002)
        die()

    threading.Thread(target=watch, daemon=True).start()


def main(job):
    day, step = date.fromisoformat(job["day"]), job.get("step", "")
    lake = Lake(job["root"], on_step=Moment(step, job.get("number", 1)))
    folder = Path(lake.root) / "tables" / "sales" / f"date={day}"
    before = set(folder.glob("*.parquet"))
    if step == "staging":
        die_when(lambda: set(folder.glob("*.parquet")) - before)
    if step == "audit":
        docs = lake.store.local(lake.reports.place("sales", day)) / "docs" / "static"
        earlier = docs.lstat().st_mtime_ns if docs.is_symlink() else 0
        die_when(lambda: docs.is_symlink() and docs.lstat().st_mtime_ns != earlier)
    spec = TableSpec.model_validate(job["spec"])
    audit = Audit(parse_gate(list(spec.gate)))
    result = table.materialize(lake, spec, audit, {"visits": "visits__raw"}, day, first_day=day, run_id=job["run"])
    print(result.status)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
