#!/usr/bin/env bash
# Makes the environment: the locked packages, a torch that fits the machine, and Sluice itself (editable).
# Safe to run again: what stands already is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
uv_version=0.13.9
torch_version=2.13.0

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python=""
for candidate in "${PYTHON:-}" python3.11 python3 python; do
  [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
  if [ "$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = 3.11 ]; then python=$candidate; break; fi
done
[ -n "$python" ] || fail "Python 3.11 was not found. Install it, or name it: make setup PYTHON=/path/to/python3.11"

[ -x "$venv/bin/python" ] || { say "creating $venv with $($python --version)"; "$python" -m venv "$venv"; }
bin=$venv/bin
if ! "$bin/uv" --version 2>/dev/null | grep -q " $uv_version"; then
  "$bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi
export VIRTUAL_ENV=$PWD/$venv

say "installing the locked packages (about 1.5 GB the first time)"
"$bin/uv" pip install --quiet --require-hashes -r requirements.lock

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }

install_torch() {
  if "$bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then return; fi
  if has_gpu; then
    say "a GPU is here: installing CUDA builds of torch and TensorFlow"
    "$bin/uv" pip install --quiet "torch==$torch_version" "tensorflow[and-cuda]==2.21.0"
    return
  fi
  say "no GPU is here: installing a CPU build of torch $torch_version"
  # pip's own configuration may know a CPU wheel (a folder, a mirror).
  if "$bin/python" -m pip install --quiet --disable-pip-version-check --timeout 20 --retries 1 \
      "torch==$torch_version+cpu" 2>/dev/null; then return; fi
  # PyTorch's index of CPU builds; bounded, so that an unreachable index is an answer and not a hang.
  if UV_HTTP_TIMEOUT=30 UV_HTTP_RETRIES=1 timeout 900 \
      "$bin/uv" pip install --quiet --torch-backend cpu "torch==$torch_version" 2>/dev/null; then return; fi
  # Outside Linux on x86-64 the plain package is a CPU build already.
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ] || [ "${SLUICE_TORCH:-}" = plain ]; then
    "$bin/uv" pip install --quiet "torch==$torch_version"
    return
  fi
  fail "no CPU build of torch could be reached. Put a CPU wheel of torch $torch_version where pip looks (PIP_FIND_LINKS
or a mirror) and run again, or accept several gigabytes of CUDA with: SLUICE_TORCH=plain make setup"
}
install_torch

"$bin/uv" pip install --quiet --no-deps --editable .
say "ready: $venv"
