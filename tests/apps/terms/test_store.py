import pytest
import spacy

from spacy_bioner.apps.terms.store import check_store, make_store
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError, OutputError, TermTableError
from spacy_bioner.knowledge.concepts.store import ConceptStore
from spacy_bioner.records import Mention, Record

TABLE = "id\tname\tkind\nD1\tFever\tlabel\nD2\tCough\tlabel\n"


def write_corpus(path, *mentions):
    text = "Pyrexia, hot and chills."
    record = Record("1", text, tuple(mentions))
    write_docbin([align(record, spacy.blank("en")).doc], path)
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "fevers.tsv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def train(tmp_path):
    return write_corpus(
        tmp_path / "train.spacy",
        Mention(0, 7, "DISEASE", concept_ids=("MESH:D1",)),
        Mention(9, 12, "DISEASE", concept_ids=("D1", "D2")),
        Mention(17, 23, "DISEASE"),
    )


def test_a_store_takes_tables_and_training_mentions(table, train, tmp_path):
    output = tmp_path / "x.store"
    info = make_store([f"Disease={table}"], output, train=[train], label_map={"DISEASE": "Disease"})
    assert (info.sources[0].name, info.sources[0].n_rows) == ("fevers", 2)
    assert info.sources[1].n_rows == 2
    assert info.skipped == {"training mentions without a concept id": 1}
    store = ConceptStore(output)
    (found,) = store.find_exact("pyrexia", "Disease")
    assert (found.id, found.title, found.count) == ("D1", "Fever", 1)
    assert store.find_exact("hot", "Disease")[0].key == "D1|D2"


def test_a_store_is_checked_against_what_it_is_to_be_built_from(table, train, tmp_path):
    output = tmp_path / "x.store"
    made = make_store([f"Disease={table}"], output)
    assert check_store([f"Disease={table}"], output) == made
    for sources, more in (
        ([f"Symptom={table}"], {}),
        ([f"Disease={table}"], {"train": [train]}),
        ([f"Disease={table}", f"Disease={table}"], {}),
    ):
        with pytest.raises(TermTableError, match="built from other tables, labels or mentions"):
            check_store(sources, output, **more)
    table.write_text(TABLE + "D3\tChills\tlabel\n")
    with pytest.raises(TermTableError, match="built from other tables"):
        check_store([f"Disease={table}"], output)


def test_training_documents_without_ids_are_refused(table, tmp_path):
    corpus = write_corpus(tmp_path / "bare.spacy", Mention(0, 7, "Disease"))
    with pytest.raises(ConfigError, match="found no mention with a concept id"):
        make_store([f"Disease={table}"], tmp_path / "x.store", train=[corpus])
    assert not (tmp_path / "x.store").exists()


def test_a_source_is_never_written_over(table):
    with pytest.raises(OutputError, match="expected another name for OUT"):
        make_store([f"Disease={table}"], table)
    assert table.read_text() == TABLE
