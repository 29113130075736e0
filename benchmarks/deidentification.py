"""What do the rules of `bioner deidentify` find, and what do they take for an identifier?

    python benchmarks/deidentification.py [--data FOLDER] [--model PIPELINE] [--sentences FILE]

Prints Markdown tables. The first give recall by type on Presidio's synthetic sentences and on
clinical queries. A span counts as covered when each of its characters but white space is part of
something found, whatever its label: what is left of it would be published. Titles ("Dr.") and "#"
are no part of an identifier. Types that the rules do not look for are below the line of all that
they do. Precision is the share of what was found that touches an annotation of any type. In
brackets: 95 % intervals (Wilson) over spans, as if they were independent. The last table counts
what is found in published biomedical text; `--list` shows it: dates of studies and visits are
dates, all else is a mistake.

The rules were written with half of the queries (the first, the third, …) and the Presidio
sentences in view, and checked against BC5CDR train and MACCROBAT. Held out: the other half of the
queries, BC5CDR dev.
"""

import argparse
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Set, Tuple

from _common import add_data, show

from spacy_bioner.apps.corpora.identifier_finders import MODEL_LABELS, build_finder
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.deidentification import Find

# Types of the test sets by what the rules call them; others are beyond what rules look for.
SOUGHT = {label: name for label, name in MODEL_LABELS.items() if name != "LOCATION"}
# Years alone and ages up to 89 may stand, and a title names nobody.
YEAR = re.compile(r"\d{4}")
BEFORE = re.compile(r"^(?:(?:Dr|Mr|Mrs|Ms)\.? |(?:\w+ )?(?:ID|case)?:? ?#|\w+ ID: )", re.IGNORECASE)
NOT_IDENTIFIERS = frozenset(("TITLE", "AGE"))
BIOMEDICAL = {
    "bc5cdr train": "bc5cdr/train.pubtator.txt",
    "bc5cdr dev (held out)": "bc5cdr/dev.pubtator.txt",
    "maccrobat2020": "maccrobat2020",
}
ALL = "all that rules look for"
HEADER = ("type", "n", "covered %", "touched %", "characters", "characters covered %")


@dataclass
class Tally:
    """Gold spans of one type, and what became of them."""

    spans: int = 0
    covered: int = 0
    touched: int = 0
    characters: int = 0
    characters_covered: int = 0

    def add(self, span: Set[int], found: Set[int]) -> None:
        hit = len(span & found)
        self.spans += 1
        self.covered += hit == len(span)
        self.touched += hit > 0
        self.characters += len(span)
        self.characters_covered += hit

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(vars(self)[name] + vars(other)[name] for name in vars(self)))

    def row(self, name: str) -> Tuple[str, ...]:
        return (
            name,
            f"{self.spans:,}",
            render_share(self.covered, self.spans),
            render_share(self.touched, self.spans),
            f"{self.characters:,}",
            f"{100 * self.characters_covered / max(1, self.characters):.1f}",
        )


