"""CoNLL and TSV: one token a line with its tag, blank lines between sentences.

Columns are separated by tabs where a line has one, else by spaces; no file mixes both.
`-DOCSTART-`, `# doc_id = …`, `# newdoc id = …` and `###MEDLINE:…` start a document; other lines
`# name = value` are comments.
"""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, Optional, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.files import PathLike, replacing
from spacy_bioner.corpora.losses import MENTIONS, SENTENCES, WORDS
from spacy_bioner.corpora.problems import Problems
from spacy_bioner.corpora.tag_survey import TagSurvey
from spacy_bioner.corpora.token_rows import (
    REPAIRED_KEY,
    Item,
    Sentence,
    decode_line,
    document_id,
    find_conflict,
    make_records,
    open_lines,
    tagged_words,
)
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.records import Record
from spacy_bioner.tags import OUTSIDE, normalize_scheme, parse_tag

__all__ = ["CARRIES", "REPAIRED_KEY", "ConllLayout", "read_conll", "write_conll"]

# The text between words is not carried either: one space comes back. A document without sentence
# borders comes back as one sentence.
CARRIES: FrozenSet[str] = frozenset((MENTIONS, WORDS, SENTENCES))
_DOCUMENT = re.compile(r"-DOCSTART-(?:\s+\(?(\d+)\)?)?(?:\s.*)?|###MEDLINE:(\S+)")
_COMMENT = re.compile(r"#\s*(\w+(?: +\w+)*)\s*=\s*(.*)")
_DOCUMENT_COMMENTS = frozenset(("doc_id", "newdoc id", "doc id"))
# What stands in place of the tag for lines that are no token; none of them is a tag.
_BLANK, _MARKER, _REMARK, _MALFORMED = "", "-DOCSTART-", "#", "!"
_SEPARATORS = {b"\t": "a tab", b" ": "spaces"}
_KINDS = frozenset((_BLANK, _MARKER, _REMARK, _MALFORMED))
_MAX_LINES, _MAX_LENGTH, _CHUNK = 1 << 16, 256, 1 << 14


@dataclass(frozen=True)
class ConllLayout:
    """How to read the columns.

    word_column (int): Position of the word; negative counts from the end.
    tag_column (int): Position of the tag.
    scheme (Optional[str]): The tag scheme; None detects it from the whole file.
    label (str): The entity type of tags that name none ("B" instead of "B-Disease").
    """

    word_column: int = 0
    tag_column: int = -1
    scheme: Optional[str] = None
    label: str = ""


_DEFAULT_LAYOUT = ConllLayout()


class _ParsedLines(Dict[bytes, Tuple[str, str]]):
    """Lines → (word, tag), or (name or message, kind) of a line that is no token.

    A corpus repeats most of its lines, so each is parsed once and looked up afterwards, by both
    passes over the file. The number of lines that are kept is bounded.
    """

    def __init__(self, layout: ConllLayout) -> None:
        super().__init__()
        self.layout = layout
        self.has_documents = False
        self.has_gaps = False
        self.separator = b""

    def __missing__(self, raw: bytes) -> Tuple[str, str]:
        item = self._check_separator(raw, _parse_line(raw, self.layout))
        self.has_documents |= item[1] == _MARKER
        self.has_gaps |= item[1] in (_REMARK, _MALFORMED)
        if len(raw) <= _MAX_LENGTH:
            if len(self) >= _MAX_LINES:
                self.clear()
            self[raw] = item
        return item

    def _check_separator(self, raw: bytes, item: Tuple[str, str]) -> Tuple[str, str]:
        """Make an item malformed whose columns are separated otherwise than those of the first."""
        if item[1] in _KINDS:
            return item
        separator = b"\t" if b"\t" in raw else b" "
        self.separator = self.separator or separator
        if separator == self.separator:
            return item
        found, expected = map(_SEPARATORS.__getitem__, (separator, self.separator))
        message = (
            f"found columns separated by {found}, expected {expected} as in the lines before; "
            "use one of them in the whole file"
        )
        return message, _MALFORMED


def read_conll(
    path: PathLike,
    layout: ConllLayout = _DEFAULT_LAYOUT,
    *,
    problems: Optional[Problems] = None,
) -> Iterator[Record]:
    """Stream the documents of a CoNLL file; without document markers each sentence is one.

    The text is the words joined by single spaces. Illegal transitions are repaired (a tag that
    continues nothing opens a mention); `meta["tags_repaired"]` counts the tags that changed.

    problems (Optional[Problems]): Takes note of sentences with a malformed line, which are left
        out: each is a document of its own, or an annotation where the file marks documents.
        Prefixes of several schemes are then repaired to the scheme that fits best.
    YIELDS (Record): With `words` and `sentence_starts`; unnamed documents are numbered.
    RAISES (CorpusError): A malformed line, with its number; a file without any sentence.
    """
    path = Path(path)
    lines = _ParsedLines(layout)
    scheme = _survey(path, lines, lenient=problems is not None)
    yield from make_records(
        _read_items(path, lines),
        path,
        scheme=scheme,
        has_documents=lines.has_documents,
        problems=problems,
    )


