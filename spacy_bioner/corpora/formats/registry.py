"""The formats: their names, readers, writers, and what each can carry.

Modules are imported when a format is used, so that a format whose library is not installed does
not stand in the way of the others.
"""

from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, Mapping, Optional, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.capabilities import (
    SECTIONS,
    SENTENCES,
    WORDS,
    find_losses,
)
from spacy_bioner.corpora.formats.read_errors import Problems
from spacy_bioner.corpora.formats.token_capabilities import find_token_losses
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import leads_to_stream
from spacy_bioner.records import Record


@dataclass(frozen=True)
class Format:
    """A corpus format.

    name (str): As `--from` and `--to` take it.
    title (str): What it is, for help texts.
    module (str): The module in this package that reads and writes it.
    reader (str): The function that streams Records from a path.
    writer (str): The function that writes Records, or Docs, behind its module if that is another;
        empty when it can only be read.
    takes_docs (bool): It is made of tokens: the writer wants Docs.
    is_folder (bool): It is a folder of files.
    endings (Tuple[str, ...]): Of file names, the most telling first.
    options (FrozenSet[str]): Settings that the reader has.
    derives (FrozenSet[str]): Features that its reader makes out of the text, whatever was written.
    losses (str): The function in the module that counts what else of a record gets lost.
    """

    name: str
    title: str
    module: str
    reader: str
    writer: str = ""
    takes_docs: bool = False
    is_folder: bool = False
    endings: Tuple[str, ...] = ()
    options: FrozenSet[str] = frozenset()
    derives: FrozenSet[str] = frozenset()
    losses: str = ""

    @property
    def reads_folders(self) -> bool:
        """Whether the reader takes a folder; others read one file of it at a time."""
        return self.is_folder or self.name == "spacy"

    @property
    def carried(self) -> FrozenSet[str]:
        """The features named in `formats.capabilities` that a written file holds."""
        return _import(self.module).CARRIES  # type: ignore[no-any-return]

    def find_losses(self, record: Record, doc: Optional[Doc] = None) -> "Counter[str]":
        """Count what of a record a written file does not hold, by feature.

        doc (Optional[Doc]): What is written of it, where the format `takes_docs`.
        """
        if doc is not None:
            found = find_token_losses(record, doc, self.carried)
        else:
            found = find_losses(record, self.carried)
        if self.losses:
            found.update(getattr(_import(self.module), self.losses)(record))
        return found

    def read(
        self, path: PathLike, *, problems: Optional[Problems] = None, **options: Any
    ) -> Iterator[Record]:
        """Stream the documents of a path; options that are None count as not given.

        RAISES (CorpusError): An option that the format does not have; what the reader finds.
        """
        given = {name: value for name, value in options.items() if value is not None}
        foreign = sorted(set(given) - self.options)
        if foreign:
            has = ", ".join(sorted(self.options)) or "none"
            message = f"found the setting {foreign[0]!r} for format {self.name}, which has {has}"
            raise CorpusError(message, path=path)
        read = getattr(_import(self.module), self.reader)
        if problems is not None:
            given["problems"] = problems
        return read(path, **given)  # type: ignore[no-any-return]

    def write(self, items: Iterable[Any], path: PathLike, **options: Any) -> int:
        """Write Records, or Docs where the format `takes_docs`.

        RETURNS (int): The number of documents.
        RAISES (CorpusError): A format that can only be read.
        """
        if not self.writer:
            message = f"found format {self.name!r}, which can only be read; choose another"
            raise CorpusError(message, path=path)
        module, _, name = self.writer.rpartition(":")
        write = getattr(_import(module or self.module), name)
        return write(items, path, **options)  # type: ignore[no-any-return]


