from pathlib import Path
from typing import Callable, List

import pytest
import spacy
from spacy.language import Language


@pytest.fixture(scope="session")
def ruled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline that knows two words, one of them with a concept."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "Chemical", "pattern": "Aspirin", "id": "D001241"},
            {"label": "Disease", "pattern": "pain"},
        ]
    )
    folder = tmp_path_factory.mktemp("ruled") / "model"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def ruled_nlp(ruled_folder: Path) -> Language:
    """That pipeline, loaded."""
    return spacy.load(ruled_folder)


@pytest.fixture
def texts() -> List[str]:
    """Seven texts, each with another number of entities or place of them."""
    return [f"{'Aspirin eases pain. ' * (number % 3)}Text {number}." for number in range(7)]


@pytest.fixture
def write_texts(tmp_path: Path, texts: List[str]) -> Callable[[], Path]:
    """Writes the texts to a file, one a line."""

    def write() -> Path:
        path = tmp_path / "in.txt"
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write
