"""Assembling the pipeline that ships: the trained component and what comes behind it."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from spacy.language import Language

from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import read_config
from spacy_bioner.components.confidence import ConfidenceFilter
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.replacing import check_own_folder, replacing_folder
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.knowledge.terms import read_terms
from spacy_bioner.training.results.model_facts import CONFIDENCE, TERMS_KEY

# These write a span group of their own name, as `bioner` does.
OTHER_GROUPS = ("spancat", "bioner_feature_crf")
# What an earlier pipeline in the folder to write is known by.
PIPELINE_MARKS = ("meta.json",)
GAZ_ENDING = ".gaz"
RECOGNIZERS = ("bioner", "ner", *OTHER_GROUPS)


@guards_outputs("output", inputs=("model", "config", "terms", "calibration"), replaced=("output",))
def assemble(
    model: Path,
    output: Path,
    *,
    config: Path = Path("configs/postprocessing.cfg"),
    terms: Optional[Path] = None,
    calibration: Optional[Path] = None,
) -> Language:
    """Add gazetteer, abbreviations and overlaps to a trained pipeline and save it.

    model (Path): The trained pipeline.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    config (Path): Settings of the added components and their order.
    terms (Optional[Path]): A term table for the gazetteer instead of the config's, also one that
        `bioner terms import` compiled. Its name and its sources are noted in the pipeline's meta.
    calibration (Optional[Path]): What `bioner calibrate --report` wrote of a pipeline that was
        trained alike, but not on its development documents, as this one was: `bioner_confidence`
        gets its temperature, bias and thresholds.
    RETURNS (Language): The assembled pipeline.
    RAISES (ConfigError): For a missing file or section, and for a calibration that is none, of
        another component, or of labels that the pipeline does not know.
    RAISES (TermTableError): For a malformed term table.
    """
    settings = _read(config)
    table = terms or settings["gazetteer"].get("terms")
    if "bioner_gazetteer" in settings["pipeline"]["order"] and not table:
        raise ConfigError(
            f"{config}: found no table of terms for its gazetteer, expected one: give it by --terms"
        )
    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(str(_existing(model)))
    recognizer = find_recognizer(nlp)
    fitted = None if calibration is None else _read_calibration(nlp, recognizer, calibration)
    for name in settings["pipeline"]["order"]:
        # A span categorizer was trained with its own `bioner_overlaps`; all others come before it.
        if name in nlp.pipe_names:
            nlp.remove_pipe(name)
        nlp.add_pipe(name, config=_component_settings(settings, name, nlp, recognizer))
    if "bioner_gazetteer" in nlp.pipe_names:
        _fill_gazetteer(nlp, _existing(Path(table)))
    if fitted is not None:
        add_confidence(nlp, recognizer, **fitted)
    with replacing_folder(output, marks=PIPELINE_MARKS) as partial:
        nlp.to_disk(partial)
    return nlp


def find_recognizer(nlp: Language) -> str:
    """Name the trained component of a pipeline.

    RAISES (ConfigError): For a pipeline without one.
    """
    for name in RECOGNIZERS:
        if name in nlp.pipe_names:
            return name
    raise ConfigError(
        f"the pipeline ({', '.join(nlp.pipe_names) or 'empty'}) has no trained component: "
        f"expected {' or '.join(RECOGNIZERS)}"
    )


def _read(config: Path) -> Dict[str, Any]:
    if not config.exists():
        raise ConfigError(
            f"found no {config}, expected the settings of the components to add: give a file by "
            "--config, such as configs/postprocessing.cfg of the repository"
        )
    settings = read_config(config)
    for section in ("pipeline", "components", "gazetteer"):
        if section not in settings:
            raise ConfigError(f"{config}: no section [{section}]")
    return settings


def add_confidence(
    nlp: Language,
    source: str,
    *,
    thresholds: Mapping[str, float],
    temperature: float,
    bias: float,
    threshold: float,
) -> None:
    """Add `bioner_confidence` behind a component, and behind those that raise its confidences; one
    that is there already goes. See `components.confidence`.

    RAISES (ConfigError): For numbers that it does not take.
    """
    if CONFIDENCE in nlp.pipe_names:
        nlp.remove_pipe(CONFIDENCE)
    # Confidences that are raised later were looked at as they are then.
    boosters = [name for name, pipe in nlp.pipeline if getattr(pipe, "boosts", False)]
    places = {name: place for place, name in enumerate(nlp.pipe_names)}
    after = max([source, *boosters], key=lambda name: places[name])
    pairs = [[label, value] for label, value in thresholds.items()]
    settings = {"source": source, "temperature": temperature, "bias": bias, "threshold": threshold}
    nlp.add_pipe(CONFIDENCE, after=after, config={**settings, "thresholds": pairs})


def _read_calibration(nlp: Language, recognizer: str, report: Path) -> Dict[str, Any]:
    """Read what `add_confidence` takes."""
    try:
        found = json.loads(_existing(report).read_text(encoding="utf-8"))
        source, thresholds = found["source"], found["thresholds"]
        fitted = {key: found[key] for key in ("temperature", "threshold")}
        # Reports of earlier releases have none.
        fitted["bias"] = found.get("bias", 0.0)
        if not all(map(_is_number, (*fitted.values(), *thresholds.values()))):
            raise ValueError("what should be a number is none")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            f"{report}: found no calibration ({error}), expected the JSON of `bioner calibrate "
            "--report`"
        ) from error
    unknown = sorted({*thresholds} - {*nlp.pipe_labels.get(recognizer, [])})
    if source != recognizer or unknown:
        wrong = f"thresholds for {', '.join(unknown)}" if unknown else f"confidences of '{source}'"
        raise ConfigError(
            f"{report}: found {wrong}, expected those of '{recognizer}' in a pipeline with the "
            f"labels {', '.join(nlp.pipe_labels.get(recognizer, []))}"
        )
    try:
        ConfidenceFilter(CONFIDENCE, source=source, thresholds=thresholds, **fitted)
    except ConfigError as error:
        raise ConfigError(f"{report}: {error}") from error
    return {"thresholds": thresholds, **fitted}


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_one and math.isfinite(value)


def _component_settings(
    settings: Dict[str, Any], name: str, nlp: Language, recognizer: str
) -> Dict[str, Any]:
    chosen = dict(settings["components"].get(name, {}))
    component: Any = nlp.get_pipe(recognizer)
    if name == "bioner_gazetteer":
        chosen.setdefault("labels", list(component.labels))
    added = ["bioner_gazetteer", "bioner_abbreviations"]
    if name == "bioner_abbreviations" and recognizer in OTHER_GROUPS:
        chosen.setdefault("sources", [recognizer, "bioner_gazetteer"])
    if name == "bioner_overlaps" and recognizer in OTHER_GROUPS:
        chosen.setdefault("sources", [recognizer, "ents", *added])
    if name == "bioner_overlaps" and recognizer == "ner":
        # spaCy's `ner` writes doc.ents only: they count under its name, before the others.
        chosen.setdefault("sources", [recognizer, *added])
        chosen.setdefault("ents_source", recognizer)
    return chosen


def _fill_gazetteer(nlp: Language, path: Path) -> None:
    gazetteer: Any = nlp.get_pipe("bioner_gazetteer")
    gazetteer.clear()
    if path.suffix == GAZ_ENDING:
        gazetteer.use_table(read_gaz(path, variants=gazetteer.variants))
    else:
        gazetteer.add_terms(read_terms(path))
    table = gazetteer.term_matcher.table
    nlp.meta[TERMS_KEY] = {
        "table": path.name,
        "n_terms": len(gazetteer),
        "sources": [asdict(source) for source in table.sources],
        "rules": table.rules,
    }


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ConfigError(
            f"{path} does not exist; run the steps before this one (spacy project run all)"
        )
    return path
