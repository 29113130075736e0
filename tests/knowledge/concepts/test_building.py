import sqlite3

import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.concepts.building import choose_kind, digest_sources, write_store
from spacy_bioner.knowledge.concepts.schema import LOOSE, OTHER_ID, PREFERRED_NAME, SYNONYM
from spacy_bioner.knowledge.concepts.store import ConceptStore
from tests.knowledge.concepts.conftest import make_source


def test_a_store_says_what_it_has(store_path, digest):
    info = ConceptStore(store_path).info
    assert (info.digest, info.version) == (digest, 1)
    assert (info.n_concepts, info.n_names) == (10, 16)
    assert info.labels == ("Chemical", "Disease")
    assert [(source.name, source.version, source.licence) for source in info.sources] == [
        ("table", "2012", "CC0"),
        ("seen", "", "CC0"),
    ]
    assert info.skipped == {}


def test_rows_without_an_id_or_a_name_are_counted(tmp_path):
    rows = [("", "fever", "D", 0, 0), ("D1", " - ", "D", 0, 0), ("D1", "", "D", 0, 0)]
    path = tmp_path / "one.store"
    info = write_store([make_source([*rows, ("D2", "cough", "D", 0, 0)])], path, digest="x")
    assert info.skipped == {"rows without a name": 2, "rows without an id": 1}
    assert (info.n_concepts, info.n_names) == (1, 1)


def test_nothing_is_written_where_there_is_no_name(tmp_path):
    path = tmp_path / "none.store"
    with pytest.raises(ConfigError, match=r"found no name to write .*1 rows without an id"):
        write_store([make_source([("", "fever", "D", 0, 0)])], path, digest="x")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_the_earlier_store_as_it_was(store_path):
    before = store_path.read_bytes()
    broken = make_source([])
    broken.read = lambda: (1 / 0 for _ in range(1))
    with pytest.raises(ZeroDivisionError):
        write_store([broken], store_path, digest="x")
    assert store_path.read_bytes() == before
    assert [path.name for path in store_path.parent.iterdir()] == [store_path.name]


def test_a_name_that_comes_again_is_one_and_its_counts_add_up(tmp_path):
    path = tmp_path / "again.store"
    rows = [("D1", "Fever", "D", 4, 2), ("MESH:D1", "fever", "D", 4, 3), ("D1", "FEVER", "D", 1, 0)]
    write_store([make_source(rows)], path, digest="x")
    (found,) = ConceptStore(path).find_exact("fever", "D")
    assert (found.id, found.count, found.total, found.kind) == ("D1", 5, 5, SYNONYM)


def test_the_same_rows_make_the_same_tables(store_path, tmp_path):
    from tests.knowledge.concepts.conftest import SEEN, TABLE

    other = tmp_path / "other.store"
    write_store([make_source(TABLE), make_source(SEEN, "seen", "")], other, digest="x")

    def dump(path):
        db = sqlite3.connect(path)
        lines = [line for line in db.iterdump() if 'INTO "meta"' not in line]
        db.close()
        return lines

    assert dump(other) == dump(store_path)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("label", PREFERRED_NAME),
        ("symbol", PREFERRED_NAME),
        ("exact_synonym", SYNONYM),
        ("label_altid", OTHER_ID),
        ("narrow-synonym", LOOSE),
        ("", SYNONYM),
    ],
)
def test_kinds_of_names(kind, wanted):
    assert choose_kind(kind) == wanted


def test_a_digest_tells_sources_and_labels_apart():
    digests = {
        digest_sources(*given)
        for given in ((["a"], ["D"]), (["b"], ["D"]), (["a"], ["C"]), (["a", "b"], ["D"]))
    }
    assert len(digests) == 4


def test_names_that_are_no_text_are_kept_as_far_as_they_go(tmp_path):
    path = tmp_path / "odd ?#%.store"
    write_store([make_source([("D1", "fever\ud800", "D\ud800", 0, 0)])], path, digest="x")
    store = ConceptStore(path)
    assert store.labels == ("D?",)
    assert [item.name for item in store.find_exact("fever?", "D?")] == ["fever?"]
