"""The products under this folder are modules of the checkout, which nothing installs."""

import sys
from pathlib import Path

PROJECT = str(Path(__file__).parents[2])
if PROJECT not in sys.path:
    sys.path.insert(0, PROJECT)
