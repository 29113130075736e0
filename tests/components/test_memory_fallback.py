"""A batch for which memory runs out is learned from in halves, with the same gradient."""

import logging
from typing import Any, Callable, Dict, List

import pytest
import spacy
import torch
from spacy.training import Example

from spacy_bioner.architectures.objectives import crf_of
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.components import memory_fallback
from spacy_bioner.components.memory_fallback import learn_in_parts
from spacy_bioner.errors import TrainingDataError
from spacy_bioner.gold import ANNOTATED_KEY
from tests.conftest import TOKENIZER

ROWS = (
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
    ("no disease here", []),
    ("clonidine in hypertension", [(0, 9, "Chemical"), (13, 25, "Disease")]),
    ("rats", []),
)


@pytest.fixture
def examples(make_example: Callable) -> List[Example]:
    return [make_example(text, entities) for text, entities in ROWS]


def make_component(tiny_bert: Any, examples: List[Example], *, pooling: str = "mean") -> Any:
    nlp = spacy.blank("en", config=TOKENIZER)
    encoder = {"name": str(tiny_bert), "precision": "float32", "pooling": pooling}
    # With the labels given: partial gold need not name all of them.
    nlp.add_pipe("bioner", config={"model": {"encoder": encoder}})
    component: Any = nlp.get_pipe("bioner")
    for label in ("Chemical", "Disease"):
        component.add_label(label)
    nlp.initialize(lambda: examples)
    for shim in torch_shims(component.model):
        # No dropout, so that halves see what the whole saw.
        shim.module.train(False)
        shim.module.train = lambda mode=True, module=shim.module: module
    return component


def gradients(component: Any) -> List[torch.Tensor]:
    return [
        parameter.grad.clone()
        for shim in torch_shims(component.model)
        for parameter in shim.module.parameters()
        if parameter.grad is not None
    ]


def run_out(component: Any, limit: int, error: Exception) -> List[int]:
    """Let the model's forward pass fail for more than `limit` documents; gives the sizes seen."""
    forward = component.model._func
    seen: List[int] = []

    def run(model: Any, docs: List[Any], is_train: bool) -> Any:
        seen.append(len(docs))
        emissions, backprop = forward(model, docs, is_train)
        if len(docs) <= limit:
            return emissions, backprop

        def fail(d_emissions: Any) -> Any:
            # Some gradients are there already when it fails.
            component.model.get_ref("output_layer").shims[0].module.output.bias.grad.fill_(9.0)
            raise error

        return emissions, fail

    component.model._func = run
    return seen


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory")]
)
def test_halves_give_the_gradient_and_the_loss_of_the_whole(tiny_bert, examples, error) -> None:
    component = make_component(tiny_bert, examples)
    whole: Dict[str, float] = component.update(examples, sgd=False)
    expected = gradients(component)
    for shim in torch_shims(component.model):
        shim.module.zero_grad(set_to_none=True)
    component.model.get_ref("output_layer").shims[0].module.output.bias.grad = torch.zeros(5)
    seen = run_out(component, 2, error)
    losses = component.update(examples, sgd=False)
    assert seen == [5, 2, 3, 1, 2]
    assert losses["bioner_splits"] == 2
    assert losses["bioner"] == pytest.approx(whole["bioner"], rel=1e-5)
    for found, wanted in zip(gradients(component), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "x", "parent"])