@dataclass
class Result:
    """What was found in a test set."""

    by_type: Dict[str, Tally] = field(default_factory=dict)
    found: int = 0
    right: int = 0
    found_characters: int = 0
    right_characters: int = 0
    wrong: Counter = field(default_factory=Counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--model", help="pipeline whose entities are added to the rules")
    parser.add_argument("--sentences", type=Path, help="score on this corpus alone, in any format")
    parser.add_argument(
        "--list", choices=BIOMEDICAL, help="show what is found in one biomedical corpus instead"
    )
    args = parser.parse_args()
    if args.sentences:
        find = build_finder(args.model)
        report(args.sentences.name, list(read_records(args.sentences)), find)
        return
    folder = args.data.resolve() / "corpora"
    sentences = folder / "deid_synthetic/presidio_synth_dataset_v2.json"
    if not sentences.is_file():
        parser.error(f"found no {sentences}; name the folder with corpora/ in it with --data")
    find = build_finder(args.model)
    biomedical = {name: folder / path for name, path in BIOMEDICAL.items()}
    if args.list:
        list_found(read_records(biomedical[args.list]), find)
        return
    queries = read_queries(folder / "deid_synthetic/clinical_queries.txt")
    halves = {"seen": queries[::2], "held out": queries[1::2]}
    sets = {"Presidio's sentences (seen)": list(read_records(sentences, "presidio"))}
    sets.update({f"clinical queries ({name})": half for name, half in halves.items()})
    for name, records in sets.items():
        report(name, records, find)
    rows = [("corpus", "words", "found", "per 1,000 words", "by type")]
    rows += [
        count_found(name, read_records(path), find)
        for name, path in biomedical.items()
        if path.exists()
    ]
    show(rows, n=f"{len(rows) - 1} corpora", seed="none")


def report(name: str, records: Sequence[Record], find: Find) -> None:
    """Print the recall table of one test set with its precision."""
    result = score(records, find)
    sought = {key: tally for key, tally in result.by_type.items() if key in SOUGHT}
    others = {key: tally for key, tally in result.by_type.items() if key not in SOUGHT}
    rows = [HEADER]
    rows += [tally.row(f"{key} → {SOUGHT[key]}") for key, tally in sorted(sought.items())]
    rows.append(sum(sought.values(), Tally()).row(ALL))
    rows += [tally.row(f"not looked for: {key}") for key, tally in sorted(others.items())]
    characters = 100 * result.right_characters / max(1, result.found_characters)
    show(
        rows,
        set=name,
        n=f"{len(records):,} texts",
        seed="none",
        precision=f"spans {render_share(result.right, result.found)} % of {result.found:,}, "
        f"characters {characters:.1f} % of {result.found_characters:,}",
        wrong=", ".join(f"{label} {number}" for label, number in result.wrong.most_common()),
    )
    print()


def score(records: Iterable[Record], find: Find) -> Result:
    """Compare what is found with the gold of a test set, at characters that are no white space."""
    result = Result()
    for record in records:
        spans = list(find(record.text))
        found = {at for item in spans for at in cover(record.text, item.start, item.end)}
        gold = {at for m in record.mentions for at in cover(record.text, m.start_char, m.end_char)}
        for mention in record.mentions:
            if is_identifier(mention, record.text):
                tally = result.by_type.setdefault(mention.label, Tally())
                tally.add(cover(record.text, mention.start_char, mention.end_char), found)
        for item in spans:
            right = bool(cover(record.text, item.start, item.end) & gold)
            result.found += 1
            result.right += right
            result.wrong.update([] if right else [item.label])
        result.found_characters += len(found)
        result.right_characters += len(found & gold)
    return result


def is_identifier(mention: Mention, text: str) -> bool:
    """Tell whether Safe Harbor wants an annotation of a test set removed."""
    if SOUGHT.get(mention.label) == "DATE":
        return YEAR.fullmatch(text[mention.start_char : mention.end_char]) is None
    return mention.label not in NOT_IDENTIFIERS


def cover(text: str, start: int, end: int) -> Set[int]:
    """Return the offsets of the characters that are no white space."""
    return {at for at in range(start, end) if not text[at].isspace()}


def read_queries(path: Path) -> List[Record]:
    """Read queries with tags below them, which give values without offsets: the first is taken."""
    if not path.is_file():
        return []
    records = []
    for number, block in enumerate(path.read_text(encoding="utf-8").split("===QUERY===")[1:]):
        text, _, lines = (part.strip() for part in block.partition("===PHI_TAGS==="))
        mentions = []
        for line in lines.splitlines():
            tag = json.loads(line)
            value = BEFORE.sub("", tag["value"])
            start = text.find(value)
            if start >= 0:
                end = start + len(value)
                mentions.append(Mention(start, end, tag["identifier_type"], value))
        records.append(Record(str(number), text, tuple(mentions)))
    return records


def count_found(name: str, records: Iterable[Record], find: Find) -> Tuple[str, ...]:
    """Count what is found in a corpus of published text."""
    words = 0
    labels: Counter = Counter()
    for record in records:
        words += len(record.text.split())
        labels.update(item.label for item in find(record.text))
    by_type = ", ".join(f"{label} {number}" for label, number in labels.most_common())
    found = sum(labels.values())
    return name, f"{words:,}", str(found), f"{1000 * found / max(1, words):.2f}", by_type


def list_found(records: Iterable[Record], find: Find) -> None:
    """Print each find with its rule and what stands around it."""
    for record in records:
        for item in find(record.text):
            before = record.text[max(0, item.start - 30) : item.start]
            behind = record.text[item.end : item.end + 30]
            line = f"{before}⟦{record.text[item.start : item.end]}⟧{behind}"
            print(f"{item.label}\t{item.source}\t{record.id}\t{' '.join(line.split())}")


def render_share(part: int, whole: int) -> str:
    """Render a share in per cent with its 95 % interval (Wilson 1927); a dash without a whole."""
    if not whole:
        return "–"
    z = 1.96
    share = part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    width = (
        z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole**2)) / (1 + z * z / whole)
    )
    return f"{100 * share:.1f} [{100 * max(0, middle - width):.1f}, {100 * (middle + width):.1f}]"


if __name__ == "__main__":
    main()
