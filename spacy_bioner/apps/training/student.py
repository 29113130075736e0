"""What a student is made of: layers of its teacher, another encoder, or a profile's model."""

from dataclasses import dataclass
from typing import Any, Dict

import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import Config

from spacy_bioner.apps.profiles import load_profile, read_training_config
from spacy_bioner.apps.training.train import encoder_override
from spacy_bioner.components.ner import TokenNER
from spacy_bioner.errors import ConfigError
from spacy_bioner.training.distillation import choose_layers, keep_layers

COMPONENT = "bioner"


@dataclass(frozen=True)
class DistillSettings:
    """What the result of distillation depends on, beside teacher and texts.

    steps (int): Optimizer steps.
    layers (int): Layers of the teacher's encoder that the student keeps; 0 with `encoder` and
        `student`.
    spaced (bool): Keep them evenly from first to last; else the first ones.
    encoder (str): Another encoder for the student; empty: the teacher's.
    student (str): A profile whose model the student gets, such as "cnn_bilstm_crf", with a softmax
        head: what it imitates are distributions of single tokens. Empty: the teacher's kind.
    temperature (float): Flattens the distributions.
    alpha (float): The share of the gold loss, where there is gold.
    batch_passages (int): Passages of a step; each has about 100 tokens.
    held_out (float): The share of documents that is set aside to compare on.
    """

    steps: int
    layers: int = 3
    spaced: bool = True
    encoder: str = ""
    student: str = ""
    temperature: float = 2.0
    alpha: float = 0.5
    batch_passages: int = 8
    learn_rate: float = 1e-4
    warmup: float = 0.06
    dropout: float = 0.1
    held_out: float = 0.02
    unit: str = "line"
    seed: int = 0


def make_student(teacher: Language, settings: DistillSettings) -> Language:
    """Make a pipeline of the teacher's tokenizer and a smaller `bioner`, not yet trained.

    With the teacher's encoder, layers and head start from the teacher's weights.
    """
    config = teacher.config.copy()
    config["nlp"].update({"pipeline": [COMPONENT], "disabled": []})
    config["components"] = {COMPONENT: config["components"][COMPONENT]}
    config["initialize"]["components"] = {}
    config["training"].update({"frozen_components": [], "annotating_components": []})
    if settings.student:
        component = config["components"][COMPONENT]
        component["model"] = _read_model(settings.student)
    elif settings.encoder:
        config["components"][COMPONENT]["model"]["encoder"]["name"] = settings.encoder
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    student, teacher_tagger = nlp.get_pipe(COMPONENT), teacher.get_pipe(COMPONENT)
    if not settings.encoder and not settings.student:
        _copy_encoder(as_tagger(teacher_tagger), as_tagger(student), settings)
    doc = nlp.make_doc("a")
    as_tagger(student).initialize(
        lambda: [Example(doc, doc.copy())], nlp=nlp, labels=as_tagger(teacher_tagger).labels
    )
    _copy_head(as_tagger(teacher_tagger), as_tagger(student))
    return nlp


def as_tagger(component: Any) -> TokenNER:
    """Pass on the component of a pipeline that is to be distilled, as what it is.

    RAISES (ConfigError): For one that is no tagger of tokens.
    """
    if not isinstance(component, TokenNER):
        raise ConfigError(f"component '{COMPONENT}' is no tagger of tokens: it cannot be distilled")
    return component


def _read_model(name: str) -> Dict[str, Any]:
    """Read the model of a profile's `bioner`, with the profile's own overrides."""
    profile = load_profile(name)
    path = f"components.{COMPONENT}.model."
    own = {key: value for key, value in profile.overrides.items() if key.startswith(path)}
    config = read_training_config(profile.config)
    if COMPONENT not in config["components"]:
        raise ConfigError(f"--student {name}: {profile.config} has no '{COMPONENT}'")
    own.update(encoder_override(config, profile.encoder))
    config = Config().from_str(config.to_str(), overrides=own)
    return {**config["components"][COMPONENT]["model"], "crf": False}


def _copy_encoder(teacher: TokenNER, student: TokenNER, settings: DistillSettings) -> None:
    from spacy_bioner.architectures.encoder_source import build_transformer
    from spacy_bioner.layers.pooled_encoder import PooledEncoder

    source, target = teacher.model.get_ref("encoder"), student.model.get_ref("encoder")
    if source.name != "transformer_encoder":
        message = f"--layers: the teacher's encoder is a '{source.name}'; name one with --encoder"
        raise ConfigError(message)
    old: Any = source.shims[0]
    config = old.spec["config"]
    depth = int(config.get("num_hidden_layers") or config["n_layers"])
    kept = choose_layers(depth, settings.layers, spaced=settings.spaced)
    smaller, weights = keep_layers(config, old.module.transformer.state_dict(), kept)
    transformer = build_transformer(smaller)
    transformer.load_state_dict(weights)
    new: Any = target.shims[0]
    new.set_module({**old.spec, "config": smaller}, PooledEncoder(transformer))
    target.set_dim("nO", source.get_dim("nO"))


def _copy_head(teacher: TokenNER, student: TokenNER) -> None:
    old, new = (tagger.model.get_ref("output_layer").shims[0] for tagger in (teacher, student))
    mine: Any = new
    theirs: Any = old
    state = mine.module.state_dict()
    for name, tensor in theirs.module.state_dict().items():
        if name in state and state[name].shape == tensor.shape:
            state[name] = tensor
    mine.module.load_state_dict(state)
