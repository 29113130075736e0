"""What a teacher teaches, with and without a CRF, and how far a student is from it."""

from itertools import product

import numpy as np
import pytest
from spacy.training import Example

torch = pytest.importorskip("torch")

from spacy_bioner.architectures.ensemble import LOWEST  # noqa: E402
from spacy_bioner.training import distillation  # noqa: E402
from spacy_bioner.training.distillation import DistillationTask, PassageStream  # noqa: E402
from spacy_bioner.training.distillation_loss import choose_targets, compare_taggers, imitation_loss  # noqa: E402
from spacy_bioner.training.text_stream import TextList  # noqa: E402
from tests.conftest import make_bioner_nlp  # noqa: E402

TEXT = "Naloxone reverses"
# Of the tags O, B-A and I-A. Single tokens prefer O and I-A, which cannot follow each other.
ROWS = np.log(np.array([[0.5, 0.4, 0.1], [0.2, 0.2, 0.6]], dtype=np.float32))
LEGAL = [(first, second) for first, second in product(range(3), repeat=2) if first != 2]
LEGAL.remove((0, 2))
# How gladly the CRF of `crf_tagger` lets I-A follow B-A.
GLADLY = 2.0


def _make_nlp(encoder, *, crf):
    model = {"encoder": {"name": str(encoder), "precision": "float32"}, "crf": crf}
    nlp = make_bioner_nlp(str(encoder), model=model)
    doc = nlp.make_doc("a")
    nlp.get_pipe("bioner").initialize(lambda: [Example(doc, doc.copy())], nlp=nlp, labels=["A"])
    return nlp


@pytest.fixture
def softmax_nlp(tiny_bert):
    return _make_nlp(tiny_bert, crf=False)


@pytest.fixture
def softmax_tagger(softmax_nlp):
    return softmax_nlp.get_pipe("bioner")


@pytest.fixture
def make_crf_tagger(tiny_bert):
    def make():
        tagger = _make_nlp(tiny_bert, crf=True).get_pipe("bioner")
        crf = tagger.model.get_ref("output_layer").shims[0].module.crf
        with torch.no_grad():
            crf.transitions.zero_()
            crf.transitions[1, 2] = GLADLY
        return tagger

    return make


@pytest.fixture
def says(monkeypatch):
    """Lets a tagger give the same scores for every Doc."""

    def build(tagger, rows):
        monkeypatch.setattr(tagger, "predict", lambda docs: [rows for _ in docs])
        return tagger

    return build


def _enumerate_marginals(rows):
    shares = np.zeros(rows.shape)
    for path in LEGAL:
        weight = np.exp(rows[0, path[0]] + rows[1, path[1]] + GLADLY * (path == (1, 2)))
        shares[[0, 1], path] += weight
    return shares / shares.sum(axis=1, keepdims=True)


def test_a_crf_teaches_a_softmax_student_its_marginals(
    make_crf_tagger, softmax_tagger, softmax_nlp, says
):
    teacher = says(make_crf_tagger(), ROWS)
    (target,) = choose_targets(teacher, softmax_tagger, [softmax_nlp.make_doc(TEXT)])
    assert np.exp(target) == pytest.approx(_enumerate_marginals(ROWS), abs=1e-6)


def test_a_crf_teaches_another_its_emissions(make_crf_tagger, softmax_nlp, says):
    teacher = says(make_crf_tagger(), ROWS)
    (target,) = choose_targets(teacher, make_crf_tagger(), [softmax_nlp.make_doc(TEXT)])
    assert target is ROWS


def test_a_softmax_head_teaches_its_own_distribution(
    softmax_tagger, make_crf_tagger, softmax_nlp, says
):
    docs = [softmax_nlp.make_doc(TEXT)]
    says(softmax_tagger, ROWS)
    for student in (softmax_tagger, make_crf_tagger()):
        (target,) = choose_targets(softmax_tagger, student, docs)
        assert np.exp(target) == pytest.approx(np.exp(ROWS), abs=1e-6)


def test_taggers_of_the_same_emissions_and_transitions_do_not_differ(
    make_crf_tagger, softmax_nlp, says
):
    taggers = [says(make_crf_tagger(), ROWS) for _ in range(2)]
    assert compare_taggers(*taggers, [softmax_nlp.make_doc(TEXT)]) == (0.0, 2)


