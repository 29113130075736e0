"""How often are mentions that share words taken apart as the annotators did?

    python benchmarks/coordination.py [--data FOLDER] [--split test] [--model NAME] [--show]

Prints one Markdown table. BC5CDR names the members of a composite mention; those are counted that
do not stand together in the text ("renal dysfunction" in "renal and hepatic dysfunction"), and all
members of the mentions that have one. Entities are the gold ones, or with --model those that a
pipeline finds. MACCROBAT marks discontinuous mentions by their offsets; entities are its continuous
ones. It leaves a row within one mention together, so that only what is found beside entities
counts there.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

import spacy
from _common import add_data, corpus_file, percent, show

from spacy_bioner.corpora.formats.standoff.brat import read_brat
from spacy_bioner.knowledge.coordination import BESIDE, find_coordinated

Row = Tuple[int, int, Tuple[str, ...]]
"""An entity's offsets and the texts of its members, none of a plain one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--split", default="test", help="of BC5CDR")
    parser.add_argument("--model", help="a pipeline that finds the entities")
    parser.add_argument("--show", action="store_true", help="show what is wrong or missed")
    args = parser.parse_args()
    path = corpus_file(parser, args.data, "bc5cdr", args.split)
    documents = list(read_members(path))
    rows = [("corpus", "entities", "members", "found", "right", "precision", "recall")]
    rows.append(_row(f"BC5CDR {args.split}", "gold", score_bc5cdr(documents, show_all=args.show)))
    if args.model:
        predicted = predict(args.model, [text for text, _ in documents])
        counts = score_bc5cdr(documents, predicted, show_all=args.show)
        rows.append(_row(f"BC5CDR {args.split}", args.model, counts))
    counts = score_maccrobat(args.data / "corpora" / "maccrobat2020", show_all=args.show)
    rows.append(_row("MACCROBAT, all", "gold, continuous", counts))
    show(rows, left=2, seed="none")


def read_members(path: Path) -> Iterator[Tuple[str, List[Row]]]:
    """Read each document's text, and its mentions with the members of composite ones."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.strip("\n").split("\n") if line]
        if len(lines) < 2:
            continue
        text = " ".join(line.split("|", 2)[2] for line in lines[:2])
        fields = [line.split("\t") for line in lines[2:]]
        yield (
            text,
            [
                (int(f[1]), int(f[2]), tuple(f[6].split("|")) if len(f) > 6 else ())
                for f in fields
                if f[1].isdigit()
            ],
        )


def predict(model: str, texts: Sequence[str]) -> List[List[Tuple[int, int]]]:
    nlp = spacy.load(model)
    return [[(ent.start_char, ent.end_char) for ent in doc.ents] for doc in nlp.pipe(texts)]


def score_bc5cdr(
    documents: Sequence[Tuple[str, List[Row]]],
    predicted: Iterable[List[Tuple[int, int]]] = (),
    *,
    show_all: bool,
) -> Counter:
    counts: Counter = Counter()
    given = list(predicted) or [[row[:2] for row in rows] for _, rows in documents]
    for (text, rows), entities in zip(documents, given, strict=True):
        gold = {
            (start, end): Counter(_normal(member) for member in members)
            for start, end, members in rows
            if any(_normal(member) not in _normal(text[start:end]) for member in members)
        }
        counts["members"] += sum(sum(members.values()) for members in gold.values())
        found: Dict[Tuple[int, int], List[str]] = {}
        for start, end in entities:
            mentions = find_coordinated(text, start, end)
            if mentions:
                first = min(m.fragments[0][0] for m in mentions)
                last = max(m.fragments[-1][1] for m in mentions)
                found[first, last] = [
                    _normal(" ".join(text[s:e] for s, e in m.fragments)) for m in mentions
                ]
        _count(counts, text, gold, found, show_all=show_all)
    return counts


def _count(
    counts: Counter,
    text: str,
    gold: Dict[Tuple[int, int], Counter],
    found: Dict[Tuple[int, int], List[str]],
    *,
    show_all: bool,
) -> None:
    for place in sorted({*gold, *found}):
        right = Counter(found.get(place, ())) & gold.get(place, Counter())
        counts["found"] += len(found.get(place, ()))
        counts["right"] += sum(right.values())
        if show_all and Counter(found.get(place, ())) != gold.get(place):
            print(f"{text[slice(*place)]} | {found.get(place)} | {sorted(gold.get(place, ()))}")


def score_maccrobat(folder: Path, *, show_all: bool) -> Counter:
    """Compare the fragments of discontinuous mentions with those that are found."""
    counts: Counter = Counter()
    for record in read_brat(folder):
        gold = {mention.fragments for mention in record.mentions if len(mention.fragments) > 1}
        places = {(m.start_char, m.end_char) for m in record.mentions if len(m.fragments) < 2}
        found = {
            mention.fragments
            for start, end in places
            for mention in find_coordinated(record.text, start, end)
            if len(mention.fragments) > 1 and mention.rule.endswith(BESIDE)
        }
        counts.update(members=len(gold), found=len(found), right=len(gold & found))
        if show_all:
            for fragments in sorted(gold ^ found):
                side = "wrong" if fragments in found else "missed"
                words = " … ".join(record.text[start:end] for start, end in fragments)
                print(f"{side}: {words} | {record.text[fragments[0][0] : fragments[-1][1] + 20]!r}")
    return counts


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()


def _row(corpus: str, entities: str, counts: Counter) -> Tuple[str, ...]:
    precision = counts["right"] / counts["found"] if counts["found"] else None
    recall = counts["right"] / counts["members"] if counts["members"] else None
    numbers = (f"{counts[name]}" for name in ("members", "found", "right"))
    return (corpus, entities, *numbers, percent(precision), percent(recall))


if __name__ == "__main__":
    main()
