"""One document of a million characters: how much memory, and are its entities those of its parts?

    python benchmarks/long_document.py MODEL [--data FOLDER] [--characters 1000000]

Puts BC5CDR test abstracts one after the other, with blank lines between them, until the text is
long enough; annotates it as one document, and the abstracts by themselves, with the component
`bioner` of a pipeline. Entities are compared by offset and label. Prints one Markdown table.
"""

import argparse
import resource
import sys
import time
from itertools import cycle
from typing import List, Sequence, Set, Tuple

import spacy
from _common import add_data, corpus_file, show

from spacy_bioner.corpora.read_write import read_records

HEADER = ("characters", "tokens", "seconds", "MB before", "MB at most", "entities")
HEADER += ("of its parts", "in one of both only")
BREAK = "\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("model", help="a trained or exported pipeline with a `bioner`")
    parser.add_argument("--characters", type=int, default=1_000_000)
    args = parser.parse_args()
    records = read_records(corpus_file(parser, args.data, "bc5cdr", "test"))
    texts = join([record.text for record in records], args.characters)
    nlp = spacy.load(args.model)
    for name in [name for name in nlp.pipe_names if name != "bioner"]:
        nlp.remove_pipe(name)
    before, start = read_peak(), time.perf_counter()
    doc = nlp(BREAK.join(texts))
    seconds, peak = time.perf_counter() - start, read_peak()
    whole = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
    parts = list_parts(nlp, texts)
    cells = (len(doc.text), len(doc), seconds, before, peak, len(whole), len(parts))
    row = [f"{cell:,.0f}" for cell in (*cells, len(whole ^ parts))]
    show([HEADER, tuple(row)], left=0)


def join(texts: Sequence[str], n_characters: int) -> List[str]:
    """Take texts, over and over, until they are long enough together."""
    chosen, length = [], 0
    for text in cycle(texts):
        if length >= n_characters:
            return chosen
        chosen.append(text)
        length += len(text) + len(BREAK)
    return chosen


def list_parts(nlp: spacy.Language, texts: Sequence[str]) -> Set[Tuple[int, int, str]]:
    """List the entities of texts by themselves, at the offsets that they have in the whole."""
    found, base = set(), 0
    for doc in nlp.pipe(texts):
        found |= {(base + ent.start_char, base + ent.end_char, ent.label_) for ent in doc.ents}
        base += len(doc.text) + len(BREAK)
    return found


def read_peak() -> float:
    """Return the greatest resident memory so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
