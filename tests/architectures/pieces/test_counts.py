import numpy as np
import pytest
import spacy

from spacy_bioner.architectures.pieces.alignment import Pieces
from spacy_bioner.architectures.pieces.counts import (
    LayoutNotes,
    PieceCounts,
    count_odd,
    note_layout,
    noting_layouts,
)
from spacy_bioner.architectures.pieces.words import find_words


class Layout:
    """What a layout says of two Docs: pieces, windows, and tokens that were cut off."""

    def __init__(self, pieces, windows, unseen):
        self.pieces = [make_pieces(number) for number in pieces]
        self.windows = [Part(doc_index=index) for index in windows]
        self.rows = [Part(unseen=np.array(flags, dtype=bool)) for flags in unseen]


class Part:
    def __init__(self, **values):
        vars(self).update(values)


def make_pieces(number):
    """Pieces of no letter."""
    return Pieces(np.arange(number), np.zeros(number, dtype=int), np.zeros(number, dtype=int))


def make_encoder():
    return Part(shims=[Part(tokenizer=Part(token_to_id={"[UNK]": 100}.get))])


@pytest.fixture
def docs():
    nlp = spacy.blank("en")
    return [nlp("One two"), nlp("Three")]


def test_encoders_add_up_and_each_counts_once(docs):
    notes = LayoutNotes()
    left, right = make_encoder(), make_encoder()
    notes.add(left, docs, Layout([9, 9], [0, 1], [[0, 0], [0]]))
    notes.add(left, docs, Layout([3, 1], [0, 0, 1], [[0, 1], [0]]))
    notes.add(right, docs, Layout([2, 1], [0, 1], [[1, 1], [0]]))
    assert notes.count(docs[0]) == PieceCounts(5, 3, 2, 0, 2, 2, 6)
    assert notes.count(docs[1]) == PieceCounts(2, 2, 0, 0, 2, 1, 5)


def test_a_doc_that_no_encoder_has_read_counts_nothing(docs):
    assert LayoutNotes().count(docs[0]) == PieceCounts(0, 0, 0)


def test_notes_are_taken_within_the_block_only(docs):
    layout, encoder = Layout([3, 1], [0, 1], [[0, 0], [0]]), make_encoder()
    note_layout(encoder, docs, layout)
    with noting_layouts() as notes:
        assert notes.count(docs[0]) == PieceCounts()
        with noting_layouts() as inner:
            note_layout(encoder, docs, layout)
        assert notes.count(docs[0]) == PieceCounts()
        assert inner.count(docs[0]) == PieceCounts(3, 1, 0, 0, 1, 2, 6)
    note_layout(encoder, docs, layout)
    assert notes.count(docs[0]) == PieceCounts()


def test_a_pipeline_tells_what_it_lays_out(trained_nlp):
    with noting_layouts() as notes:
        doc = trained_nlp("Naloxone reverses the effect. Hypertension in rats.")
    # H and its 11 continuations; a dot each.
    # The letters of "Hypertension" are no words of their own.
    assert notes.count(doc) == PieceCounts(5 + 12 + 3, 2, 0, 12, 1, 9, 45)


@pytest.mark.parametrize(
    ("text", "pieces", "odd"),
    [
        # A Greek letter, and one that is part of a word; an ASCII letter is a word.
        ("α p", [(5, 0, 1), (6, 2, 3)], 1),
        ("px p", [(5, 0, 1), (6, 1, 2), (7, 3, 4)], 2),
        # Unknown, be it a word; signs and digits are no letters.
        ("ไข้ +3", [(100, 0, 3), (8, 4, 5), (9, 5, 6)], 1),
        ("gene", [(5, 0, 2), (6, 2, 4)], 0),
    ],
)
def test_unknown_pieces_and_single_letters_are_odd(text, pieces, odd):
    words = find_words(spacy.blank("en")(text))
    columns = np.array(pieces).T
    assert count_odd(Pieces(*columns), words, 100) == odd


@pytest.mark.parametrize(
    ("counts", "is_foreign"),
    [
        ({}, False),
        ({"pieces": 100, "odd": 50}, False),
        ({"pieces": 100, "odd": 51}, True),
        ({"pieces": 100, "odd": 51, "characters": 19}, False),
        # Two encoders have twice the pieces.
        ({"pieces": 100, "words": 50}, False),
        ({"pieces": 101, "words": 50}, True),
        ({"pieces": 101, "words": 49}, False),
        ({"pieces": 101, "words": 50, "encoders": 2}, False),
    ],
)
def test_texts_of_odd_or_many_pieces_are_foreign(counts, is_foreign):
    known = {"encoders": 1, "characters": 20, "words": 20, **counts}
    assert PieceCounts(**known).is_foreign is is_foreign
