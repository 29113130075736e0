"""Strict matching of predicted mentions with gold mentions at character offsets.

A prediction is right when its first character, its end and its label are those of a gold mention.
Tokens play no part, so systems with different tokenizers are compared on equal terms and a gold
mention that no token border meets counts as missed.

Characters that show nothing are no part of a mention's border: gold that ends with a blank or a
zero-width space, as some corpora have it, is the mention in front of it, and so is a prediction.

Gold mentions are a set: one that stands twice with the same offsets and label is one mention.
Predictions are a multiset: the second of two equal predictions is wrong. All gold mentions
count, nested ones too, so a flat system may be unable to reach a recall of 1.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Collection, Dict, Iterable, List, Optional, Sequence, Set

from spacy.tokens import Doc

from spacy_bioner.blanks import count_before, squeeze
from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.gold import ANNOTATED_KEY, MentionKey, list_gold, list_predicted


@dataclass(frozen=True)
class Comparison:
    """One document's gold and predicted mentions.

    gold (Optional[Sequence[MentionKey]]): As the corpus lists them; None when the document was
        never annotated, which is not the same as having no entity.
    predicted (Sequence[MentionKey]): As the system gives them.
    n_chars (int): Length of the text.
    """

    gold: Optional[Sequence[MentionKey]]
    predicted: Sequence[MentionKey]
    n_chars: int


def compare_docs(gold: Doc, predicted: Doc, *, spans_key: Optional[str] = None) -> Comparison:
    """Put a gold Doc and the system's Doc of the same text side by side.

    Where the gold Doc says which labels its corpus annotates, mentions of other labels are left
    out on both sides: nobody knows whether they are right.
    Where only what shows nothing differs, because the gold Doc was made of words whose spacing is
    not known (`Example.from_dict` with "words"), offsets count the other characters.
    RAISES (CorpusError): When the texts differ: offsets would then mean different things.
    """
    text, other = gold.text, predicted.text
    gold_mentions, found = list_gold(gold), list_predicted(predicted, spans_key=spans_key)
    annotated = gold.user_data.get(ANNOTATED_KEY)
    if annotated is not None and gold_mentions is not None:
        gold_mentions = [mention for mention in gold_mentions if mention[2] in annotated]
        found = [mention for mention in found if mention[2] in annotated]
    if text == other:
        return Comparison(gold_mentions, found, len(text))
    bare = _drop_blanks(text)
    if bare != _drop_blanks(other):
        raise CorpusError(
            f"gold and predicted document differ in their text: expected {text[:60]!r}…, "
            f"found {other[:60]!r}…; run the pipeline over the gold document's own text"
        )
    if gold_mentions is not None:
        gold_mentions = _without_spaces(gold_mentions, text)
    return Comparison(gold_mentions, _without_spaces(found, other), len(bare))


def count_matches(gold: Iterable[MentionKey], predicted: Iterable[MentionKey]) -> Dict[str, Counts]:
    """Compare the mentions of one text.

    RETURNS (Dict[str, Counts]): By label, every label of either side.
    """
    missed: Set[MentionKey] = set(gold)
    tp: Counter = Counter()
    fp: Counter = Counter()
    for mention in predicted:
        if mention in missed:
            missed.remove(mention)
            tp[mention[2]] += 1
        else:
            fp[mention[2]] += 1
    fn = Counter(label for _, _, label in missed)
    return {label: Counts(tp[label], fp[label], fn[label]) for label in {*tp, *fp, *fn}}


def score_mentions(
    comparisons: Iterable[Comparison], *, model_labels: Optional[Collection[str]] = None
) -> Scores:
    """Score a set of documents.

    comparisons (Iterable[Comparison]): One per document.
    model_labels (Optional[Collection[str]]): What the system can predict; None when that is not
        known, and `labels_unknown_to_model` then stays empty.
    RETURNS (Scores): Counts by type, and the counts that explain them.
    """
    by_type: Dict[str, Counts] = {}
    totals: Counter = Counter()
    for comparison in comparisons:
        if comparison.gold is None:
            totals["unannotated"] += 1
            continue
        totals["docs"] += 1
        unique = set(comparison.gold)
        totals["duplicates"] += len(comparison.gold) - len(unique)
        totals["unreachable"] += len(unique) - _largest_flat_size(unique, comparison.n_chars)
        outcome = count_matches(unique, comparison.predicted)
        totals["exact"] += not any(counts.fp or counts.fn for counts in outcome.values())
        for label, counts in outcome.items():
            by_type[label] = by_type.get(label, Counts()) + counts
    in_gold = {label for label, counts in by_type.items() if counts.gold}
    predicted = {label for label, counts in by_type.items() if counts.predicted}
    known = in_gold if model_labels is None else predicted.union(model_labels)
    return Scores(
        by_type=by_type,
        n_docs=totals["docs"],
        n_exact=totals["exact"],
        n_unannotated=totals["unannotated"],
        n_duplicates=totals["duplicates"],
        n_unreachable=totals["unreachable"],
        labels_unknown_to_model=tuple(sorted(in_gold - known)),
        labels_unknown_to_gold=tuple(sorted(predicted - in_gold)),
    )


def _without_spaces(mentions: Sequence[MentionKey], text: str) -> List[MentionKey]:
    """Count offsets in the text without what shows nothing."""
    before = count_before(squeeze(text).shown).tolist()
    last = len(text)
    return [
        (before[min(start, last)], before[min(end, last)], label) for start, end, label in mentions
    ]


def _drop_blanks(text: str) -> str:
    return "".join(squeeze(text).text.split())


def _largest_flat_size(mentions: Iterable[MentionKey], n_chars: int) -> int:
    """Size of the largest choice of mentions without overlap: take what ends first, repeat.

    Mentions with impossible offsets (a corpus may have them) are never chosen.
    """
    size = 0
    last_end = 0
    for start_char, end_char, _ in sorted(mentions, key=lambda mention: mention[1]):
        if last_end <= start_char < end_char <= n_chars:
            size += 1
            last_end = end_char
    return size
