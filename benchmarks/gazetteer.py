"""How fast and how large is the gazetteer, next to spaCy's EntityRuler on the same terms?

    python benchmarks/gazetteer.py [--data FOLDER] [--sizes 10000 50000] [--ours-only 500000 0]

Prints one Markdown table. Terms are the first n distinct names of the vocabularies in turn
(0: all of them); words are those of the BC5CDR train split, counted at white space. Each row is
one run in a process of its own: seconds to build, seconds to load from bytes, words per second
over Docs that are tokenized already, growth of the peak memory while building, and size on disk.
"""

import argparse
import multiprocessing
import os
import resource
import time
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import spacy

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.knowledge.terms import Term, read_terms

DEFAULT_DATA = os.environ.get("BIONER_DATA", str(Path(__file__).resolve().parents[1] / "../shared"))
FACTORIES = {"bioner_gazetteer": "ours", "entity_ruler": "spaCy EntityRuler"}
CONFIGS: Dict[str, Dict[str, Any]] = {
    "bioner_gazetteer": {},
    "entity_ruler": {"phrase_matcher_attr": "LOWER"},
}
COLUMNS = ("", "terms", "build s", "load s", "words/s", "peak MB", "MB on disk", "entities")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(DEFAULT_DATA), help="has vocab/ in it")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 50_000])
    parser.add_argument("--ours-only", type=int, nargs="*", default=[500_000, 0])
    args = parser.parse_args()
    if not (args.data / "vocab").is_dir():
        parser.error(f"found no {args.data / 'vocab'}; name the folder that has it with --data")
    runs = [(factory, size) for size in args.sizes for factory in FACTORIES]
    runs += [("bioner_gazetteer", size) for size in args.ours_only]
    print(_row(COLUMNS), _row(["---", *["---:"] * (len(COLUMNS) - 1)]), sep="\n")
    for factory, size in runs:
        # Peak memory is that of a process, so each run gets a fresh one.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(_row(pool.apply(measure, (factory, args.data, size))), flush=True)


def measure(factory: str, data: Path, size: int) -> List[str]:
    """Build, save, load and apply one component."""
    nlp = spacy.blank("en")
    texts = [record.text for record in read_pubtator(data / "corpora/bc5cdr/train.pubtator.txt")]
    docs = [nlp.make_doc(text) for text in texts]
    terms = list(islice(distinct_terms(data / "vocab"), size or None))
    component: Any = nlp.add_pipe(factory, config=CONFIGS[factory])
    peak, began = _peak_megabytes(), time.perf_counter()
    add(component, terms)
    build, grown = time.perf_counter() - began, _peak_megabytes() - peak
    saved = component.to_bytes()
    empty: Any = nlp.create_pipe(factory, config=CONFIGS[factory])
    began = time.perf_counter()
    empty.from_bytes(saved)
    load = time.perf_counter() - began
    began = time.perf_counter()
    entities = sum(len(component(doc).ents) for doc in docs)
    speed = sum(len(text.split()) for text in texts) / (time.perf_counter() - began)
    numbers = (f"{build:.1f}", f"{load:.2f}", f"{speed:,.0f}", f"{grown:,.0f}")
    return [
        FACTORIES[factory],
        f"{len(terms):,}",
        *numbers,
        f"{len(saved) / 1e6:,.1f}",
        f"{entities:,}",
    ]


def add(component: Any, terms: Sequence[Term]) -> None:
    """Add terms and have them compiled."""
    if hasattr(component, "add_terms"):
        component.add_terms(terms)
        len(component.term_matcher)
        return
    component.add_patterns(
        [{"label": term.label, "pattern": term.name, "id": term.id} for term in terms]
    )


def distinct_terms(folder: Path) -> Iterator[Term]:
    """Take a term of each vocabulary in turn, names once each; the label is the file's name."""
    tables = [read_terms(path, label=path.stem) for path in sorted(folder.glob("*.tsv"))]
    seen = set()
    for term in chain.from_iterable(zip_longest(*tables)):
        if term is not None and len(term.name) > 1 and term.name.lower() not in seen:
            seen.add(term.name.lower())
            yield term


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
