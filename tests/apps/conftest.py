from pathlib import Path

import pytest

from tests.apps.known_texts import CHEMICALS, write_gold


@pytest.fixture
def dev(trained_nlp, tmp_path: Path) -> Path:
    """The pipeline finds both chemicals each time; in the second document one of them is wrong."""
    return write_gold(trained_nlp, tmp_path / "dev.spacy", CHEMICALS, CHEMICALS[:1])
