"""How fast and how large is the gazetteer, next to spaCy's EntityRuler and to pyahocorasick?

    python benchmarks/gazetteer.py [--data FOLDER] [--sizes 10000 100000] [--ours-only 0 5000000]

Prints one Markdown table. Terms are the first n distinct names of the vocabularies in turn (0: all
rows); where there are not so many, names of two to four of their words are drawn. Words are those
of the BC5CDR train split, counted at white space. Each row is made in a process of its own: seconds
to build and to load (a .gaz file with its checksum for the matcher, bytes for components), growth
of the resident memory while loading, words per second over Docs that are tokenized already (the
best of some rounds, each with a table that was just loaded), and size on disk. "matcher" finds
occurrences and writes no spans; its rival (`pip install pyahocorasick`) finds them in texts that
are folded to lower case, and looks for letters and digits beside them.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import chain, islice, zip_longest
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
import spacy
from spacy.tokens import Doc

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.knowledge.gaz import read_gaz, write_gaz
from spacy_bioner.knowledge.terms import Term, read_terms

DEFAULT_DATA = os.environ.get("BIONER_DATA", str(Path(__file__).resolve().parents[1] / "../shared"))
CONFIGS: Dict[str, Dict[str, Any]] = {
    "bioner_gazetteer": {},
    "entity_ruler": {"phrase_matcher_attr": "LOWER"},
}
COLUMNS = ("", "terms", "build s", "peak MB", "load s", "resident MB", "words/s", "MB on disk")
COLUMNS += ("found",)


class Run(NamedTuple):
    """What a system needed: how many found comes with the words per second."""

    n_terms: int
    build: float
    peak: float
    load: float
    resident: float
    speed: float
    size: int
    found: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(DEFAULT_DATA), help="has vocab/ in it")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--ours-only", type=int, nargs="*", default=[0, 5_000_000])
    parser.add_argument("--systems", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if not (args.data / "vocab").is_dir():
        parser.error(f"found no {args.data / 'vocab'}; name the folder that has it with --data")
    there = [name for name in args.systems if name != "pyahocorasick" or find_spec("ahocorasick")]
    runs = [(name, size) for size in args.sizes for name in there]
    runs += [(name, size) for size in args.ours_only for name in there if name in OURS]
    print(_row(COLUMNS), _row(["---", *["---:"] * (len(COLUMNS) - 1)]), sep="\n")
    for name, size in runs:
        # Peak memory is that of a process, so each run gets a fresh one.
        print(_row(_run_apart(measure, name, args.data, size, args.rounds)), flush=True)


def measure(name: str, data: Path, size: int, rounds: int) -> List[str]:
    """Build, save, load and apply one system."""
    nlp = spacy.blank("en")
    texts = [record.text for record in read_pubtator(data / "corpora/bc5cdr/train.pubtator.txt")]
    docs = [nlp.make_doc(text) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        run = SYSTEMS[name](name, lambda: choose_terms(data / "vocab", size), docs, rounds, folder)
    numbers = (f"{run.build:.1f}", f"{run.peak:,.0f}", f"{run.load:.3f}", f"{run.resident:,.0f}")
    speed = f"{run.speed:,.0f}"
    return [name, f"{run.n_terms:,}", *numbers, speed, f"{run.size / 1e6:,.1f}", f"{run.found:,}"]


Terms = Callable[[], Iterator[Term]]


def run_matcher(name: str, terms: Terms, docs: List[Doc], rounds: int, folder: str) -> Run:
    """Write a .gaz file in a process of its own, map it, and find what is there."""
    path = Path(folder) / "terms.gaz"
    peak, began = _peak_megabytes(), time.perf_counter()
    info = write_gaz(terms(), path)
    build, grown = time.perf_counter() - began, _peak_megabytes() - peak
    load, resident = _run_apart(load_gaz, path)
    offsets = [doc.to_array(["IDX", "LENGTH"]).astype(np.int64).reshape(-1, 2) for doc in docs]
    tokenized = [(doc.text, o[:, 0], o.sum(axis=1)) for doc, o in zip(docs, offsets, strict=True)]

    def find() -> Tuple[float, int]:
        matcher, began = read_gaz(path), time.perf_counter()
        found = sum(map(len, matcher.find_all(tokenized)))
        return time.perf_counter() - began, found

    speed, found = _repeat(find, docs, rounds)
    return Run(info.n_terms, build, grown, load, resident, speed, info.size, found)


def load_gaz(path: Path) -> Tuple[float, float]:
    """Return the seconds that a file needs to load, and the resident memory in MB."""
    before, began = _resident_megabytes(), time.perf_counter()
    matcher = read_gaz(path)
    load = time.perf_counter() - began
    grown = _resident_megabytes() - before
    assert len(matcher)
    return load, grown


def run_component(name: str, terms: Terms, docs: List[Doc], rounds: int, folder: str) -> Run:
    """Fill a component, and apply it to Docs."""
    nlp = spacy.blank("en")
    component: Any = nlp.add_pipe(name, config=CONFIGS[name])
    peak, began = _peak_megabytes(), time.perf_counter()
    add(component, terms())
    build, grown = time.perf_counter() - began, _peak_megabytes() - peak
    saved = component.to_bytes()
    before, began = _resident_megabytes(), time.perf_counter()
    nlp.create_pipe(name, config=CONFIGS[name]).from_bytes(saved)
    load, resident = time.perf_counter() - began, _resident_megabytes() - before

    def find() -> Tuple[float, int]:
        applied = component
        if name in OURS:
            applied = nlp.create_pipe(name, config=CONFIGS[name]).from_bytes(saved)
        copies = [doc.copy() for doc in docs]
        began = time.perf_counter()
        found = sum(len(doc.ents) for doc in applied.pipe(copies))
        return time.perf_counter() - began, found

    speed, found = _repeat(find, docs, rounds)
    return Run(len(component), build, grown, load, resident, speed, len(saved), found)


def add(component: Any, terms: Iterator[Term]) -> None:
    """Add terms and have them compiled."""
    if hasattr(component, "add_terms"):
        component.add_terms(terms)
        len(component.term_matcher)
        return
    component.add_patterns(
        [{"label": term.label, "pattern": term.name, "id": term.id} for term in terms]
    )


def run_rival(name: str, terms: Terms, docs: List[Doc], rounds: int, folder: str) -> Run:
    """Apply an automaton of folded names to folded texts, and look at the borders."""
    import ahocorasick

    path = str(Path(folder) / "automaton")
    peak, began = _peak_megabytes(), time.perf_counter()
    automaton = ahocorasick.Automaton()
    for index, term in enumerate(terms()):
        automaton.add_word(term.name.lower(), (len(term.name.lower()), index))
    automaton.make_automaton()
    build, grown = time.perf_counter() - began, _peak_megabytes() - peak
    automaton.save(path, lambda value: repr(value).encode())
    before, began = _resident_megabytes(), time.perf_counter()
    ahocorasick.load(path, lambda data: data)
    load, resident = time.perf_counter() - began, _resident_megabytes() - before

    def find() -> Tuple[float, int]:
        began, found = time.perf_counter(), []
        for doc in docs:
            text = f" {doc.text.lower()} "
            for last, (length, index) in automaton.iter(text):
                if not text[last + 1].isalnum() and not text[last - length].isalnum():
                    found.append((last - length, last, index))
        return time.perf_counter() - began, len(found)

    speed, n_found = _repeat(find, docs, rounds)
    size = Path(path).stat().st_size
    return Run(len(automaton), build, grown, load, resident, speed, size, n_found)


SYSTEMS = {
    "bioner_gazetteer": run_component,
    "entity_ruler": run_component,
    "matcher": run_matcher,
    "pyahocorasick": run_rival,
}
OURS = ("bioner_gazetteer", "matcher")


def choose_terms(folder: Path, size: int) -> Iterator[Term]:
    """Return the first terms of the vocabularies, or all rows; drawn ones where they do not do."""
    if size:
        yield from islice(chain(distinct_terms(folder), drawn_terms(folder)), size)
        return
    for path in sorted(folder.glob("*.tsv")):
        yield from read_terms(path, label=path.stem)


def distinct_terms(folder: Path) -> Iterator[Term]:
    """Take a term of each vocabulary in turn, names once each; the label is the file's name."""
    tables = [read_terms(path, label=path.stem) for path in sorted(folder.glob("*.tsv"))]
    seen = set()
    for term in chain.from_iterable(zip_longest(*tables)):
        if term is not None and len(term.name) > 1 and term.name.lower() not in seen:
            seen.add(term.name.lower())
            yield term


def drawn_terms(folder: Path, seed: int = 0) -> Iterator[Term]:
    """Draw names of two to four words of the vocabularies, without end."""
    words = sorted({word for term in distinct_terms(folder) for word in term.name.split()})
    rng, number = random.Random(seed), 0
    while True:
        number += 1
        name = " ".join(rng.choices(words, k=rng.randint(2, 4)))
        yield Term(name, "drawn", f"S{number}")


def _repeat(
    find: Callable[[], Tuple[float, int]], docs: Sequence[Doc], rounds: int
) -> Tuple[float, int]:
    times, counts = zip(*(find() for _ in range(rounds)), strict=True)
    return sum(len(doc.text.split()) for doc in docs) / min(times), counts[0]


def _run_apart(function: Callable[..., Any], *args: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
