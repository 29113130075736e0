"""Frozen dataclasses that cross layers: what a corpus says, before any tokenization."""

from dataclasses import dataclass, field, replace
from typing import Dict, Optional, Tuple, Union

Fragment = Tuple[int, int]
Note = Union[int, str]


@dataclass(frozen=True)
class Concept:
    """An entry of a terminology.

    id (str): The identifier, with its namespace where the source gives one ("MESH:D003920").
    name (str): The name as the terminology spells it; empty when only the id is known.
    label (str): The entity type.
    """

    id: str
    name: str = ""
    label: str = ""


@dataclass(frozen=True)
class Mention:
    """One annotated stretch of a document's text.

    start_char (int): Offset of the first character in `Record.text`.
    end_char (int): Offset behind the last character.
    label (str): The entity type as the corpus spells it.
    text (str): The surface form that the annotation claims; checked against the text on alignment.
    concept_ids (Tuple[str, ...]): Identifiers in the corpus' order; empty when it gives none.
    fragments (Tuple[Tuple[int, int], ...]): The parts of a discontinuous mention, ascending;
        empty for a continuous one. `start_char`/`end_char` then cover all of them.
    line (Optional[int]): The line of the source file that the mention comes from.
    attributes (Tuple[Tuple[str, str], ...]): What else the corpus says of it as (name, value), such
        as ("Negation", "true"); ("event", TYPE) marks the trigger of an event.
    """

    start_char: int
    end_char: int
    label: str
    text: str = ""
    concept_ids: Tuple[str, ...] = ()
    fragments: Tuple[Fragment, ...] = ()
    line: Optional[int] = None
    attributes: Tuple[Tuple[str, str], ...] = ()

    @property
    def pieces(self) -> Tuple[Fragment, ...]:
        """The stretches of text that are annotated: the fragments, or the one from start to end."""
        return self.fragments or ((self.start_char, self.end_char),)

    @property
    def key(self) -> Tuple[int, int, str, Tuple[Fragment, ...]]:
        """Start, end, label and fragments; of two mentions with one key, one is a duplicate."""
        return self.start_char, self.end_char, self.label, self.fragments

    def labeled(self, label: str) -> "Mention":
        """Return the mention with another label; itself where it has that one."""
        return self if label == self.label else replace(self, label=label)

    def covered(self, text: str) -> str:
        """Return what stands at the pieces, joined with spaces.

        brat and its like claim this text for a discontinuous mention.
        """
        return " ".join(text[start:end] for start, end in self.pieces)


@dataclass(frozen=True)
class Record:
    """One document of a corpus.

    id (str): The document's identifier (a PMID, a file name, a running number).
    text (str): The whole text; offsets of all mentions count characters in it.
    mentions (Tuple[Mention, ...]): Every gold mention, in the order of the file.
    sections (Tuple[Tuple[str, int, int], ...]): Named parts as (name, start_char, end_char).
    words (Tuple[Tuple[int, int], ...]): The corpus' own tokens as offsets, when it is tokenized.
    sentence_starts (Tuple[int, ...]): Offsets where the corpus starts a sentence, when it says so.
    meta (Dict[str, str]): What else the file says of the document.
    reading_notes (Dict[str, Note]): What its reader noted beside the document: numbers of what it
        left out or repaired, by name, warnings, and PubTator's further columns, as they stand in
        the file. Only `write_pubtator` writes any of it, these columns.
    """

    id: str
    text: str
    mentions: Tuple[Mention, ...] = ()
    sections: Tuple[Tuple[str, int, int], ...] = ()
    words: Tuple[Fragment, ...] = ()
    sentence_starts: Tuple[int, ...] = ()
    meta: Dict[str, str] = field(default_factory=dict)
    reading_notes: Dict[str, Note] = field(default_factory=dict)
