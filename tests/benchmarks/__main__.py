"""`make bench`: every benchmark, one after the other, each in a process of its own so that peaks are its own."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run every `bench_*.py`; a failing one does not stop the others."""
    failed = []
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"\n== {script.stem.removeprefix('bench_')} ==", flush=True)
        if subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=False).returncode:
            failed.append(script.name)
    if failed:
        print(f"\nThese benchmarks did not end well: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
