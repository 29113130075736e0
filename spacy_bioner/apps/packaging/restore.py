"""Restoring an exported pipeline: what it has learned, in a form that can be trained on."""

from pathlib import Path
from typing import Any, Dict

from spacy.language import Language
from spacy.util import load_config

from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.packaging.assemble import PIPELINE_MARKS
from spacy_bioner.errors import ConfigError
from spacy_bioner.extras import require
from spacy_bioner.files.replacing import check_own_folder, replacing_folder
from spacy_bioner.training.results.exports import META_KEY

RESTORED_KEY = "restored"


@guards_outputs("output", inputs=("model",), replaced=("output",))
def restore(model: str, output: Path) -> Language:
    """Write a pipeline that torch runs, with the weights of an exported one.

    Weights of a float32 export come back as they were. Those of an int8 export are rounded as they
    are there; its activations are no longer, so that few entities differ, in both directions.
    All other components stay as they are. What only training needs (objective, adversary) is what
    a training config says.

    model (str): A folder or package of a pipeline that `bioner export` wrote.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    RETURNS (Language): The restored pipeline.
    RAISES (ConfigError): For a pipeline without an exported component, and for one with term
        features.
    RAISES (EncoderError): For a family whose weights cannot be told in its graph.
    RAISES (MissingExtraError): Without torch or onnx.
    """
    require("torch", "transformers", "onnx", "onnxruntime", extra="train", who="`bioner restore`")
    from spacy_bioner.architectures.exported.restoring import (
        can_restore,
        describe_restored,
        restore_classifier,
    )

    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(model)
    components: Dict[str, Any] = {
        name: pipe for name, pipe in nlp.pipeline if can_restore(getattr(pipe, "model", None))
    }
    if not components:
        raise ConfigError(
            f"{model}: found the components {', '.join(nlp.pipe_names) or 'none'}, expected one "
            "that `bioner export` made; a pipeline that was not exported is trained on as it is: "
            "bioner train CORPUS OUT --resume MODEL"
        )
    for component in components.values():
        component.model = restore_classifier(component.model)
    origin = nlp.meta.pop(META_KEY, {})
    nlp.meta[RESTORED_KEY] = {
        "from": fingerprint(Path(nlp.path)) if nlp.path else "",
        "precision": origin.get("precision", ""),
    }
    with replacing_folder(output, marks=PIPELINE_MARKS) as partial:
        nlp.to_disk(partial)
        config = load_config(partial / "config.cfg", interpolate=False)
        for name, component in components.items():
            section = config["components"][name]
            section["model"] = describe_restored(component.model)
            for setting in ("objective", "adversary"):
                # An export leaves them empty; a component to train has its own defaults.
                if section.get(setting) is None:
                    section.pop(setting, None)
        config.to_disk(partial / "config.cfg")
    return nlp
