"""The account of a conversion: what became of every gold mention, as numbers and rows."""

import json
import logging
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional

from spacy.tokens import Doc

from spacy_bioner.corpora.alignment_counts import AlignedMention, AlignmentCounts, Tally
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.digests import digest, digest_folder
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import leads_to_stream
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Mention, Record

logger = logging.getLogger(__name__)
_CHUNK = 65_536


@dataclass(frozen=True)
class MentionRow:
    """A gold mention that deserves a look: every one that is not exact, or is spelled differently.

    document (str): The record's identifier.
    line (Optional[int]): The line of the source file.
    outcome (str): One of `alignment_counts.OUTCOMES`.
    reason (str): Why it was lost, how it was flattened, what it overlaps.
    claimed (str): The surface form that the annotation claims.
    found (str): What stands at its offsets.
    tokens (str): What represents it on the Doc, where that is something else.
    """

    document: str
    line: Optional[int]
    start_char: int
    end_char: int
    label: str
    outcome: str
    reason: str
    claimed: str
    found: str
    tokens: str = ""


class AuditLog:
    """Takes the account of each document as it is converted, in little memory.

    Rows are kept compressed: a million of them take some 20 MB.
    """

    def __init__(self) -> None:
        self._tally = Tally()
        self._packer = zlib.compressobj()
        self._packed = bytearray()
        self.rows = 0

    def add(
        self, record: Record, mentions: Iterable[AlignedMention], doc: Optional[Doc] = None
    ) -> None:
        """Count the mentions of one document, and list those that are not exact."""
        mentions = list(mentions)
        self._tally.add(mentions)
        for item in mentions:
            if item.outcome != "exact" or item.respelled:
                row = _make_row(record, item, doc)
                line = json.dumps(vars(row), ensure_ascii=False) + "\n"
                self._packed += self._packer.compress(line.encode("utf-8"))
                self.rows += 1

    def count(self) -> AlignmentCounts:
        """Sum up what was added so far."""
        return self._tally.count()

    def list_rows(self, *outcomes: str) -> Iterator[MentionRow]:
        """Stream the rows, of some outcomes or of all."""
        for row in self._read():
            if not outcomes or row.outcome in outcomes:
                yield row

    def write(self, account: Dict[str, Any], path: PathLike) -> None:
        """Write an account with all rows, under "mentions", as one JSON object."""
        head = json.dumps(account, ensure_ascii=False, indent=2)
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
        ):
            file.write(head.removesuffix("\n}") + ',\n  "mentions": [')
            for number, row in enumerate(self._read()):
                text = json.dumps(vars(row), ensure_ascii=False)
                file.write(f"{',' if number else ''}\n    {text}")
            file.write("\n  ]\n}\n" if self.rows else "]\n}\n")

    def _read(self) -> Iterator[MentionRow]:
        self._packed += self._packer.flush(zlib.Z_SYNC_FLUSH)
        unpacker = zlib.decompressobj()
        rest = b""
        for start in range(0, len(self._packed), _CHUNK):
            *lines, rest = (rest + unpacker.decompress(self._packed[start : start + _CHUNK])).split(
                b"\n"
            )
            for line in lines:
                yield MentionRow(**json.loads(line))


