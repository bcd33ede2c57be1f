"""The task `predict`: a published version scores a folder of encoded pairs."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.description import read_description
from training.failure import TaskError
from training.input import split_files
from training.runtimes import model_file
from training.schema import read_inputs
from training.scoring import Scoring
from training.spec import PredictTask
from training.worker import Worker

SCORE = "score"


def work(task: PredictTask, worker: Worker) -> dict[str, Any]:
    """Write one Parquet file with a column `score`, in the order of the parts' names and of their rows.

    Memory is that of a few row groups, whatever the number of pairs.

    Returns:
        How many pairs were scored.

    Raises:
        TaskError: The version is incomplete, or the pairs are not encoded as it wants them.
    """
    worker.progress.ready()
    if not task.pairs.is_dir():
        raise TaskError(f"There is no folder of pairs at {task.pairs}; encode the pairs first")
    path = model_file(task.version)
    if path is None:
        raise TaskError(f"The version {task.version} has no model file; choose another champion")
    scoring = Scoring(
        {SCORE: path},
        read_inputs(task.version),
        read_description(task.version / "float").normalisation,
        threads=worker.threads,
    )
    schema = pa.schema([pa.field(SCORE, pa.float32(), nullable=False)])
    rows = 0
    worker.progress.phase("scoring")
    with pq.ParquetWriter(worker.output / task.out.name, schema) as writer:
        for scored in scoring.rows(split_files(task.pairs)):
            writer.write_table(pa.Table.from_arrays([pa.array(scored.scores[SCORE])], schema=schema))
            rows += len(scored.scores[SCORE])
            worker.progress.beat()
    worker.progress.report(
        {"model": task.model.name, "version": task.version.name, "pairs": rows},
        f"{task.model.name}: version {task.version.name} scored {rows:,} pairs",
    )
    return {"rows": rows}
