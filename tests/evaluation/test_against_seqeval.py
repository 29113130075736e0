"""Strict scores of tagged sentences are those of seqeval (IOB2, strict mode)."""

import warnings
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from spacy_bioner.evaluation.matching import Comparison, MentionKey, score_mentions
from spacy_bioner.tags import tags_to_spans

TAGS = ("O", "B-A", "I-A", "B-B", "I-B", "B-C", "I-C")
sentence = st.lists(
    st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=14
)


def is_legal(tags: List[str]) -> bool:
    """IOB2: a mention begins with B, and I goes on with the same label."""
    before = ["O", *tags[:-1]]
    return all(
        tag[0] != "I" or (last != "O" and last[2:] == tag[2:]) for last, tag in zip(before, tags)
    )


def repair(tags: List[str]) -> List[str]:
    """Let an I that continues nothing begin a mention."""
    fixed: List[str] = []
    for tag in tags:
        last = fixed[-1] if fixed else "O"
        stray = tag[0] == "I" and (last == "O" or last[2:] != tag[2:])
        fixed.append(f"B{tag[1:]}" if stray else tag)
    return fixed


def mentions(tags: List[str]) -> List[MentionKey]:
    """Give the mentions of a sentence whose tokens are one character each."""
    return list(tags_to_spans(tags))


@given(st.lists(sentence, min_size=1, max_size=6))
@settings(deadline=None, max_examples=1000)
def test_scores_are_those_of_seqeval(sentences) -> None:
    gold = [repair([left for left, _ in pairs]) for pairs in sentences]
    found = [repair([right for _, right in pairs]) for pairs in sentences]
    assert all(map(is_legal, (*gold, *found)))
    scores = score_mentions(
        Comparison(mentions(left), mentions(right), len(left)) for left, right in zip(gold, found)
    )
    options = {"scheme": IOB2, "zero_division": 0}
    with warnings.catch_warnings():
        # It warns of types without mentions.
        warnings.simplefilter("ignore")
        micro = precision_recall_fscore_support(gold, found, average="micro", **options)
        by_type = precision_recall_fscore_support(gold, found, average=None, **options)
    wanted = [micro, *zip(*by_type)]
    counts = [scores.micro, *(scores.by_type[label] for label in sorted(scores.by_type))]
    assert len(counts) == len(wanted)
    for ours, theirs in zip(counts, wanted):
        shares = (ours.precision, ours.recall, ours.f_score)
        assert [share or 0.0 for share in shares] == pytest.approx([float(x) for x in theirs[:3]])
    assert [item.gold for item in counts[1:]] == [row[3] for row in wanted[1:]]
