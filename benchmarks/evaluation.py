"""How long does an evaluation take beyond the model's own time?

    python benchmarks/evaluation.py [--data FOLDER] [--docs 1000] [--resamples 1000] [--repeats 3]

Reads BC5CDR train and dev and makes the predictions of a system that is wrong about as often as a
trained one: of the gold mentions it misses 15 %, takes a wrong border for 6 % and a wrong label
for 2 %, and it invents as many as 12 % of them, all with confidences (seed 0). Then everything that
`bioner evaluate --details --train` measures of it is measured: scores with bootstrap intervals for
each type and average, partial matches, confusion, kinds of mistakes, recall by kind, calibration
and thresholds; once more with --marginals, which adds areas under ROC curves of tokens. Prints one
Markdown table: medians in seconds.
"""

import argparse
import random
from statistics import median
from time import perf_counter
from typing import Dict, List, Sequence, Tuple

import numpy as np
import spacy
from _common import add_data, corpus_file, show
from spacy.tokens import Doc
from spacy.util import filter_spans

from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.evaluation.evaluation import Pair, measure
from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.metrics.stratified_recall import TrainingMentions
from spacy_bioner.gold import list_gold, list_gold_mentions

LABELS = ("Chemical", "Disease")
MISSED, SHIFTED, MISLABELLED, INVENTED = 0.15, 0.06, 0.02, 0.12


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--docs", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    register_extensions()
    nlp = spacy.blank("en")
    gold: List[Doc] = []
    for split in ("train", "dev"):
        path = corpus_file(parser, args.data, "bc5cdr", split)
        gold += [align(record, nlp.make_doc).doc for record in read_records(path)]
    gold = gold[: args.docs]
    generator = random.Random(0)
    pairs: List[Pair] = [(doc, predict(doc, generator)) for doc in gold]
    train = TrainingMentions(mention for doc in gold[::2] for mention in list_gold_mentions(doc))
    alone, everything, areas = "strict scores alone", "everything", "everything, with marginals"
    times: Dict[str, List[float]] = {alone: [], everything: [], areas: []}
    tags = ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI")]
    marginals = read_marginals([doc for _, doc in pairs], tags)
    for _ in range(args.repeats):
        start = perf_counter()
        scores = score_mentions(compare_docs(*pair) for pair in pairs)
        times[alone].append(perf_counter() - start)
        for name, given in ((everything, None), (areas, lambda _: (tags, marginals))):
            start = perf_counter()
            measure(pairs, train=train, marginals=given, seed=0, n_resamples=args.resamples)
            times[name].append(perf_counter() - start)
    rows: List[Tuple[str, ...]] = [("what", "seconds", "range")]
    for name, values in times.items():
        rows.append((name, f"{median(values):.2f}", f"{min(values):.2f}–{max(values):.2f}"))
    show(
        rows,
        n=f"{len(gold):,} documents, {scores.micro.gold:,} mentions, "
        f"F1 {100 * (scores.micro.f_score or 0):.1f}",
        resamples=args.resamples,
        repeats=args.repeats,
        seed=0,
    )


def predict(gold: Doc, generator: random.Random) -> Doc:
    """Make up what a system finds."""
    doc = Doc(gold.vocab, [t.text for t in gold], [bool(t.whitespace_) for t in gold])
    spans = []
    mentions = list_gold(gold) or []
    for start, end, label in mentions:
        chance = generator.random()
        span = doc.char_span(start, end, alignment_mode="expand")
        if span is None or chance < MISSED:
            continue
        if chance < MISSED + SHIFTED:
            span = doc[span.start : min(span.end + 1, len(doc))]
        elif chance < MISSED + SHIFTED + MISLABELLED:
            label = LABELS[1 - LABELS.index(label)]
        spans.append(spacy.tokens.Span(doc, span.start, span.end, label))
    for _ in mentions:
        if generator.random() < INVENTED:
            place = generator.randrange(len(doc))
            spans.append(spacy.tokens.Span(doc, place, place + 1, generator.choice(LABELS)))
    doc.ents = filter_spans(spans)
    for ent in doc.ents:
        offsets = (ent.start_char, ent.end_char, ent.label_)
        add_evidence(doc, Evidence(*offsets, "made up", generator.betavariate(5, 1)))
    return doc


def read_marginals(docs: Sequence[Doc], tags: Sequence[str]) -> List[np.ndarray]:
    """Make up how likely each tag is at each token: most likely the one that was predicted."""
    generator = np.random.default_rng(0)
    rows = []
    for doc in docs:
        chances = generator.gamma(0.1, size=(len(doc), len(tags)))
        found = [f"{token.ent_iob_}-{token.ent_type_}".strip("-") for token in doc]
        chances[np.arange(len(doc)), [tags.index(tag or "O") for tag in found]] += 2.0
        rows.append(chances / chances.sum(axis=1, keepdims=True))
    return rows


if __name__ == "__main__":
    main()