def test_halves_weigh_by_what_is_known(tiny_bert, examples, pooling: str) -> None:
    # Of one document nothing is known, of another one label only.
    examples[0].reference.user_data[ANNOTATED_KEY] = []
    examples[0].reference.set_ents([], default="outside")
    examples[3].reference.user_data[ANNOTATED_KEY] = ["Chemical"]
    examples[3].reference.set_ents(examples[3].reference.ents[:1], default="outside")
    component = make_component(tiny_bert, examples, pooling=pooling)
    whole = component.update(examples, sgd=False)
    expected = gradients(component)
    for shim in torch_shims(component.model):
        shim.module.zero_grad(set_to_none=True)
    bias = component.model.get_ref("output_layer").shims[0].module.output.bias
    bias.grad = torch.zeros_like(bias)
    run_out(component, 2, MemoryError())
    losses = component.update(examples, sgd=False)
    assert losses["bioner"] == pytest.approx(whole["bioner"], rel=1e-5)
    for found, wanted in zip(gradients(component), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_gradients_of_batches_before_it_are_kept(tiny_bert, examples) -> None:
    component = make_component(tiny_bert, examples)
    component.update(examples[:2], sgd=False)
    component.update(examples[2:], sgd=False)
    expected = gradients(component)
    for shim in torch_shims(component.model):
        shim.module.zero_grad(set_to_none=True)
    component.update(examples[:2], sgd=False)
    run_out(component, 1, RuntimeError("not enough memory"))
    component.update(examples[2:], sgd=False)
    for found, wanted in zip(gradients(component), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_halving_is_logged(tiny_bert, examples, caplog) -> None:
    component = make_component(tiny_bert, examples)
    component.update(examples[:1], sgd=False)
    run_out(component, 1, MemoryError())
    with caplog.at_level(logging.WARNING):
        component.update(examples[:2], sgd=False)
    assert "a batch of 2 documents is halved" in caplog.text


def test_a_document_that_does_not_fit_is_named(tiny_bert, examples) -> None:
    component = make_component(tiny_bert, examples)
    component.update(examples[:1], sgd=False)
    run_out(component, 0, RuntimeError("not enough memory"))
    message = r"a document of 3 tokens \('hypertension in rats'…\) does not fit into memory"
    with pytest.raises(TrainingDataError, match=message):
        component.update(examples[1:2], sgd=False)


def test_other_errors_pass(tiny_bert, examples) -> None:
    component = make_component(tiny_bert, examples)
    component.update(examples[:1], sgd=False)
    run_out(component, 0, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        component.update(examples, sgd=False)


def test_the_transitions_of_a_crf_get_the_share_too(tiny_bert, examples) -> None:
    found = []
    for limit in (9, 2):
        nlp = spacy.blank("en", config=TOKENIZER)
        encoder = {"name": str(tiny_bert), "precision": "float32"}
        nlp.add_pipe("bioner", config={"model": {"encoder": encoder, "crf": True}})
        nlp.initialize(lambda: examples)
        component: Any = nlp.get_pipe("bioner")
        crf: Any = crf_of(component.model)
        head = component.model.get_ref("output_layer").shims[0].module
        # Emissions that do not depend on random weights.
        torch.nn.init.zeros_(head.output.weight)
        head.output.bias.grad = torch.zeros(5)
        run_out(component, limit, RuntimeError("not enough memory"))
        component.update(examples, sgd=False)
        found.append(crf.transitions.grad.clone())
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)
    assert found[0].abs().max() > 0


def test_nothing_to_learn_from_is_no_split(tiny_bert, examples) -> None:
    component = make_component(tiny_bert, examples)
    calls = []
    n_splits = learn_in_parts(
        component.model, examples, [1] * 5, lambda part, share: calls.append((len(part), share))
    )
    assert (n_splits, calls) == (0, [(5, 1.0)])


def test_batches_are_bounded_in_documents_and_tokens(blank_nlp, monkeypatch):
    monkeypatch.setattr(memory_fallback, "MOST_TOKENS", 5)
    docs = [blank_nlp.make_doc("a " * n) for n in (2, 3, 1, 9, 1, 1, 1)]
    found = memory_fallback.bounded_batches(iter(docs), 2)
    assert [[len(doc) for doc in batch] for batch in found] == [[2, 3], [1], [9], [1, 1], [1]]
    assert list(memory_fallback.bounded_batches([], 2)) == []
