"""Loading the code location is cheap: under five seconds, and no heavy framework is imported for it."""

import json
import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "tf_keras", "keras", "torch", "snorkel", "scrapy", "twisted", "great_expectations", "matplotlib")
LIMIT = 5.0
ATTEMPTS = 3
# What importing Dagster alone takes on the machine that the limit is meant for, with nothing beside it.
DAGSTER = 1.2

LOAD = f"""
import json, sys, time
import dagster
alone = time.process_time()
import orchestration.definitions as module
module.defs().get_repository_def()
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"alone": alone, "seconds": time.process_time(), "heavy": heavy}}))
"""


def load():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_definitions_load_within_five_seconds_without_a_heavy_framework():
    # The time that the process computed, and not the time that passed: machines are shared. What else runs on a core
    # slows it down as well, as an older machine does: then Dagster's own import, which is measured in the same
    # process, takes longer in the same proportion.
    loads = [load() for _ in range(ATTEMPTS)]
    assert [loaded["heavy"] for loaded in loads] == [[]] * ATTEMPTS
    assert min(loaded["seconds"] / max(1, loaded["alone"] / DAGSTER) for loaded in loads) < LIMIT
