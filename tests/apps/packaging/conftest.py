"""Fixtures on exported pipelines."""

from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import DocBin

TEXTS = ["Naloxone reverses the effect of clonidine.", "hypertension in rats"]


@pytest.fixture
def dev(tmp_path: Path, make_example: Any) -> Path:
    """Development documents that the tiny pipeline gets right."""
    examples = [
        make_example(TEXTS[0], [(0, 8, "Chemical"), (32, 41, "Chemical")]),
        make_example(TEXTS[1], [(0, 12, "Disease")]),
    ]
    path = tmp_path / "dev.spacy"
    DocBin(docs=[example.reference for example in examples], store_user_data=True).to_disk(path)
    return path
