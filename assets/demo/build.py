"""Make the demo corpus: marked-up text in `source/` → one PubTator file for each split.

    python assets/demo/build.py

Usage from elsewhere: `build(source_folder, target_folder)`.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

from spacy_bioner.corpora.formats.pubtator import write_pubtator
from spacy_bioner.errors import BionerError, CorpusError
from spacy_bioner.files.lines import read_lines
from spacy_bioner.records import Mention, Record
from spacy_bioner.sentences import sentence_starts

SPLITS = ("train", "dev", "test")
KINDS = ("abstract", "case")
ID_FORMS = {
    "Disease": re.compile(r"MESH:[CD]\d{6,9}"),
    "Chemical": re.compile(r"MESH:[CD]\d{6,9}"),
    "Gene": re.compile(r"NCBIGene:\d+"),
    "Species": re.compile(r"NCBITaxon:\d+"),
    "Anatomy": re.compile(r"UBERON:\d{7}|CL:\d{7}"),
}
_HEADER = re.compile(r"== (\S+) \| (\S+) \| (\S+)")
_MARKUP = re.compile(r"\[\[([^\[\]|]*)\|([^\[\]|]*)\|([^\[\]|]*)\]\]")
_REMNANT = re.compile(r"\[\[|\]\]|\|")


@dataclass(frozen=True)
class DemoDocument:
    """A document of the source: its record, its split ("train", "dev", "test") and its kind."""

    record: Record
    split: str
    kind: str


def build(source: Path, target: Path) -> Dict[str, List[DemoDocument]]:
    """Write `<split>.pubtator.txt` for each split, documents in the order of their ids.

    RETURNS (Dict[str, List[DemoDocument]]): What was written, by split.
    RAISES (CorpusError): A malformed source, with file and line; nothing is written then.
    """
    documents = read_sources(source)
    by_split = {
        split: [document for document in documents if document.split == split] for split in SPLITS
    }
    for split, members in by_split.items():
        if not members:
            raise CorpusError(f"found no {split} document, expected at least one", path=source)
    for split, members in by_split.items():
        records = (document.record for document in members)
        write_pubtator(records, target / f"{split}.pubtator.txt")
    return by_split


def read_sources(folder: Path) -> List[DemoDocument]:
    """Read every .txt file of a folder; identifiers must be unique over all of them.

    RAISES (CorpusError): No file, a malformed one, or an identifier used twice.
    """
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise CorpusError("found no .txt file, expected marked-up documents", path=folder)
    seen: Dict[str, str] = {}
    documents: List[DemoDocument] = []
    for path in files:
        for line, document in read_source(path):
            name = document.record.id
            if name in seen:
                message = f"found id {name} again, expected a new one (it is used at {seen[name]})"
                raise CorpusError(message, path=path, line=line)
            seen[name] = f"{path}:{line}"
            documents.append(document)
    return sorted(documents, key=lambda document: document.record.id)


def read_source(path: Path) -> Iterator[Tuple[int, DemoDocument]]:
    """Stream (header line, document) from a file of header, title and body lines.

    RAISES (CorpusError): A line that is not what its place asks for.
    """
    block: List[Tuple[int, str]] = []
    for number, line in read_lines(path):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block[0][0], _parse_block(block, path)
            block = []
    if block:
        yield block[0][0], _parse_block(block, path)


def render_table(by_split: Dict[str, List[DemoDocument]]) -> str:
    """Render documents, sentences and mentions by split and label."""
    columns = ("split", "documents", "cases", "sentences", "mentions", *ID_FORMS)
    rows = [columns]
    everything = [document for members in by_split.values() for document in members]
    for name, members in (*by_split.items(), ("all", everything)):
        rows.append((name, *(str(number) for number in _count(members))))
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def main() -> int:
    """Build next to this file, print the table, and turn an error into an exit code."""
    folder = Path(__file__).resolve().parent
    try:
        by_split = build(folder / "source", folder)
    except BionerError as error:
        print(error, file=sys.stderr)
        return 1
    print(render_table(by_split))
    return 0


def _parse_block(block: Sequence[Tuple[int, str]], path: Path) -> DemoDocument:
    number, line = block[0]
    header = _HEADER.fullmatch(line)
    if header is None:
        message = f"found {line[:40]!r}, expected `== id | kind | split`"
        raise CorpusError(message, path=path, line=number)
    name, kind, split = header.groups()
    for value, allowed in ((kind, KINDS), (split, SPLITS)):
        if value not in allowed:
            message = f"found {value!r}, expected one of {', '.join(allowed)}"
            raise CorpusError(message, path=path, line=number)
    if len(block) != 3:
        message = f"found {len(block) - 1} lines of text in {name}, expected a title and a body"
        raise CorpusError(message, path=path, line=number)
    (title_line, title_markup), (body_line, body_markup) = block[1:]
    title, title_mentions = _parse_markup(title_markup, 0, path, title_line)
    start = len(title) + 1
    body, body_mentions = _parse_markup(body_markup, start, path, body_line)
    text = f"{title} {body}"
    record = Record(
        id=name,
        text=text,
        mentions=(*title_mentions, *body_mentions),
        sections=(("title", 0, len(title)), ("abstract", start, len(text))),
    )
    return DemoDocument(record, split, kind)


def _parse_markup(
    markup: str, offset: int, path: Path, line: int
) -> Tuple[str, Tuple[Mention, ...]]:
    """Take the marks out of a line; `offset` is where its text starts in the document."""
    pieces: List[str] = []
    mentions: List[Mention] = []
    length = position = 0
    for match in _MARKUP.finditer(markup):
        plain = markup[position : match.start()]
        surface, label, concept = match.groups()
        _check_mention(match[0], surface, label, concept, path, line)
        start = offset + length + len(plain)
        ids = (concept,) if concept else ()
        mentions.append(Mention(start, start + len(surface), label, surface, ids, line=line))
        pieces.extend((plain, surface))
        length += len(plain) + len(surface)
        position = match.end()
    text = "".join((*pieces, markup[position:]))
    remnant = _REMNANT.search(text)
    if remnant or text != text.strip():
        around = text[max(0, remnant.start() - 20) : remnant.end() + 20] if remnant else text[:40]
        message = f"found {around!r}, expected text and marks of the form [[surface|Label|ID]]"
        raise CorpusError(message, path=path, line=line)
    return text, tuple(mentions)


def _check_mention(
    mark: str, surface: str, label: str, concept: str, path: Path, line: int
) -> None:
    problem = ""
    if not surface or surface != surface.strip(" ,;:"):
        problem = "expected a surface without blanks or punctuation at its ends"
    elif label not in ID_FORMS:
        problem = f"expected a label of {', '.join(ID_FORMS)}"
    elif concept and not ID_FORMS[label].fullmatch(concept):
        problem = f"expected an id of the form {ID_FORMS[label].pattern}, or none"
    if problem:
        raise CorpusError(f"found {mark!r}, {problem}", path=path, line=line)


def _count(members: Iterable[DemoDocument]) -> Tuple[int, ...]:
    documents = list(members)
    labels = Counter(m.label for document in documents for m in document.record.mentions)
    cases = sum(document.kind == "case" for document in documents)
    sentences = sum(_count_sentences(document.record) for document in documents)
    by_label = [labels[label] for label in ID_FORMS]
    return (len(documents), cases, sentences, sum(by_label), *by_label)


def _count_sentences(record: Record) -> int:
    return sum(len(sentence_starts(record.text[start:end])) for _, start, end in record.sections)


if __name__ == "__main__":
    sys.exit(main())
