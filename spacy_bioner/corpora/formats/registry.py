"""The formats by name: one line for each, whose module declares what it is.

What a format needs beyond spaCy (`bioc`, `lxml`) its module imports when a file is read or written,
so that a library that is not installed does not stand in the way of the other formats.
"""

from pathlib import Path
from typing import Dict, Mapping, Optional, Tuple

from spacy_bioner.corpora.formats import docbin, mimic, pubtator
from spacy_bioner.corpora.formats.bioc import bioc_json, bioc_xml
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files import (
    bigbio,
    doccano,
    europepmc,
    jsonl,
    label_studio,
    presidio,
    spacy_v2,
    tokens,
    uima_cas,
)
from spacy_bioner.corpora.formats.standoff import brat, brat_writer, i2b2, mention_table, span_table
from spacy_bioner.corpora.formats.tagged import conll, conllu, iob_lines, tables
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import leads_to_stream

_FORMATS: Tuple[Format, ...] = (
    docbin.FORMAT,
    pubtator.FORMAT,
    conll.FORMAT,
    conllu.FORMAT,
    iob_lines.FORMAT,
    tables.FORMAT,
    bioc_xml.FORMAT,
    bioc_json.FORMAT,
    brat_writer.FORMAT,
    brat.BIONLP_FORMAT,
    i2b2.FORMAT,
    jsonl.FORMAT,
    doccano.FORMAT,
    label_studio.FORMAT,
    tokens.FORMAT,
    spacy_v2.FORMAT,
    bigbio.FORMAT,
    uima_cas.FORMAT,
    europepmc.FORMAT,
    span_table.FORMAT,
    presidio.FORMAT,
    mention_table.FORMAT,
    mimic.FORMAT,
)
FORMATS: Mapping[str, Format] = {item.name: item for item in _FORMATS}
"""All formats by name; each has a title, and tells whether it can be written (`writer`)."""
WRITABLE: Tuple[str, ...] = tuple(item.name for item in _FORMATS if item.writer)
_BY_ALIAS = {alias: item for item in _FORMATS for alias in item.aliases}


def find_format(name: str, *, to_write: bool = False) -> Format:
    """Return a format by its name or another name of it.

    to_write (bool): It has to be one that can be written.
    RAISES (CorpusError): An unknown format, or one that cannot be used so.
    """
    chosen = FORMATS.get(name) or _BY_ALIAS.get(name)
    known = sorted(WRITABLE if to_write else FORMATS)
    if chosen is not None and (chosen.writer or not to_write):
        return chosen
    found = f"found format {name!r}"
    found += ", which can only be read" if chosen is not None else ""
    raise CorpusError(f"{found}, expected one of {', '.join(known)}")


def format_of_target(path: PathLike, name: Optional[str] = None) -> Format:
    """Choose the format to write: the one named, or the one that the file's name tells.

    A name without an ending means a folder of DocBins.
    RAISES (CorpusError): A format that is unknown or can only be read; an ending that tells none.
    """
    if name is not None:
        return find_format(name, to_write=True)
    path = Path(path)
    if leads_to_stream(path):
        names = ", ".join(WRITABLE)
        message = f"found a pipe or device, whose name tells no format; name one (--to): {names}"
        raise CorpusError(message, path=path)
    lower = path.name.lower()
    by_ending: Dict[str, Format] = {
        ending: FORMATS[name] for name in WRITABLE for ending in FORMATS[name].endings
    }
    for ending in sorted(by_ending, key=len, reverse=True):
        if lower.endswith(ending):
            return by_ending[ending]
    for item in _FORMATS:
        if item.writer and item.name_part and item.name_part in lower:
            return item
    if not path.suffix or path.is_dir():
        return docbin.FORMAT
    message = (
        f"found no format and a name ending {path.suffix!r}, expected one of "
        f"{', '.join(sorted(by_ending))}, or a format (--to): {', '.join(WRITABLE)}"
    )
    raise CorpusError(message, path=path)
