"""Which column of a CoNLL file is what: told by its first lines, for detection and the reader.

Usually the word comes first and the tag last. Where every line says otherwise, it is read so: a
running number in front of the word (GermEval), or what names the document or sentence that it is
in, the tag in front of the word (MIT's corpora), a column of + and - that says whether a space
follows the word (HunFlair).
"""

import re
from dataclasses import dataclass
from typing import Iterable, List, Optional, Sequence, Tuple

MARKER = re.compile(r"-DOCSTART-.*|###MEDLINE:.*")
COMMENT = re.compile(r"#\s*(\w[\w.:]*(?: +[\w.:]+)*)\s*=\s*(.*)")
# "# id 52-39" (MultiCoNER), "# doc 1": no tokens, which would have a tag behind "#".
_HEADING = re.compile(
    r"#+\s*(begin |end )?(abstract|article|document|docid|doc|file|id|newdoc|newpar|paragraph|pmid|"
    r"sentence|sent|source|text|title)\b.*",
    re.IGNORECASE,
)
TAG = re.compile(r"O|[BIELSU](-\S+)?")
SPACE, NO_SPACE = "+", "-"
SAMPLE_LINES = 1000


@dataclass(frozen=True)
class ConllLayout:
    """How to read the columns; None finds out.

    word_column (Optional[int]): Position of the word; negative counts from the end.
    tag_column (Optional[int]): Position of the tag.
    scheme (Optional[str]): The tag scheme; None detects it from the whole file.
    label (str): The entity type of tags that name none ("B" instead of "B-Disease").
    space_column (Optional[int]): Position of what says whether a space follows: + or -.
    """

    word_column: Optional[int] = None
    tag_column: Optional[int] = None
    scheme: Optional[str] = None
    label: str = ""
    space_column: Optional[int] = None


def split_columns(line: str) -> List[str]:
    """Split a line at its tabs where it has some, else at spaces."""
    return line.split("\t") if "\t" in line else line.split()


def is_no_token(line: str) -> bool:
    """Tell a document marker or a comment."""
    return MARKER.fullmatch(line.strip()) is not None or is_comment(line)


def is_comment(line: str) -> bool:
    """Tell a line "# name = value", or another one that names what follows and has no tag."""
    stripped = line.strip()
    if "\t" not in line and COMMENT.fullmatch(stripped):
        return True
    return _HEADING.fullmatch(stripped) is not None and not any(map(TAG.fullmatch, line.split()))


def looks_like_conll(lines: Iterable[str]) -> bool:
    """Tell whether lines are of words and tags: the first one that is no comment shows it."""
    rows = [split_columns(line) for line in lines if line.strip() and not is_no_token(line)]
    if not rows:
        return True
    word, tag, _ = find_columns(rows)
    first = rows[0]
    reach = max(column + 1 if column >= 0 else -column for column in (word, tag))
    return len(first) >= max(reach, 2) and TAG.fullmatch(first[tag].strip()) is not None


def sample_rows(lines: Iterable[str]) -> List[List[str]]:
    """Return the columns of lines; an empty list for each blank line."""
    return [split_columns(line) if line.strip() else [] for line in lines if not is_no_token(line)]


def find_columns(rows: Sequence[Sequence[str]]) -> Tuple[int, int, Optional[int]]:
    """Tell the positions of word and tag, and of the mark for a space, if there is one.

    rows (Sequence[Sequence[str]]): The columns of the first lines, empty ones between sentences.
    """
    filled = [row for row in rows if row]
    width = min(map(len, filled), default=0)
    if width < 2 or any(len(row) != width for row in filled):
        return 0, -1, None
    columns = [[row[place].strip() for row in filled] for place in range(width)]
    # A column of nothing but "-" says nothing.
    marks = ({SPACE}, {SPACE, NO_SPACE})
    space = next((place for place in range(1, width) if set(columns[place]) in marks), None)
    word, *others = (place for place in range(width) if place != space)
    while len(others) > 1 and (_is_running_number(rows, word) or _names_parts(columns[word])):
        word, *others = others
    if not others:
        return 0, -1, None
    tag = others[-1]
    # Of two columns, the tags are where all are tags.
    if len(others) == 1 and _are_tags(columns[word]) and not _are_tags(columns[tag]):
        word, tag = tag, word
    return word, tag, space


def _are_tags(column: Sequence[str]) -> bool:
    return all(map(TAG.fullmatch, column))


def _names_parts(column: Sequence[str]) -> bool:
    """Tell whether a column says which document or sentence a line is of: so often does no word
    follow itself."""
    runs = sum(one != other for one, other in zip(column, column[1:])) + 1
    is_long = len(column) > 2 and 2 * runs <= len(column)
    return is_long and runs == len(set(column)) and not _are_tags(column)


def _is_running_number(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column counts the words of each sentence, from 0 or 1."""
    expected, follows = None, False
    for row in rows:
        if not row:
            expected = None
            continue
        if expected is None and row[place].strip() in ("0", "1"):
            expected = int(row[place])
        elif expected is not None:
            follows = True
        if expected is None or row[place].strip() != str(expected):
            return False
        expected += 1
    return follows
