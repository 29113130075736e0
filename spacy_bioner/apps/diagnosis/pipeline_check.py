"""Whether a pipeline loads and runs here, how long that takes, and what of it decides the speed."""

import json
import time
import warnings
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.util import get_package_path, is_package, load_config
from thinc.api import Model

from spacy_bioner.apps.diagnosis.software import find_unmet
from spacy_bioner.apps.failures import describe_failure
from spacy_bioner.apps.loading import find_data, load_pipeline
from spacy_bioner.errors import BionerError
from spacy_bioner.training.results.diagnosis import EncoderUse, PipelineState

TORCH_ENCODER = "spacy_bioner.TransformerEncoder."
ONNX_ENCODER = "spacy_bioner.OnnxEncoder."
# The outermost sections of these names are an encoder where no known one is within.
_SECTIONS = ("encoder", "tok2vec")
_FOREIGN = ("spacy-transformers.TransformerModel", "spacy-curated-transformers.")
ABSTRACT = (
    "Hyperkalaemia is a known side effect of trimethoprim, but its course in older patients is "
    "poorly described. We followed 214 adults with chronic kidney disease who were given "
    "trimethoprim-sulfamethoxazole (TMP-SMX) for a urinary tract infection. Serum potassium rose "
    "by 0.6 mmol/L within five days; 31 patients had values above 5.5 mmol/L, and two developed a "
    "bradycardia that ended after the drug was stopped. Those who also took spironolactone or an "
    "ACE inhibitor were at the greatest risk. Creatinine returned to its earlier level in all but "
    "three. Mutations of SCNN1A were found in none of them. Potassium should be measured on the "
    "third day of TMP-SMX in patients with renal insufficiency."
)


def check_pipeline(model: str, *, gpu_id: int = -1) -> PipelineState:
    """Load a pipeline, run it over a short text, and say how that went.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    gpu_id (int): -1 for the CPU.
    """
    found: Dict[str, Any] = {}
    try:
        found |= _read_saved(model)
        nlp, found["load_seconds"] = _time(lambda: _load(model, gpu_id))
        found["components"] = tuple(nlp.pipe_names)
        found["encoders"] = _add_precisions(nlp, found.get("encoders", ()))
        # The first text pays for what is made on first use.
        nlp(ABSTRACT)
        _, found["annotate_seconds"] = _time(lambda: nlp(ABSTRACT))
        found["n_words"] = len(ABSTRACT.split())
    except Exception as error:
        # Whatever keeps a pipeline from running is what is asked for here.
        failure = describe_failure(error)
        first = str(error).strip().split("\n")[0]
        found["error"] = failure.line if failure else f"{type(error).__name__}: {first}"
    return PipelineState(model, **found)


def _read_saved(model: str) -> Dict[str, Any]:
    folder = _find_folder(model)
    if folder is None:
        return {}
    meta = _read_meta(folder / "meta.json")
    config = load_config(folder / "config.cfg", interpolate=True)
    lines = list(meta.get("requirements") or [])
    if meta.get("spacy_version"):
        lines.insert(0, f"spacy{meta['spacy_version']}")
    sections = _find_encoders("components", config.get("components", {}))
    return {
        "components": tuple(config["nlp"]["pipeline"]),
        "unmet": tuple(find_unmet(lines)),
        "encoders": tuple(_describe_encoder(path, section) for path, section in sections),
    }


def _read_meta(path: Path) -> Dict[str, Any]:
    expected = "expected the JSON object that a pipeline is saved with; save or copy it anew"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BionerError(f"{path}: found no JSON ({error}), {expected}") from error
    if not isinstance(meta, dict):
        raise BionerError(f"{path}: found {type(meta).__name__}, {expected}")
    return meta


def _find_folder(model: str) -> Optional[Path]:
    path = Path(model)
    if not path.is_dir() and is_package(model):
        path = find_data(get_package_path(model)) or path
    return path if (path / "config.cfg").is_file() else None


def _find_encoders(
    path: str, section: Mapping[str, Any]
) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    inner = [
        found
        for key, value in section.items()
        if isinstance(value, Mapping)
        for found in _find_encoders(f"{path}.{key}", value)
    ]
    name = str(section.get("@architectures", ""))
    is_named = path.rpartition(".")[2] in _SECTIONS and "Listener" not in name
    if inner:
        yield from inner
    elif name and (is_named or name.startswith((TORCH_ENCODER, ONNX_ENCODER, *_FOREIGN))):
        yield path, section


def _describe_encoder(path: str, section: Mapping[str, Any]) -> EncoderUse:
    return EncoderUse(
        path=path,
        architecture=section["@architectures"],
        unit=str(section.get("unit", "")),
        window=section.get("window"),
        setting=str(section.get("precision", "")),
    )


def _load(model: str, gpu_id: int) -> Language:
    with warnings.catch_warnings():
        # Of another version of spaCy: it is among the requirements that are not met.
        warnings.filterwarnings("ignore", message=r"\[W095\]")
        return load_pipeline(model, gpu_id=gpu_id)


def _time(call: Callable[[], Any]) -> Tuple[Any, float]:
    start = time.perf_counter()
    value = call()
    return value, time.perf_counter() - start


def _add_precisions(nlp: Language, encoders: Sequence[EncoderUse]) -> Tuple[EncoderUse, ...]:
    models = {name: getattr(component, "model", None) for name, component in nlp.components}
    found: List[EncoderUse] = []
    for name, group in groupby(encoders, key=lambda item: item.path.split(".")[1]):
        own, model = list(group), models.get(name)
        in_use = _list_precisions(model) if isinstance(model, Model) else []
        known = len(in_use) == len(own)
        found += map(_set_precision, own, in_use) if known else own
    return tuple(found)


def _set_precision(encoder: EncoderUse, precision: str) -> EncoderUse:
    return replace(encoder, precision=precision)


def _list_precisions(model: Model) -> List[str]:
    found = []
    for node in model.walk():
        for shim in node.shims:
            # Ours: a torch module that has one, or an exported encoder whose description says it.
            own = getattr(getattr(shim, "_model", None), "precision", None)
            value = own or getattr(shim, "spec", {}).get("precision")
            found += [str(value).removeprefix("torch.")] if value else []
    return found
