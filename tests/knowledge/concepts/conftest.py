import pytest

from spacy_bioner.knowledge.concepts.building import (
    ConceptName,
    NameSource,
    digest_sources,
    write_store,
)
from spacy_bioner.knowledge.concepts.schema import MENTION, OTHER_ID, PREFERRED_NAME, SYNONYM
from spacy_bioner.knowledge.table import SourceInfo

TABLE = [
    ("D001943", "Breast Neoplasms", "Disease", PREFERRED_NAME, 0),
    ("D001943", "Breast Cancer", "Disease", SYNONYM, 0),
    ("D010051", "Ovarian Neoplasms", "Disease", PREFERRED_NAME, 0),
    ("D010051", "Cancer of Ovary", "Disease", SYNONYM, 0),
    ("D010051", "Ovarian Cancer", "Disease", SYNONYM, 0),
    ("D003110", "Colonic Neoplasms", "Disease", PREFERRED_NAME, 0),
    ("D003110", "Colonic Cancer", "Disease", SYNONYM, 0),
    ("D009369", "Neoplasms", "Disease", PREFERRED_NAME, 0),
    ("D000740", "Anemia", "Disease", PREFERRED_NAME, 0),
    ("OMIM:310200", "Muscular Dystrophy, Duchenne", "Disease", PREFERRED_NAME, 0),
    ("D020388", "Muscular Dystrophy, Duchenne", "Disease", OTHER_ID, 0),
    ("D011471", "Kidney Neoplasms", "Disease", PREFERRED_NAME, 0),
    ("D011565", "Psoriasis", "Disease", PREFERRED_NAME, 0),
    ("C1", "Psoralen", "Chemical", PREFERRED_NAME, 0),
]
SEEN = [
    ("D009369", "growth", "Disease", MENTION, 3),
    ("MESH:D000740", "growth", "Disease", MENTION, 1),
]


def make_source(rows, name="table", version="2012"):
    rows = [ConceptName(*row) for row in rows]
    about = SourceInfo(name, version, "CC0", "", len(rows))
    return NameSource(lambda: iter(rows), lambda: about, name)


@pytest.fixture
def digest():
    return digest_sources(["table", "seen"], ["", ""])


@pytest.fixture
def store_path(tmp_path, digest):
    path = tmp_path / "concepts.store"
    write_store([make_source(TABLE), make_source(SEEN, "seen", "")], path, digest=digest)
    return path
