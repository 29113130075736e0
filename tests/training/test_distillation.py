import pytest

pytest.importorskip("torch")

from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.training.distillation import (
    PassageStream,
    choose_layers,
    cut_passages,
    keep_layers,
)
from spacy_bioner.training.text_stream import TextList


@pytest.mark.parametrize(
    ("n_layers", "n_kept", "spaced", "expected"),
    [(6, 3, True, [0, 2, 5]), (6, 3, False, [0, 1, 2]), (12, 4, True, [0, 4, 7, 11]),
     (6, 1, True, [0]), (2, 2, True, [0, 1])],
)  # fmt: skip
def test_choose_layers(n_layers, n_kept, spaced, expected):
    assert choose_layers(n_layers, n_kept, spaced=spaced) == expected


def test_more_layers_than_there_are_is_an_error():
    with pytest.raises(ConfigError, match="--layers 7: expected 1 to 6"):
        choose_layers(6, 7)


def test_keep_layers_numbers_them_anew():
    weights = {"embed.w": 0, **{f"encoder.layer.{n}.output.w": n for n in range(12)}}
    config, kept = keep_layers({"num_hidden_layers": 12, "x": 1}, weights, [0, 11])
    assert config == {"num_hidden_layers": 2, "x": 1}
    assert kept == {"embed.w": 0, "encoder.layer.0.output.w": 0, "encoder.layer.1.output.w": 11}


def test_cut_passages_ends_at_sentences(blank_nlp):
    doc = blank_nlp.make_doc("Rats had fever. Mice had none. Dogs had both.")
    assert cut_passages(doc, 5) == ["Rats had fever. Mice had none.", "Dogs had both."]


class CountingDoc:
    """A Doc that counts how often it is asked about its annotation, which looks at each token."""

    def __init__(self, doc):
        self.doc, self.n_asked = doc, 0

    def __len__(self):
        return len(self.doc)

    def __getitem__(self, index):
        return self.doc[index]

    def has_annotation(self, name):
        self.n_asked += 1
        return self.doc.has_annotation(name)


def test_cut_passages_asks_once_for_sentences(blank_nlp):
    doc = CountingDoc(blank_nlp.make_doc("Rats had fever. Mice had none."))
    cut_passages(doc, 3)
    assert doc.n_asked == 1


def test_empty_texts_are_an_error():
    with pytest.raises(TrainingDataError, match="found no text"):
        TextList([" ", ""])


@pytest.mark.parametrize("n_batches", [0, 3])
def test_restored_passages_go_on(blank_nlp, n_batches):
    texts = [f"Rat {n} had fever. Mouse {n} had none." for n in range(7)]

    def make():
        return PassageStream(TextList(texts), blank_nlp, seed=1, n_tokens=4, buffer=3)

    stream, other = make(), make()
    for _ in range(n_batches):
        stream.next_batch(2)
    other.restore(stream.state())
    assert [other.next_batch(2) for _ in range(9)] == [stream.next_batch(2) for _ in range(9)]
