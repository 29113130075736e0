"""What a pipeline finds in a document, as plain data: entities, and a receipt of what it read."""

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, Optional, Tuple, Union

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record

Text = Union[str, Tuple[str, str], Record]
COUNTED = ("characters", "tokens", "pieces", "windows", "unseen", "entities", "foreign")


@dataclass(frozen=True)
class Entity:
    """An entity that a pipeline found.

    start_char (int): Offset of the first character in the document's text.
    end_char (int): Offset behind the last character.
    confidence (Optional[float]): Between 0 and 1; None where its source gives none.
    source (str): The component that proposed it; empty where that is not known.
    concept_ids (Tuple[str, ...]): Empty where it has none.
    """

    start_char: int
    end_char: int
    label: str
    text: str
    confidence: Optional[float] = None
    source: str = ""
    concept_ids: Tuple[str, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """Return it as plain data, without what is not known."""
        data = {
            "start": self.start_char,
            "end": self.end_char,
            "label": self.label,
            "text": self.text,
            "confidence": self.confidence,
            "source": self.source or None,
            "concept_ids": list(self.concept_ids) or None,
        }
        return {key: value for key, value in data.items() if value is not None}

    def to_mention(self) -> Mention:
        """Return it as a mention; confidence and source are attributes of that."""
        known = {"source": self.source}
        if self.confidence is not None:
            known["confidence"] = str(self.confidence)
        return Mention(
            self.start_char,
            self.end_char,
            self.label,
            self.text,
            self.concept_ids,
            attributes=tuple((key, value) for key, value in sorted(known.items()) if value),
        )


@dataclass(frozen=True)
class Receipt:
    """What a pipeline read of a document.

    tokens (int): Of the pipeline's tokenizer.
    pieces (int): Sub-word pieces, of all encoders together; 0 without an encoder of this package.
    windows (int): Inputs of the encoders.
    unseen (int): Tokens that an encoder did not see: 0 unless its setting `truncate` cuts.
    entities (int): Entities that were found.
    foreign (int): 1 where the text seems to be in another language than the encoder has learned.
    """

    characters: int
    tokens: int
    pieces: int
    windows: int
    unseen: int
    entities: int
    foreign: int = 0


@dataclass(frozen=True)
class Findings:
    """What a pipeline makes of a text.

    packed (bytes): The Doc, where it was asked for; else empty.
    """

    entities: Tuple[Entity, ...]
    receipt: Receipt
    packed: bytes = b""


@dataclass(frozen=True)
class AnnotatedDocument:
    """A document with the entities that a pipeline found.

    record (Record): As it was read.
    findings (Findings): What was found.
    """

    record: Record
    findings: Findings

    @property
    def id(self) -> str:
        """The document's identifier."""
        return self.record.id

    @property
    def text(self) -> str:
        """The document's text, as it was read."""
        return self.record.text

    @property
    def entities(self) -> Tuple[Entity, ...]:
        """The entities, in the order of the text."""
        return self.findings.entities

    @property
    def receipt(self) -> Receipt:
        """What the pipeline read of the document."""
        return self.findings.receipt

    def to_json(self) -> Dict[str, Any]:
        """Return id, text and entities as plain data."""
        found = [entity.to_json() for entity in self.entities]
        return {"id": self.id, "text": self.text, "entities": found}

    def to_record(self) -> Record:
        """Return the document with the entities as its mentions, and no others."""
        mentions = tuple(entity.to_mention() for entity in self.entities)
        return replace(
            self.record, mentions=mentions, words=(), sentence_starts=(), reading_notes={}
        )

    def make_receipt(self) -> Dict[str, Any]:
        """Return the receipt as plain data, with the SHA-256 of the text."""
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return {"id": self.id, "text_sha256": digest, **asdict(self.receipt)}


@dataclass(frozen=True)
class LeftOut:
    """A document that could not be read, annotated or written.

    reason (str): With file and line, where it could not be read.
    id (str): Its identifier; empty where that is not known.
    """

    reason: str
    id: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return it as plain data."""
        return {"id": self.id, "reason": self.reason} if self.id else {"reason": self.reason}


def describe_foreign(count: int) -> str:
    """Say that documents are in another language, as far as their pieces tell."""
    subject = "1 document seems" if count == 1 else f"{count:,} documents seem"
    return (
        f"{subject} to be in another language or script than the pipeline has learned: nothing in "
        "it, or what it misses, can be relied upon"
    )


def make_record(text: Text, number: int) -> Record:
    """Make a Record of what `annotate` takes as a document.

    number (int): Its id, where it brings none.
    RAISES (ConfigError): For anything else.
    """
    if isinstance(text, str):
        return Record(str(number), text)
    if isinstance(text, Record):
        return text
    if isinstance(text, tuple) and list(map(type, text)) == [str, str]:
        return Record(*text)
    message = f"found {type(text).__name__} as document {number}, expected a text, a pair of id"
    raise ConfigError(f"{message} and text, or a Record")
