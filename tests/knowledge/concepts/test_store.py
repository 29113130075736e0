import multiprocessing
import pickle
import sqlite3

import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.concepts.store import ConceptStore, id_scheme


def names_of(found):
    return [(item.id, item.name, item.count) for item in found]


def test_concepts_are_found_by_exact_keys_of_a_label(store_path):
    store = ConceptStore(store_path)
    assert names_of(store.find_exact("breastcancer", "Disease")) == [
        ("D001943", "Breast Cancer", 0)
    ]
    assert store.find_exact("breastcancer", "Chemical") == []
    assert store.find_exact("breastcancer", "Gene") == []


def test_concepts_are_found_by_forms(store_path):
    found = ConceptStore(store_path).find_form("cancer ovari", "Disease")
    assert names_of(found) == [("D010051", "Cancer of Ovary", 0)]


def test_names_of_an_id_start_with_the_preferred_one(store_path):
    found = ConceptStore(store_path).find_id("D010051", "Disease")
    assert [item.name for item in found] == [
        "Ovarian Neoplasms",
        "Cancer of Ovary",
        "Ovarian Cancer",
    ]
    assert {item.title for item in found} == {"Ovarian Neoplasms"}


def test_another_id_of_a_concept_leads_to_it(store_path):
    store = ConceptStore(store_path)
    assert store.find_primary("D020388", "Disease") == "OMIM:310200"
    assert store.find_primary("OMIM:310200", "Disease") == "OMIM:310200"
    assert store.find_primary("D0", "Disease") == "D0"


def test_training_mentions_are_counted_by_the_scheme_of_their_ids(store_path):
    assert ConceptStore(store_path).count_schemes("Disease") == {"D": 4}
    assert (id_scheme("OMIM:1"), id_scheme("D1")) == ("OMIM", "D")


def test_what_is_alike_comes_best_first(store_path):
    found = ConceptStore(store_path).find_like("neoplasm ovarian", "Disease", n_best=2)
    assert found[0][0] == "neoplasm ovarian"
    assert found[0][1] == pytest.approx(1.0, abs=1e-6)
    assert len(found) == 2
    assert found[1][1] < 1.0


def test_no_store_is_told(tmp_path):
    with pytest.raises(TermTableError, match="found no concept store; make one with"):
        ConceptStore(tmp_path / "none.store")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file, expected a concept store"),
        (b"id\tname\n", r"found a file that starts with b'id\\tname\\n'"),
    ],
)
def test_another_file_is_told(tmp_path, content, message):
    (tmp_path / "x.store").write_bytes(content)
    with pytest.raises(TermTableError, match=message):
        ConceptStore(tmp_path / "x.store")


def test_the_start_of_a_store_is_told(store_path):
    whole = store_path.read_bytes()
    store_path.write_bytes(whole[:8192])
    with pytest.raises(TermTableError, match=rf"not whole \(8,192 of {len(whole):,} bytes\)"):
        ConceptStore(store_path)


def change(path, *statements):
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("PRAGMA user_version = 2",), "found a concept store of format 2, expected format 1"),
        (("PRAGMA application_id = 7",), "an SQLite file of another program"),
        (
            ("PRAGMA application_id = 0", "PRAGMA user_version = 0"),
            "without the mark of a finished store",
        ),
        (("DROP TABLE meta",), "not whole .*no such table: meta"),
        (("DELETE FROM meta WHERE key = 'digest'",), "not whole .*digest"),
        (("UPDATE meta SET value = '\"other\"' WHERE key = 'stemmer'",), "another release"),
    ],
)
def test_another_format_and_what_is_half_built_are_told(store_path, statements, message):
    change(store_path, *statements)
    with pytest.raises(TermTableError, match=message):
        ConceptStore(store_path)


def test_damage_within_is_told_where_it_is_met(store_path):
    content = bytearray(store_path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store_path.write_bytes(content)
    with pytest.raises(TermTableError, match="found a concept store that is not whole"):
        ConceptStore(store_path).find_exact("anemia", "Disease")


def test_a_store_of_another_table_is_refused(store_path, digest):
    assert ConceptStore(store_path, digest=digest).info.digest == digest
    with pytest.raises(TermTableError, match=r"of table, seen with the digest .*, expected 0123"):
        ConceptStore(store_path, digest="0123456789abcdef")


def look_up(store, queue):
    queue.put(store.find_exact("anemia", "Disease")[0].id)


def test_several_processes_read_one_store(store_path):
    store = ConceptStore(store_path)
    assert store.find_exact("anemia", "Disease")[0].id == "D000740"
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=look_up, args=(store, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=60) for _ in workers] == ["D000740", "D000740"]
    for worker in workers:
        worker.join()
    assert store.find_exact("anemia", "Disease")[0].id == "D000740"


def test_a_store_passes_to_another_process_by_its_path_and_digest(store_path):
    store = pickle.loads(pickle.dumps(ConceptStore(store_path)))
    assert store.find_exact("psoriasis", "Disease")[0].id == "D011565"


def test_a_store_is_never_written_to(store_path):
    before = store_path.read_bytes()
    store = ConceptStore(store_path)
    store.find_like("anemia", "Disease", n_best=1)
    store.close()
    assert store_path.read_bytes() == before
    assert [path.name for path in store_path.parent.iterdir()] == [store_path.name]