def test_the_distance_is_that_of_marginals(make_crf_tagger, softmax_tagger, softmax_nlp, says):
    docs = [softmax_nlp.make_doc(TEXT)]
    p, q = _enumerate_marginals(ROWS), np.exp(ROWS)
    teacher = says(make_crf_tagger(), ROWS)
    divergence, _ = compare_taggers(teacher, says(softmax_tagger, ROWS), docs)
    expected = sum(a * np.log(a / b) for a, b in zip(p.flat, q.flat) if a)
    assert divergence == pytest.approx(expected, abs=1e-5)


def test_agreement_is_that_of_decoded_tags(make_crf_tagger, softmax_tagger, softmax_nlp, says):
    # The CRF decodes B-A, I-A, as the student does.
    teacher = says(make_crf_tagger(), ROWS)
    student = says(softmax_tagger, np.log(np.float32([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])))
    stream = PassageStream(TextList([TEXT]), softmax_nlp, seed=0)
    task = DistillationTask(teacher, student, softmax_nlp, stream, held_out=[TEXT])
    measured = task.evaluate()
    assert (measured["agreement"], measured["n"]) == (1.0, 2)


def test_a_step_learns_what_a_crf_believes(
    make_crf_tagger, softmax_tagger, softmax_nlp, says, monkeypatch
):
    seen = []

    def spy(target, scores, temperature):
        seen.append(target)
        return imitation_loss(target, scores, temperature)

    monkeypatch.setattr(distillation, "imitation_loss", spy)
    teacher = says(make_crf_tagger(), ROWS)
    stream = PassageStream(TextList([TEXT]), softmax_nlp, seed=0, buffer=1)
    task = DistillationTask(teacher, softmax_tagger, softmax_nlp, stream, batch_passages=1)
    task.learn(0, 0.0)
    assert np.exp(seen[0]) == pytest.approx(_enumerate_marginals(ROWS), abs=1e-6)


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


@pytest.mark.parametrize("gap", ["\n", "\u200b ", " \n"])
def test_tokens_that_are_no_words_neither_teach_nor_count(
    make_crf_tagger, softmax_tagger, softmax_nlp, says, gap
):
    plain, broken = softmax_nlp.make_doc(TEXT), softmax_nlp.make_doc(TEXT.replace(" ", gap))
    expected = compare_taggers(says(make_crf_tagger(), ROWS), says(softmax_tagger, ROWS), [plain])
    rows = np.insert(ROWS, 1, [[-7.0, -8.0, -0.1]], axis=0)
    teacher, student = says(make_crf_tagger(), rows), says(softmax_tagger, rows)
    assert compare_taggers(teacher, student, [broken]) == pytest.approx(expected)
    (target,) = choose_targets(teacher, student, [broken])
    assert np.exp(target[[0, 2]]) == pytest.approx(_enumerate_marginals(ROWS), abs=1e-6)


def test_a_step_of_distillation_learns_from_words_alone(
    make_crf_tagger, softmax_tagger, softmax_nlp, says, monkeypatch
):
    text = f"\n{TEXT}".replace(" ", " \t\u200b")
    stream = PassageStream(TextList([text]), softmax_nlp, seed=0, buffer=1)
    doc = softmax_nlp.make_doc(text)
    words = [token.i for token in doc if token.text.isalpha()]
    rows = np.zeros((len(doc), 3), dtype=np.float32)
    rows[words] = ROWS
    gradients = []
    emissions = [np.zeros((len(doc), 3), dtype=np.float32)]
    says(softmax_tagger, rows)
    forward = lambda model, docs, is_train: (emissions, gradients.extend)  # noqa: E731
    monkeypatch.setattr(softmax_tagger.model, "_func", forward)
    task = DistillationTask(says(make_crf_tagger(), rows), softmax_tagger, softmax_nlp, stream)
    loss = task._imitate([doc], 0.5)
    believed = np.log(np.maximum(_enumerate_marginals(ROWS), np.exp(LOWEST)))
    expected, gradient = imitation_loss(believed, 0 * ROWS, 2.0)
    assert loss == pytest.approx(expected / 2, rel=1e-5)
    assert gradients[0][words] == pytest.approx(gradient / 2, abs=1e-6)
    assert not np.delete(gradients[0], words, axis=0).any()
