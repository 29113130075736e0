"""How well are abbreviation definitions found, and what do they say about entities?

    python benchmarks/abbreviations.py [--data FOLDER]
    python benchmarks/abbreviations.py [--data FOLDER] --draw 200 [--seed 0]

Prints three Markdown tables. Definitions: pairs of short and long form on the 1,250 abstracts of
MED1250, compared as texts with white space collapsed, once per abstract: of all abstracts, of those
at even positions, whose errors were read when the rules were made, and of the others, whose errors
nobody read; scispaCy's detector and the package `abbreviations` join in where they are installed.
Gold: on the train and dev splits of corpora with entities, what the short form is, given the long
form. Gazetteer: the same splits, where a gazetteer's labels contradict a definition. The defaults
of `bioner_abbreviations` follow from the last two.

With `--draw N` it prints N pairs to be read one by one instead, each from another document of the
unlabelled texts, with the text around it.
"""

import argparse
import importlib
import importlib.util
import logging
import lzma
import os
import random
import re
import time
from collections import Counter
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, NamedTuple, Sequence, Set, Tuple

import spacy
from spacy.tokens import Doc

from spacy_bioner.components.abbreviations import find_abbreviations
from spacy_bioner.components.gazetteer import Gazetteer
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.knowledge.definitions import Definition, find_definitions
from spacy_bioner.knowledge.short_forms import ProposedEntity, find_meanings
from spacy_bioner.knowledge.terms import read_terms
from spacy_bioner.records import Record
from spacy_bioner.sentences import sentence_starts

DEFAULT_DATA = os.environ.get("BIONER_DATA", str(Path(__file__).resolve().parents[1] / "../shared"))
CORPORA = ("ncbi_disease", "bc5cdr", "biored")
SPLITS = ("train", "dev")
VOCABULARIES = (
    ("medic_2012.tsv", "Disease"),
    ("mesh_chemical_snorkel_lowercase.tsv", "Chemical"),
    ("drugcentral.tsv", "Chemical"),
)
# The sub-types of NCBI-disease do not matter here.
DISEASES = ("SpecificDisease", "DiseaseClass", "CompositeMention", "Modifier")

Pair = Tuple[str, str]
Detect = Callable[[str], FrozenSet[Pair]]
Table = List[Sequence[str]]


class Abstract(NamedTuple):
    text: str
    pairs: FrozenSet[Pair]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(DEFAULT_DATA), help="has corpora/ in it")
    parser.add_argument("--draw", type=int, default=0, metavar="N", help="pairs to print and read")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs that are drawn")
    args = parser.parse_args()
    if args.draw:
        print("\n".join(draw_pairs(args.data / "text", args.draw, seed=args.seed)))
        return
    path = args.data / "corpora" / "med1250_abbreviations" / "MED1250_labeled.txt"
    if not path.is_file():
        parser.error(f"found no {path}; name the folder that has corpora/ in it with --data")
    records = {corpus: list(read_splits(args.data, corpus)) for corpus in CORPORA}
    for table in (
        compare_detectors(list(read_abstracts(path))),
        compare_with_gold(records),
        contradict(records, args.data / "vocab"),
    ):
        print("\n".join(f"| {' | '.join(row)} |" for row in table), end="\n\n")


def read_abstracts(path: Path) -> Iterator[Abstract]:
    """Read blocks of PMID, title, abstract and indented `SHORT|LONG` lines."""
    # The file is Windows-1252; lines that start with "//" are the annotators' notes.
    for block in re.split(r"\n\s*\n", path.read_bytes().decode("cp1252").replace("\r", "")):
        lines = [line for line in block.split("\n") if line.strip() and not line.startswith("//")]
        gold = [line for line in lines if line.startswith("  ")]
        text = "\n".join(line for line in lines[1:] if not line.startswith("  "))
        split = (line.partition("|")[::2] for line in gold)
        yield Abstract(text, frozenset((_collapse(s), _collapse(long)) for s, long in split))