@dataclass
class Conversion:
    """What a conversion read and wrote.

    source (str): The path that was read.
    target (str): The path that was written.
    source_format (str): Its format.
    target_format (str): Its format.
    tokenizer (str): The tokenizer, or several with commas, where the target has tokens.
    documents (int): Number of documents written.
    entities (int): Number of entities in `doc.ents`; 0 for targets without tokens.
    count (AlignmentCounts): What became of each gold mention that was read.
    counters (Dict[str, int]): What the reader left out because records have no place for it, such
        as "relations_skipped".
    losses (Dict[str, int]): What the target has no place for.
    labels_read (Dict[str, int]): Mentions of each label as the file spells it.
    labels_not_found (List[str]): Names in the label map that no mention has.
    skipped (Dict[str, Any]): What a lenient reading left out, with messages.
    edits (Counter[str]): Edits of each step of normalization.
    filtered (Dict[str, Any]): What filters removed.
    warnings (List[str]): What may be wrong with the source as a whole.
    sha256 (str): Of the target as it was written; empty for a pipe. See `digest_output`.
    """

    source: str
    target: str
    source_format: str = ""
    target_format: str = ""
    tokenizer: str = ""
    documents: int = 0
    entities: int = 0
    count: AlignmentCounts = field(default_factory=AlignmentCounts)
    counters: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    labels_read: Counter[str] = field(default_factory=Counter)
    labels_not_found: List[str] = field(default_factory=list)
    skipped: Dict[str, Any] = field(default_factory=dict)
    edits: Counter[str] = field(default_factory=Counter)
    filtered: Dict[str, Any] = field(default_factory=dict)
    warnings: List[str] = field(default_factory=list)
    sha256: str = ""
    log: AuditLog = field(default_factory=AuditLog, repr=False)

    def lose(self, record: Record, mentions: Iterable[Mention], why: str) -> None:
        """Note mentions that are left out before anything is written."""
        self.log.add(record, [AlignedMention(m, "lost", reason=why) for m in mentions])

    def to_json(self) -> Dict[str, Any]:
        """Return the account as plain data, without the rows."""
        data = {name: value for name, value in vars(self).items() if name != "log"}
        for name in ("counters", "losses", "labels_read", "edits"):
            data[name] = dict(sorted(data[name].items()))
        data["count"] = self.count.to_json()
        return data

    def write(self, path: PathLike) -> None:
        """Write the account as JSON, with a row for every mention that is not exact."""
        self.log.write(self.to_json(), path)


def audit_path(target: Path) -> Path:
    """Say where the audit of a DocBin, or of a folder of them, is kept."""
    if target.suffix.lower() == ".spacy":
        return target.with_suffix(".audit.json")
    return target / "audit.json"


def digest_output(target: Path) -> str:
    """Return the SHA-256 of a corpus that was written, a file or a folder without its audit."""
    if target.is_dir():
        return digest_folder(target, leave_out=[audit_path(target).name])
    return "" if leads_to_stream(target) else digest(target)


def check_account(account: Mapping[str, Any], corpus: Path, *, path: PathLike) -> None:
    """Make sure that an account is about the corpus that lies there.

    Where no corpus lies there, nothing can be said; of an account that does not tell, it is logged.

    account (Mapping[str, Any]): Of one conversion, as `Conversion.to_json` gives it.
    path (PathLike): Where the account stands.
    RAISES (CorpusError): For an account of another corpus.
    """
    known = account.get("sha256", "")
    if not corpus.exists():
        return
    if not known:
        message = (
            "%s: does not tell the SHA-256 of its corpus (an earlier version wrote it); whether"
        )
        logger.warning(f"{message} it is about {corpus} is not known", path)
    elif known != digest_output(corpus):
        message = (
            f"found an account of another corpus than {corpus}, as after a conversion that was"
        )
        raise CorpusError(f"{message} killed; convert it again", path=path)


def _make_row(record: Record, item: AlignedMention, doc: Optional[Doc]) -> MentionRow:
    mention = item.mention
    found = record.text[max(0, mention.start_char) : max(0, mention.end_char)]
    if mention.fragments:
        found = " … ".join(record.text[start:end] for start, end in mention.fragments)
    tokens = doc[item.start : item.end].text if doc is not None and item.end else ""
    return MentionRow(
        document=record.id,
        line=mention.line,
        start_char=mention.start_char,
        end_char=mention.end_char,
        label=mention.label,
        outcome=item.outcome,
        reason=item.reason,
        claimed=mention.text,
        found=found,
        tokens="" if tokens == found else tokens,
    )
