"""A change to Dagster: an output over a range of partitions that records only some of them.

A backfill over a range is one step. When it ends, Dagster marks every partition of the range as materialised, also one
that was refused or failed. There is no public way to say otherwise: an output names no partitions, and a step that
yields `AssetMaterialization` events for some days gets those of its output for all days on top. So the subset that
Dagster computes for an output is narrowed before it is recorded. This rests on three private names, pinned by
tests/contract/test_dagster_private_names.py, which also says when Dagster has learnt to do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg


def record_only(context: dg.AssetExecutionContext, days: Mapping[dg.AssetKey, Sequence[str]]) -> None:
    """Let the outputs of this step record materialisations for these partitions only.

    Args:
        context: The step's context.
        days: Partition keys by asset; an asset that is not named records what Dagster would.
    """
    step = context.op_execution_context.get_step_execution_context()
    original = step.get_output_context

    def narrowed(*args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        subset = output._asset_partitions_subset  # noqa: SLF001 - pinned, see the module's docstring
        if subset is not None and output.asset_key in days:
            partitions: Any = step.job_def.asset_layer.get(output.asset_key).partitions_def
            narrow = partitions.subset_with_partition_keys(days[output.asset_key])
            output._asset_partitions_subset = narrow  # noqa: SLF001 - likewise
        return output

    step.get_output_context = narrowed  # type: ignore[method-assign]
