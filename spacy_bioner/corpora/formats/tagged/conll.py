"""CoNLL and TSV: one token a line with its tag, blank lines between sentences.

Columns are separated by tabs where a line has one, else by spaces; no file mixes both. Which one is
what `conll_columns` tells; where a column says that no space follows a word, the text has none.
A file without documents and without a blank line between two words is parted into sentences by its
text.

`-DOCSTART-`, `# doc_id = …`, `# newdoc id = …` and `###MEDLINE:…` start a document; other lines
`# name = value` are comments.
"""

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.conll_columns import (
    COMMENT,
    NO_SPACE,
    SAMPLE_LINES,
    SPACE,
    ConllLayout,
    find_columns,
    is_comment,
    sample_rows,
    split_columns,
)
from spacy_bioner.corpora.formats.tagged.rows import (
    CARRIED,
    REPAIRED_KEY,
    Item,
    Sentence,
    document_id,
    find_conflict,
    make_records,
    split_sentences,
    tagged_words,
)
from spacy_bioner.corpora.formats.tagged.scheme_detection import TagSurvey
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import PathLike, decode_line, open_lines
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record
from spacy_bioner.tags import OUTSIDE, normalize_scheme, parse_tag

__all__ = ["FORMAT", "REPAIRED_KEY", "ConllLayout", "read_conll", "write_conll"]

_DOCUMENT = re.compile(r"-DOCSTART-(?:\s+\(?(\d+)\)?)?(?:\s.*)?|###MEDLINE:(\S+)")
_DOCUMENT_COMMENTS = frozenset(("doc_id", "newdoc id", "doc id"))
# What stands in place of the tag for lines that are no token; none of them is a tag.
_BLANK, _MARKER, _REMARK, _MALFORMED = "", "-DOCSTART-", "#", "!"
_SEPARATORS = {b"\t": "a tab", b" ": "spaces"}
_KINDS = frozenset((_BLANK, _MARKER, _REMARK, _MALFORMED))
# Word, tag (or what stands in its place), and whether a space follows.
_Item = Tuple[str, str, bool]
_MAX_LINES, _MAX_LENGTH, _CHUNK = 1 << 16, 256, 1 << 14


_DEFAULT_LAYOUT = ConllLayout()


class _ParsedLines(Dict[bytes, _Item]):
    """Lines → (word, tag, whether a space follows), or (name or message, kind, True) of others.

    A corpus repeats most of its lines, so each is parsed once and looked up afterwards, by both
    passes over the file. The number of lines that are kept is bounded.
    """

    def __init__(self, layout: ConllLayout) -> None:
        super().__init__()
        self.layout = layout
        self.says_spaces = layout.space_column is not None
        self.has_documents = False
        self.has_gaps = False
        self.has_blanks = False
        # 1 behind a word, 2 behind a word and a blank line.
        self._behind = 0
        self.separator = b""

    def look_for_blanks(self, tags: Iterable[str]) -> None:
        """Take note of a blank line between two words; those at the ends part nothing."""
        for tag in () if self.has_blanks else tags:
            if tag == _BLANK:
                self._behind = max(self._behind, 2 * bool(self._behind))
            elif tag not in _KINDS:
                self.has_blanks |= self._behind == 2
                self._behind = 1

    def __missing__(self, raw: bytes) -> _Item:
        item = self._check_separator(raw, _parse_line(raw, self.layout))
        self.has_documents |= item[1] == _MARKER
        self.has_gaps |= item[1] in (_REMARK, _MALFORMED)
        if len(raw) <= _MAX_LENGTH:
            if len(self) >= _MAX_LINES:
                self.clear()
            self[raw] = item
        return item

    def _check_separator(self, raw: bytes, item: _Item) -> _Item:
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
        return message, _MALFORMED, True


