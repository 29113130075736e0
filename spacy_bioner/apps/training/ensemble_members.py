"""Members of an ensemble: loaded and checked, asked for their opinions, put into one pipeline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.components.ner import TokenNER
from spacy_bioner.errors import ConfigError, LabelError
from spacy_bioner.tags import normalize_scheme

COMPONENT = "bioner"
ARCHITECTURE = "spacy_bioner.EmissionEnsemble.v1"
BATCH_DOCS = 64
_CHECKPOINTS = ("model-best", "model-last")


@dataclass(frozen=True)
class Member:
    """A trained pipeline whose `bioner` is part of an ensemble.

    number (int): From 1.
    source (str): The folder or package.
    """

    number: int
    source: str
    nlp: Language

    @property
    def tagger(self) -> TokenNER:
        """The component."""
        component: Any = self.nlp.get_pipe(COMPONENT)
        return component

    @property
    def name(self) -> str:
        """Its number and what tells it from others in a table."""
        parts = Path(self.source).parts
        n_telling = 2 if parts[-1] in _CHECKPOINTS else 1
        return f"{self.number} {'/'.join(parts[-n_telling:])}"

    @property
    def is_crf(self) -> bool:
        """Whether it has learned transitions."""
        return bool(self.tagger.model.get_ref("output_layer").attrs.get("crf"))

    def fingerprint(self) -> str:
        """Identify its content; see `loading.fingerprint`."""
        return fingerprint(Path(self.nlp.path))


@dataclass(frozen=True)
class Opinions:
    """What a member says of each token of some documents.

    scores (List[np.ndarray]): What its component gave, to be decoded by it; per Doc.
    log_probs (np.ndarray): Of the ensemble's tags; float32, shape (tokens, tags), all Docs.
    """

    scores: List[np.ndarray]
    log_probs: np.ndarray


def load_members(sources: Sequence[str], *, gpu_id: int = -1) -> List[Member]:
    """Load pipelines and make sure that they can be combined.

    RAISES (ConfigError): Fewer than two, one that stands twice, one without `bioner`, with another
        tag scheme, or with a part that cannot be taken out of its pipeline.
    RAISES (LabelError): Members with other labels than the first.
    RAISES (BionerError): No such pipeline.
    """
    if len(sources) < 2:
        found = f"found {len(sources)} member{'' if len(sources) == 1 else 's'}"
        raise ConfigError(f"an ensemble has two or more members, {found}; name another pipeline")
    seen = [str(Path(source).resolve()) for source in sources]
    for index, source in enumerate(sources):
        if seen[index] in seen[:index]:
            raise ConfigError(f"found the member {source} twice, expected different pipelines")
    members: List[Member] = []
    for number, source in enumerate(sources, start=1):
        member = Member(number, source, load_pipeline(source, gpu_id=gpu_id))
        _check_alone(member)
        if members:
            _check_pair(members[0], member)
        members.append(member)
    return members


def ask_members(members: Sequence[Member], texts: Sequence[str]) -> List[Opinions]:
    """Let each member score the same texts.

    RAISES (ConfigError): For members whose tokenizers differ on them: their rows would not match.
    """
    found: List[Opinions] = []
    words: Optional[List[List[str]]] = None
    for member in members:
        docs = [member.nlp.make_doc(text) for text in texts]
        own = [[token.text for token in doc] for doc in docs]
        words = words or own
        _check_words(members[0], member, words, own)
        found.append(_ask(members[0], member, docs))
    return found


def combine(members: Sequence[Member], weights: np.ndarray) -> Language:
    """Make a pipeline of the first member's tokenizer and one `bioner` that holds all members.

    weights (np.ndarray): Shares of the members for each tag, shape (members, tags).
    """
    from spacy_bioner.architectures.ensemble import set_pool_weights

    first = members[0]
    nlp = load_pipeline(first.source)
    for name in list(nlp.component_names):
        nlp.remove_pipe(name)
    settings = dict(first.nlp.get_pipe_config(COMPONENT))
    model = {
        "@architectures": ARCHITECTURE,
        "labels": [list(member.tagger.labels) for member in members],
        "scheme": settings["scheme"],
        "*": {
            f"member_{member.number}": member.nlp.get_pipe_config(COMPONENT)["model"]
            for member in members
        },
    }
    settings.pop("factory", None)
    nlp.add_pipe(COMPONENT, config={**settings, "model": model, "adversary": None})
    tagger: Any = nlp.get_pipe(COMPONENT)
    tagger.cfg["labels"] = list(first.tagger.labels)
    for layer, member in zip(tagger.model.layers, members):
        layer.from_bytes(member.tagger.model.to_bytes())
    set_pool_weights(tagger.model, weights)
    return nlp


def _check_alone(member: Member) -> None:
    names = member.nlp.pipe_names
    if COMPONENT not in names or not isinstance(member.nlp.get_pipe(COMPONENT), TokenNER):
        raise ConfigError(
            f"{member.source}: found the components {', '.join(names) or 'none'}, expected a "
            f"trained `{COMPONENT}`; name pipelines that `bioner train` made"
        )
    before = names[: names.index(COMPONENT)]
    if before:
        raise ConfigError(
            f"{member.source}: found {', '.join(before)} in front of `{COMPONENT}`, which an "
            "ensemble does not take over; expected members that need no other component"
        )
    if not member.tagger.labels:
        raise ConfigError(f"{member.source}: its `{COMPONENT}` knows no label: it was not trained")
    for node in member.tagger.model.walk():
        if "listener" in node.name:
            raise ConfigError(
                f"{member.source}: its `{COMPONENT}` listens to another component ({node.name}), "
                f"expected one with an encoder of its own; train it with TransformerEncoder.v1"
            )
        if node.attrs.get("truncate"):
            raise ConfigError(
                f"{member.source}: its encoder leaves tokens out (truncate = true), of which it "
                "has no opinion; train it without"
            )


def _check_pair(first: Member, other: Member) -> None:
    mine, theirs = first.tagger.labels, other.tagger.labels
    if set(mine) != set(theirs):
        raise LabelError(
            f"{other.source}: found the labels {', '.join(theirs) or 'none'}, expected "
            f"{', '.join(mine) or 'none'} as in {first.source}; combine pipelines of the same ones"
        )
    schemes = [normalize_scheme(member.tagger.cfg["scheme"]) for member in (first, other)]
    if schemes[0] != schemes[1]:
        raise ConfigError(
            f"{other.source}: found the tag scheme {schemes[1]}, expected {schemes[0]} as in "
            f"{first.source}; combine pipelines of the same scheme"
        )
    left, right = (member.nlp.vocab.vectors for member in (first, other))
    if left.shape != right.shape or not bool((left.data == right.data).all()):
        raise ConfigError(
            f"{other.source}: found other word vectors than in {first.source}, expected the same: "
            "an ensemble has one vocabulary"
        )


def _check_words(
    first: Member, other: Member, expected: List[List[str]], found: List[List[str]]
) -> None:
    for left, right in zip(expected, found):
        if left != right:
            place = next((i for i, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), -1)
            raise ConfigError(
                f"{other.source}: its tokenizer gives {right[place]!r} where that of "
                f"{first.source} gives {left[place]!r}; combine pipelines with the same tokenizer"
            )


def _ask(first: Member, member: Member, docs: List[Doc]) -> Opinions:
    from spacy_bioner.architectures.ensemble import match_tags, tag_opinions

    tagger = member.tagger
    scores: List[np.ndarray] = []
    for start in range(0, len(docs), BATCH_DOCS):
        scores += tagger.predict(docs[start : start + BATCH_DOCS])
    scheme = tagger.cfg["scheme"]
    order = match_tags(first.tagger.labels, tagger.labels, scheme, member.number)
    opinions = tag_opinions(tagger.model, docs, scores, tagger.labels, scheme, order)
    return Opinions(scores, np.concatenate(opinions))
