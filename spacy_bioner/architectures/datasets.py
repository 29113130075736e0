"""Which corpus' rules of annotation a text is read by, where a model was trained on several.

One corpus calls insulin a chemical, another a gene: a vector per corpus lets one model hold both
rules, as a task name before the text does for AIONER (Luo and others, 2023).
"""

from typing import Any, List, Sequence, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model

from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import DATASET_KEY


def dataset_rows(docs: Sequence[Doc], names: Sequence[str], default: str = "") -> np.ndarray:
    """Look up the corpus of each Doc.

    docs (Sequence[Doc]): Those that name their corpus do so in `user_data["bioner_dataset"]`.
    names (Sequence[str]): The corpora of the model.
    default (str): The corpus of Docs that name none; "" is none in particular.
    RETURNS (np.ndarray): Places in `names`, -1 for none; int64, shape (docs,).
    RAISES (ConfigError): For a corpus that the model does not know.
    """
    found = [str(doc.user_data.get(DATASET_KEY, default)) for doc in docs]
    return np.array([_find_row(name, names) for name in found], dtype=np.int64)


def choose_dataset(nlp: Language, name: str) -> None:
    """Let a pipeline that was trained on several corpora annotate by the rules of one of them.

    It holds until it is called again; `spacy.load(…, config=…)` with the encoder's setting
    `dataset` does the same.
    name (str): The corpus, as the training's reader named it; "" for none in particular.
    RAISES (ConfigError): For a pipeline that knows no corpora, or not this one.
    """
    for node in check_dataset(nlp, name):
        node.attrs["dataset"] = name


def list_datasets(nlp: Language) -> List[str]:
    """List the corpora whose rules all encoders of a pipeline that know corpora know."""
    nodes = [node for _, pipe in nlp.pipeline for node in _knowing(pipe)]
    known = [_names(node) for node in nodes]
    return [name for name in known[0] if all(name in own for own in known)] if known else []


def check_dataset(nlp: Language, name: str) -> List[Model]:
    """Return the encoders of a pipeline that know corpora, this one among them.

    RAISES (ConfigError): For a pipeline that knows no corpora, or not this one.
    """
    nodes = [node for _, pipe in nlp.pipeline for node in _knowing(pipe)]
    if not nodes:
        raise ConfigError(
            f"found corpus '{name}', but no component has learned a vector per corpus: train one "
            "with the setting datasets of its encoder"
        )
    for node in nodes:
        _find_row(name, _names(node))
    return nodes


def _knowing(pipe: Any) -> List[Model]:
    model = getattr(pipe, "model", None)
    nodes = model.walk() if isinstance(model, Model) else ()
    return [node for node in nodes if "dataset" in node.attrs and _names(node)]


def _find_row(name: str, names: Sequence[str]) -> int:
    if name and name not in names:
        raise ConfigError(f"found corpus '{name}', expected one of {', '.join(names)}")
    return names.index(name) if name else -1


def _names(node: Model) -> List[str]:
    return list(cast(Any, node.shims[0]).spec.get("datasets", ()))
