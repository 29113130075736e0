"""Strict scores of tagged sentences are those of seqeval (IOB2, strict mode).

seqeval has no wheel, so its scores of random sentences were recorded once by
benchmarks/record_seqeval.py. Where it happens to be installed it is asked itself as well.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.evaluation.matching import Comparison, compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.tags import tags_to_spans
from tests.paths import ROOT

RECORDED = json.loads((Path(__file__).parent / "seqeval.json").read_text(encoding="utf-8"))
CASES: List[Dict[str, Any]] = RECORDED["cases"]


def pairs_of(case: Dict[str, Any]) -> Iterator[List[List[str]]]:
    """Yield the gold and predicted tags of each sentence."""
    for gold, found in zip(case["gold"], case["found"]):
        yield [gold.split(), found.split()]


def check(scores: Scores, case: Dict[str, Any]) -> None:
    """Compare precision, recall, F1 and support, over all and by type."""
    micro = scores.micro
    shares = [micro.precision or 0.0, micro.recall or 0.0, micro.f_score or 0.0]
    assert shares == pytest.approx(case["micro"], abs=1e-12)
    assert sorted(scores.by_type) == sorted(case["types"])
    for label, wanted in case["types"].items():
        counts = scores.by_type[label]
        shares = [counts.precision or 0.0, counts.recall or 0.0, counts.f_score or 0.0]
        assert [*shares, counts.gold] == pytest.approx(wanted, abs=1e-12)


def test_a_thousand_cases_are_recorded_of_every_kind() -> None:
    assert len(CASES) == 1000
    shares = {case["micro"][2] for case in CASES}
    assert {0.0, 1.0} < shares
    assert any(not case["types"] for case in CASES)


def test_scores_of_spans_are_those_of_seqeval() -> None:
    for case in CASES:
        comparisons = [
            # Tokens are one character each.
            Comparison(list(tags_to_spans(gold)), list(tags_to_spans(found)), len(gold))
            for gold, found in pairs_of(case)
        ]
        check(score_mentions(comparisons), case)


def test_scores_of_documents_are_those_of_seqeval() -> None:
    vocab: Vocab = spacy.blank("en").vocab
    for case in CASES[:300]:
        comparisons = []
        for pair in pairs_of(case):
            gold, found = (Doc(vocab, words=["w"] * len(tags), ents=tags) for tags in pair)
            comparisons.append(compare_docs(gold, found))
        check(score_mentions(comparisons), case)


def test_seqeval_still_says_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("seqeval", reason="seqeval is installed by hand only")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import record_seqeval

    rng = random.Random(RECORDED["seed"])
    for case in CASES:
        drawn = record_seqeval.make_case(rng)
        assert drawn == {"gold": case["gold"], "found": case["found"]}
        asked = record_seqeval.ask_seqeval(drawn)
        assert asked == {"micro": case["micro"], "types": case["types"]}
    del sys.modules["record_seqeval"]
