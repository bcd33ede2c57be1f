"""What the UI makes of a backfill over several assets, before anything runs."""

import time

import dagster as dg
import pytest
from dagster._core.execution.asset_backfill import AssetBackfillData

from orchestration.definitions import defs

# Loading definitions makes Dagster warn about itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]

DAYS = ["2026-02-10", "2026-02-11", "2026-02-12"]


@pytest.fixture(scope="module")
def graph():
    return defs().resolve_asset_graph()


def test_a_backfill_of_several_assets_targets_the_days_that_were_chosen_and_no_others(graph):
    assets = dg.AssetSelection.from_string("group:shop").resolve(graph)
    with dg.DagsterInstance.ephemeral() as instance:
        data = AssetBackfillData.from_asset_partitions(
            asset_graph=graph,
            partition_names=DAYS,
            asset_selection=sorted(assets),
            dynamic_partitions_store=instance,
            backfill_start_timestamp=time.time(),
            all_partitions=False,
        )
    targeted = {key.to_user_string(): set() for key in assets}
    for asset in data.target_subset.iterate_asset_partitions():
        targeted[asset.asset_key.to_user_string()].add(asset.partition_key)
    assert targeted == {key.to_user_string(): set(DAYS) for key in assets}
