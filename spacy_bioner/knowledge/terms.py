"""Readers for term tables and for EntityRuler pattern files."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type, Union

from spacy.matcher import Matcher
from spacy.schemas import validate_token_pattern
from spacy.vocab import Vocab

from spacy_bioner.errors import PatternError, TermTableError
from spacy_bioner.knowledge.typography import HYPHENS, simplify_text

CASES = ("auto", "exact", "ignore")
TOKEN_SEPARATOR = "\x1f"
MAX_SYMBOL_LENGTH = 5

_ID_HEADERS = ("id", "concept_id")
_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Term:
    """A name that a gazetteer finds in text.

    name (str): The name as the terminology spells it; with `tokens`, the texts of the tokens
        joined by `TOKEN_SEPARATOR`.
    label (str): The entity type.
    id (str): The identifier; empty when the source gives none.
    case (str): "exact", "ignore" or "auto", which decides by the shape of the name.
    tokens (bool): The match has to consist of exactly these tokens.
    """

    name: str
    label: str
    id: str = ""
    case: str = "auto"
    tokens: bool = False


@dataclass(frozen=True)
class TokenPattern:
    """A token pattern that only spaCy's Matcher can interpret (operators, other attributes)."""

    tokens: Tuple[Dict[str, Any], ...]
    label: str
    id: str = ""

    @property
    def row(self) -> Dict[str, Any]:
        """The pattern in the form that spaCy's EntityRuler takes."""
        return {"label": self.label, "pattern": list(self.tokens), "id": self.id}


def is_case_sensitive(term: Term) -> bool:
    """Tell whether the term has to stand in the text with its own capitals.

    "auto" protects symbols: one word that has a capital behind its first letter and at most
    `MAX_SYMBOL_LENGTH` characters ("ALL", "NaCl"), or a capital and a digit ("CYP2D6").
    """
    if term.case != "auto":
        return term.case == "exact"
    if _SPACE.search(term.name):
        return False
    capital = any(char.isupper() for char in term.name)
    late_capital = any(char.isupper() for char in term.name[1:])
    digit = any(char.isdigit() for char in term.name)
    return (late_capital and len(term.name) <= MAX_SYMBOL_LENGTH) or (capital and digit)


def read_terms(path: Union[str, Path], *, label: str = "") -> Iterator[Term]:
    """Read a tab-separated table of id, name, label; a header line may name the columns.

    path (Union[str, Path]): A UTF-8 file. Without a header the first three columns are taken.
    label (str): The label of every row; the table then needs the columns id and name only,
        and a third one (a kind of synonym, say) is ignored.
    YIELDS (Term): One per row; empty lines are skipped.
    RAISES (TermTableError): A row with too few columns, or without a name or label.
    """
    columns: Tuple[int, ...] = (0, 1) if label else (0, 1, 2)
    first = True
    for number, text in _read_lines(path):
        cells = [cell.strip() for cell in text.split("\t")]
        is_header, first = first and _is_header(cells), False
        if is_header:
            columns = _find_columns(cells, label=label, path=path, line=number)
            continue
        yield _make_term(cells, columns, label=label, path=path, line=number)


def read_patterns(
    path: Union[str, Path], *, case: str = "exact"
) -> Iterator[Union[Term, TokenPattern]]:
    """Read EntityRuler patterns, one JSON object a line.

    path (Union[str, Path]): Lines such as `{"label": "Disease", "pattern": "asthma", "id": "D1"}`.
    case (str): How patterns that are strings compare letters; the EntityRuler compares exactly.
    YIELDS (Union[Term, TokenPattern]): See `parse_pattern`.
    RAISES (PatternError): A line that is not a valid pattern.
    """
    for number, row in read_pattern_rows(path):
        yield parse_pattern(row, case=case, path=path, line=number)


def read_pattern_rows(path: Union[str, Path]) -> Iterator[Tuple[int, Any]]:
    """Read one JSON object a line.

    YIELDS (Tuple[int, Any]): The line's number, counted from 1, and what stands there.
    RAISES (PatternError): A line that is not JSON.
    """
    for number, text in _read_lines(path):
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            raise PatternError(
                f"found {_shorten(text)}, which is not JSON ({error.msg}); expected one object a "
                "line with the keys 'label' and 'pattern'; correct or remove the line",
                path=path,
                line=number,
            ) from error
        yield number, row


