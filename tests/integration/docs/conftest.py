"""Documents as scripts: their code blocks, in order, run in a copy of the project."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEAVE_OUT = (".git", ".venv", "data", "build", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "node_modules")
APPLY = """
import sys
from pathlib import Path

path, lines = Path(sys.argv[1]), sys.stdin.read().splitlines()
old = "\\n".join(line[1:] for line in lines if line[0] in " -")
new = "\\n".join(line[1:] for line in lines if line[0] in " +")
text = path.read_text(encoding="utf-8")
if text.count(old) != 1:
    sys.exit(f"{path} does not hold, exactly once:\\n{old}")
path.write_text(text.replace(old, new), encoding="utf-8")
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: ```language options."""

    language: str
    options: tuple[str, ...]
    text: str
    line: int

    @property
    def file(self):
        return next((option.removeprefix("file=") for option in self.options if option.startswith("file=")), None)

    @property
    def exit_code(self):
        return next((int(option.removeprefix("exit=")) for option in self.options if option.startswith("exit=")), 0)


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def blocks():
    return _blocks


@pytest.fixture
def section():
    return _section


def _blocks(document):
    """All fenced blocks of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(match[1], tuple(match[2].split()), match[3], text.count("\n", 0, match.start()) + 1)


def _section(document, heading):
    """The blocks below a heading, up to the next one of its level."""
    text = (ROOT / document).read_text(encoding="utf-8")
    start = text.index(f"\n## {heading}\n") + 1
    end = text.find("\n## ", start)
    first, last = text.count("\n", 0, start), text.count("\n", 0, end) if end >= 0 else text.count("\n") + 1
    return [block for block in _blocks(document) if first < block.line <= last]


def _script(parts):
    """One bash script of the blocks, in order; every block says where it begins, for whoever reads a failure."""
    lines = ["set -euo pipefail"]
    for part in parts:
        command = _command(part)
        if command is None:
            continue
        lines.append(f"echo '--- line {part.line}' >&2")
        if part.exit_code:
            lines += [
                "code=0",
                f"(\n{command}) || code=$?",
                f"[ $code = {part.exit_code} ] || {{ echo exit code $code; exit 90; }}",
            ]
        else:
            lines.append(command)
    return "\n".join(lines)


def _command(part):
    if part.language == "diff":
        return f"python -c {_quoted(APPLY)} {part.file} <<'SLUICE'\n{part.text}SLUICE\n"
    if part.file:
        return f"cat > {part.file} <<'SLUICE'\n{part.text}SLUICE\n"
    if part.language == "python":
        return f"python - <<'SLUICE'\n{part.text}SLUICE\n"
    return part.text if part.language == "bash" else None


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture
def project(tmp_path):
    """A copy of the project whose commands find the copy's packages, and this environment's tools."""
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEAVE_OUT), symlinks=True)
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@pytest.fixture
def run(project):
    """Run blocks in the copy. `make` only says what it would do: the copy shares its environment with the original."""
    started = []

    def run_blocks(parts):
        text = _script(parts).replace("8123", str(_free_port()))
        environment = {
            "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(project.parent),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(project),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "MAKEFLAGS": "n",
        }
        # A file and not a pipe: a server that a failed block left running would hold a pipe open.
        printed = project.parent / "output.txt"
        with printed.open("w") as sink:
            process = subprocess.Popen(
                ["/bin/bash", "-c", text],
                cwd=project,
                env=environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            started.append(process)
            process.wait(timeout=900)
        output = printed.read_text(encoding="utf-8", errors="replace")
        assert process.returncode == 0, output[-6000:]
        return output

    yield run_blocks
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what a failed block left running
        process.wait()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
