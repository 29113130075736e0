"""`spacy_bioner.EmissionEnsemble.v1`: trained token classifiers that vote on each token's tag.

A member gives a distribution over tags per token: a softmax head its own, a CRF the marginals of
its tag sequences (its emissions alone would leave out the transitions). So heads of both kinds
mix. The distributions are pooled (see `layers.opinion_pool`), and the pool's log probabilities are
the ensemble's emissions, which the component decodes as it does those of a softmax head.
"""

from typing import Any, Callable, List, Optional, Sequence, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import torch2xp

from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures.decoding import learned_transitions, log_softmax, make_grammar
from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.architectures.pieces.words import word_log_marginals
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim
from spacy_bioner.errors import ConfigError, LabelError
from spacy_bioner.layers.opinion_pool import OpinionPool
from spacy_bioner.tags import tag_set

# No member's log probability is lower: a tag that a CRF rules out is -inf, which no weight scales.
LOWEST = -30.0


def build_emission_ensemble(
    *members: Model[List[Doc], List[Floats2d]],
    labels: List[List[str]],
    scheme: str = "BIO",
) -> Model[List[Doc], List[Floats2d]]:
    """Build a model that pools the tag distributions of trained token classifiers.

    Only what `bioner ensemble` made has weights: an ensemble cannot be initialized or trained.

    members (Model[List[Doc], List[Floats2d]]): In a config, sections `[….model.*.NAME]`.
    labels (List[List[str]]): The labels of each member, in the order of its tags. They may differ
        in order; that of the first is the ensemble's.
    scheme (str): The tag scheme of all members.
    RAISES (ConfigError): For fewer than two members, or another number of label lists.
    RAISES (LabelError): For members whose labels differ, and an unknown scheme.
    """
    if len(members) < 2 or len(labels) != len(members):
        raise ConfigError(
            f"ensemble: expected two members or more and the labels of each, found "
            f"{len(members)} and {len(labels)}"
        )
    orders = [match_tags(labels[0], own, scheme, number) for number, own in enumerate(labels, 1)]
    n_tags = len(orders[0])
    pool: Model = Model(
        "opinion_pool",
        _forward_pool,
        dims={"nO": n_tags},
        shims=[TorchShim(_build_pool)],
    )
    model: Model = Model(
        "emission_ensemble",
        forward,
        init=init,
        layers=[*members, pool],
        dims={"nO": n_tags},
        refs={"output_layer": pool},
        attrs={"orders": orders, "scheme": scheme, "labels": [list(own) for own in labels]},
    )
    return model


def match_tags(labels: Sequence[str], own: Sequence[str], scheme: str, number: int) -> List[int]:
    """Return, for each tag of the ensemble, the column in which a member has it.

    labels (Sequence[str]): The ensemble's labels.
    own (Sequence[str]): The member's labels.
    number (int): The member's, from 1, for messages.
    RAISES (LabelError): Where they are not the same labels.
    """
    if set(labels) != set(own) or len(own) != len(set(own)):
        raise LabelError(
            f"ensemble: member {number} has the labels {', '.join(own) or 'none'}, expected "
            f"{', '.join(labels) or 'none'}, as the first; combine pipelines of the same labels"
        )
    columns = {tag: column for column, tag in enumerate(tag_set(own, scheme))}
    return [columns[tag] for tag in tag_set(labels, scheme)]


def set_pool_weights(model: Model, weights: np.ndarray) -> None:
    """Set the weights of an ensemble.

    weights (np.ndarray): Shares of the members for each tag, shape (members, tags).
    """
    module = OpinionPool(*weights.shape)
    with torch.no_grad():
        module.weights.copy_(torch.from_numpy(np.asarray(weights, dtype=np.float32)))
    spec: Spec = {"n_members": weights.shape[0], "n_tags": weights.shape[1]}
    cast(TorchShim, model.get_ref("output_layer").shims[0]).set_module(spec, module)


def tag_opinions(
    member: Model,
    docs: Sequence[Doc],
    scores: Sequence[np.ndarray],
    labels: Sequence[str],
    scheme: str,
    order: Sequence[int],
) -> List[np.ndarray]:
    """Turn a token classifier's emissions into log probabilities of the ensemble's tags.

    docs (Sequence[Doc]): The Docs.
    scores (Sequence[np.ndarray]): Its emissions, shape (tokens, tags), per Doc.
    labels (Sequence[str]): Its labels.
    order (Sequence[int]): Its column for each tag of the ensemble, from `match_tags`.
    RETURNS (List[np.ndarray]): float32, `LOWEST` or more, shape (tokens, tags), per Doc.
    """
    learned = learned_transitions(member)
    if learned is None:
        found = [log_softmax(rows) if len(rows) else rows for rows in scores]
    else:
        grammar = make_grammar(tag_set(labels, scheme), scheme, learned)
        found = word_log_marginals(scores, read_words(member, docs), grammar)
    return [np.maximum(rows[:, order], LOWEST).astype(np.float32) for rows in found]


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Refuse to start from nothing; an ensemble that has weights is left as it is."""
    if not cast(TorchShim, model.get_ref("output_layer").shims[0]).is_ready:
        raise _not_trainable()


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Let each member score the Docs, and pool.

    RAISES (ConfigError): In training.
    """
    if is_train:
        raise _not_trainable()
    to_numpy, attrs = model.ops.to_numpy, model.attrs
    opinions = []
    for member, labels, order in zip(model.layers, attrs["labels"], attrs["orders"]):
        scores = [to_numpy(rows) for rows in member.predict(docs)]
        own = tag_opinions(member, docs, scores, labels, attrs["scheme"], order)
        opinions.append(np.concatenate(own))
    pooled = model.get_ref("output_layer").predict(np.stack(opinions))
    borders = np.cumsum([len(doc) for doc in docs])[:-1].tolist()
    return model.ops.xp.split(pooled, borders), _no_backprop


def _forward_pool(model: Model, opinions: np.ndarray, is_train: bool) -> Tuple[Any, Callable]:
    shim = cast(TorchShim, model.shims[0])
    with torch.no_grad():
        pooled = shim.module(torch.from_numpy(opinions).to(shim.device))
    return torch2xp(pooled), _no_backprop


def _build_pool(spec: Spec) -> OpinionPool:
    return OpinionPool(spec["n_members"], spec["n_tags"])


def _no_backprop(gradient: Any) -> Any:
    raise _not_trainable()


def _not_trainable() -> ConfigError:
    return ConfigError(
        "an ensemble is made of trained members and has no training of its own: train the members, "
        "then `bioner ensemble MEMBER MEMBER --dev DEV --output OUT`"
    )
