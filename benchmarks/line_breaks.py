"""What do line breaks, no-break spaces and characters without width cost a pipeline?

    python benchmarks/line_breaks.py MODEL [MODEL …] [--data FOLDER] [--docs 120] [--threads 1]

Runs pipelines over BC5CDR test as it is, and with every seventh blank replaced, with lines wrapped,
or with characters that show nothing beside blanks and within words. Gold mentions follow their
text. Nothing is drawn. Prints one Markdown table: strict F1 at the corpus' own offsets, the
difference from the clean text with a paired bootstrap interval over documents, and how many of the
entities found begin or end with a character that shows nothing.
"""

import argparse
import unicodedata
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import numpy as np
from _common import add_data, corpus_file, note, show, use_threads
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.evaluation.bootstrap.intervals import count_documents
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.records import Record
from spacy_bioner.transforms.offsets import Edit, apply_edits

EVERY = 7
WIDTH = 72
N_RESAMPLES, SEED = 1000, 0
MIXED = ("\n", "\u00a0", "\t", "  ", " \n", "\u2009", "\u2028", "\r\n", "\u3000", "\x0c", "\u0085")
BESIDE = ("\u200b ", "\u00ad ", " \x00 ", " \ufeff", "\u200e ", " \u2060\n", "\u200d\u00a0")
WITHIN = ("\u00ad", "\u200b", "\u2060", "\ufeff", "\x00")
HEADER = ("pipeline", "text", "P", "R", "F1", "against clean", "95 %", "odd borders")
FindEdits = Callable[[str], List[Edit]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a trained pipeline")
    parser.add_argument("--docs", type=int, default=120, help="the first so many; 0 takes all")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    path = corpus_file(parser, args.data, "bc5cdr", "test")
    records = list(read_pubtator(path))[: args.docs or None]
    use_threads(args.threads)
    rows: List[Sequence[str]] = [HEADER]
    for model in args.models:
        rows += measure(Path(model), load_pipeline(model), records)
    n_mentions = sum(len(record.mentions) for record in records)
    show(rows, left=2, n=f"{len(records)} documents, {n_mentions:,} mentions", seed=SEED,
         threads=args.threads)  # fmt: skip


def variants() -> Dict[str, FindEdits]:
    """Name the ways of changing a text; each gives edits."""
    return {
        "clean": lambda text: [],
        "line break": partial(replace_blanks, gaps=("\n",)),
        "no-break space": partial(replace_blanks, gaps=("\u00a0",)),
        "tab": partial(replace_blanks, gaps=("\t",)),
        "mixed": partial(replace_blanks, gaps=MIXED),
        f"wrapped at {WIDTH}": partial(wrap, gap="\n"),
        "wrapped, CRLF": partial(wrap, gap="\r\n"),
        "wrapped, indented": partial(wrap, gap="\n    "),
        "beside blanks": partial(replace_blanks, gaps=BESIDE),
        "within words": split_words,
    }


def replace_blanks(text: str, *, gaps: Sequence[str]) -> List[Edit]:
    """Put something else, in turn, in the place of every seventh blank."""
    blanks = [place for place, char in enumerate(text) if char == " "][EVERY - 1 :: EVERY]
    return [Edit(at, at + 1, gaps[turn % len(gaps)]) for turn, at in enumerate(blanks)]


def wrap(text: str, *, gap: str) -> List[Edit]:
    """Break lines at the last blank at which they are not too long."""
    edits: List[Edit] = []
    start, last = 0, -1
    for place, char in enumerate(text):
        if place - start > WIDTH and last >= start:
            edits.append(Edit(last, last + 1, gap))
            start = last + 1
        if char == " ":
            last = place
    return edits


def split_words(text: str) -> List[Edit]:
    """Put something, in turn, into the middle of every seventh word of letters."""
    words = [word for word in find_words(text) if word[1] - word[0] > 5][EVERY - 1 :: EVERY]
    places = [(start + end) // 2 for start, end in words]
    return [Edit(at, at, WITHIN[turn % len(WITHIN)]) for turn, at in enumerate(places)]


def find_words(text: str) -> Iterator[Tuple[int, int]]:
    start = 0
    for place, char in enumerate(f"{text} "):
        if not char.isalpha():
            yield start, place
            start = place + 1


def measure(model: Path, nlp: Language, records: Sequence[Record]) -> Iterator[Sequence[str]]:
    clean: List[Counts] = []
    for name, find_edits in variants().items():
        changed = [apply_edits(record, find_edits(record.text)).record for record in records]
        gold = [align(record, nlp.make_doc).doc for record in changed]
        found = list(nlp.pipe(doc.text for doc in gold))
        counts = count_documents([compare_docs(*pair) for pair in zip(gold, found)])
        clean = clean or counts
        total = sum(counts, Counts())
        scores = [f"{100 * (x or 0.0):.2f}" for x in (total.precision, total.recall, total.f_score)]
        note(f"{model}: {name}: {scores[-1]}")
        yield (str(model), name, *scores, *compare(clean, counts), str(count_odd(found)))


def compare(clean: Sequence[Counts], counts: Sequence[Counts]) -> Tuple[str, str]:
    """Return the difference in F1 and its interval, by drawing documents."""
    table = np.array([[[c.tp, c.fp, c.fn] for c in side] for side in (clean, counts)], dtype=float)
    drawn = np.random.default_rng(SEED).integers(len(counts), size=(N_RESAMPLES, len(counts)))
    sums = np.concatenate([table.sum(axis=1)[:, None], table[:, drawn].sum(axis=2)], axis=1)
    tp, fp, fn = np.moveaxis(sums, -1, 0)
    f_scores = 200 * tp / np.maximum(2 * tp + fp + fn, 1)
    point, *samples = f_scores[1] - f_scores[0]
    low, high = np.quantile(samples, [0.025, 0.975])
    return f"{point:+.2f}", f"[{low:+.2f}, {high:+.2f}]"


def count_odd(docs: Sequence[Doc]) -> int:
    """Count entities whose first or last character shows nothing."""
    borders = [(ent.text[0], ent.text[-1]) for doc in docs for ent in doc.ents]
    return sum(any(unicodedata.category(c)[0] in "CZ" for c in pair) for pair in borders)


if __name__ == "__main__":
    main()
