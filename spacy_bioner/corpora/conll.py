"""CoNLL and TSV: one token a line with its tag, blank lines between sentences.

Columns are separated by tabs where a line has one, else by spaces. `-DOCSTART-`, `# doc_id = …`,
`# newdoc id = …` and `###MEDLINE:…` start a document; other lines `# name = value` are comments.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Set, Tuple, Union

from spacy.tokens import Doc

from spacy_bioner.corpora.files import PathLike, read_lines, replacing
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.records import Mention, Record
from spacy_bioner.tags import (
    OUTSIDE,
    TokenSpan,
    detect_scheme,
    parse_tag,
    repair,
    spans_to_tags,
    tags_to_spans,
)

REPAIRED_KEY = "tags_repaired"
_DOCUMENT = re.compile(r"-DOCSTART-(?:\s+\(?(\d+)\)?)?(?:\s.*)?|###MEDLINE:(\S+)")
_COMMENT = re.compile(r"#\s*(\w[\w ]*?)\s*=\s*(.*)")
_DOCUMENT_COMMENTS = frozenset(("doc_id", "newdoc id", "doc id"))


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


@dataclass
class _Sentence:
    words: List[str] = field(default_factory=list)
    tags: List[str] = field(default_factory=list)
    lines: List[int] = field(default_factory=list)


_DEFAULT_LAYOUT = ConllLayout()


def read_conll(path: PathLike, layout: ConllLayout = _DEFAULT_LAYOUT) -> Iterator[Record]:
    """Stream the documents of a CoNLL file; without document markers each sentence is one.

    The text is the words joined by single spaces. Illegal transitions are repaired (a tag that
    continues nothing opens a mention); `meta["tags_repaired"]` counts the tags that changed.

    YIELDS (Record): With `words` and `sentence_starts`; unnamed documents are numbered.
    RAISES (CorpusError): A malformed line, with its number; a file without any sentence.
    """
    path = Path(path)
    scheme = layout.scheme or _detect(path, layout)
    count = 0
    for count, (name, sentences) in enumerate(_group(path, layout), start=1):
        yield _make_record(name or f"{path.stem}-{count}", sentences, scheme)
    if not count:
        raise CorpusError("found no token, expected lines of a word and a tag", path=path)


def write_conll(docs: Iterable[Doc], path: PathLike, *, scheme: str = "IOB2") -> int:
    """Write the entities of Docs as word<TAB>tag lines, replacing the file at the end only.

    Each document starts with `# doc_id = …` (from `doc.user_data["bioner_id"]`, else its number);
    tokens of white space are left out. Only `doc.ents` fits into the format.

    RETURNS (int): The number of documents.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for count, doc in enumerate(docs, start=1):
            file.write(f"# doc_id = {doc.user_data.get('bioner_id', count)}\n")
            file.writelines(_format_doc(doc, scheme))
            file.write("\n")
    return count


def _detect(path: Path, layout: ConllLayout) -> str:
    items = _read_items(path, layout)
    try:
        return detect_scheme(item.tags for item in items if isinstance(item, _Sentence))
    except LabelError as error:
        raise CorpusError(f"{error}; name the scheme", path=path) from error


def _group(path: Path, layout: ConllLayout) -> Iterator[Tuple[str, List[_Sentence]]]:
    """Stream (name, sentences) of each document; the name is empty when the file gives none."""
    marked = any(isinstance(item, str) for item in _read_items(path, layout))
    name: Optional[str] = None
    sentences: List[_Sentence] = []
    for item in _read_items(path, layout):
        if isinstance(item, _Sentence) and marked:
            sentences.append(item)
        elif isinstance(item, _Sentence):
            yield "", [item]
        else:
            # A marker right behind one without a name names the same document.
            if sentences or name:
                yield name or "", sentences
            name, sentences = item, []
    if sentences or name is not None:
        yield name or "", sentences


def _read_items(path: Path, layout: ConllLayout) -> Iterator[Union[_Sentence, str]]:
    """Stream sentences, and the name, possibly empty, that each document marker gives."""
    known: Set[str] = {OUTSIDE}
    sentence = _Sentence()
    for number, line in read_lines(path):
        marker = _read_marker(line)
        if not line.strip() or marker is not None:
            if sentence.words:
                yield sentence
                sentence = _Sentence()
            if marker is not None:
                yield marker
        elif not _is_comment(line):
            word, tag = _read_token(line, layout, path, number)
            if tag not in known:
                _check_tag(tag, path, number)
                known.add(tag)
            sentence.words.append(word)
            sentence.tags.append(tag)
            sentence.lines.append(number)
    if sentence.words:
        yield sentence


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


def _read_token(line: str, layout: ConllLayout, path: Path, number: int) -> Tuple[str, str]:
    columns = line.split("\t") if "\t" in line else line.split()
    needed = max(
        column + 1 if column >= 0 else -column
        for column in (layout.word_column, layout.tag_column, 1)
    )
    if len(columns) < needed:
        message = f"found {len(columns)} column(s), expected at least {needed}: word, …, tag"
        raise CorpusError(message, path=path, line=number)
    word, tag = columns[layout.word_column].strip(), columns[layout.tag_column].strip()
    if not word:
        raise CorpusError(f"found an empty word with tag {tag!r}", path=path, line=number)
    if layout.label and tag != OUTSIDE and "-" not in tag:
        tag = f"{tag}-{layout.label}"
    return word, tag


def _check_tag(tag: str, path: Path, number: int) -> None:
    try:
        parse_tag(tag)
    except LabelError as error:
        hint = "; name the tag column, or the label when tags have none"
        raise CorpusError(f"{error}{hint}", path=path, line=number) from error


def _make_record(name: str, sentences: List[_Sentence], scheme: str) -> Record:
    words: List[Tuple[int, int]] = []
    starts: List[int] = []
    mentions: List[Mention] = []
    repaired = 0
    text = " ".join(word for sentence in sentences for word in sentence.words)
    position = 0
    for sentence in sentences:
        first = len(words)
        starts.append(position)
        for word in sentence.words:
            words.append((position, position + len(word)))
            position += len(word) + 1
        tags, changed = repair(sentence.tags, scheme)
        repaired += changed
        for start, end, label in tags_to_spans(tags):
            left, right = words[first + start][0], words[first + end - 1][1]
            line = sentence.lines[start]
            mentions.append(Mention(left, right, label, text[left:right], line=line))
    return Record(
        id=name,
        text=text,
        mentions=tuple(mentions),
        words=tuple(words),
        sentence_starts=tuple(starts),
        meta={REPAIRED_KEY: str(repaired)} if repaired else {},
    )


def _format_doc(doc: Doc, scheme: str) -> Iterator[str]:
    tokens = [token for token in doc if token.text.strip()]
    place = {token.i: index for index, token in enumerate(tokens)}
    spans: List[TokenSpan] = []
    for entity in doc.ents:
        inside = [place[token.i] for token in entity if token.i in place]
        if inside:
            spans.append((inside[0], inside[-1] + 1, entity.label_))
    tags = spans_to_tags(spans, len(tokens), scheme)
    for index, (token, tag) in enumerate(zip(tokens, tags, strict=True)):
        if index and _starts_sentence(doc, tokens[index - 1].i + 1, token.i):
            yield "\n"
        yield f"{token.text}\t{tag}\n"


def _starts_sentence(doc: Doc, first: int, last: int) -> bool:
    """Tell whether a sentence starts in a range of tokens: white space may carry the mark."""
    return any(doc[index].is_sent_start for index in range(first, last + 1))
