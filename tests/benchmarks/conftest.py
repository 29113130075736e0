"""Benchmarks are scripts beside each other, not a package: their folder goes on the path."""

import pytest

from tests import paths

BENCHMARKS = paths.ROOT / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
