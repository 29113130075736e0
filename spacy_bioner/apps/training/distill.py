"""Distillation of a trained pipeline into a smaller one, on text or on annotated documents."""

from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import spacy
from spacy.language import Language

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.training.loop_runs import check_output, drop_state, run_to_end
from spacy_bioner.apps.training.student import COMPONENT, DistillSettings, as_tagger, make_student
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.architectures.exported.onnx_encoder import is_exported
from spacy_bioner.components.ner import TokenNER
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.training.corpus import make_corpus
from spacy_bioner.training.distillation import (
    DistillationTask,
    PassageStream,
    cut_passages,
)
from spacy_bioner.training.loop import RateSchedule
from spacy_bioner.training.pretraining import (
    check_range,
    fingerprint_weights,
    require_held_out,
)
from spacy_bioner.training.text_stream import (
    TextList,
    TextStream,
    find_texts,
    fingerprint_texts,
    is_held_out,
)

ACCOUNT = "distillation.json"


@guards_outputs("output", inputs=("teacher", "texts", "gold"), replaced=("output",))
def distill(
    teacher: Path,
    texts: Sequence[Path],
    output: Path,
    settings: DistillSettings,
    *,
    gold: Optional[Path] = None,
    gpu_id: int = -1,
    resume: bool = True,
    checkpoint_every: int = 200,
    evaluate_every: int = 0,
    log_every: int = 10,
    on_log: Callable[[Dict[str, Any]], None] = lambda entry: None,
) -> Path:
    """Train a smaller pipeline to tag as a teacher does.

    teacher (Path): A pipeline with a `bioner`; other components are not taken over.
    texts (Sequence[Path]): .txt, .txt.xz and .xz files or folders of them, or one .spacy file.
    output (Path): Gets the student's pipeline; beside it are OUT.log.jsonl, its curves and
        OUT.state.pt.
    gold (Optional[Path]): A .spacy file with entities, to learn from as well.
    RETURNS (Path): The student's folder.
    RAISES (BionerError): For a teacher, texts or settings that cannot be used.
    """
    _check(settings, output)
    check_device(gpu_id)
    import torch

    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    torch.manual_seed(settings.seed)
    teacher_nlp = _load_teacher(teacher)
    nlp = make_student(teacher_nlp, settings)
    documents, marks = _open_texts(texts, settings)
    task = _make_task(teacher_nlp, nlp, documents, texts, gold, settings)
    fixed = {
        **asdict(settings),
        "texts": marks,
        "gold": fingerprint_texts([gold]) if gold else {},
        "labels": ", ".join(task.teacher.labels),
        "teacher": _fingerprint(task.teacher),
        "device": "cpu" if gpu_id < 0 else "cuda",
    }
    with closing(documents):
        measured = run_to_end(
            task,
            RateSchedule(settings.steps, settings.learn_rate, settings.warmup),
            output,
            fixed,
            title=f"Distillation of {teacher}",
            resume=resume,
            checkpoint_every=checkpoint_every,
            evaluate_every=evaluate_every,
            log_every=log_every,
            start_notes={},
            on_log=on_log,
        )
    with replacing_folder(output) as folder:
        nlp.to_disk(folder)
        fill_json(folder / ACCOUNT, {"settings": fixed, "held_out": measured})
    drop_state(output)
    return output


class _WithoutHeldOut:
    """Leaves held-out documents out of a stream."""

    def __init__(self, documents: Any, share: float) -> None:
        self.documents, self.share = documents, share
        self.state, self.restore = documents.state, documents.restore

    @property
    def epoch(self) -> int:
        return self.documents.epoch

    def __next__(self) -> str:
        first = self.epoch
        while is_held_out(text := next(self.documents), self.share):
            if self.epoch > first + 1:
                raise ConfigError("every document is held out; hold out a smaller share")
        return text


def _check(settings: DistillSettings, output: Path) -> None:
    if settings.student and (settings.encoder or settings.layers):
        raise ConfigError("--student names the whole model: leave --encoder and --layers out")
    if settings.encoder and settings.layers:
        raise ConfigError("--layers are those of the teacher's encoder: leave it or --encoder out")
    check_range("--temperature", settings.temperature, 0, 100)
    check_range("--alpha", settings.alpha, -1e-9, 1 + 1e-9)
    check_range("--learn-rate", settings.learn_rate, 0, 1)
    check_range("--held-out", settings.held_out, -1e-9, 1)
    check_output(output, ACCOUNT)


def _load_teacher(folder: Path) -> Language:
    if not (folder / "config.cfg").is_file():
        raise ConfigError(f"{folder}: found no pipeline there; name a folder like OUT/model-best")
    nlp = spacy.load(folder)
    if not nlp.has_pipe(COMPONENT):
        names = ", ".join(nlp.pipe_names) or "none"
        raise ConfigError(f"{folder}: the pipeline has no '{COMPONENT}' (its components: {names})")
    if not as_tagger(nlp.get_pipe(COMPONENT)).model.has_ref("encoder"):
        raise ConfigError(
            f"{folder}: the teacher is an ensemble, which has no encoder that a student could "
            "be made like: distill one of its members"
        )
    if is_exported(as_tagger(nlp.get_pipe(COMPONENT)).model):
        raise ConfigError(
            f"{folder}: an exported pipeline has no layers that a student could start from: name "
            "the one that it was exported from"
        )
    return nlp


def _open_texts(paths: Sequence[Path], settings: DistillSettings) -> tuple[Any, Dict[str, str]]:
    if len(paths) == 1 and paths[0].suffix == ".spacy":
        texts = [doc.text for doc in read_docbin(paths[0], spacy.blank("en").vocab)]
        return TextList(texts), fingerprint_texts(paths)
    files = find_texts(paths)
    return TextStream(files, unit=settings.unit, seed=settings.seed), fingerprint_texts(files)


def _gather_held_out(
    paths: Sequence[Path], nlp: Language, settings: DistillSettings, *, n_passages: int = 64
) -> List[str]:
    if not settings.held_out:
        return []
    documents, _ = _open_texts(paths, settings)
    aside = (text for text in documents.read_epoch() if is_held_out(text, settings.held_out))
    with closing(documents):
        passages = (
            passage for text in aside for passage in cut_passages(nlp.make_doc(text), 100)[:4]
        )
        found = list(islice(passages, n_passages))
    return require_held_out(found, settings.held_out)


def _make_task(
    teacher_nlp: Language,
    nlp: Language,
    documents: Any,
    texts: Sequence[Path],
    gold: Optional[Path],
    settings: DistillSettings,
) -> DistillationTask:
    kept = _WithoutHeldOut(documents, settings.held_out)
    return DistillationTask(
        as_tagger(teacher_nlp.get_pipe(COMPONENT)),
        as_tagger(nlp.get_pipe(COMPONENT)),
        nlp,
        PassageStream(kept, nlp, seed=settings.seed),
        held_out=_gather_held_out(texts, nlp, settings),
        gold=list(make_corpus(gold)(nlp)) if gold else (),
        alpha=settings.alpha,
        temperature=settings.temperature,
        batch_passages=settings.batch_passages,
        dropout=settings.dropout,
        seed=settings.seed,
    )


def _fingerprint(tagger: TokenNER) -> str:
    from spacy_bioner.architectures.torch_bridge import torch_shims

    shims = torch_shims(tagger.model)
    return fingerprint_weights([p for shim in shims for p in shim.module.parameters()])
