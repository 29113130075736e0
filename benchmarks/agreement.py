"""Do seqeval and nervaluate give the same scores as ours on the predictions of a real pipeline?

    python benchmarks/agreement.py MODEL CORPUS.spacy

Runs the pipeline, writes gold and predictions as IOB2 tags of the gold documents' tokens and as
spans, and lets seqeval (strict mode) and nervaluate score them. Ours are computed twice: on the
same tags, where seqeval has to agree, and on the corpus' own offsets, which tags cannot always
carry: mentions that no token border meets and nested ones are lost there. Prints one Markdown
table. Needs the extra `dev`; the rows of seqeval are there where it is installed.
"""

import argparse
import importlib.util
import warnings
from pathlib import Path
from typing import Any, List, Sequence, Tuple

from _common import missing_extra, note, show
from spacy.tokens import Doc

from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.matching import Comparison, compare_docs, score_mentions
from spacy_bioner.evaluation.metrics.partial_matching import SCHEMES, score_schemes
from spacy_bioner.gold import MentionKey
from spacy_bioner.tags import spans_to_tags

NAMES = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
Row = Tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("corpus", type=Path)
    args = parser.parse_args()
    if missing := missing_extra("nervaluate"):
        parser.error(missing)
    has_seqeval = importlib.util.find_spec("seqeval") is not None
    if not has_seqeval:
        note("seqeval is not installed, and left out: benchmarks/record_seqeval.py says how")
    nlp = load_pipeline(args.model)
    gold = list(read_docbin(args.corpus, nlp.vocab))
    note(f"{len(gold):,} documents")
    found = list(nlp.pipe(Doc(nlp.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc])
                          for doc in gold))  # fmt: skip
    rows: List[Row] = [("match", "by", "P", "R", "F1")]
    tagged = [Comparison(list_ents(left), list_ents(right), len(left.text))
              for left, right in zip(gold, found)]  # fmt: skip
    ours = score_mentions(tagged).micro
    rows.append(make_row("strict, on tags", "ours", ours.precision, ours.recall, ours.f_score))
    if has_seqeval:
        rows.append(make_row("strict, on tags", "seqeval", *ask_seqeval(gold, found)))
    whole = [compare_docs(left, right) for left, right in zip(gold, found)]
    micro = score_mentions(whole).micro
    rows.append(
        make_row("strict, on offsets", "ours", micro.precision, micro.recall, micro.f_score)
    )
    total, _ = score_schemes(whole)
    theirs = ask_nervaluate(whole)
    for scheme in SCHEMES:
        item, other = total[scheme], theirs[NAMES[scheme]]
        rows.append(
            make_row(f"schemes: {scheme}", "ours", item.precision, item.recall, item.f_score)
        )
        rows.append(
            make_row(f"schemes: {scheme}", "nervaluate", other.precision, other.recall, other.f1)
        )
    n = f"{len(gold):,} documents, {micro.gold:,} gold mentions, {ours.gold:,} in tags"
    show(rows, left=2, n=n)


def list_ents(doc: Doc) -> List[MentionKey]:
    """List the entities of a Doc's tokens by offsets."""
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def ask_seqeval(gold: Sequence[Doc], found: Sequence[Doc]) -> List[float]:
    """Score IOB2 tags in strict mode."""
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    tags = [
        [
            spans_to_tags([(ent.start, ent.end, ent.label_) for ent in doc.ents], len(doc))
            for doc in docs
        ]
        for docs in (gold, found)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = precision_recall_fscore_support(*tags, average="micro", scheme=IOB2)
    return [float(value) for value in scores[:3]]


def ask_nervaluate(compared: Sequence[Comparison]) -> Any:
    """Score spans; its ends are inclusive, and gold is a set."""
    from nervaluate import Evaluator

    def rows(mentions: Sequence[MentionKey]) -> List[Any]:
        return [{"label": c, "start": a, "end": b - 1} for a, b, c in sorted(mentions)]

    gold = [rows(list(set(item.gold or ()))) for item in compared]
    found = [rows(item.predicted) for item in compared]
    labels = sorted({row["label"] for document in (*gold, *found) for row in document})
    return Evaluator(gold, found, tags=labels, loader="dict").evaluate()["overall"]


def make_row(match: str, by: str, *shares: Any) -> Row:
    """Write shares to four digits: agreement is exact or it is none."""
    return (match, by, *(f"{100 * (share or 0.0):.4f}" for share in shares))


if __name__ == "__main__":
    main()
