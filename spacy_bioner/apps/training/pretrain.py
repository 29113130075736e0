"""Continued pre-training of an encoder on text files, to a folder that every command takes."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.training.loop_runs import check_output, drop_state, run_to_end
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.errors import EncoderError
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.training.loop import RateSchedule
from spacy_bioner.training.packing import Packed, PackedStream, Packer, Vocabulary, make_vocabulary
from spacy_bioner.training.pretraining import (
    MaskedLMTask,
    check_range,
    count_sequences,
    fingerprint_weights,
    hold_out,
    require_held_out,
)
from spacy_bioner.training.text_stream import (
    TextStream,
    find_texts,
    fingerprint_texts,
    is_held_out,
)

if TYPE_CHECKING:
    import torch

    from spacy_bioner.architectures.encoder_source import EncoderFiles
    from spacy_bioner.layers.masked_lm import MaskedLM

ACCOUNT = "pretraining.json"
NEW_HEAD_RATE = 5.0


@dataclass(frozen=True)
class PretrainSettings:
    """What the result of pre-training depends on, beside the texts.

    encoder (str): A hub name, a folder or "package:NAME".
    steps (int): Optimizer steps.
    batch_pieces (int): Pieces of a step.
    length (int): Pieces of a sequence, special ones included.
    learn_rate (float): The highest rate; a new head learns at 5 times that.
    mask_rate (float): The share of pieces to guess.
    held_out (float): The share of documents that is set aside to measure on.
    held_out_sequences (int): The most sequences of them.
    unit (str): What a document is: "line" or "block".
    precision (str): "auto", "float32" or "bfloat16".
    shuffle_buffer (int): Sequences to draw from at random.
    """

    encoder: str
    steps: int
    batch_pieces: int = 4096
    length: int = 128
    learn_rate: float = 1e-4
    warmup: float = 0.06
    mask_rate: float = 0.15
    held_out: float = 0.01
    held_out_sequences: int = 256
    unit: str = "line"
    precision: str = "auto"
    seed: int = 0
    shuffle_buffer: int = 1024


@guards_outputs("output", inputs=("texts", "settings.encoder"), replaced=("output",))
def pretrain(
    texts: Sequence[Path],
    output: Path,
    settings: PretrainSettings,
    *,
    gpu_id: int = -1,
    resume: bool = True,
    checkpoint_every: int = 200,
    evaluate_every: int = 0,
    log_every: int = 10,
    on_log: Callable[[Dict[str, Any]], None] = lambda entry: None,
) -> Path:
    """Go on with the pre-training of an encoder, and save it as a checkpoint folder.

    texts (Sequence[Path]): .txt and .txt.xz files, or folders of them.
    output (Path): Gets configuration, weights and tokenizer. Beside it are OUT.log.jsonl, its
        curves and, until it is done, OUT.state.pt.
    RETURNS (Path): The folder.
    RAISES (BionerError): For texts, settings or weights that cannot be used.
    """
    _check(settings, output)
    check_device(gpu_id)
    import torch

    files = find_texts(texts)
    torch.manual_seed(settings.seed)
    encoder = _load(settings)
    device = torch.device("cpu" if gpu_id < 0 else f"cuda:{gpu_id}")
    model, has_head = _make_model(encoder, settings, device)
    task = _make_task(model, encoder, files, settings, has_head=has_head)
    fixed = {
        **asdict(settings),
        "precision": str(model.precision),
        "device": device.type,
        "texts": fingerprint_texts(files),
        "weights": fingerprint_weights(list(encoder.module.parameters())),
    }
    with closing(task.stream.documents):
        measured = run_to_end(
            task,
            RateSchedule(settings.steps, settings.learn_rate, settings.warmup),
            output,
            fixed,
            title=f"Pre-training of {settings.encoder}",
            resume=resume,
            checkpoint_every=checkpoint_every,
            evaluate_every=evaluate_every,
            log_every=log_every,
            start_notes={"head": "of the checkpoint" if has_head else "new"},
            on_log=on_log,
        )
    account = {"settings": fixed, "head": "continued" if has_head else "new", "held_out": measured}
    _save(output, model, encoder, settings.encoder, account)
    drop_state(output)
    return output


def _check(settings: PretrainSettings, output: Path) -> None:
    check_range("--mask-rate", settings.mask_rate, 0, 1)
    check_range("--learn-rate", settings.learn_rate, 0, 1)
    check_range("--held-out", settings.held_out, -1e-9, 1)
    count_sequences(settings.batch_pieces, settings.length)
    if settings.precision not in ("auto", "float32", "bfloat16"):
        raise EncoderError(
            f"--precision {settings.precision}: expected auto, float32 or bfloat16 (small "
            "gradients become 0 in float16)"
        )
    check_output(output, ACCOUNT)


def _load(settings: PretrainSettings) -> "EncoderFiles":
    from spacy_bioner.architectures.encoder_source import load_encoder

    encoder = load_encoder(settings.encoder)
    if settings.length > encoder.max_length:
        raise EncoderError(
            f"--length {settings.length}: encoder '{settings.encoder}' takes at most "
            f"{encoder.max_length} pieces"
        )
    return encoder


def _make_model(
    encoder: "EncoderFiles", settings: PretrainSettings, device: "torch.device"
) -> "tuple[MaskedLM, bool]":
    from spacy_bioner.architectures.precision import choose_precision
    from spacy_bioner.layers.masked_lm import MaskedLM, load_head

    precision = choose_precision(settings.precision, device)
    model = MaskedLM(encoder.module, precision=precision)
    weights = _read_weights(settings.encoder)
    has_head = load_head(model.head, weights, encoder.config["model_type"])
    return model.to(device), has_head


def _read_weights(name: str) -> "Dict[str, torch.Tensor]":
    """Read a checkpoint's tensors by their names in it; empty where they are not in one file."""
    import torch
    from safetensors.torch import load_file

    from spacy_bioner.architectures.encoder_source import resolve_source

    source = resolve_source(name)
    for file in ("model.safetensors", "pytorch_model.bin"):
        path = _find_file(source, file)
        if path is not None and file.endswith(".safetensors"):
            return load_file(path)
        if path is not None:
            return torch.load(path, map_location="cpu", weights_only=True)
    return {}


