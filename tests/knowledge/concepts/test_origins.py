import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.concepts.building import write_store
from spacy_bioner.knowledge.concepts.origins import list_origins
from spacy_bioner.knowledge.concepts.store import ConceptStore
from spacy_bioner.knowledge.gaz import SourceInfo, write_gaz
from spacy_bioner.knowledge.terms import Term

ROWS = "# version: 2012\n# licence: CC0\nid\tname\tkind\nD1\tFever\tlabel\n"
ROWS += "\tno id\tlabel\nD1\tPyrexia\ts\n"


def test_a_term_table_is_streamed_with_its_version_and_licence(tmp_path):
    path = tmp_path / "fevers.tsv"
    path.write_text(ROWS)
    info = write_store(list_origins(path, label="Disease"), tmp_path / "x.store", digest="x")
    assert info.sources == (SourceInfo("fevers", "2012", "CC0", "", 2),)
    assert info.skipped == {"rows without an id": 1}
    assert ConceptStore(tmp_path / "x.store").find_exact("pyrexia", "Disease")[0].title == "Fever"


def test_a_compiled_table_has_its_own_labels_and_source(tmp_path):
    path = tmp_path / "fevers.gaz"
    source = SourceInfo("MeSH", "2025", "free", "", 1)
    write_gaz([Term("Fever", "Disease", "D1"), Term("cough", "Symptom")], path, sources=[source])
    info = write_store(list_origins(path), tmp_path / "x.store", digest="x")
    assert (info.sources, info.labels) == ((source,), ("Disease",))
    assert info.skipped == {"rows without an id": 1}


def test_a_table_without_labels_needs_one(tmp_path):
    path = tmp_path / "fevers.tsv"
    path.write_text("D1\tFever\n")
    with pytest.raises(TermTableError, match=r"fevers.tsv:1: found no label for 'Fever'"):
        write_store(list_origins(path), tmp_path / "x.store", digest="x")
    assert [item.name for item in tmp_path.iterdir()] == ["fevers.tsv"]


def test_no_file_is_told(tmp_path):
    with pytest.raises(TermTableError, match="found no such file"):
        list_origins(tmp_path / "none.tsv")
