"""Dense features to a common scale, by constants that are found once on the train split and kept with the model.

It happens in the input and not in a layer, for an int8 file has 256 steps for all dense features together: raw, one
feature in the thousands would leave none to the others.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from training.failure import TaskError
from training.schema import Inputs

LIMIT = 4.0
"""Normalised values end here on both sides: beyond it lie outliers, which would take the int8 steps of the rest."""

_LONG_TAIL = 6.0


class DenseConstants(BaseModel):
    """Constants of one dense column: `(x - mean) / scale`, of `log(1 + x)` where `log` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    log: bool
    mean: float
    scale: float


class Normalisation(BaseModel):
    """Constants of all dense columns, in the order of the inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[DenseConstants, ...] = ()

    def apply(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Normalise.

        Args:
            values: Raw dense features of shape (rows, columns); overwritten.

        Returns:
            The same array, each value within ±`LIMIT`.
        """
        logged = [index for index, column in enumerate(self.columns) if column.log]
        if logged:
            values[:, logged] = np.log1p(np.maximum(values[:, logged], 0))
        values -= np.array([column.mean for column in self.columns], np.float32)
        values /= np.array([column.scale for column in self.columns], np.float32)
        return np.clip(values, -LIMIT, LIMIT, out=values)


def fit_normalisation(files: Sequence[Path], inputs: Inputs) -> Normalisation:
    """Find the constants on the files of a train split.

    A column that is never negative and whose greatest value lies more than six standard deviations above the mean
    is a count in all but name, and is taken by its logarithm.

    Raises:
        TaskError: A column holds nulls, NaN or infinities.
    """
    names = [column.name for column in inputs.dense]
    if not names:
        return Normalisation()
    statistics: list[pl.Expr] = []
    for name in names:
        raw = pl.col(name).cast(pl.Float64)
        logged = raw.clip(lower_bound=0).log1p()
        statistics += [
            (raw.is_null() | ~raw.is_finite()).sum().alias(f"{name}|bad"),
            raw.min().alias(f"{name}|least"),
            raw.max().alias(f"{name}|greatest"),
            raw.mean().alias(f"{name}|mean"),
            raw.std(ddof=0).alias(f"{name}|scale"),
            logged.mean().alias(f"{name}|log_mean"),
            logged.std(ddof=0).alias(f"{name}|log_scale"),
        ]
    found = pl.scan_parquet(list(files)).select(statistics).collect().row(0, named=True)
    columns: list[DenseConstants] = []
    for name in names:
        if found[f"{name}|bad"]:
            raise TaskError(
                f"Dense column '{name}' of the train split holds {found[f'{name}|bad']} values that are null or not "
                f"finite; prepare it with 0 and a '{name}__missing' flag"
            )
        tail = found[f"{name}|mean"] + _LONG_TAIL * found[f"{name}|scale"]
        log = found[f"{name}|least"] >= 0 and found[f"{name}|greatest"] > tail
        mean, scale = (
            (found[f"{name}|log_mean"], found[f"{name}|log_scale"])
            if log
            else (
                found[f"{name}|mean"],
                found[f"{name}|scale"],
            )
        )
        columns.append(DenseConstants(name=name, log=log, mean=mean, scale=scale if scale > 1e-6 else 1.0))
    return Normalisation(columns=tuple(columns))
