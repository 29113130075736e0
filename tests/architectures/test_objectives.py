"""The loss of a tagger's emissions per token of which anything is known, by hand."""

import math
from typing import List

import numpy as np
import pytest
from thinc.api import Model

from spacy_bioner.architectures.decoding import learned_transitions, make_grammar
from spacy_bioner.architectures.objectives import make_objective
from spacy_bioner.architectures.token_classifier import build_head
from spacy_bioner.architectures.torch_bridge import TorchShim
from spacy_bioner.tags import tag_set

TAGS = tag_set(["X"], "IO")
EVERY = [True, True]


def make_model(*, crf: bool) -> Model:
    """What an objective asks of a token classifier; it has no weights of transitions at first."""
    head: Model = Model("head", lambda model, X, is_train: (X, lambda dY: dY))
    shim = TorchShim(build_head)
    spec = {"width": 1, "n_tags": len(TAGS), "crf": crf}
    shim.set_module(spec, build_head(spec))
    head.shims.append(shim)
    head.attrs["crf"] = crf
    return Model("classifier", head._func, layers=[head], refs={"output_layer": head})


def compute(allowed: List[List[List[bool]]], *, crf: bool, **settings):
    model = make_model(crf=crf)
    known = [np.array(rows) for rows in allowed]
    emissions = [np.zeros(rows.shape, dtype=np.float32) for rows in known]
    grammar = make_grammar(TAGS, "IO", learned_transitions(model))
    return make_objective()(model, emissions, known, TAGS, grammar, **settings)


@pytest.mark.parametrize("crf", [False, True])
def test_the_loss_is_the_mean_over_tokens_of_which_something_is_known(crf) -> None:
    outside, inside = [True, False], [False, True]
    loss, gradients = compute([[outside, EVERY, EVERY, inside], [EVERY], [EVERY, inside]], crf=crf)
    # Three known tokens of two tags that are equally likely.
    assert loss == pytest.approx(math.log(2))
    third = 0.5 / 3
    expected = [
        [[-third, third], [0, 0], [0, 0], [third, -third]],
        [[0, 0]],
        [[0, 0], [third, -third]],
    ]
    for found, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("crf", [False, True])
def test_a_share_scales_loss_and_gradient(crf) -> None:
    loss, (gradient,) = compute([[[True, False]]], crf=crf, share=0.25)
    assert loss == pytest.approx(0.25 * math.log(2))
    np.testing.assert_allclose(gradient, [[-0.125, 0.125]], atol=1e-6)


@pytest.mark.parametrize("crf", [False, True])
def test_nothing_known_costs_nothing(crf) -> None:
    loss, (gradient,) = compute([[EVERY, EVERY]], crf=crf)
    assert (loss, np.abs(gradient).max()) == (0.0, 0.0)
