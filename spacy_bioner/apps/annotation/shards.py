"""A shard of an annotated folder on disk: documents, their receipts, and what was rejected."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.apps.annotation.documents import COUNTED, AnnotatedDocument, LeftOut
from spacy_bioner.apps.annotation.manifest import RECEIPTS, REJECTED, SHARDS, Shard
from spacy_bioner.apps.annotation.tables import require_pyarrow, write_parquet
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.formats.bioc.records import require_bioc
from spacy_bioner.corpora.formats.registry import find_format
from spacy_bioner.corpora.read_write import write_records
from spacy_bioner.errors import ConfigError, CorpusError, OutputError
from spacy_bioner.files.digests import digest_path
from spacy_bioner.files.replacing import replacing
from spacy_bioner.gold import ID_KEY

JSONL, PARQUET, DOCBIN = "jsonl", "parquet", "spacy"
CORPORA = ("pubtator", "bioc_xml", "bioc_json", "brat")
TARGETS = (JSONL, PARQUET, *CORPORA, DOCBIN)
Documents = Sequence[AnnotatedDocument]


@dataclass(frozen=True)
class ShardWriter:
    """Writes the shards of a folder.

    folder (Path): The output.
    to_format (str): One of `TARGETS`.
    digests (Mapping[str, str]): What all receipts say besides.
    losses (Counter[str]): Is told what the format has no place for.
    """

    folder: Path
    to_format: str
    digests: Mapping[str, str]
    losses: "Counter[str]"

    def write(self, number: int, documents: Documents, left_out: Iterable[LeftOut]) -> Shard:
        """Write the files of a shard; one without documents or rejects has no file of these.

        A document that the format cannot hold is rejected.
        RAISES (OutputError): Where they cannot be written.
        """
        kept, refused = self._write_documents(number, documents)
        rejected = [*left_out, *refused]
        receipts = [item.make_receipt() for item in kept]
        files = [self._name(number)] if kept else []
        for folder, rows in (
            (RECEIPTS, [{**receipt, **self.digests} for receipt in receipts]),
            (REJECTED, [item.to_json() for item in rejected]),
        ):
            if rows:
                files.append(f"{folder}/part-{number:05}.jsonl")
                write_lines(rows, self.folder / files[-1])
        counts = {"documents": len(kept), "rejected": len(rejected)}
        counts.update({key: sum(receipt[key] for receipt in receipts) for key in COUNTED})
        return Shard({name: digest_path(self.folder / name) for name in files}, counts)

    def _name(self, number: int) -> str:
        return f"{SHARDS}/part-{number:05}{find_ending(self.to_format)}"

    def _write_documents(
        self, number: int, documents: Documents
    ) -> Tuple[Documents, List[LeftOut]]:
        path = self.folder / self._name(number)
        write = _WRITERS.get(self.to_format, self._write_corpus)
        try:
            if documents:
                write(documents, path)
            return documents, []
        except OutputError:
            raise
        except CorpusError as error:
            refused = self._find_refused(documents, write)
            if not refused:
                raise error
        kept = [item for item in documents if id(item) not in refused]
        if kept:
            write(kept, path)
        return kept, list(refused.values())

    def _write_corpus(self, documents: Documents, path: Path) -> None:
        losses: Counter[str] = Counter()
        records = (item.to_record() for item in documents)
        write_records(records, path, self.to_format, losses=losses)
        self.losses.update(losses)

    def _find_refused(
        self, documents: Documents, write: Callable[[Documents, Path], None]
    ) -> Dict[int, LeftOut]:
        """Write each document alone, and note those that cannot be; else those of one name."""
        before = Counter(self.losses)
        refused: Dict[int, LeftOut] = {}
        with TemporaryDirectory(prefix="bioner-") as folder:
            for number, item in enumerate(documents):
                path = Path(folder) / f"{number}{find_ending(self.to_format)}"
                try:
                    write([item], path)
                except CorpusError as error:
                    reason = str(error).removeprefix(f"{path}: ")
                    refused[id(item)] = LeftOut(f"{self.to_format}: {reason}", item.id)
        self.losses.clear()
        self.losses.update(before)
        return refused or self._find_repeated(documents)

    def _find_repeated(self, documents: Documents) -> Dict[int, LeftOut]:
        first = {item.id: item for item in reversed(documents)}
        reason = f"{self.to_format}: found a second document of this id in its shard"
        return {
            id(item): LeftOut(reason, item.id) for item in documents if item is not first[item.id]
        }


def check_target(to_format: str, path: Path) -> None:
    """Make sure that a format can be written here.

    RAISES (ConfigError): For one that is none of `TARGETS`.
    RAISES (MissingExtraError): Where its library is not installed.
    """
    if to_format not in TARGETS:
        raise ConfigError(f"found format {to_format!r}, expected one of {', '.join(TARGETS)}")
    if to_format == PARQUET:
        require_pyarrow("a Parquet file", path)
    if to_format.startswith("bioc"):
        require_bioc(path)


def find_ending(to_format: str) -> str:
    """Return the ending of a shard's name; none for a folder."""
    if to_format == PARQUET:
        return ".parquet"
    chosen = find_format(to_format)
    return "" if chosen.is_folder else chosen.file_ending


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write JSON Lines, whole or not at all."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_jsonl(documents: Documents, path: Path) -> None:
    write_lines((item.to_json() for item in documents), path)


def _write_docbin(documents: Documents, path: Path) -> None:
    # A vocabulary of its own: what is in it goes with the shard.
    vocab = Vocab()
    docs = []
    for item in documents:
        doc = Doc(vocab).from_bytes(item.findings.packed)
        doc.user_data[ID_KEY] = item.id
        docs.append(doc)
    write_docbin(docs, path)


_WRITERS: Dict[str, Callable[[Documents, Path], None]] = {
    JSONL: _write_jsonl,
    PARQUET: write_parquet,
    DOCBIN: _write_docbin,
}
