"""brat standoff: a folder of .txt and .ann files; BioNLP's .a1 and .a2 are of the same form.

    T1	Disease 0 5;12 19	Acute failure
    E1	Clinical_event:T1
    A1	Negation E1
    N1	Reference T1 MESH:D058186	acute renal failure

T lines are the mentions; several stretches make a discontinuous one. An event marks its trigger
with the attribute ("event", TYPE), and its own attributes (A, M) become the trigger's; one without
a value has "true". N lines give concept ids. Relations (R), equivalences (*) and the arguments of
events are counted in `reading_notes["relations_skipped"]`, comments (#) in
`reading_notes["notes_skipped"]`.

The claimed text of a mention is that of its stretches, in the order of the file or in that of the
text; stretches that overlap are one. It may go on over the next lines where the mention covers line
breaks: some tools write them as they are.

Offsets count the characters of the file as it is, CR of CR LF included, but without a byte order
mark. Some tools count CR LF as one, or the mark as well: where more of a document's mentions fit
the text that way, it is read so.

brat wants a resource before each id, "RESOURCE:ID"; an id that has none is written as "_:ID" and
loses that mark on reading. brat also parts a mention at each line break. Such a mention stays
discontinuous, as the file has it; a mention that was never parted is written whole, and brat will
not show it.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import (
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    FILE,
    ReadErrors,
    at_least_one,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.formats.standoff.paired_files import (
    BYTE_ORDER_MARK,
    Pair,
    find_pairs,
    read_whole,
)
from spacy_bioner.corpora.mention_checks import (
    claim_fits,
    claim_fits_pieces,
    join_pieces,
    settle_claim,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, read_lines
from spacy_bioner.records import Fragment, Mention, Record

EVENT = "event"
ENDING = ".ann"
BIONLP_ENDINGS = (".a1", ".a2")
_Place = Tuple[Path, int]
_FORMS = {
    "T": "T1<TAB>TYPE START END[;START END…]<TAB>TEXT",
    "E": "E1<TAB>TYPE:T1[ ROLE:REFERENCE…]",
    "A": "A1<TAB>NAME REFERENCE[ VALUE]",
    "M": "M1<TAB>NAME REFERENCE[ VALUE]",
    "N": "N1<TAB>Reference T1 RESOURCE:ID[<TAB>TEXT]",
}
_START = re.compile(r"[TEAMNR]\d\S*\t|[*#]\S*\t")
_BLANK_LABEL = re.compile(r"(\S+(?:\s+\S+)+) \d+ \d+(?:;\d+ \d+)* ?", re.ASCII)
_KEY = re.compile(r"[TEAMN]\d\S*")
_SPAN = re.compile(r"(\S+) (\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*) ?", re.ASCII)
# The form of BioNLP's shared task of 2013, which brat reads as well.
_CONCEPT = re.compile(r"\S+ (?:Annotation:(\S+) Referent:|(\S+) )(\S.*)")
NO_RESOURCE = "_:"
BLANKS = str.maketrans("\n\r", "  ")


class _Remark(NamedTuple):
    """An attribute (NAME, VALUE), or a concept id (no name), of what a reference names."""

    reference: str
    name: str
    value: str
    path: Path
    line: int


class _Annotations:
    """What an .ann file says."""

    def __init__(self) -> None:
        self.mentions: Dict[str, Mention] = {}
        self.pieces: Dict[str, List[Fragment]] = {}
        self.triggers: Dict[str, str] = {}
        self.remarks: List[_Remark] = []
        self.relation_keys: Set[str] = set()
        self.relations = 0
        self.notes = 0


def read_brat(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents of a folder by name, or the one that a file belongs to.

    RAISES (CorpusError): A file without its partner, a malformed line, a reference to nothing.
    """
    path = Path(path)
    error = CorpusError("found no document, expected .txt and .ann files", path=path, line=1)
    found = find_pairs(path, ENDING, problems=problems)
    records = found.note_strays(_read_pairs(found.pairs, problems))
    yield from at_least_one(records, error)


