"""Many documents through a pipeline: to a folder that a killed run goes on with, or to a script."""

import warnings
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from importlib import metadata
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import (
    TYPE_CHECKING,
    Any,
    Deque,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import srsly
from spacy.language import Language

from spacy_bioner import __version__
from spacy_bioner.apps.annotation.documents import (
    AnnotatedDocument,
    Findings,
    LeftOut,
    Text,
    describe_foreign,
    make_record,
)
from spacy_bioner.apps.annotation.manifest import Manifest
from spacy_bioner.apps.annotation.runner import Outcome, check_processes, run_batches
from spacy_bioner.apps.annotation.shards import DOCBIN, JSONL, ShardWriter, check_target
from spacy_bioner.apps.annotation.sources import InputSettings, Item, TextSource
from spacy_bioner.apps.annotation.tables import DOCUMENT, make_table
from spacy_bioner.apps.loading import find_folder, fingerprint
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import Pace
from spacy_bioner.errors import BionerError, ConfigError, CorpusError, CorpusWarning, StoppedError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import scratch_folder
from spacy_bioner.records import Record

if TYPE_CHECKING:
    import pyarrow

BATCH_SIZE, SHARD_SIZE = 32, 1_000


@dataclass(frozen=True)
class AnnotateSettings:
    """What the output depends on, beside input and model.

    to_format (str): Of the shards; one of `shards.TARGETS`.
    shard_size (int): Documents of a shard.
    batch_size (int): Documents that go through the pipeline together.
    source (InputSettings): How the input is read.
    dataset (str): Of a pipeline that was trained on several corpora, the one by whose rules it
        annotates; "" is none in particular.
    """

    to_format: str = JSONL
    shard_size: int = SHARD_SIZE
    batch_size: int = BATCH_SIZE
    source: InputSettings = field(default_factory=InputSettings)
    dataset: str = ""

    def __post_init__(self) -> None:
        for name in ("shard_size", "batch_size"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"found {name} {value}, expected 1 or more")


@dataclass(frozen=True)
class AnnotationRun:
    """What a run has done.

    counts (Mapping[str, int]): Documents, rejected ones, characters, tokens, pieces, windows,
        tokens unseen, entities and foreign documents of the whole output.
    kept (int): Documents of it that earlier runs had annotated.
    losses (Mapping[str, int]): What the format had no place for, in this run.
    """

    target: Path
    counts: Mapping[str, int]
    kept: int
    losses: Mapping[str, int]


@dataclass(frozen=True)
class _Stretch:
    """So many documents of the input, which make a shard, and what was left out among them."""

    number: int
    records: Sequence[Record]
    left_out: Sequence[LeftOut]


PLAIN = AnnotateSettings()


@guards_outputs("target", inputs=("source", "model"))
def annotate_files(
    source: PathLike,
    target: PathLike,
    model: str,
    settings: AnnotateSettings = PLAIN,
    *,
    n_process: int = 1,
    gpu_id: int = -1,
    progress: Optional[Pace] = None,
) -> AnnotationRun:
    """Annotate the documents of a file or folder, to a folder of shards.

    Finished shards are kept, however a run ends, and another run with the same input, model and
    settings goes on behind them. The output is the same to the byte, whatever came between.

    source (PathLike): The input; gold mentions in it are not used.
    target (PathLike): The output: manifest.json, shards, receipts and rejected documents.
    model (str): A pipeline folder, or the name of an installed pipeline package.
    n_process (int): Processes; the output does not depend on it.
    RAISES (CorpusError): An input that cannot be read, or that changes meanwhile.
    RAISES (OutputError): An output of another input, model or setting, or one that is damaged.
    RAISES (BionerError): A pipeline that cannot be loaded, or that fails on all documents.
    RAISES (StoppedError): For an interrupt.
    """
    folder = Path(target)
    check_target(settings.to_format, folder)
    check_processes(model, n_process, gpu_id)
    model_folder = find_folder(model)
    with scratch_folder(folder) as scratch:
        documents = TextSource(source, settings.source, scratch)
        fixed = _describe(documents, model_folder, settings, gpu_id)
        manifest = Manifest(folder, fixed)
        manifest.load()
        kept = manifest.count().get("documents", 0)
        writer = ShardWriter(folder, settings.to_format, _find_digests(fixed), Counter())
        if not manifest.is_complete:
            pace = progress or Pace()
            pace.begin(*_measure(documents.read()))
            missing = _pass_over(_cut(documents.read(), settings.shard_size), manifest, pace)
            keep_docs = settings.to_format == DOCBIN
            options: Dict[str, Any] = {"n_process": n_process, "gpu_id": gpu_id}
            options |= {"keep_docs": keep_docs, "dataset": settings.dataset}
            found = _run(missing, model, settings.batch_size, pace, options)
            _write(found, documents, manifest, writer)
        return AnnotationRun(folder, manifest.count(), kept, dict(writer.losses))


def _write(
    found: Iterable[Tuple[_Stretch, List[Outcome]]],
    documents: TextSource,
    manifest: Manifest,
    writer: ShardWriter,
) -> None:
    """Write shard after shard, each of an input that is as it was."""
    try:
        for stretch, outcomes in found:
            kept, failed = _sort(stretch, outcomes)
            documents.check_unchanged()
            manifest.begin()
            manifest.add(stretch.number, writer.write(stretch.number, kept, failed))
        documents.check_unchanged()
        manifest.begin()
        manifest.finish()
    except KeyboardInterrupt as error:
        number = manifest.count().get("documents", 0)
        message = f"interrupted; {number:,} documents are finished, the same command goes on behind"
        raise StoppedError(f"{message} them: {manifest.folder}") from error


class Annotations:
    """The documents that `annotate` yields, one after the other.

    left_out (List[LeftOut]): Documents so far that could not be read or annotated, with the reason.
    n_foreign (int): Documents so far in another language than the pipeline seems to have learned.
    """

    def __init__(self, items: Iterator[Union[AnnotatedDocument, LeftOut]]) -> None:
        self._items = items
        self.left_out: List[LeftOut] = []
        self.n_foreign = 0
        self._has_warned = False

    def __iter__(self) -> "Annotations":
        return self

    def __next__(self) -> AnnotatedDocument:
        """Return the next document; at the end, warnings count those that were left out, and
        those in another language."""
        for item in self._items:
            if isinstance(item, AnnotatedDocument):
                self.n_foreign += item.receipt.foreign
                return item
            self.left_out.append(item)
        if not self._has_warned:
            self._has_warned = True
            for message in self._list_warnings():
                warnings.warn(message, CorpusWarning, stacklevel=2)
        raise StopIteration

    def _list_warnings(self) -> Iterator[str]:
        if self.left_out:
            first = self.left_out[0]
            place = f"document {first.id}: " if first.id else ""
            yield f"left out {len(self.left_out):,}; first: {place}{first.reason}"
        if self.n_foreign:
            yield describe_foreign(self.n_foreign)

    def to_table(self, per: str = DOCUMENT) -> "pyarrow.Table":
        """Return the documents that are left as a table, for pandas, polars and others.

        per (str): What a row is: a "document" with a list of entities, or an "entity" with the id
            of its document.
        RAISES (MissingExtraError): Without pyarrow.
        """
        return make_table(self, per)


def annotate(
    texts: Union[PathLike, Iterable[Text]],
    model: Union[str, Path, Language],
    *,
    batch_size: int = BATCH_SIZE,
    n_process: int = 1,
    gpu_id: int = -1,
    dataset: str = "",
    format: str = "auto",
    text_column: Optional[str] = None,
    id_column: Optional[str] = None,
) -> Annotations:
    """Run a pipeline over many documents, which stream; its entities come as plain data.

    texts (Union[PathLike, Iterable]): A file or folder as `bioner annotate` takes it, or texts,
        pairs of id and text, or Records. Their gold mentions are not used.
    model (Union[str, Path, Language]): A pipeline folder, the name of an installed pipeline
        package, or a pipeline that is loaded.
    batch_size (int): Documents that go through the pipeline together.
    n_process (int): Processes, each of which loads the pipeline; needs a name or folder of one.
    gpu_id (int): -1 for the CPU.
    dataset (str): As in `AnnotateSettings`.
    format (str): Of a file: "text" is a document a file, "lines" one a line; "auto" looks into it.
    text_column (Optional[str]): Of a CSV or Parquet file; None takes a usual one.
    id_column (Optional[str]): The same for identifiers.
    RETURNS (Annotations): An iterator of documents; `to_table()` makes an Arrow table of them.
    RAISES (BionerError): A pipeline that cannot be loaded, or an input that cannot be read. A
        document that the pipeline fails on is left out, and counted in a warning at the end.
    """
    if batch_size < 1:
        raise ConfigError(f"found batch_size {batch_size}, expected 1 or more")
    named = str(model) if isinstance(model, (str, Path)) else model
    check_processes(named, n_process, gpu_id)
    if isinstance(texts, (str, Path)):
        items = _read_path(Path(texts), InputSettings(format, text_column, id_column))
    else:
        items = (make_record(text, number) for number, text in enumerate(texts, start=1))
    options: Dict[str, Any] = {"n_process": n_process, "gpu_id": gpu_id, "dataset": dataset}
    return Annotations(_annotate_items(items, named, batch_size, options))


def _read_path(path: Path, settings: InputSettings) -> Iterator[Item]:
    with TemporaryDirectory(prefix="bioner-") as scratch:
        source = TextSource(path, settings, Path(scratch))
        yield from source.read()
        source.check_unchanged()


def _annotate_items(
    items: Iterable[Item], model: Union[str, Language], batch_size: int, options: Dict[str, Any]
) -> Iterator[Union[AnnotatedDocument, LeftOut]]:
    stretches = _cut(items, batch_size)
    for stretch, outcomes in _run(stretches, model, batch_size, Pace(), options):
        for record, outcome in zip(stretch.records, outcomes, strict=True):
            yield _join(record, outcome)
        yield from stretch.left_out


def _cut(items: Iterable[Item], size: int) -> Iterator[_Stretch]:
    """Cut a stream of documents; what is left out counts to the stretch before it."""
    records: List[Record] = []
    left_out: List[LeftOut] = []
    number = 0
    for item in items:
        if isinstance(item, LeftOut):
            left_out.append(item)
            continue
        if len(records) == size:
            yield _Stretch(number, records, left_out)
            records, left_out = [], []
            number += 1
        records.append(item)
    if records or left_out:
        yield _Stretch(number, records, left_out)


def _pass_over(stretches: Iterable[_Stretch], manifest: Manifest, pace: Pace) -> Iterator[_Stretch]:
    """Yield the stretches that no finished shard is made of."""
    for stretch in stretches:
        if stretch.number in manifest.shards:
            pace.skip(len(stretch.records), sum(len(record.text) for record in stretch.records))
        else:
            yield stretch


def _run(
    stretches: Iterable[_Stretch],
    model: Union[str, Language],
    batch_size: int,
    pace: Pace,
    options: Dict[str, Any],
) -> Iterator[Tuple[_Stretch, List[Outcome]]]:
    """Yield stretches with what each of their texts comes to; batches end where they end."""
    waiting: Deque[_Stretch] = deque()

    def cut() -> Iterator[List[str]]:
        for stretch in stretches:
            waiting.append(stretch)
            texts = iter([record.text for record in stretch.records])
            while batch := list(islice(texts, batch_size)):
                yield batch

    outcomes: List[Outcome] = []
    for found in run_batches(cut(), model, **options):
        start = len(outcomes)
        outcomes += found
        texts = [record.text for record in waiting[0].records[start : len(outcomes)]]
        pace.advance(texts)
        if len(outcomes) == len(waiting[0].records):
            yield waiting.popleft(), outcomes
            outcomes = []
    for stretch in waiting:
        # Nothing in it could be read.
        yield stretch, []


def _sort(
    stretch: _Stretch, outcomes: Sequence[Outcome]
) -> Tuple[List[AnnotatedDocument], List[LeftOut]]:
    items = [_join(record, one) for record, one in zip(stretch.records, outcomes, strict=True)]
    found = [item for item in items if isinstance(item, AnnotatedDocument)]
    failed = [item for item in items if isinstance(item, LeftOut)]
    if len(failed) > 1 and not found:
        message = f"the pipeline failed on all of {len(failed):,} documents; first, {failed[0].id}"
        raise BionerError(f"{message}: {failed[0].reason}")
    return found, [*stretch.left_out, *failed]


def _join(record: Record, outcome: Outcome) -> Union[AnnotatedDocument, LeftOut]:
    if isinstance(outcome, Findings):
        return AnnotatedDocument(record, outcome)
    return LeftOut(outcome, record.id)


def _measure(items: Iterable[Item]) -> Tuple[int, int]:
    """Count documents and characters; so an input is read to its end before the long work."""
    documents = characters = 0
    for item in items:
        if isinstance(item, Record):
            documents += 1
            characters += len(item.text)
    if not documents:
        raise CorpusError("found no document that can be read")
    return documents, characters


def _describe(
    source: TextSource, model_folder: Path, settings: AnnotateSettings, gpu_id: int
) -> Dict[str, Any]:
    meta = srsly.read_json(model_folder / "meta.json")
    own = asdict(settings)
    if not settings.dataset:
        # Folders of earlier versions do not say.
        del own["dataset"]
    own.update(own.pop("source"), read_as=source.kind, device="cpu" if gpu_id < 0 else "gpu")
    return {
        "input": {"sha256": source.digest()},
        "model": {
            "name": f"{meta.get('lang')}_{meta.get('name')} {meta.get('version')}",
            "sha256": fingerprint(model_folder),
        },
        "settings": own,
        "versions": {"spacy-bioner": __version__, "spacy": metadata.version("spacy")},
    }


def _find_digests(fixed: Mapping[str, Any]) -> Dict[str, str]:
    return {f"{name}_sha256": fixed[name]["sha256"] for name in ("input", "model")}
