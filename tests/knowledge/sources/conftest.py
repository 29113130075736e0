"""Sources are read as `bioner terms import` does: the kind is told by the content."""

import pytest

from spacy_bioner.knowledge.sources.registry import TermSource


@pytest.fixture
def read_source(tmp_path):
    """Write a text to a file of some name, and return the source and its rows as tuples."""

    def read(text, name="source.txt"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        source = TermSource.of_path(path)
        return source, [tuple(row) for row in source.read()]

    return read


@pytest.fixture
def skipped():
    """Return what was skipped as plain data: count, line and text by reason."""
    return lambda source: {
        reason: (one.count, one.line, one.found) for reason, one in source.file.skipped.items()
    }