def read_conll(
    path: PathLike,
    layout: ConllLayout = _DEFAULT_LAYOUT,
    *,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the documents of a CoNLL file; without document markers each sentence is one.

    The text is the words joined by single spaces. Illegal transitions are repaired (a tag that
    continues nothing opens a mention); `reading_notes["tags_repaired"]` counts the tags that
    changed.

    problems (Optional[ReadErrors]): Takes note of sentences with a malformed line, which are left
        out: each is a document of its own, or an annotation where the file marks documents.
        Prefixes of several schemes are then repaired to the scheme that fits best.
    YIELDS (Record): With `words` and `sentence_starts`; unnamed documents are numbered.
    RAISES (CorpusError): A malformed line, with its number; a file without any sentence.
    """
    path = Path(path)
    lines = _ParsedLines(_complete(layout, path))
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


def make_options(
    columns: Mapping[str, Any], scheme: Optional[str], label: str
) -> Dict[str, ConllLayout]:
    """Make the reader's options of columns by what they hold.

    RAISES (CorpusError): Other columns than those of words and tags, or names of columns.
    """
    layout = {f"{key}_column": value for key, value in columns.items()}
    for key, value in layout.items():
        if key not in ("word_column", "tag_column") or isinstance(value, str):
            option = f"--{key.replace('_', '-')} {value}"
            message = f"found {option} for CoNLL, expected numbers of word and tag columns"
            raise CorpusError(message)
    return {"layout": ConllLayout(**layout, scheme=scheme, label=label)}


def _survey(path: Path, lines: _ParsedLines, *, lenient: bool) -> str:
    """Look at all lines once: their scheme, and in `lines` whether there are documents."""
    survey = TagSurvey()
    last = _BLANK
    with open_lines(path) as raw:
        parsed = map(lines.__getitem__, raw)
        while chunk := list(islice(parsed, _CHUNK)):
            tags = [last, *(tag for _, tag, _ in chunk)]
            lines.look_for_blanks(tags[1:])
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
    items = _read_marked(path, lines)
    return items if lines.has_documents or lines.has_blanks else split_sentences(items)


def _read_marked(path: Path, lines: _ParsedLines) -> Iterator[Item]:
    sentence = Sentence()
    with open_lines(path) as raw:
        for number, (word, tag, space) in enumerate(map(lines.__getitem__, raw), start=1):
            if tag not in _KINDS:
                sentence.words.append(word)
                sentence.tags.append(tag)
                sentence.lines.append(number)
                if lines.says_spaces:
                    sentence.spaces.append(space)
            elif tag == _MALFORMED:
                sentence.note(CorpusError(word, path=path, line=number))
            elif tag != _REMARK:
                if sentence:
                    yield sentence
                    sentence = Sentence()
                if tag == _MARKER:
                    yield word
    if sentence:
        yield sentence


def _complete(layout: ConllLayout, path: Path) -> ConllLayout:
    """Find the columns that a layout does not name."""
    with open_lines(path) as lines:
        texts = (decode_line(raw)[0] for raw in islice(lines, SAMPLE_LINES))
        word, tag, space = find_columns(sample_rows(texts))
    if space in (layout.word_column, layout.tag_column):
        space = None
    if layout.word_column is not None or layout.tag_column is not None:
        word, tag = 0, -1
    return replace(
        layout,
        word_column=word if layout.word_column is None else layout.word_column,
        tag_column=tag if layout.tag_column is None else layout.tag_column,
        space_column=space if layout.space_column is None else layout.space_column,
    )


def _parse_line(raw: bytes, layout: ConllLayout) -> _Item:
    line, problem = decode_line(raw)
    if problem:
        return problem, _MALFORMED, True
    if not line.strip():
        return "", _BLANK, True
    marker = _read_marker(line)
    if marker is not None:
        return marker, _MARKER, True
    return ("", _REMARK, True) if is_comment(line) else _read_token(line, layout)


def _read_marker(line: str) -> Optional[str]:
    match = _DOCUMENT.fullmatch(line.strip())
    if match:
        return match[1] or match[2] or ""
    comment = COMMENT.fullmatch(line.strip())
    if comment and comment[1] in _DOCUMENT_COMMENTS and "\t" not in line:
        return comment[2].strip()
    return None


def _read_token(line: str, layout: ConllLayout) -> _Item:
    columns = split_columns(line)
    at_word, at_tag, at_space = layout.word_column or 0, layout.tag_column, layout.space_column
    at_tag = -1 if at_tag is None else at_tag
    places = (at_word, at_tag, 1 if at_space is None else at_space, 1)
    needed = max(column + 1 if column >= 0 else -column for column in places)
    if len(columns) < needed:
        message = f"found {len(columns)} column(s), expected at least {needed}: word, …, tag"
        return message, _MALFORMED, True
    word, tag = columns[at_word].strip(), columns[at_tag].strip()
    space = SPACE if at_space is None else columns[at_space].strip()
    if not word:
        return f"found an empty word with tag {tag!r}, expected a word", _MALFORMED, True
    if space not in (SPACE, NO_SPACE):
        message = f"found {space!r} in the column of spaces, expected + or - as in the lines before"
        return message, _MALFORMED, True
    if layout.label and tag != OUTSIDE and "-" not in tag:
        tag = f"{tag}-{layout.label}"
    try:
        parse_tag(tag)
    except LabelError as error:
        hint = "; name the tag column, or the label when tags have none"
        return f"{error}{hint}", _MALFORMED, True
    return word, tag, space == SPACE


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


FORMAT = Format(
    "conll",
    "CoNLL: a word and its tag on each line, two columns or more",
    read_conll,
    write_conll,
    aliases=("tsv",),
    carried=CARRIED,
    takes_docs=True,
    line_based=True,
    endings=(".conll", ".iob", ".tsv", ".bio"),
    options=frozenset(("layout",)),
    tag_options=make_options,
    writer_options=frozenset(("scheme",)),
)