def compare_detectors(abstracts: Sequence[Abstract]) -> Table:
    rows: Table = [
        ("definitions", "abstracts", "pairs", "found", "right", "P", "R", "F1", "words/s"),
        ("---", "---", *["---:"] * 7),
    ]
    words = sum(len(abstract.text.split()) for abstract in abstracts)
    for name, detect in detectors().items():
        began = time.perf_counter()
        found = [detect(abstract.text) for abstract in abstracts]
        seconds = time.perf_counter() - began
        for part, first, step in (("all", 0, 1), ("even", 0, 2), ("odd", 1, 2)):
            speed = f"{words / seconds:,.0f}" if step == 1 else ""
            scores = score_pairs(abstracts[first::step], found[first::step])
            rows.append((name, part, *scores, speed))
    return rows


def score_pairs(abstracts: Sequence[Abstract], found: Sequence[FrozenSet[Pair]]) -> Tuple[str, ...]:
    """Return the counts of gold, found and right pairs, and precision, recall and F1."""
    gold = sum(len(abstract.pairs) for abstract in abstracts)
    right = sum(len(a.pairs & pairs) for a, pairs in zip(abstracts, found, strict=True))
    total = sum(map(len, found))
    scores = (right / total, right / gold, 2 * right / (total + gold))
    return (f"{gold:,}", f"{total:,}", f"{right:,}", *(f"{100 * score:.2f}" for score in scores))


