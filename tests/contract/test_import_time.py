"""Loading the code location is cheap: under five seconds, and no heavy framework is imported for it."""

import json
import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "tf_keras", "keras", "torch", "snorkel", "scrapy", "twisted", "great_expectations", "matplotlib")
LIMIT = 5.0
ATTEMPTS = 3

LOAD = f"""
import json, sys, time
import orchestration.definitions as module
module.defs().get_repository_def()
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"seconds": time.process_time(), "heavy": heavy}}))
"""


def load():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_definitions_load_within_five_seconds_without_a_heavy_framework():
    # The time that the process computed, not the time that passed: machines are shared. What else runs on a core
    # still slows it down, so the best of a few attempts counts.
    best = LIMIT
    for _ in range(ATTEMPTS):
        loaded = load()
        assert loaded["heavy"] == []
        best = min(best, loaded["seconds"])
        if best < LIMIT:
            break
    assert best < LIMIT
