#!/usr/bin/env bash
# requirements.lock: every package with its hashes, for every platform, naming no index, so that mirrors work.
# torch is left out on purpose: setup.sh chooses the build that fits the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=$1 bin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp requirements.lock "$work/requirements.lock" 2>/dev/null || true # what is locked stays, where it still fits
# Folders of wheels on this machine must not find their way into the lock.
env -u PIP_FIND_LINKS -u UV_FIND_LINKS "$bin/uv" pip compile --quiet pyproject.toml --group dev --group bench \
  --extra postgres --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
  --no-emit-package torch --output-file "$work/requirements.lock"
if [ "$mode" = --write ]; then
  cp "$work/requirements.lock" requirements.lock
elif ! diff -q requirements.lock "$work/requirements.lock" >/dev/null; then
  diff requirements.lock "$work/requirements.lock" | head -20
  echo "requirements.lock does not fit pyproject.toml any more. Run: make lock" >&2
  exit 1
fi
