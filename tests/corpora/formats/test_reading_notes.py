from spacy_bioner.corpora.formats.reading_notes import (
    ReadingNotes,
    add_warning,
    note_unread,
)
from spacy_bioner.records import Mention, Record


def gather(*records):
    notes = ReadingNotes()
    for record in records:
        notes.add(record)
    return notes.list_warnings()


def test_a_warning_names_its_documents_once():
    records = [add_warning(Record(str(number), "x"), "odd") for number in range(12)]
    assert gather(*records) == ["odd (documents 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more)"]
    assert gather(records[3], Record("x", "x")) == ["odd (document 3)"]


def test_a_document_can_have_several_warnings():
    record = add_warning(add_warning(Record("a", "x"), "odd"), "strange")
    assert gather(record) == ["odd (document a)", "strange (document a)"]


def test_unread_keys_matter_where_nothing_was_found():
    unread = Record("1", "x", reading_notes=note_unread(["b", "a"]))
    counted = Record("2", "x", reading_notes={"regions_skipped": 2, "rejected_skipped": "many"})
    expected = "keys not read: a, b; left out: regions that are no text spans 2"
    assert gather(unread, counted) == [f"no mention in any document: {expected}"]
    assert gather(unread, Record("3", "x", (Mention(0, 1, "A"),))) == []
    assert gather(Record("1", "x", meta={"not read: a": "1"})) == []


def test_many_unread_keys_are_cut():
    (warning,) = gather(Record("1", "x", reading_notes=note_unread(f"{n:02}" for n in range(25))))
    assert warning.endswith("18, 19 and 5 more")
