import numpy as np
import pytest
import spacy

from spacy_bioner.architectures.pieces.counts import (
    LayoutNotes,
    PieceCounts,
    note_layout,
    noting_layouts,
)


class Layout:
    """What a layout says of two Docs: pieces, windows, and tokens that were cut off."""

    def __init__(self, pieces, windows, unseen):
        self.pieces = [Part(ids=range(number)) for number in pieces]
        self.windows = [Part(doc_index=index) for index in windows]
        self.rows = [Part(unseen=np.array(flags, dtype=bool)) for flags in unseen]


class Part:
    def __init__(self, **values):
        vars(self).update(values)


@pytest.fixture
def docs():
    nlp = spacy.blank("en")
    return [nlp("One two"), nlp("Three")]


def test_encoders_add_up_and_each_counts_once(docs):
    notes = LayoutNotes()
    left, right = object(), object()
    notes.add(left, docs, Layout([9, 9], [0, 1], [[0, 0], [0]]))
    notes.add(left, docs, Layout([3, 1], [0, 0, 1], [[0, 1], [0]]))
    notes.add(right, docs, Layout([2, 1], [0, 1], [[1, 1], [0]]))
    assert notes.count(docs[0]) == PieceCounts(5, 3, 2)
    assert notes.count(docs[1]) == PieceCounts(2, 2, 0)


def test_a_doc_that_no_encoder_has_read_counts_nothing(docs):
    assert LayoutNotes().count(docs[0]) == PieceCounts(0, 0, 0)


def test_notes_are_taken_within_the_block_only(docs):
    layout = Layout([3, 1], [0, 1], [[0, 0], [0]])
    note_layout(None, docs, layout)
    with noting_layouts() as notes:
        assert notes.count(docs[0]) == PieceCounts()
        with noting_layouts() as inner:
            note_layout(None, docs, layout)
        assert notes.count(docs[0]) == PieceCounts()
        assert inner.count(docs[0]) == PieceCounts(3, 1, 0)
    note_layout(None, docs, layout)
    assert notes.count(docs[0]) == PieceCounts()


def test_a_pipeline_tells_what_it_lays_out(trained_nlp):
    with noting_layouts() as notes:
        doc = trained_nlp("Naloxone reverses the effect. Hypertension in rats.")
    # H and its 11 continuations; a dot each.
    assert notes.count(doc) == PieceCounts(5 + 12 + 3, 2, 0)
