"""What a conversion is asked for, from the words of a command line."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from spacy_bioner.apps.corpora.cleaning import (
    Step,
    build_text_normalizer,
    filter_documents,
    normalize_text,
)
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.mimic import NoteColumns
from spacy_bioner.corpora.formats.registry import FORMATS, find_format
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, read_lines
from spacy_bioner.transforms import filters


def read_ids(path: Optional[Path]) -> frozenset[str]:
    """Read the ids of documents to take, one a line; none without a file."""
    if path is None:
        return frozenset()
    return frozenset(line.strip() for _, line in read_lines(path) if line.strip())


def choose_filters(
    empty: bool,
    unannotated: bool,
    duplicates: bool,
    min_words: Optional[int],
    language: Optional[str],
) -> List[Step]:
    """Return the step that leaves out documents; none where nothing is asked for."""
    chosen = [
        *([filters.empty_text()] if empty else []),
        *([filters.min_words(min_words)] if min_words else []),
        *([filters.without_annotation()] if unannotated else []),
        *([filters.duplicate_text()] if duplicates else []),
        *([filters.language(language)] if language else []),
    ]
    return [filter_documents(chosen)] if chosen else []


def choose_steps(
    names: str, compatibility: bool, join_lines: bool, table: Optional[Path]
) -> List[Step]:
    """Return the step that changes texts; none where nothing is asked for.

    names (str): Of `transforms.normalization.STEPS`, separated by commas.
    RAISES (CorpusError): For a table of expansions that no step uses.
    """
    steps = [name.strip() for name in names.split(",") if name.strip()]
    if table and "expand" not in steps:
        message = "found --expansions without the step that uses it; add --normalize expand"
        raise CorpusError(message)
    if not steps:
        return []
    normalizer = build_text_normalizer(
        steps,
        form="NFKC" if compatibility else "NFC",
        line_breaks="join" if join_lines else "keep",
        table=table,
    )
    return [normalize_text(normalizer)]


def list_formats(option: str) -> List[str]:
    """List the names of the formats whose reader has a setting."""
    return [name for name, item in FORMATS.items() if option in item.options]


def choose_options(name: str, options: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the reader's options of those that are given.

    name (str): The format.
    options (Mapping[str, Any]): By their names; None: not given.
    RAISES (CorpusError): For one that the format does not have.
    """
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in find_format(name).options:
            words = f"--{option.replace('_', '-')}"
            expected = ", ".join(list_formats(option))
            raise CorpusError(f"found {words} for format {name}, expected it with {expected}")
    return given


def choose_layout(
    name: str, columns: Dict[str, Optional[str]], scheme: Optional[str], label: str
) -> Dict[str, Any]:
    """Return the reader's options for tags of a source; nothing where none is named.

    name (str): The format.
    columns (Dict[str, Optional[str]]): Numbers or names by what the column holds: word, tag, …
    RAISES (CorpusError): For a format that has no such columns, scheme or labels.
    """
    given = {key: _as_column(value) for key, value in columns.items() if value is not None}
    make_options = find_format(name).tag_options
    options = make_options(given, scheme, label) if make_options is not None else None
    if options is not None:
        return options
    words = [f"--{key}-column" for key in given]
    words += ["--scheme"] * bool(scheme) + ["--label"] * bool(label)
    if words:
        tagged = [other for other, item in FORMATS.items() if item.tag_options and other != name]
        expected = ", ".join(tagged)
        found = f"found {', '.join(words)} for format {name}"
        raise CorpusError(f"{found}, expected a format with such columns: {expected}")
    return {}


def choose_note_columns(
    format_name: str, text: Optional[str], id_column: Optional[str]
) -> Dict[str, Any]:
    """Return the reader's option for columns of notes; nothing where none is named.

    RAISES (CorpusError): For a format that has none.
    """
    if text is None and id_column is None:
        return {}
    if "columns" not in find_format(format_name).options:
        expected = ", ".join(list_formats("columns"))
        raise CorpusError(
            f"found columns of notes for format {format_name}, expected them with {expected}"
        )
    return {"columns": NoteColumns(text=text, id=id_column)}


def find_note_columns(
    source: PathLike, from_format: str, text: Optional[str], id_column: Optional[str]
) -> Dict[str, Any]:
    """Return the same for a source whose format is looked up where columns are named.

    RAISES (CorpusError): For a source that has none.
    """
    if text is None and id_column is None:
        return {}
    return choose_note_columns(find_source_format(source, from_format), text, id_column)


def find_source_format(source: PathLike, from_format: str) -> str:
    """Return the name of a source's format; "auto" looks into it.

    RAISES (CorpusError): For a name or a source of no known format.
    """
    return detect_format(source) if from_format == "auto" else find_format(from_format).name


def _as_column(value: str) -> Any:
    return int(value) if value.lstrip("-").isdigit() else value
