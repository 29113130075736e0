"""CoNLL-U with entities: in the tenth column (MISC), or in a column of its own (CoNLL-U Plus).

    # newdoc id = 7
    # text = We gave aspirin.
    3	aspirin	aspirin	NOUN	NN	_	2	obj	_	name=B-Chemical|SpaceAfter=No

Multiword tokens (`1-2`) are what stands in the text; an entity of their words is one of theirs.
Empty nodes (`1.1`) do not stand in it. `SpaceAfter=No` is honored. `# newdoc` starts a document;
without it each sentence is one.
"""

import re
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.conll_columns import TAG
from spacy_bioner.corpora.formats.tagged.rows import (
    Item,
    Sentence,
    survey_and_make_records,
)
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import PathLike, decode_line, open_lines
from spacy_bioner.records import Record
from spacy_bioner.tags import OUTSIDE, parse_tag

WIDTH = 10
_MISC, _NO_VALUE = "MISC", "_"
_ID = re.compile(r"\d{1,9}(?:[-.]\d{1,9})?", re.ASCII)
_NEW_DOCUMENT = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(.*?))?\s*")
_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.*)")
# A label without the prefix of a scheme.
_LABEL = re.compile(r"(?![BIELSU](?:-|$))\w[\w.+/-]*")
_KEYS = ("ner", "ne", "name", "entity", "namedentity", "iob", "bio", "tag", "label")


def looks_like_conllu(lines: Iterable[str]) -> bool:
    """Tell whether the first lines that are no comment have the columns of CoNLL-U."""
    declared = False
    for line in lines:
        if line.startswith("#"):
            declared = declared or _COLUMNS.fullmatch(line) is not None
        elif line.strip():
            columns = line.split("\t")
            # With tags in the last column it is CoNLL with a number in front of each word.
            is_wide = declared or (len(columns) == WIDTH and not TAG.fullmatch(columns[-1].strip()))
            return is_wide and _ID.fullmatch(columns[0]) is not None
    return declared


