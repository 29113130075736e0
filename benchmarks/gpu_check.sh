#!/bin/sh
# Checks the package on a machine with a GPU: one command, a few minutes, no network.
#
#     WHEELS=FOLDER OUT=FOLDER BIONER_DATA=FOLDER sh benchmarks/gpu_check.sh [--minutes 5]
#
# OUT gets gpu_check.md and gpu_check.json (default: metrics/gpu). BIONER_DATA may hold corpora/
# with BC5CDR; without it the texts are those of the demo corpus. All arguments are those of
# gpu_check.py: `--device cpu --quick` rehearses everything on a machine without a GPU.
#
# The machine has Python with the CUDA build of torch, transformers, cupy, matplotlib and build.
# Where it has no spaCy, WHEELS names a folder of wheels to install for this run alone: spacy,
# thinc, daachorse and what they require, for the machine's Python. On a connected machine:
#
#     pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
#         --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 -d FOLDER NAME==VERSION
#
# for each NAME. Most of their size is debug symbols: where it matters, unpack the wheels, run
# `strip --strip-unneeded` over the .so files and zip them again.
set -eu

PYTHON="${PYTHON:-python3}"
OUT="${OUT:-metrics/gpu}"
mkdir -p "$OUT"
OUT="$(cd "$OUT" && pwd)"
if [ -n "${WHEELS:-}" ]; then
    WHEELS="$(cd "$WHEELS" && pwd)"
fi
if [ -n "${BIONER_DATA:-}" ]; then
    BIONER_DATA="$(cd "$BIONER_DATA" && pwd)"
    export BIONER_DATA
fi
cd "$(dirname "$0")/.."
SITE="$(mktemp -d)"
trap 'rm -rf "$SITE"' EXIT

lacks() {
    ! "$PYTHON" -c "import importlib.metadata as m; m.version('$1')" 2>/dev/null
}

if lacks spacy; then
    : "${WHEELS:?spaCy is not installed: name a folder of wheels in WHEELS}"
    "$PYTHON" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade \
        --target "$SITE" "$WHEELS"/*.whl
fi
# The sources of this checkout, whatever version is installed, and their entry points.
"$PYTHON" -c "from setuptools import setup; setup()" -q egg_info --egg-base "$SITE"
PYTHONPATH="$PWD:$SITE${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

"$PYTHON" assets/demo/build.py >/dev/null
# Not `exec`: the trap has to clean up.
"$PYTHON" benchmarks/gpu_check.py --output "$OUT" "$@"