def draw_pairs(folder: Path, number: int, *, seed: int) -> Iterator[str]:
    """Draw documents of the unlabelled texts, and of each one pair that was not drawn before."""
    lines = []
    for path in sorted(folder.glob("*.txt.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            lines += file.readlines()
    draw = random.Random(seed)
    draw.shuffle(lines)
    nlp = spacy.blank("en")
    nlp.max_length = max(map(len, lines), default=0) + 1
    drawn: Set[Pair] = set()
    for line in lines:
        if len(drawn) == number:
            return
        found = find_abbreviations(nlp.make_doc(line))
        found = [one for one in found if (one.short_text, one.long_text.lower()) not in drawn]
        if found:
            pair = draw.choice(found)
            drawn.add((pair.short_text, pair.long_text.lower()))
            start = max(0, min(pair.short_start, pair.long_start) - 60)
            around = line[start : max(pair.short_end, pair.long_end) + 40]
            yield f"{len(drawn)}. {_collapse(pair.short_text)} = {_collapse(pair.long_text)}"
            yield f"    … {_collapse(around)} …"


def detectors() -> Dict[str, Detect]:
    nlp = spacy.blank("en")

    def detect_ours(text: str) -> FrozenSet[Pair]:
        found = find_abbreviations(nlp.make_doc(text))
        return frozenset((_collapse(d.short_text), _collapse(d.long_text)) for d in found)

    result: Dict[str, Detect] = {"ours": detect_ours}
    if importlib.util.find_spec("scispacy"):
        result[f"scispaCy {metadata.version('scispacy')}"] = scispacy_detector()
    for package in metadata.distributions(name="abbreviations"):
        result[f"abbreviations {package.version}"] = schwartz_hearst_detector(package)
    return result


def scispacy_detector() -> Detect:
    nlp = spacy.blank("en")
    tokenizer = importlib.import_module("scispacy.custom_tokenizer")
    nlp.tokenizer = tokenizer.combined_rule_tokenizer(nlp)
    detector = importlib.import_module("scispacy.abbreviation").AbbreviationDetector(nlp)

    def detect(text: str) -> FrozenSet[Pair]:
        doc: Doc = detector(nlp.make_doc(text))
        found = doc._.abbreviations
        return frozenset((_collapse(s.text), _collapse(s._.long_form.text)) for s in found)

    return detect


def schwartz_hearst_detector(package: metadata.Distribution) -> Detect:
    """Wrap the package `abbreviations`, which wants one sentence a line.

    It is loaded from its file: this script has its name.
    """
    path = str(package.locate_file("abbreviations/schwartz_hearst.py"))
    spec: Any = importlib.util.spec_from_file_location("schwartz_hearst", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # It logs each bracket that it cannot read.
    logging.disable(logging.ERROR)

    def detect(text: str) -> FrozenSet[Pair]:
        borders = pairwise([*sentence_starts(text), len(text)])
        lines = "\n".join(_collapse(text[start:end]) for start, end in borders)
        found = module.extract_abbreviation_definition_pairs(doc_text=lines)
        return frozenset((_collapse(s), _collapse(long)) for s, long in found.items())

    return detect


def read_splits(data: Path, corpus: str) -> Iterator[Record]:
    for split in SPLITS:
        yield from read_pubtator(data / "corpora" / corpus / f"{split}.pubtator.txt")


def compare_with_gold(records: Dict[str, List[Record]]) -> Table:
    """Count what the gold short form is, by what the gold long form is."""
    rows: Table = [
        ("corpus", "the long form", "definitions", "short form: same label", "other label", "none"),
        ("---", "---", *["---:"] * 4),
    ]
    for corpus, documents in records.items():
        counts: Counter[Tuple[str, str]] = Counter()
        for record in documents:
            gold = gold_proposals(record)
            labels = {(p.start_char, p.end_char): p.label for p in gold}
            for definition in definitions_in(record.text):
                kind, label = describe(record.text, definition, gold)
                short = labels.get((definition.short_start, definition.short_end), "")
                outcome = "none" if not short else "same" if short == label else "other"
                counts[kind, outcome] += 1
        for kind in dict.fromkeys(kind for kind, _ in sorted(counts)):
            cells = [counts[kind, outcome] for outcome in ("same", "other", "none")]
            rows.append((corpus, kind, str(sum(cells)), *map(str, cells)))
    return rows


def contradict(records: Dict[str, List[Record]], vocabulary: Path) -> Table:
    """Count who is right where a gazetteer's label of a short form contradicts the definition."""
    nlp = spacy.blank("en")
    gazetteer = Gazetteer(nlp)
    for file_name, label in VOCABULARIES:
        gazetteer.add_terms(read_terms(vocabulary / file_name, label=label))
    rows: Table = [
        ("corpus", "gazetteer", "short forms", "as long form", "as gazetteer", "other", "none"),
        ("---", "---", *["---:"] * 5),
    ]
    for corpus in ("ncbi_disease", "bc5cdr"):
        known = {proposal.label for r in records[corpus] for proposal in gold_proposals(r)}
        counts: Counter[Tuple[str, str]] = Counter()
        for record in records[corpus]:
            doc = gazetteer(nlp.make_doc(record.text))
            spans = doc.spans["bioner_gazetteer"]
            found = [ProposedEntity(s.start_char, s.end_char, s.label_) for s in spans]
            found = [proposal for proposal in found if proposal.label in known]
            counts.update(contradictions(record, found))
        for kind in dict.fromkeys(kind for kind, _ in sorted(counts)):
            cells = [counts[kind, outcome] for outcome in ("long", "gazetteer", "other", "none")]
            rows.append((corpus, kind, str(sum(cells)), *map(str, cells)))
    return rows


def contradictions(record: Record, found: List[ProposedEntity]) -> Iterator[Tuple[str, str]]:
    gold = {(p.start_char, p.end_char): p.label for p in gold_proposals(record)}
    tagged = {(p.start_char, p.end_char): p.label for p in found}
    for definition in definitions_in(record.text):
        offsets = (definition.short_start, definition.short_end)
        kind, label = describe(record.text, definition, found)
        if offsets not in tagged or tagged[offsets] == label:
            continue
        if kind not in ("is an entity", "touches no entity"):
            continue
        right = {label: "long", tagged[offsets]: "gazetteer", "": "none"}
        yield f"long form {kind}", right.get(gold.get(offsets, ""), "other")


def describe(text: str, definition: Definition, proposals: List[ProposedEntity]) -> Tuple[str, str]:
    """Say how the entities relate to a long form, and the label that it has then."""
    (meaning,) = find_meanings(text, [definition], proposals)
    if meaning.entity is None:
        return ("touches no entity" if meaning.unsupported else "touches an entity"), ""
    shift = meaning.entity.start_char - definition.long_start
    kind = "is an entity" if shift == 0 else "ends an entity" if shift < 0 else "ends with one"
    return kind, meaning.entity.label


def definitions_in(text: str) -> List[Definition]:
    pairs = pairwise([*sentence_starts(text), len(text)])
    return [found for start, end in pairs for found in find_definitions(text, start, end)]


def gold_proposals(record: Record) -> List[ProposedEntity]:
    return [ProposedEntity(m.start_char, m.end_char, _coarse(m.label)) for m in record.mentions]


def _coarse(label: str) -> str:
    return "Disease" if label in DISEASES else label


def _collapse(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