def read_conllu(
    path: PathLike, *, key: Optional[str] = None, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents; tags are read as in `read_conll`.

    key (Optional[str]): The key in MISC, or the column of CoNLL-U Plus, that has the tags; None
        takes the first usual one that the file has: NER, NE, name, Entity, …
    YIELDS (Record): With `words` and `sentence_starts`.
    RAISES (CorpusError): No such key; a malformed line, with its number; no sentence.
    """
    path = Path(path)
    reader = _SentenceReader(path, key)
    yield from survey_and_make_records(reader.read_items, path, problems=problems)


class _SentenceReader:
    """Reads the sentences of a file by the key that it has."""

    def __init__(self, path: Path, key: Optional[str]) -> None:
        self.path = path
        self.columns: Dict[str, int] = {"FORM": 1, _MISC: WIDTH - 1}
        self.key = key or ""
        self.key = self._choose_key()
        self.is_bare = self._has_bare_labels()

    def read_items(self) -> Iterator[Item]:
        """Stream sentences, and the name of each document, possibly empty."""
        sentence = _Words(self)
        with open_lines(self.path) as lines:
            for number, raw in enumerate(lines, start=1):
                line, problem = decode_line(raw)
                document = _NEW_DOCUMENT.fullmatch(line)
                if line.strip() and not line.startswith("#"):
                    sentence.add(line, problem, number)
                    continue
                if document or not line.strip():
                    if sentence.sentence:
                        yield sentence.sentence
                    sentence = _Words(self)
                if document:
                    yield (document[1] or "").strip()
        if sentence.sentence:
            yield sentence.sentence

    def read_value(self, columns: Sequence[str]) -> str:
        """Return what the key says of a word."""
        place = self.columns.get(self.key)
        if place is None:
            value = _split_misc(columns, self.columns.get(_MISC)).get(self.key, "")
        else:
            value = columns[place].strip() if place < len(columns) else ""
        return OUTSIDE if value in ("", _NO_VALUE, "*") else value

    def _has_bare_labels(self) -> bool:
        """Tell whether no value is a tag with a prefix: equal neighbours are then one mention."""
        values: Set[str] = set()
        with open_lines(self.path) as lines:
            for raw in lines:
                line = decode_line(raw)[0]
                if line.strip() and not line.startswith("#"):
                    values.add(self.read_value(line.split("\t")))
        values.discard(OUTSIDE)
        return bool(values) and all(map(_LABEL.fullmatch, values))

    def _choose_key(self) -> str:
        """Look at the whole file for the keys of entities that it has."""
        found: Dict[str, int] = {}
        with open_lines(self.path) as lines:
            for number, raw in enumerate(lines, start=1):
                line = decode_line(raw)[0]
                declared = _COLUMNS.fullmatch(line)
                if declared:
                    names = declared[1].split()
                    self.columns = {name: place for place, name in enumerate(names)}
                elif line.strip() and not line.startswith("#"):
                    for name in _split_misc(line.split("\t"), self.columns.get(_MISC)):
                        found.setdefault(name, number)
        names = [*self.columns, *found]
        if self.key in names:
            return self.key
        if not self.key:
            usual = {_plain(name): name for name in reversed(names)}
            chosen = next((usual[name] for name in _KEYS if name in usual), "")
            if chosen:
                return chosen
        known = ", ".join(sorted(found)) or "none"
        wanted = self.key or "a key of entities (NER, NE, name, Entity)"
        message = f"found the keys {known} in MISC, expected {wanted}; name it with --tag-column"
        raise CorpusError(message, path=self.path, line=1)


class _Words:
    """The words of a sentence as they come; those of a multiword token become one."""

    def __init__(self, reader: _SentenceReader) -> None:
        self.reader = reader
        self.sentence = Sentence()
        self.last = 0
        self.is_open = False

    def add(self, line: str, problem: str, number: int) -> None:
        """Add the word of a line, or note what is wrong with it."""
        columns = line.split("\t")
        width = max(self.reader.columns.values()) + 1
        if not problem and len(columns) < width:
            problem = f"found {len(columns)} column(s), expected {width} of CoNLL-U with tabs"
        elif not problem and not _ID.fullmatch(columns[0]):
            problem = f"found {columns[0][:40]!r} as ID, expected a number, a range or 1.1"
        problem = problem or self._take(columns, number)
        if problem and not self.sentence.error:
            self.sentence.error = CorpusError(problem, path=self.reader.path, line=number)

    def _take(self, columns: List[str], number: int) -> str:
        """RETURNS: What is wrong with the tag."""
        if "." in columns[0]:
            return ""
        tag, fault = self._read_tag(columns)
        if fault:
            return fault
        first, dash, last = columns[0].partition("-")
        if not dash and int(first) <= self.last:
            self._join(tag)
            return ""
        misc = _split_misc(columns, self.reader.columns.get(_MISC))
        word = columns[self.reader.columns.get("FORM", 1)].strip()
        if not word:
            return f"found an empty word with tag {tag!r}, expected a word"
        self.sentence.words.append(word)
        self.sentence.tags.append(tag)
        self.sentence.lines.append(number)
        self.sentence.spaces.append(misc.get("SpaceAfter") != "No")
        if dash:
            self.last, self.is_open = int(last), tag == OUTSIDE
        return ""

    def _join(self, tag: str) -> None:
        """Let the first entity among the words of a multiword token be the token's."""
        if self.is_open and tag != OUTSIDE:
            self.sentence.tags[-1], self.is_open = tag, False

    def _read_tag(self, columns: Sequence[str]) -> Tuple[str, str]:
        key = self.reader.key
        tag = self.reader.read_value(columns)
        if self.reader.is_bare and tag != OUTSIDE:
            tag = f"I-{tag}"
        try:
            parse_tag(tag)
        except LabelError as error:
            return tag, f"{error}, as {key}; name another key with --tag-column"
        return tag, ""


def make_options(
    columns: Mapping[str, Any], scheme: Optional[str], label: str
) -> Optional[Dict[str, str]]:
    """Make the reader's options of the key that has the tags; None for what else is given."""
    if set(columns) == {"tag"} and not scheme and not label:
        return {"key": str(columns["tag"])}
    return None


def _split_misc(columns: Sequence[str], place: Optional[int]) -> Dict[str, str]:
    if place is None or len(columns) <= place:
        return {}
    pairs = (part.partition("=") for part in columns[place].strip().split("|"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _plain(name: str) -> str:
    """Return a key without what differs from treebank to treebank."""
    return re.sub(r"[\W_]", "", name.rpartition(":")[2]).lower()


FORMAT = Format(
    "conllu",
    "CoNLL-U with the tags of entities in MISC (NER=, NE=, name=, …)",
    read_conllu,
    line_based=True,
    options=frozenset(("key",)),
    tag_options=make_options,
)
