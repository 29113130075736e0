import numpy as np
import pytest

pytest.importorskip("torch")

from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.training.distillation import (
    PassageStream,
    choose_layers,
    cut_passages,
    imitation_loss,
    keep_layers,
)
from spacy_bioner.training.text_stream import TextList


def test_imitation_loss_is_zero_for_the_same_distribution():
    scores = np.array([[1.0, 2.0, 0.5], [0.0, -3.0, 1.0]])
    loss, gradient = imitation_loss(scores, scores + 7.0, 2.0)
    assert loss == pytest.approx(0.0, abs=1e-12)
    assert np.abs(gradient).max() < 1e-7


def test_imitation_loss_is_the_divergence():
    p, q = np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]])
    loss, _ = imitation_loss(np.log(p), np.log(q), 1.0)
    assert loss == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_imitation_gradient_agrees_with_finite_differences(temperature):
    random = np.random.default_rng(0)
    target, scores = random.normal(size=(2, 3, 4))
    _, gradient = imitation_loss(target, scores, temperature)
    for index in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[index] = 1e-5
        up, _ = imitation_loss(target, scores + step, temperature)
        down, _ = imitation_loss(target, scores - step, temperature)
        assert gradient[index] == pytest.approx((up - down) / 2e-5, abs=1e-6)


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