def read_bionlp(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents of BioNLP's shared tasks: .a1 files with the entities that are given,
    .a2 files, where there are some, with what is to be found (triggers, events, concepts).

    RAISES (CorpusError): As `read_brat`.
    """
    path = Path(path)
    error = CorpusError("found no document, expected .txt, .a1 and .a2 files", path=path, line=1)
    first, second = BIONLP_ENDINGS
    found = find_pairs(path, first, others=(second,), problems=problems)
    records = found.note_strays(_read_pairs(found.pairs, problems))
    yield from at_least_one(records, error)


def _read_pairs(pairs: Iterable[Pair], problems: Optional[ReadErrors]) -> Iterator[Record]:
    for pair in pairs:
        try:
            text = read_whole(pair.text)
            document = _Annotations()
            for path in (pair.annotation, *pair.others.values()):
                _read_annotations(document, path, problems)
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            continue
        yield _to_record(pair.name, text, document, problems)


def _read_annotations(document: _Annotations, path: Path, problems: Optional[ReadErrors]) -> None:
    for number, line in _join_lines(read_lines(path), document):
        if not line.strip():
            continue
        try:
            _read_line(document, line, path, number)
        except CorpusError as error:
            skip_or_raise(error, ANNOTATION, problems)


def _join_lines(
    lines: Iterable[Tuple[int, str]], document: _Annotations
) -> Iterator[Tuple[int, str]]:
    """Join the lines over which the text of a mention goes: what is read is read by then."""
    first, parts, missing = 0, [""], 0
    for number, line in lines:
        if missing > 0 and not _START.match(line):
            parts.append(line)
            missing -= len(line) + 1
            continue
        if first:
            yield first, "\n".join(parts)
        first, parts, missing = number, [line], _count_missing(line, document)
    if first:
        yield first, "\n".join(parts)


def _count_missing(line: str, document: _Annotations) -> int:
    """Count the characters of a mention that the claimed text does not have."""
    columns = line.split("\t", 2)
    if len(columns) < 3:
        return 0
    if columns[0][:1] == "T":
        pieces = _SPAN.fullmatch(columns[1])
        ends = (piece.split() for piece in pieces[2].split(";")) if pieces else ()
        lengths = [int(end) - int(start) for start, end in ends]
        return sum(lengths) + len(lengths) - 1 - len(columns[2]) if lengths else 0
    concept = _CONCEPT.fullmatch(columns[1]) if columns[0][:1] == "N" else None
    named = document.mentions.get(concept[1] or concept[2]) if concept else None
    return len(named.text) - len(columns[2]) if named else 0


def _read_line(document: _Annotations, line: str, path: Path, number: int) -> None:
    kind = line[0]
    if kind in "R*":
        document.relations += 1
        document.relation_keys.add(line.partition("\t")[0])
        return
    if kind == "#":
        document.notes += 1
        return
    if kind not in _FORMS:
        message = f"found {line[:40]!r}, expected a line of brat: T, E, A, M, N, R, * or #"
        raise CorpusError(message, path=path, line=number)
    key, _, rest = line.partition("\t")
    if key in document.mentions or key in document.triggers:
        message = f"found a second line {key}, expected each name once"
        raise CorpusError(message, path=path, line=number)
    read = {"T": _read_mention, "E": _read_event, "N": _read_concept}.get(kind, _read_attribute)
    if not _KEY.fullmatch(key) or not read(document, key, rest, (path, number)):
        label = _find_blank_label(kind, rest)
        message = f"found {line[:40]!r}, expected {_FORMS[kind]}"
        if label:
            message = (
                f"found the label {label!r}, expected one without blanks, which end it here; "
                f"write it as {'_'.join(label.split())!r}"
            )
        raise CorpusError(message, path=path, line=number)


def _find_blank_label(kind: str, rest: str) -> str:
    """Return the label of a malformed line that has blanks in it, where that is the fault."""
    if kind == "T":
        match = _BLANK_LABEL.fullmatch(rest.partition("\t")[0])
        return match[1] if match else ""
    label, colon, _ = rest.partition(":")
    return label if kind == "E" and colon and len(label.split()) > 1 else ""


def _read_mention(document: _Annotations, key: str, rest: str, place: _Place) -> bool:
    span, tab, text = rest.partition("\t")
    match = _SPAN.fullmatch(span)
    if not match or not tab:
        return False
    pieces: List[Fragment] = []
    for piece in match[2].split(";"):
        start, end = map(int, piece.split())
        pieces.append((start, end))
    if any(start > end for start, end in pieces):
        return False
    fragments = join_pieces(pieces)
    document.pieces[key] = pieces
    document.mentions[key] = Mention(
        fragments[0][0],
        fragments[-1][1],
        match[1],
        text.translate(BLANKS),
        fragments=fragments if len(fragments) > 1 else (),
        line=place[1],
    )
    return True


def _read_event(document: _Annotations, key: str, rest: str, place: _Place) -> bool:
    trigger, *arguments = rest.split() or [""]
    label, colon, reference = trigger.rpartition(":")
    if not colon or not label:
        return False
    document.triggers[key] = reference
    document.remarks.append(_Remark(reference, EVENT, label, *place))
    document.relations += len(arguments)
    return True


def _read_attribute(document: _Annotations, key: str, rest: str, place: _Place) -> bool:
    parts = rest.rstrip(" ").split(" ", 2)
    if len(parts) < 2 or not all(parts):
        return False
    value = parts[2] if len(parts) == 3 else "true"
    document.remarks.append(_Remark(parts[1], parts[0], value, *place))
    return True


def _read_concept(document: _Annotations, key: str, rest: str, place: _Place) -> bool:
    match = _CONCEPT.fullmatch(rest.partition("\t")[0])
    if not match:
        return False
    concept = match[3].removeprefix(NO_RESOURCE)
    document.remarks.append(_Remark(match[1] or match[2], "", concept, *place))
    return bool(concept)


def _to_record(
    name: str, text: str, document: _Annotations, problems: Optional[ReadErrors]
) -> Record:
    attributes: Dict[str, List[Tuple[str, str]]] = {}
    concepts: Dict[str, List[str]] = {}
    for remark in document.remarks:
        key = document.triggers.get(remark.reference, remark.reference)
        if key not in document.mentions:
            _note_elsewhere(remark, document, problems)
        elif remark.name:
            attributes.setdefault(key, []).append((remark.name, remark.value))
        else:
            concepts.setdefault(key, []).append(remark.value)
    text = choose_text(text, document.mentions.values(), document.pieces.values())
    mentions = tuple(
        replace(
            settled := settle_claim(mention, document.pieces[key], text),
            text=_spell(settled, text),
            attributes=tuple(attributes.get(key, ())),
            concept_ids=tuple(concepts.get(key, ())),
        )
        for key, mention in document.mentions.items()
    )
    counts = {"relations_skipped": document.relations, "notes_skipped": document.notes}
    return Record(name, text, mentions, reading_notes=note_counts(counts))


def _note_elsewhere(
    remark: _Remark, document: _Annotations, problems: Optional[ReadErrors]
) -> None:
    """Count what is said of a relation with the relations; anything else has no object."""
    if remark.reference in document.relation_keys:
        document.relations += 1
        return
    message = f"found a reference to {remark.reference}, expected a T or E line of that name"
    error = CorpusError(message, path=remark.path, line=remark.line)
    skip_or_raise(error, ANNOTATION, problems)


def choose_text(
    text: str, mentions: Collection[Mention], pieces: Collection[Sequence[Fragment]] = ()
) -> str:
    """Return the characters of a file that the offsets of its mentions count.

    pieces (Collection[Sequence[Tuple[int, int]]]): Those of each mention in the order of the file;
        none where they are the mention's own.
    RETURNS (str): The first of these that most mentions fit: without a byte order mark, with it;
        each as it is, then with LF for CR LF.
    """
    bare = text.removeprefix(BYTE_ORDER_MARK)
    forms = list(dict.fromkeys((bare, text, _join_returns(bare), _join_returns(text))))
    if len(forms) == 1:
        return bare
    given = list(zip(mentions, pieces or [()] * len(mentions), strict=True))
    return max(forms, key=lambda form: sum(_fits(*item, form) for item in given))


def _join_returns(text: str) -> str:
    return text.replace("\r\n", "\n")


def _fits(mention: Mention, pieces: Sequence[Fragment], text: str) -> bool:
    if mention.end_char > len(text):
        return False
    return claim_fits(mention, text) or claim_fits_pieces(mention.text, pieces, text)


def _spell(mention: Mention, text: str) -> str:
    """Return the mention's text; what was only written without line breaks is spelled with them."""
    cover = text[mention.start_char : mention.end_char]
    joined = mention.covered(text)
    if mention.text == joined:
        return joined
    return next((t for t in (cover, joined) if mention.text == t.translate(BLANKS)), mention.text)


BIONLP_FORMAT = Format(
    "bionlp",
    "BioNLP shared task: a folder of .txt, .a1 and .a2 files",
    read_bionlp,
    is_folder=True,
    folder_endings=BIONLP_ENDINGS,
)
