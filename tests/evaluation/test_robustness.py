"""Scores under attack, worked out by hand on rule pipelines."""

import math
from dataclasses import replace
from typing import List, Optional, Sequence

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.robustness import (
    Lost,
    Outcome,
    Robustness,
    annotate,
    find_epsilon,
    find_lost,
    recovered_share,
    score_attacked,
    score_changed_text,
    score_clean,
)
from spacy_bioner.evaluation.scores import Counts

TEXTS = ("Aspirin helps", "no drug", "Aspirin and Aspirin")


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Aspirin"}])
    return nlp


@pytest.fixture
def gold(nlp: Language) -> List[Doc]:
    return [nlp(text) for text in TEXTS]


def misspell_first(doc: Doc) -> Optional[Doc]:
    """Turn the first "Aspirin" into "Asprin"; the mention stays one."""
    if not doc.ents:
        return None
    words = [token.text for token in doc]
    words[doc.ents[0].start] = "Asprin"
    new = Doc(doc.vocab, words=words, spaces=[bool(token.whitespace_) for token in doc])
    new.ents = [Span(new, ent.start, ent.end, label=ent.label_) for ent in doc.ents]
    return new


def test_clean_documents_are_scored(nlp, gold) -> None:
    outcome = score_clean(gold, annotate(nlp, gold))
    assert replace(outcome, interval=None) == Outcome("clean", None, Counts(tp=3), 3)
    assert outcome.interval == Interval(1.0, 1.0, 1.0)


def test_changed_documents_are_scored_against_their_changed_gold(nlp, gold) -> None:
    outcome = score_changed_text(nlp, gold, "typos", misspell_first)
    wanted = Outcome("typos", None, Counts(tp=1, fn=2), 3, n_changed=2)
    assert replace(outcome, interval=None) == wanted
    assert outcome.interval is not None
    assert outcome.interval.value == outcome.counts.f_score


def test_attacked_documents_are_scored(nlp, gold) -> None:
    def attack(docs: Sequence[Doc], epsilon: float) -> List[Doc]:
        # Everything below 1 is withstood.
        return [nlp(doc.text) if epsilon < 1 else nlp.make_doc(doc.text) for doc in docs]

    assert score_attacked(attack, gold, 0.5, name="x").counts == Counts(tp=3)
    assert score_attacked(attack, gold, 2.0, name="x").counts == Counts(fn=3)


@pytest.mark.parametrize("threshold", [0.02, 0.7, 5.0, 60.0])
def test_the_epsilon_is_found_to_its_tolerance(threshold: float) -> None:
    calls: List[float] = []

    def f_score_at(epsilon: float) -> float:
        calls.append(epsilon)
        return 0.8 if epsilon < threshold else 0.6

    found = find_epsilon(f_score_at, 0.7, low=0.01, high=64.0, steps=7)
    assert found is not None
    assert found >= threshold
    assert math.log(found / threshold) <= math.log(6400) / 2**7
    assert len(calls) == 8


def test_no_epsilon_is_found_where_nothing_is_lost() -> None:
    assert find_epsilon(lambda epsilon: 0.8, 0.7) is None


def test_an_impossible_stretch_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected 0 < low < high"):
        find_epsilon(lambda epsilon: 0.8, 0.7, low=2.0, high=1.0)


@pytest.mark.parametrize(
    ("defended", "share"),
    [(Counts(tp=8, fp=2, fn=2), 1.0), (Counts(tp=6, fp=4, fn=4), 0.0), (Counts(7, 3, 3), 0.5)],
)
def test_recovered_share_is_that_of_lost_points(defended: Counts, share: float) -> None:
    clean, attacked = Counts(tp=8, fp=2, fn=2), Counts(tp=6, fp=4, fn=4)
    assert recovered_share(clean, attacked, defended) == pytest.approx(share)


def test_nothing_can_be_recovered_where_nothing_was_lost() -> None:
    assert recovered_share(Counts(tp=1), Counts(tp=1), Counts(tp=1)) is None


def test_examples_show_what_is_lost_and_what_is_found_instead(nlp, gold) -> None:
    nlp.get_pipe("entity_ruler").add_patterns([{"label": "Typo", "pattern": "Asprin and"}])
    clean = annotate(nlp, gold)
    outcome = score_changed_text(nlp, gold, "typos", misspell_first, clean=clean)
    assert outcome.examples == (
        Lost("1", "Chemical", "Aspirin", "Asprin"),
        Lost("3", "Chemical", "Aspirin", "Asprin", "Asprin and (Typo)"),
    )
    assert Outcome.from_json(outcome.to_json()) == outcome
    whole = Robustness("x", score_clean(gold, clean), (outcome,))
    assert Robustness.from_json(whole.to_json()) == whole


def test_examples_are_of_documents_whose_mentions_keep_their_order(nlp, gold) -> None:
    clean = annotate(nlp, gold)
    bare = [nlp.make_doc(doc.text) for doc in gold]
    assert len(find_lost(gold, clean, gold, bare)) == 2
    assert len(find_lost(gold, clean, gold, bare, limit=1)) == 1
    # Another number of mentions.
    fewer = [nlp("none"), gold[1], nlp("Aspirin x")]
    assert find_lost(gold, clean, fewer, [nlp.make_doc(doc.text) for doc in fewer]) == ()
