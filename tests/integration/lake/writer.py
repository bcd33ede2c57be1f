"""Writers in processes of their own, which can be told to stop at a step, so that a test kills them there.

This program imports everything once; then, for each job whose path it reads from standard input, it forks a writer
and prints its process id. A writer waits for the file `go` if there is one, touches `paused` before it stops
at the asked step, and leaves its outcome in the file `outcome`.
"""

import datetime as dt
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import polars as pl

from assets.lake import Lake, digest


def rows_of(writer, rows):
    """Every row names its writer, so that a mixture of two writers' rows is visible."""
    return pl.LazyFrame({"writer": [writer] * rows, "n": range(rows)}, schema={"writer": pl.String, "n": pl.Int64})


def main(job):
    def pause():
        Path(job["paused"]).touch()
        signal.pause()

    def on_step(step):
        if step == job.get("pause_at"):
            pause()

    def stop_half_way(batch):
        if batch.height and job.get("pause_at") == "staging":
            pause()
        return batch

    os.environ.update(job["environment"])
    lake = Lake(job["root"], on_step=on_step)
    while "go" in job and not Path(job["go"]).exists():
        time.sleep(0.002)
    for day in map(dt.date.fromisoformat, job["days"]):
        if job.get("action") == "clean_up":
            lake.clean_up(job["table"], dt.timedelta(0))
            continue
        frame = rows_of(job["writer"], job["rows"]).map_batches(stop_half_way)
        name = digest(job["digest"]) if "digest" in job else digest(job["writer"], str(day))
        staged = lake.stage(job["table"], day, frame, digest=name, run_id=job["writer"])
        if job.get("action") == "refuse":
            lake.keep(staged, reason="a gate")
        else:
            lake.publish(staged)


def serve():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended writers leave no zombies
    for line in sys.stdin:
        writer = os.fork()
        if writer:
            print(writer, flush=True)
            continue
        job = json.loads(Path(line.strip()).read_text())
        try:
            main(job)
            outcome = "done"
        except BaseException:  # noqa: BLE001 - whatever it was, the test shall see it
            outcome = traceback.format_exc()
        temporary = Path(job["outcome"] + ".tmp")
        temporary.write_text(outcome)
        temporary.replace(job["outcome"])
        os._exit(0)


if __name__ == "__main__":
    serve()
