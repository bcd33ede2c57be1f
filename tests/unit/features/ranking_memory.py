"""Prepares a ranking of 500 users x 4,000 items in a process of its own, and prints rows, seconds and peak memory."""

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

from assets.features import FeaturesSpec, prepare


def main() -> None:
    found = importlib.util.spec_from_file_location("shop", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(found)
    sys.modules["shop"] = module
    found.loader.exec_module(module)
    shop = module.make_shop(days=5, users=1500, items=4000, events_a_day=8_000)
    spec = FeaturesSpec.model_validate(
        {
            "name": "shop_examples",
            "labels": "shop_engagement",
            "catalogue": "shop_catalogue",
            "features": module.FEATURES,
        }
    )
    window, examples = shop.daily(spec), shop.examples(spec)
    started = time.perf_counter()
    done = prepare(
        examples.lazy(),
        spec,
        as_of=shop.days[-1],
        window_days=5,
        out=Path(sys.argv[1]),
        daily_window=window.lazy(),
        catalogue=shop.catalogue.lazy(),
        ranking_users=500,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": done.ranking.rows, "seconds": seconds, "peak_megabytes": peak}))


if __name__ == "__main__":
    main()
