"""The shop depends on its seed and the day, and on nothing else."""

import hashlib
import json
import subprocess
import sys
from datetime import date

from crawlers import demo
from crawlers.demo.logs import log
from crawlers.demo.reviews import reviews

DAY = date(2026, 3, 12)
_PRINT_DIGESTS = """
import hashlib, json
from datetime import date
from crawlers import demo
from crawlers.demo.logs import log
# Other days first: what was made before must not matter.
log(date(2026, 5, 1), 7)
day = date(2026, 3, 12)
digests = {name: hashlib.sha256(body).hexdigest() for name, body in log(day, 7).files.items()}
digests["catalogue"] = hashlib.sha256(demo.catalogue(day, 7).write_csv().encode()).hexdigest()
digests["truth"] = hashlib.sha256(demo.truth(day, 7).write_csv().encode()).hexdigest()
print(json.dumps(digests))
"""


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout


def test_another_process_makes_the_same_bytes():
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in log(DAY, 7).files.items()}
    digests["catalogue"] = hashlib.sha256(demo.catalogue(DAY, 7).write_csv().encode()).hexdigest()
    digests["truth"] = hashlib.sha256(demo.truth(DAY, 7).write_csv().encode()).hexdigest()

    assert json.loads(_python(_PRINT_DIGESTS)) == digests


def test_the_same_day_again_is_made_anew_with_the_same_bytes():
    first = log(DAY, 7)
    log.cache_clear()
    second = log(DAY, 7)

    assert second is not first
    assert second == first


def test_another_seed_or_day_is_another_shop_or_log():
    assert log(DAY, 8).files != log(DAY, 7).files
    assert log(date(2026, 3, 13), 7).files != log(DAY, 7).files
    assert demo.catalogue(DAY, 8)["title"].to_list() != demo.catalogue(DAY, 7)["title"].to_list()
    assert any(reviews(item, 7) != reviews(item, 8) for item in range(5))


def test_importing_the_shop_imports_neither_numpy_nor_polars():
    loaded = _python("import crawlers.demo, sys; print(sorted({'numpy', 'polars', 'scrapy'} & set(sys.modules)))")

    assert loaded.strip() == "[]"
