"""What is true of a corpus format, said in one place: the `FORMAT` of its module."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, Mapping, Optional, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.capabilities import find_losses, find_token_losses
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Record

CorpusReader = Callable[[PathLike], Iterator[Record]]
# Columns by what they hold, the tag scheme, and the label of tags that name none.
TagOptions = Callable[[Mapping[str, Any], Optional[str], str], Optional[Dict[str, Any]]]


@dataclass(frozen=True)
class Format:
    """A corpus format.

    name (str): As `--from` and `--to` take it.
    title (str): What it is, for help texts.
    reader (Callable): Streams Records from a path.
    writer (Optional[Callable]): Writes Records, or Docs, to a path, and returns their number; None
        when it can only be read.
    aliases (Tuple[str, ...]): Other names of it.
    carried (FrozenSet[str]): The features named in `formats.capabilities` that a written file
        holds.
    takes_docs (bool): It is made of tokens: the writer wants Docs.
    holds_docs (bool): It keeps Docs as they are, in a file or in a folder of several, for training;
        the account of a conversion is written beside it.
    is_folder (bool): It is a folder of files.
    line_based (bool): It ends where its lines end: a file that was cut may be read without a fault.
    endings (Tuple[str, ...]): Of file names that tell it, the most telling first.
    file_ending (str): Of a file that is written, where no ending tells it; else the first of these.
    folder_endings (Tuple[str, ...]): Of files that no other format has: they tell a folder.
    name_part (str): What tells it anywhere in the name of a file that is written.
    looks_like (Optional[Callable[[str], bool]]): Whether a file that is no JSON and starts with
        such a text is one, where a mark of its own tells it.
    part_of (str): A format whose reader reads this one too: files of both are one corpus.
    options (FrozenSet[str]): Settings that the reader has.
    tag_options (Optional[Callable]): Makes settings of the reader out of columns by what they hold,
        a tag scheme and a label; None for what it has no settings of.
    reads_corpora (bool): The reader takes `read_corpus`, a function that reads other corpora.
    writer_options (FrozenSet[str]): Settings that the writer has.
    derives (FrozenSet[str]): Features that its reader makes out of the text, whatever was written.
    losses (Optional[Callable[[Record], Counter[str]]]): Counts what else of a record gets lost.
    """

    name: str
    title: str
    reader: Callable[..., Iterator[Record]]
    writer: Optional[Callable[..., int]] = None
    aliases: Tuple[str, ...] = ()
    carried: FrozenSet[str] = frozenset()
    takes_docs: bool = False
    holds_docs: bool = False
    is_folder: bool = False
    line_based: bool = False
    endings: Tuple[str, ...] = ()
    file_ending: str = ""
    folder_endings: Tuple[str, ...] = ()
    name_part: str = ""
    looks_like: Optional[Callable[[str], bool]] = None
    part_of: str = ""
    options: FrozenSet[str] = frozenset()
    tag_options: Optional[TagOptions] = None
    reads_corpora: bool = False
    writer_options: FrozenSet[str] = frozenset()
    derives: FrozenSet[str] = frozenset()
    losses: Optional[Callable[[Record], "Counter[str]"]] = None

    def __post_init__(self) -> None:
        if self.endings and not self.file_ending:
            object.__setattr__(self, "file_ending", self.endings[0])

    @property
    def reads_folders(self) -> bool:
        """Whether the reader takes a folder; others read one file of it at a time."""
        return self.is_folder or self.holds_docs

    def find_losses(self, record: Record, doc: Optional[Doc] = None) -> "Counter[str]":
        """Count what of a record a written file does not hold, by feature.

        doc (Optional[Doc]): What is written of it, where the format `takes_docs`.
        """
        if doc is not None:
            found = find_token_losses(record, doc, self.carried)
        else:
            found = find_losses(record, self.carried)
        if self.losses:
            found.update(self.losses(record))
        return found

    def read(
        self,
        path: PathLike,
        *,
        problems: Optional[ReadErrors] = None,
        read_corpus: Optional[CorpusReader] = None,
        **options: Any,
    ) -> Iterator[Record]:
        """Stream the documents of a path; options that are None count as not given.

        read_corpus (Optional[CorpusReader]): For formats that read other corpora.
        RAISES (CorpusError): An option that the format does not have; what the reader finds.
        """
        given = {name: value for name, value in options.items() if value is not None}
        foreign = sorted(set(given) - self.options)
        if foreign:
            has = ", ".join(sorted(self.options)) or "none"
            message = f"found the setting {foreign[0]!r} for format {self.name}, which has {has}"
            raise CorpusError(message, path=path)
        if problems is not None:
            given["problems"] = problems
        if self.reads_corpora:
            given["read_corpus"] = read_corpus
        return self.reader(path, **given)

    def write(self, items: Iterable[Any], path: PathLike, **options: Any) -> int:
        """Write Records, or Docs where the format `takes_docs`.

        RETURNS (int): The number of documents.
        RAISES (CorpusError): A format that can only be read.
        """
        if self.writer is None:
            message = f"found format {self.name!r}, which can only be read; choose another"
            raise CorpusError(message, path=path)
        return self.writer(items, path, **options)
