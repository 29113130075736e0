"""Assembling the pipeline that ships: the trained component and what comes behind it."""

import shutil
from pathlib import Path
from typing import Any, Dict, List, Optional

import spacy
from spacy.language import Language
from thinc.api import Config

from spacy_bioner.errors import ConfigError

RECOGNISERS = ("bioner", "ner")


def assemble(
    model: Path,
    output: Path,
    *,
    config: Path = Path("configs/postprocessing.cfg"),
    terms: Optional[Path] = None,
) -> Language:
    """Add gazetteer, abbreviations and overlaps to a trained pipeline and save it.

    model (Path): The trained pipeline.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    config (Path): Settings of the added components and their order.
    terms (Optional[Path]): A term table for the gazetteer instead of the config's.
    RETURNS (Language): The assembled pipeline.
    RAISES ConfigError: For a missing file or section.
    RAISES TermTableError: For a malformed term table.
    """
    settings = _read(config)
    nlp = spacy.load(_existing(model))
    labels = recogniser_labels(nlp)
    for name in settings["pipeline"]["order"]:
        nlp.add_pipe(name, config=_component_settings(settings, name, labels))
    table = terms or Path(settings["gazetteer"]["terms"])
    if "bioner_gazetteer" in nlp.pipe_names:
        gazetteer: Any = nlp.get_pipe("bioner_gazetteer")
        gazetteer.initialize(lambda: [], nlp=nlp, terms=_existing(table))
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    nlp.to_disk(partial)
    shutil.rmtree(output, ignore_errors=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(output)
    return nlp


def recogniser_labels(nlp: Language) -> List[str]:
    """List the labels of the trained component.

    RAISES ConfigError: For a pipeline without one.
    """
    for name in RECOGNISERS:
        if name in nlp.pipe_names:
            recogniser: Any = nlp.get_pipe(name)
            return list(recogniser.labels)
    raise ConfigError(
        f"the pipeline ({', '.join(nlp.pipe_names) or 'empty'}) has no trained component: "
        f"expected {' or '.join(RECOGNISERS)}"
    )


def _read(config: Path) -> Dict[str, Any]:
    settings = Config().from_disk(_existing(config))
    for section in ("pipeline", "components", "gazetteer"):
        if section not in settings:
            raise ConfigError(f"{config}: no section [{section}]")
    return settings


def _component_settings(settings: Dict[str, Any], name: str, labels: List[str]) -> Dict[str, Any]:
    chosen = dict(settings["components"].get(name, {}))
    if name == "bioner_gazetteer":
        chosen.setdefault("labels", labels)
    return chosen


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ConfigError(
            f"{path} does not exist; run the steps before this one (spacy project run all)"
        )
    return path
