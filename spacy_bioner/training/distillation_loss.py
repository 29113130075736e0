"""The probabilities of a token's tags, how a student imitates them, and how far it is apart.

Of a softmax head they are its own distribution, of a CRF the marginals of its tag sequences:
its emissions alone leave out the transitions, and may prefer a tag that it never decodes.
"""

from typing import List, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.decoding import decode_tags, log_softmax
from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.architectures.pieces.words import Words
from spacy_bioner.components.ner import TokenNER


def choose_targets(teacher: TokenNER, student: TokenNER, docs: Sequence[Doc]) -> List[np.ndarray]:
    """Return what a student's emissions shall become: log probabilities, (tokens, tags), per Doc.

    A softmax student is taught its teacher's probabilities. A CRF student adds transitions to its
    emissions, so a CRF teacher teaches it emissions: `make_student` gives it the teacher's
    transitions, and the same emissions are then the same distribution over tag sequences. With
    marginals as emissions, transitions would count twice. Text does not change a student's
    transitions; only gold does.
    """
    if _has_crf(teacher) and _has_crf(student):
        return teacher.predict(docs)
    return tag_log_probs(teacher, docs, teacher.predict(docs))


def tag_log_probs(
    tagger: TokenNER, docs: Sequence[Doc], scores: Sequence[np.ndarray]
) -> List[np.ndarray]:
    """Turn what `predict` gave for Docs into the probabilities of each token's tags.

    RETURNS (List[np.ndarray]): Log probabilities, float32, shape (tokens, tags), per Doc.
    """
    from spacy_bioner.architectures.ensemble import tag_opinions

    own_order = range(len(tagger.tags))
    scheme = tagger.cfg["scheme"]
    return tag_opinions(tagger.model, docs, scores, tagger.labels, scheme, own_order)


def compare_taggers(teacher: TokenNER, student: TokenNER, docs: Sequence[Doc]) -> Tuple[float, int]:
    """Tell how far a student is from its teacher on some Docs.

    RETURNS (Tuple[float, int]): KL(teacher ∥ student) of their probabilities, summed over words,
        and for how many words they decode the same tag.
    """
    words = read_words(student.model, docs)
    ours, theirs = student.predict(docs), teacher.predict(docs)
    pairs = zip(words, tag_log_probs(teacher, docs, theirs), tag_log_probs(student, docs, ours))
    divergence = sum(float((np.exp(own.pick(p)) * own.pick(p - q)).sum()) for own, p, q in pairs)
    paths = zip(_decode(teacher, words, theirs), _decode(student, words, ours))
    return divergence, sum(int((one == other).sum()) for one, other in paths)


def imitation_loss(
    target: np.ndarray, scores: np.ndarray, temperature: float
) -> Tuple[float, np.ndarray]:
    """Sum T² KL(teacher ∥ student) over tokens, both softened by the temperature T.

    target (np.ndarray): The teacher's log probabilities; shape (tokens, tags).
    scores (np.ndarray): The student's emissions; of the same shape.
    RETURNS (Tuple[float, np.ndarray]): The sum, and its gradient with respect to the emissions.
    """
    p, q = (log_softmax((rows / temperature).astype(np.float64)) for rows in (target, scores))
    loss = temperature**2 * float((np.exp(p) * (p - q)).sum())
    return loss, (temperature * (np.exp(q) - np.exp(p))).astype(np.float32)


def _decode(
    tagger: TokenNER, words: Sequence[Words], scores: Sequence[np.ndarray]
) -> List[np.ndarray]:
    return decode_tags([own.pick(rows) for own, rows in zip(words, scores)], tagger.grammar())


def _has_crf(tagger: TokenNER) -> bool:
    from spacy_bioner.architectures.objectives import crf_of

    return crf_of(tagger.model) is not None
