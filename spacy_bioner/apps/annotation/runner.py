"""A pipeline over batches of texts, here or in processes of its own: the same result, in order.

One thread runs each process: the order of sums in the encoder, and with it the last digits of its
scores, depend on the number of threads.
"""

import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context, parent_process
from typing import (
    Any,
    ContextManager,
    Deque,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.apps.annotation.documents import Entity, Findings, Receipt
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.architectures.datasets import check_dataset
from spacy_bioner.architectures.pieces.counts import LayoutNotes, noting_layouts
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.components.rulers import credit_rulers
from spacy_bioner.corpora.formats.concept_ids import split_kb_id
from spacy_bioner.errors import BionerError, ConfigError, MissingExtraError, TextError
from spacy_bioner.gold import DATASET_KEY

# Batches that wait for each process.
AHEAD = 2
DIGITS = 6
_LONGEST = 1_000
# What a text comes to; a string says why it could not be annotated.
Outcome = Union[Findings, str]


def run_batches(
    batches: Iterable[Sequence[str]],
    model: Union[str, Language],
    *,
    n_process: int = 1,
    gpu_id: int = -1,
    keep_docs: bool = False,
    dataset: str = "",
) -> Iterator[List[Outcome]]:
    """Run a pipeline over batches of texts.

    A text that the pipeline fails on costs the other texts of its batch nothing: they are then run
    one by one.

    model (Union[str, Language]): A pipeline, its folder, or the name of an installed package.
    n_process (int): Processes; each loads the pipeline. 1 is this one.
    keep_docs (bool): Pack the Docs as well.
    dataset (str): The corpus by whose rules the pipeline is to annotate; "" is none in particular.
    YIELDS (List[Outcome]): For each batch, in its order, what each text comes to.
    RAISES (ConfigError): For several processes with a GPU or a pipeline that is loaded already; for
        a corpus that the pipeline does not know.
    RAISES (BionerError): For a pipeline that cannot be loaded, or a process that was killed.
    """
    check_processes(model, n_process, gpu_id)
    if n_process == 1:
        nlp = load_pipeline(model, gpu_id=gpu_id) if isinstance(model, str) else model
        runner = _Runner(nlp, keep_docs, dataset)
        return (runner.run(texts) for texts in batches)
    return _run_in_processes(batches, str(model), n_process, (keep_docs, dataset))


def check_processes(model: Union[str, Language], n_process: int, gpu_id: int) -> None:
    """Check how a pipeline is to be run; see `run_batches`."""
    if n_process < 1:
        raise ConfigError(f"found {n_process} processes, expected 1 or more")
    if n_process > 1 and gpu_id >= 0:
        raise ConfigError(f"found {n_process} processes for one GPU, expected 1; leave them out")
    if n_process > 1 and not isinstance(model, str):
        message = f"found a loaded pipeline for {n_process} processes, expected the name of its"
        raise ConfigError(f"{message} folder or package, which each of them loads")


class _Runner:
    def __init__(self, nlp: Language, keep_docs: bool, dataset: str) -> None:
        if dataset:
            check_dataset(nlp, dataset)
        self.nlp = nlp
        self.keep_docs = keep_docs
        self.dataset = dataset

    def run(self, texts: Sequence[str]) -> List[Outcome]:
        try:
            return list(self._annotate(texts))
        except MissingExtraError:
            # Of the pipeline, not of a text.
            raise
        except Exception as error:  # components of others fail in as many ways
            if len(texts) == 1:
                return [_word(error)]
        return [outcome for text in texts for outcome in self.run([text])]

    def _annotate(self, texts: Sequence[str]) -> List[Findings]:
        # Zones cannot be nested: who calls from one frees the words at its end.
        is_inside = self.nlp.vocab.in_memory_zone  # type: ignore[attr-defined]
        zone: ContextManager[Any] = nullcontext() if is_inside else self.nlp.memory_zone()
        with _one_thread(), zone, noting_layouts() as notes:
            # Said of the Docs: a pipeline that is loaded is its caller's, and stays as it is.
            made = map(self._make_doc, texts) if self.dataset else texts
            docs = self.nlp.pipe(made, batch_size=len(texts), n_process=1)
            pairs = list(zip(docs, texts, strict=True))
            return [self._read(doc, text, notes) for doc, text in pairs]

    def _make_doc(self, text: str) -> Doc:
        doc = self.nlp.make_doc(text)
        doc.user_data[DATASET_KEY] = self.dataset
        return doc

    def _read(self, doc: Doc, text: str, notes: LayoutNotes) -> Findings:
        if doc.text != text:
            raise TextError("the tokenizer changed the text: offsets would not fit")
        # Other pipelines may not know the name.
        doc.user_data.pop(DATASET_KEY, None)
        credit_rulers(doc, self.nlp)
        counts = notes.count(doc)
        receipt = Receipt(
            len(text),
            len(doc),
            counts.pieces,
            counts.windows,
            counts.unseen,
            len(doc.ents),
            int(counts.is_foreign),
        )
        packed = doc.to_bytes() if self.keep_docs else b""
        return Findings(tuple(map(_read_entity, doc.ents)), receipt, packed)


def _read_entity(ent: Span) -> Entity:
    confidence = ent._.confidence if ent.has_extension("confidence") else None
    source = ent._.source if ent.has_extension("source") else None
    known = [entry.concept_id for entry in span_evidence(ent) if entry.concept_id]
    return Entity(
        ent.start_char,
        ent.end_char,
        ent.label_,
        ent.text,
        None if confidence is None else round(float(confidence), DIGITS),
        str(source or ""),
        split_kb_id(ent.kb_id_ or next(iter(known), "") or ent.id_),
    )


def _word(error: Exception) -> str:
    words = str(error) if isinstance(error, BionerError) else f"{type(error).__name__}: {error}"
    return words[:_LONGEST]


@contextmanager
def _one_thread() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run_in_processes(
    batches: Iterable[Sequence[str]], model: str, n_process: int, settings: Tuple[bool, str]
) -> Iterator[List[Outcome]]:
    waiting: Deque[Future[List[Outcome]]] = deque()
    # A process that is forked has the locks of threads that it lacks.
    pool = ProcessPoolExecutor(
        n_process,
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(model, *settings),
    )
    try:
        for texts in batches:
            waiting.append(pool.submit(_run_in_worker, list(texts)))
            if len(waiting) > AHEAD * n_process:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        message = "a process that ran the pipeline is gone: it was killed, or ran out of memory"
        raise BionerError(f"{message}; use fewer processes") from error
    finally:
        pool.shutdown(cancel_futures=True)


_settings: Any = None
_worker: Optional[_Runner] = None


def _start_worker(model: str, keep_docs: bool, dataset: str) -> None:
    """Prepare a process; what can fail is left to the first batch, which tells it."""
    global _settings
    _settings = (model, keep_docs, dataset)
    os.environ["OMP_NUM_THREADS"] = "1"
    # An interrupt is the parent's to tell.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_in_worker(texts: Sequence[str]) -> List[Outcome]:
    global _worker
    if _worker is None:
        model, keep_docs, dataset = _settings
        _worker = _Runner(load_pipeline(model), keep_docs, dataset)
    return _worker.run(texts)