def _find_file(source: str, file: str) -> Optional[str]:
    from transformers.utils import cached_file

    return cached_file(
        source,
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def _make_task(
    model: "MaskedLM",
    encoder: "EncoderFiles",
    files: List[Path],
    settings: PretrainSettings,
    *,
    has_head: bool,
) -> MaskedLMTask:
    vocabulary = make_vocabulary(encoder.tokenizer)
    share, seed = settings.held_out, settings.seed

    def is_aside(text: str) -> bool:
        return is_held_out(text, share)

    stream = PackedStream(
        TextStream(files, unit=settings.unit, seed=seed),
        Packer(encoder.tokenizer, vocabulary, length=settings.length),
        seed=seed,
        skip=is_aside,
        buffer=settings.shuffle_buffer,
    )
    return MaskedLMTask(
        model,
        stream,
        vocabulary,
        held_out=_gather_held_out(encoder, vocabulary, files, settings),
        n_sequences=count_sequences(settings.batch_pieces, settings.length),
        mask_rate=settings.mask_rate,
        seed=seed,
        head_rate=1.0 if has_head else NEW_HEAD_RATE,
    )


def _gather_held_out(
    encoder: "EncoderFiles",
    vocabulary: Vocabulary,
    files: List[Path],
    settings: PretrainSettings,
) -> Packed:
    texts = TextStream(files, unit=settings.unit, seed=settings.seed)
    packer = Packer(encoder.tokenizer, vocabulary, length=settings.length)
    share = settings.held_out
    # Without a share, nothing is read.
    source = (text for text in texts.read_epoch() if is_held_out(text, share)) if share else ()
    with closing(texts):
        packed = hold_out(source, packer, n_sequences=settings.held_out_sequences)
    return require_held_out(packed, share)


def _save(
    output: Path, model: "MaskedLM", encoder: "EncoderFiles", name: str, account: Dict[str, Any]
) -> None:
    from safetensors.torch import save_file

    from spacy_bioner.layers.masked_lm import head_names

    transformer, config = model.transformer, model.transformer.config
    prefix = f"{transformer.base_model_prefix}."
    state = {prefix + key: tensor for key, tensor in transformer.state_dict().items()}
    head = model.head.state_dict()
    state.update({name: head[ours] for ours, name in head_names(config.model_type).items()})
    with replacing_folder(output) as folder:
        folder.mkdir(parents=True)
        weights = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config.architectures = _masked_lm_class(config.model_type)
        config.save_pretrained(folder)
        _save_tokenizer(folder, encoder, name)
        fill_json(folder / ACCOUNT, account)


def _masked_lm_class(model_type: str) -> Optional[List[str]]:
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    name = MODEL_FOR_MASKED_LM_MAPPING_NAMES.get(model_type)
    return None if name is None else [name]


def _save_tokenizer(folder: Path, encoder: "EncoderFiles", name: str) -> None:
    """Save the tokenizer as it was used: its casing may have been found out from the vocabulary."""
    from transformers import AutoTokenizer

    from spacy_bioner.architectures.encoder_source import resolve_source

    normalizer = json.loads(encoder.tokenizer.to_str()).get("normalizer") or {}
    lowers = normalizer.get("lowercase")
    casing = {} if lowers is None else {"do_lower_case": lowers}
    tokenizer = AutoTokenizer.from_pretrained(resolve_source(name), use_fast=True, **casing)
    tokenizer.save_pretrained(folder)
