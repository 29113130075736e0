import hashlib

from spacy_bioner.apps.annotation.documents import (
    AnnotatedDocument,
    Entity,
    Findings,
    LeftOut,
    Receipt,
    describe_foreign,
)
from spacy_bioner.records import Mention, Record

RECEIPT = Receipt(7, 1, 2, 1, 0, 1)
KNOWN = Entity(0, 7, "Chemical", "Aspirin", 0.5, "bioner", ("D1",))


def test_what_is_not_known_is_not_written():
    assert Entity(0, 7, "Chemical", "Aspirin").to_json() == {
        "start": 0,
        "end": 7,
        "label": "Chemical",
        "text": "Aspirin",
    }
    assert KNOWN.to_json()["concept_ids"] == ["D1"]
    assert Entity(0, 1, "A", "x", 0.0).to_json()["confidence"] == 0.0
    assert LeftOut("why").to_json() == {"reason": "why"}
    assert LeftOut("why", "a").to_json() == {"id": "a", "reason": "why"}


def test_an_entity_is_a_mention_with_attributes():
    assert KNOWN.to_mention() == Mention(
        0,
        7,
        "Chemical",
        "Aspirin",
        ("D1",),
        attributes=(("confidence", "0.5"), ("source", "bioner")),
    )
    assert Entity(0, 7, "Chemical", "Aspirin").to_mention().attributes == ()


def test_a_record_has_the_entities_and_no_gold():
    gold = Record(
        "a",
        "Aspirin",
        (Mention(1, 2, "Gold"),),
        sections=(("title", 0, 7),),
        words=((0, 7),),
        meta={"year": "2001"},
        reading_notes={"note": 1},
    )
    found = AnnotatedDocument(gold, Findings((KNOWN,), RECEIPT)).to_record()
    assert found == Record(
        "a",
        "Aspirin",
        (KNOWN.to_mention(),),
        sections=(("title", 0, 7),),
        meta={"year": "2001"},
    )


def test_a_receipt_names_the_text():
    document = AnnotatedDocument(Record("a", "Aspirin"), Findings((KNOWN,), RECEIPT))
    assert document.make_receipt() == {
        "id": "a",
        "text_sha256": hashlib.sha256(b"Aspirin").hexdigest(),
        "characters": 7,
        "tokens": 1,
        "pieces": 2,
        "windows": 1,
        "unseen": 0,
        "entities": 1,
        "foreign": 0,
    }


def test_foreign_documents_are_counted_in_words():
    assert describe_foreign(1).startswith("1 document seems to be in another language")
    assert describe_foreign(1200).startswith("1,200 documents seem to be in another language")