def parse_pattern(
    row: Any,
    *,
    case: str = "exact",
    path: Optional[Union[str, Path]] = None,
    line: Optional[int] = None,
) -> Union[Term, TokenPattern]:
    """Turn one EntityRuler pattern into a term, or keep it for spaCy's Matcher.

    A string, and a list of tokens that all have just LOWER or all have just TEXT/ORTH, become a
    term of the compiled table. Every other token pattern is left to the Matcher.

    row (Any): The pattern as parsed from JSON.
    RAISES (PatternError): Not a pattern, or one that the Matcher would not accept.
    """
    if not isinstance(row, dict) or not isinstance(row.get("label"), str) or not row["label"]:
        raise PatternError(
            f"found {_shorten(row)}; expected an object with the keys 'label' and 'pattern'; "
            "give the pattern a label",
            path=path,
            line=line,
        )
    pattern, label, concept_id = row.get("pattern"), row["label"], str(row.get("id") or "")
    if isinstance(pattern, str):
        _check_name(pattern.strip(), path=path, line=line, error=PatternError)
        return Term(pattern.strip(), label, concept_id, case)
    problem = _find_problem(pattern)
    if not isinstance(pattern, list) or problem:
        raise PatternError(
            f"found the pattern {_shorten(pattern)}; expected a string or a list of token "
            f"descriptions as spaCy's Matcher takes them; correct it ({problem})",
            path=path,
            line=line,
        )
    return _compile_tokens(pattern, label, concept_id) or TokenPattern(
        tuple(pattern), label, concept_id
    )


def _read_lines(path: Union[str, Path]) -> Iterator[Tuple[int, str]]:
    if not Path(path).is_file():
        raise TermTableError("found no such file; expected a term table; check the path", path=path)
    with Path(path).open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise TermTableError(
                    f"found the byte 0x{raw[error.start]:02x} at position {error.start}; expected "
                    "UTF-8; convert the file to UTF-8",
                    path=path,
                    line=number,
                ) from error
            if text.strip():
                yield number, text


def _is_header(cells: List[str]) -> bool:
    names = [cell.lower() for cell in cells]
    return "name" in names and any(name in names for name in _ID_HEADERS)


def _find_columns(
    cells: List[str], *, label: str, path: Union[str, Path], line: int
) -> Tuple[int, ...]:
    names = [cell.lower() for cell in cells]
    id_column = next(names.index(name) for name in _ID_HEADERS if name in names)
    if label:
        return (id_column, names.index("name"))
    if "label" not in names:
        raise TermTableError(
            f"found the columns {', '.join(cells)}; expected id, name, label; add a column "
            "'label', or give one label for the whole table (setting 'label')",
            path=path,
            line=line,
        )
    return (id_column, names.index("name"), names.index("label"))


def _make_term(
    cells: List[str],
    columns: Tuple[int, ...],
    *,
    label: str,
    path: Union[str, Path],
    line: int,
) -> Term:
    if len(cells) <= max(columns):
        raise TermTableError(
            f"found {len(cells)} column(s), {_shorten(' | '.join(cells))}; expected "
            f"{max(columns) + 1} separated by tabs (id, name, label); complete the row"
            + ("" if label else ", or give one label for the whole table (setting 'label')"),
            path=path,
            line=line,
        )
    concept_id, name = cells[columns[0]], cells[columns[1]]
    row_label = label or cells[columns[2]]
    _check_name(name, path=path, line=line)
    if not row_label:
        raise TermTableError(
            f"found an empty label for {name!r}; expected an entity type; fill in the column",
            path=path,
            line=line,
        )
    return Term(name, row_label, concept_id)


def _check_name(
    name: str,
    *,
    path: Optional[Union[str, Path]],
    line: Optional[int],
    error: Type[TermTableError] = TermTableError,
) -> None:
    if simplify_text(name.replace(TOKEN_SEPARATOR, "")).strip("- \t\n\r"):
        return
    raise error(
        f"found the name {name!r}; expected at least one letter, digit or symbol besides spaces "
        "and hyphens; fill in or remove the row",
        path=path,
        line=line,
    )


@cache
def _make_vocab() -> Vocab:
    # To make one takes longer than to try a pattern on it.
    return Vocab()


def _find_problem(pattern: Any) -> str:
    if not isinstance(pattern, list):
        return "neither a string nor a list"
    problems = validate_token_pattern(pattern)
    if problems:
        return problems[0]
    try:
        Matcher(_make_vocab()).add("pattern", [pattern])
    except (ValueError, re.error) as error:
        return str(error)
    return ""


def _compile_tokens(pattern: List[Dict[str, Any]], label: str, concept_id: str) -> Optional[Term]:
    keys = {key.upper() for token in pattern for key in token}
    values = [value for token in pattern for value in token.values()]
    simple = (
        all(len(token) == 1 for token in pattern)
        and (keys == {"LOWER"} or keys <= {"TEXT", "ORTH"})
        and all(isinstance(value, str) and value and not _SPACE.search(value) for value in values)
    )
    # A hyphen at the edge has no place in the joined name where the matcher would look for it.
    simple = simple and values[0][0] not in HYPHENS and values[-1][-1] not in HYPHENS
    if not simple:
        return None
    case = "ignore" if keys == {"LOWER"} else "exact"
    return Term(TOKEN_SEPARATOR.join(values), label, concept_id, case, tokens=True)


def _shorten(value: Any, limit: int = 60) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
