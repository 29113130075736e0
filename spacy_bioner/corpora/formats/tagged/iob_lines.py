"""A sentence on each line, each word with its tag behind a bar: what spaCy calls iob.

    I|PRP|O like|VBP|O aspirin|NN|B-Chemical .|.|O
    I|O like|O aspirin|B-Chemical .|O

The tag is behind the last bar; of what is before it, the part up to the first bar is the word where
the first line has three parts, and all of it where that has two. A word may be a bar itself. Lines
with -DOCSTART- start documents; without them each sentence is one.
"""

from functools import partial
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Tuple

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
from spacy_bioner.tags import parse_tag

_START = "-DOCSTART-"


def looks_like_iob(lines: Iterable[str]) -> bool:
    """Tell whether each line is a sentence of words with tags behind bars."""
    sentences = [line.split() for line in lines if line.strip() and not line.startswith(_START)]
    if not sentences or max(map(len, sentences)) < 2:
        return False
    first = sentences[0]
    return all(len(word) > 1 and TAG.fullmatch(word[-1]) for word in map(_part, first))


def read_iob(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents; the text is the words joined by single spaces.

    YIELDS (Record): With `words` and `sentence_starts`, numbered. Tags are read as in `read_conll`.
    RAISES (CorpusError): A word without a tag, with its line; a file without any sentence.
    """
    path = Path(path)
    yield from survey_and_make_records(partial(_read_items, path), path, problems=problems)


def _read_items(path: Path) -> Iterator[Item]:
    parts = 0
    with open_lines(path) as lines:
        for number, raw in enumerate(lines, start=1):
            line, problem = decode_line(raw)
            words = line.split()
            if line.startswith(_START):
                yield ""
            elif words:
                parts = parts or (2 if len(_part(words[0])) == 2 else 3)
                yield _read_sentence(words, parts, problem, path, number)


def _read_sentence(words: List[str], parts: int, problem: str, path: Path, line: int) -> Sentence:
    sentence = Sentence()
    for word in words:
        text, tag = _split_word(word, parts)
        problem = problem or _find_fault(word, text, tag)
        if problem:
            sentence.error = CorpusError(problem, path=path, line=line)
            return sentence
        sentence.words.append(text)
        sentence.tags.append(tag)
        sentence.lines.append(line)
    return sentence


def _part(word: str) -> List[str]:
    """Part a word at its bars; one that is nothing but bars in front keeps one of them."""
    return ["|", *word[2:].split("|")] if word.startswith("||") else word.split("|")


def _split_word(word: str, parts: int) -> Tuple[str, str]:
    rest, _, tag = word.rpartition("|")
    if parts > 2:
        rest = rest.rpartition("|")[0]
    return rest, tag


def _find_fault(word: str, text: str, tag: str) -> str:
    if not text:
        return f"found {word[:40]!r}, expected a word, a bar and its tag, as in the lines before"
    try:
        parse_tag(tag)
    except LabelError as error:
        return f"{error}, in {word[:40]!r}"
    return ""


FORMAT = Format(
    "iob", "a sentence on each line, word|tag or word|POS|tag", read_iob, line_based=True
)