def write_conll(docs: Iterable[Doc], path: PathLike, *, scheme: str = "IOB2") -> int:
    """Write the entities of Docs as word<TAB>tag lines, replacing the file at the end only.

    Each document starts with `# doc_id = …` (from `doc.user_data["bioner_id"]`, else its number);
    tokens of white space are left out. Only `doc.ents` fits into the format.

    RETURNS (int): The number of documents.
    RAISES (CorpusError): An identifier or word that would be read as something else.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for count, doc in enumerate(docs, start=1):
            file.writelines(_format_doc(doc, document_id(doc, count), scheme))
    return count


def _survey(path: Path, lines: _ParsedLines, *, lenient: bool) -> str:
    """Look at all lines once: their scheme, and in `lines` whether there are documents."""
    survey = TagSurvey()
    last = _BLANK
    with open_lines(path) as raw:
        parsed = map(lines.__getitem__, raw)
        while chunk := list(islice(parsed, _CHUNK)):
            tags = [last, *(tag for _, tag in chunk)]
            if lines.has_documents or lines.has_gaps:
                tags = [_BLANK if tag == _MARKER else tag for tag in tags]
                tags = [tag for tag in tags if tag == _BLANK or tag not in _KINDS]
            survey.add(tags)
            last = tags[-1] if tags else last
    survey.add([last, _BLANK])
    if lines.layout.scheme:
        return normalize_scheme(lines.layout.scheme)
    try:
        return survey.choose_scheme(lenient=lenient)
    except LabelError as error:
        line = find_conflict(_read_items(path, lines))
        raise CorpusError(f"{error}; name the scheme", path=path, line=line) from error


def _read_items(path: Path, lines: _ParsedLines) -> Iterator[Item]:
    """Stream sentences, and the name, possibly empty, that each document marker gives."""
    sentence = Sentence()
    with open_lines(path) as raw:
        for number, (word, tag) in enumerate(map(lines.__getitem__, raw), start=1):
            if tag not in _KINDS:
                sentence.words.append(word)
                sentence.tags.append(tag)
                sentence.lines.append(number)
            elif tag == _MALFORMED:
                sentence.error = sentence.error or CorpusError(word, path=path, line=number)
            elif tag != _REMARK:
                if sentence:
                    yield sentence
                    sentence = Sentence()
                if tag == _MARKER:
                    yield word
    if sentence:
        yield sentence


def _parse_line(raw: bytes, layout: ConllLayout) -> Tuple[str, str]:
    line, problem = decode_line(raw)
    if problem:
        return problem, _MALFORMED
    if not line.strip():
        return "", _BLANK
    marker = _read_marker(line)
    if marker is not None:
        return marker, _MARKER
    return ("", _REMARK) if _is_comment(line) else _read_token(line, layout)


def _read_marker(line: str) -> Optional[str]:
    match = _DOCUMENT.fullmatch(line.strip())
    if match:
        return match[1] or match[2] or ""
    comment = _COMMENT.fullmatch(line.strip())
    if comment and comment[1] in _DOCUMENT_COMMENTS and "\t" not in line:
        return comment[2].strip()
    return None


def _is_comment(line: str) -> bool:
    return "\t" not in line and _COMMENT.fullmatch(line.strip()) is not None


def _read_token(line: str, layout: ConllLayout) -> Tuple[str, str]:
    columns = line.split("\t") if "\t" in line else line.split()
    needed = max(
        column + 1 if column >= 0 else -column
        for column in (layout.word_column, layout.tag_column, 1)
    )
    if len(columns) < needed:
        message = f"found {len(columns)} column(s), expected at least {needed}: word, …, tag"
        return message, _MALFORMED
    word, tag = columns[layout.word_column].strip(), columns[layout.tag_column].strip()
    if not word:
        return f"found an empty word with tag {tag!r}, expected a word", _MALFORMED
    if layout.label and tag != OUTSIDE and "-" not in tag:
        tag = f"{tag}-{layout.label}"
    try:
        parse_tag(tag)
    except LabelError as error:
        hint = "; name the tag column, or the label when tags have none"
        return f"{error}{hint}", _MALFORMED
    return word, tag


def _format_doc(doc: Doc, name: str, scheme: str) -> Iterator[str]:
    head = f"# doc_id = {name}"
    if not name or _read_marker(head) != name or "\n" in name:
        message = f"found document identifier {name!r}, expected one line, no space around it"
        raise CorpusError(message)
    yield f"{head}\n"
    for index, (border, word, tag) in enumerate(tagged_words(doc, scheme, name)):
        line = f"{word}\t{tag}\n"
        if _read_marker(line) is not None:
            raise CorpusError(f"document {name}: found word {word!r}, which marks documents here")
        yield f"\n{line}" if border and index else line
    yield "\n"