_TOKEN_OPTIONS = frozenset(("layout",))
_OFFSET_OPTIONS = frozenset(("offsets",))
_FORMATS = (
    Format(
        "spacy",
        "spaCy's DocBin: a file ending in .spacy, or a folder of them",
        "docbin",
        "read_docbin_records",
        "write_docbin_or_shards",
        takes_docs=True,
        endings=(".spacy",),
    ),
    Format(
        "pubtator",
        "PubTator: id|t|title, id|a|abstract, tab-separated mentions",
        "pubtator",
        "read_pubtator",
        "write_pubtator",
        endings=(".pubtator", ".pubtator.txt"),
        losses="find_pubtator_losses",
        derives=frozenset((SECTIONS,)),
    ),
    Format(
        "conll",
        "CoNLL: a word and its tag on each line, two columns or more",
        "tagged.conll",
        "read_conll",
        "write_conll",
        takes_docs=True,
        endings=(".conll", ".iob", ".tsv", ".bio"),
        options=_TOKEN_OPTIONS,
    ),
    Format(
        "conllu",
        "CoNLL-U with the tags of entities in MISC (NER=, NE=, name=, …)",
        "tagged.conllu",
        "read_conllu",
        options=frozenset(("key",)),
    ),
    Format(
        "iob",
        "a sentence on each line, word|tag or word|POS|tag",
        "tagged.iob_lines",
        "read_iob",
    ),
    Format(
        "csv",
        "table with a header, a word and its tag in each row",
        "tagged.tables",
        "read_table",
        "write_table",
        takes_docs=True,
        endings=(".csv",),
        options=_TOKEN_OPTIONS | {"encoding"},
    ),
    Format(
        "bioc_xml",
        "BioC XML",
        "bioc.bioc_xml",
        "read_bioc_xml",
        "write_bioc_xml",
        endings=(".bioc.xml", ".xml"),
        options=frozenset(("individual_mentions",)),
    ),
    Format(
        "bioc_json",
        "BioC JSON",
        "bioc.bioc_json",
        "read_bioc_json",
        "write_bioc_json",
        endings=(".bioc.json",),
        options=frozenset(("individual_mentions",)),
    ),
    Format(
        "brat",
        "brat standoff: a folder of .txt and .ann files",
        "standoff.brat",
        "read_brat",
        "standoff.brat_writer:write_brat",
        is_folder=True,
    ),
    Format(
        "bionlp",
        "BioNLP shared task: a folder of .txt, .a1 and .a2 files",
        "standoff.brat",
        "read_bionlp",
        is_folder=True,
    ),
    Format(
        "i2b2",
        "i2b2/n2c2 2010 concepts: a folder of .txt and .con files",
        "standoff.i2b2",
        "read_i2b2",
        "write_i2b2",
        is_folder=True,
        derives=frozenset((WORDS, SENTENCES)),
        losses="find_i2b2_losses",
    ),
    Format(
        "jsonl",
        "JSON (Lines) of texts with spans: Prodigy, spaCy, BERN2, PubAnnotation, dataturks, …",
        "json_files.jsonl",
        "read_jsonl",
        "write_jsonl",
        endings=(".jsonl",),
        options=_OFFSET_OPTIONS,
    ),
    Format(
        "doccano",
        "doccano's JSON Lines",
        "json_files.doccano",
        "read_doccano",
        "write_doccano",
        options=_OFFSET_OPTIONS,
    ),
    Format(
        "label_studio",
        "Label Studio's JSON export",
        "json_files.label_studio",
        "read_label_studio",
        "write_label_studio",
        options=_OFFSET_OPTIONS | {"text_key", "annotation"},
    ),
    Format(
        "json_tokens",
        "JSON of words with tags or spans of words: datasets, GLiNER, SciERC, SpERT",
        "json_files.tokens",
        "read_json_tokens",
    ),
    Format(
        "spacy_v2", "spaCy's training JSON before version 3", "json_files.spacy_v2", "read_spacy_v2"
    ),
    Format(
        "bigbio",
        "BigBio's KB schema (JSON)",
        "json_files.bigbio",
        "read_bigbio",
        options=_OFFSET_OPTIONS,
    ),
    Format(
        "uima_cas",
        "UIMA CAS JSON, as INCEpTION exports it",
        "json_files.uima_cas",
        "read_uima_cas",
        options=_OFFSET_OPTIONS,
    ),
    Format(
        "europepmc", "annotations of Europe PMC (JSON)", "json_files.europepmc", "read_europepmc"
    ),
    Format(
        "span_table",
        "table with texts and, in another column, their spans as JSON",
        "standoff.span_table",
        "read_span_table",
        options=_OFFSET_OPTIONS | {"encoding"},
    ),
    Format(
        "presidio", "Presidio's synthetic sentences (JSON)", "json_files.presidio", "read_presidio"
    ),
    Format(
        "standoff",
        "table of mentions: a document, a label and offsets in each row",
        "standoff.mention_table",
        "read_standoff",
        options=frozenset(("texts",)),
    ),
    Format(
        "mimic",
        "MIMIC-III's NOTEEVENTS.csv, or another table of notes",
        "mimic",
        "read_mimic",
        "write_mimic",
        options=frozenset(("columns", "encoding")),
        derives=frozenset((SECTIONS,)),
    ),
)
FORMATS: Mapping[str, Format] = {item.name: item for item in _FORMATS}
"""All formats by name; each has a title, and tells whether it can be written (`writer`)."""
WRITABLE: Tuple[str, ...] = tuple(item.name for item in _FORMATS if item.writer)
_ALIASES = {
    "tsv": "conll",
    "docbin": "spacy",
    "prodigy": "jsonl",
    "json": "jsonl",
    "bern2": "jsonl",
    "pubannotation": "jsonl",
    "dataturks": "jsonl",
    "lighttag": "jsonl",
    "argilla": "jsonl",
    "inception": "uima_cas",
    "gliner": "json_tokens",
    "scierc": "json_tokens",
    "spert": "json_tokens",
    "datasets": "json_tokens",
    "hf": "json_tokens",
    "table": "csv",
    "bioc": "bioc_xml",
}


def find_format(name: str, *, to_write: bool = False) -> Format:
    """Return a format by its name or another name of it.

    to_write (bool): It has to be one that can be written.
    RAISES (CorpusError): An unknown format, or one that cannot be used so.
    """
    chosen = FORMATS.get(_ALIASES.get(name, name))
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
    if "pubtator" in lower:
        return FORMATS["pubtator"]
    if not path.suffix or path.is_dir():
        return FORMATS["spacy"]
    message = (
        f"found no format and a name ending {path.suffix!r}, expected one of "
        f"{', '.join(sorted(by_ending))}, or a format (--to): {', '.join(WRITABLE)}"
    )
    raise CorpusError(message, path=path)


def _import(module: str) -> Any:
    return import_module(f"spacy_bioner.corpora.formats.{module}")
