"""`bioner` with a CRF, with losses of its settings, and under attack."""

import random
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example

from spacy_bioner.architectures import torch_bridge
from spacy_bioner.architectures.adversary import make_adversary, tapped
from spacy_bioner.architectures.objectives import crf_of, make_objective
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.gold import ANNOTATED_KEY
from tests.conftest import TOKENIZER, entities_of, learn_by_heart

TEXT = "Naloxone reverses the effect of clonidine."
CRF: Dict[str, Any] = {"crf": True}


def build(tiny_bert: Any, *, model: Any = None, **settings: Any) -> Language:
    nlp = spacy.blank("en", config=TOKENIZER)
    encoder = {"name": str(tiny_bert), "precision": "float32"}
    nlp.add_pipe("bioner", config={"model": {"encoder": encoder, **(model or {})}, **settings})
    return nlp


@pytest.fixture
def examples(make_example: Callable) -> List[Example]:
    return [
        make_example(TEXT, [(0, 8, "Chemical"), (32, 41, "Chemical")]),
        make_example("hypertension in rats", [(0, 12, "Disease")]),
    ]


def gradients(nlp: Language) -> List[torch.Tensor]:
    shims = torch_shims(nlp.get_pipe("bioner").model)
    weights = [p for shim in shims for p in shim.module.parameters()]
    return [torch.zeros(1) if p.grad is None else p.grad.clone() for p in weights]


def test_a_crf_learns_and_survives_a_round_trip(tiny_bert, examples, tmp_path) -> None:
    nlp = build(tiny_bert, model=CRF)
    learn_by_heart(nlp, examples)
    assert entities_of(nlp(TEXT)) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    crf = crf_of(again.get_pipe("bioner").model)
    assert torch.equal(crf.transitions, crf_of(nlp.get_pipe("bioner").model).transitions)
    assert crf.transitions.abs().max() > 0.1
    confidences = [[ent._.confidence for ent in pipe(TEXT).ents] for pipe in (nlp, again)]
    assert confidences[0] == confidences[1]
    assert min(confidences[0]) > 0.9


def test_a_crf_decodes_a_batch_like_its_members(tiny_bert, examples) -> None:
    nlp = build(tiny_bert, model=CRF)
    learn_by_heart(nlp, examples, steps=10)
    texts = [TEXT, "", "hypertension in rats", "Naloxone"]
    assert [entities_of(doc) for doc in nlp.pipe(texts)] == [
        entities_of(nlp(text)) for text in texts
    ]


def test_the_gradient_of_a_crf_reaches_the_encoder_as_finite_differences_say(
    tiny_bert, examples
) -> None:
    nlp = build(tiny_bert, model=CRF)
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    random_rows = np.random.default_rng(0).normal
    rows = [random_rows(size=(len(eg.predicted), 5)).astype("float32") for eg in examples]
    _, slopes = component.get_loss(examples, rows)
    for column in range(5):
        step = np.zeros_like(rows[0])
        step[1, column] = 1e-2
        above = component.get_loss(examples, [rows[0] + step, rows[1]])[0]
        below = component.get_loss(examples, [rows[0] - step, rows[1]])[0]
        assert slopes[0][1, column] == pytest.approx((above - below) / 2e-2, abs=1e-4)


def test_a_corpus_of_some_labels_does_not_teach_the_others_as_outside(tiny_bert, examples) -> None:
    nlp = build(tiny_bert)
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    examples[1].reference.user_data[ANNOTATED_KEY] = ["Disease"]
    tags = component.tags
    rows = np.zeros((3, 5), dtype="float32")
    _, (slopes,) = component.get_loss(examples[1:], [rows])
    # "in": O and both Chemical tags agree with what is known, so they share what is pulled up.
    pulled = {tag for tag, slope in zip(tags, slopes[1]) if slope < 0}
    assert pulled == {"O", "B-Chemical", "I-Chemical"}


def test_class_weights_of_unknown_labels_are_refused(tiny_bert, examples) -> None:
    objective = {"@misc": "spacy_bioner.TaggingObjective.v1", "class_weights": {"Gene": 2.0}}
    nlp = build(tiny_bert, objective=objective)
    with pytest.raises(ConfigError, match="class_weights names Gene: expected O or one of Chem"):
        nlp.initialize(lambda: examples)


def test_a_crf_with_a_loss_of_single_tokens_is_refused(tiny_bert, examples) -> None:
    objective = {"@misc": "spacy_bioner.TaggingObjective.v1", "focal_gamma": 2.0}
    nlp = build(tiny_bert, model=CRF, objective=objective)
    with pytest.raises(ConfigError, match="set crf = false"):
        nlp.initialize(lambda: examples)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"focal_gamma": -1.0}, "focal_gamma = -1.0: expected 0 or more"),
        ({"label_smoothing": 1.0}, "label_smoothing = 1.0: expected 0 ≤ value < 1"),
        ({"class_weights": {"O": -2.0}}, "found O = -2.0, expected 0 or more"),
    ],
)
def test_objective_settings_out_of_range_are_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make_objective(**settings)


def test_a_loss_that_is_no_number_stops_training(tiny_bert, examples) -> None:
    nlp = build(tiny_bert)
    nlp.initialize(lambda: examples)
    rows = [np.full((len(eg.predicted), 5), np.nan, dtype="float32") for eg in examples]
    with pytest.raises(TrainingDataError, match="the loss became nan: training has diverged"):
        nlp.get_pipe("bioner").get_loss(examples, rows)


def test_a_small_step_along_the_gradient_raises_the_loss_by_its_norm(tiny_bert, examples) -> None:
    nlp = build(tiny_bert, model={"dropout": 0.0})
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    still(component.model)
    docs = [examples[0].predicted]
    with tapped(component.model) as (tap,):
        emissions, backprop = component.model.begin_update(docs)
        loss, slopes = component.get_loss(examples[:1], emissions)
        backprop(slopes)
        (gradient,) = tap.gradients()
        adversary = make_adversary("fgsm", epsilon=1e-4)
        adversary.strikes()
        raised = adversary.train(
            component.model, docs, lambda rows: component.get_loss(examples[:1], rows)
        )
    assert raised - loss == pytest.approx(1e-4 * float(gradient.norm()), rel=0.05)


def still(model: Any) -> None:
    """Take all dropout out of an encoder."""
    for module in torch_shims(model)[0].module.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0


@pytest.mark.parametrize("method", ["fgsm", "pgd", "vat"])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_perturbations_stay_within_epsilon(tiny_bert, examples, method, norm) -> None:
    nlp = build(tiny_bert)
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    docs = [eg.predicted for eg in examples]
    adversary = make_adversary(method, epsilon=0.3, norm=norm, steps=3)
    adversary.strikes()
    with tapped(component.model) as (tap,):
        emissions, backprop = component.model.begin_update(docs)
        backprop(component.get_loss(examples, emissions)[1])
        adversary.train(component.model, docs, lambda rows: component.get_loss(examples, rows))
        sizes = [
            delta.abs().amax(dim=(1, 2)) if norm == "linf" else delta.flatten(1).norm(dim=1)
            for delta in tap.deltas
        ]
    assert all(torch.all(size <= 0.3 + 1e-5) for size in sizes)
    assert all(torch.all(size > 0.2) for size in sizes)


def test_several_steps_raise_the_loss_more_than_one(tiny_bert, examples) -> None:
    nlp = build(tiny_bert, model={"dropout": 0.0})
    learn_by_heart(nlp, examples, steps=15)
    component = nlp.get_pipe("bioner")
    component.model.get_ref("output_layer").attrs["dropout_rate"] = 0.0
    still(component.model)
    docs = [eg.predicted for eg in examples]
    raised = {}
    for method in ("fgsm", "pgd"):
        adversary = make_adversary(method, epsilon=2.0, steps=8)
        adversary.strikes()
        with tapped(component.model):
            emissions, backprop = component.model.begin_update(docs)
            backprop(component.get_loss(examples, emissions)[1])
            raised[method] = adversary.train(
                component.model, docs, lambda rows: component.get_loss(examples, rows)
            )
    assert raised["pgd"] > raised["fgsm"]


@pytest.mark.parametrize("method", ["fgsm", "pgd", "vat"])
@pytest.mark.parametrize("crf", [False, True])
def test_an_attack_adds_its_weight_to_the_gradients_of_all_weights(
    tiny_bert, examples, method, crf
) -> None:
    nlp = build(tiny_bert, model={"dropout": 0.0, "crf": crf})
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    still(component.model)
    found = {}
    for weight in (None, 0.0, 0.5, 1.0):
        for shim in torch_shims(component.model):
            shim.module.zero_grad()
        torch.manual_seed(0)
        random.seed(0)
        component.adversary = weight is not None and make_adversary(
            method, epsilon=1.0, steps=2, weight=weight
        )
        component.adversary = component.adversary or None
        component.update(examples)
        found[weight] = gradients(nlp)
    for clean, none, half, whole in zip(*found.values()):
        torch.testing.assert_close(none, clean)
        torch.testing.assert_close(half - clean, 0.5 * (whole - clean), rtol=1e-3, atol=1e-5)
    assert any(not torch.allclose(a, b) for a, b in zip(found[None], found[1.0]))


def test_the_virtual_direction_is_looked_for_without_dropout(
    tiny_bert, examples, monkeypatch
) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)
    nlp = build(tiny_bert, model={"dropout": 0.5})
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    docs = [eg.predicted for eg in examples]
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        adversary = make_adversary("vat", epsilon=1.0, steps=2)
        adversary.strikes()
        with tapped(component.model) as (tap,):
            component.model.begin_update(docs)
            adversary.train(component.model, docs, component.get_loss)
            found.append(torch.cat([delta.flatten() for delta in tap.deltas]))
            assert tap.dropout
    torch.testing.assert_close(*found)
    assert component.model.get_ref("output_layer").attrs["dropout_rate"] == 0.5


def test_a_share_of_the_loss_is_one_for_the_transitions_too(tiny_bert, examples) -> None:
    nlp = build(tiny_bert, model=CRF)
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    rows = [np.zeros((len(eg.predicted), 5), dtype="float32") for eg in examples]
    found = []
    for share in (1.0, 0.25):
        crf = crf_of(component.model)
        crf.zero_grad()
        loss, slopes = component.get_loss(examples, rows, share=share)
        found.append((loss, slopes[0], crf.transitions.grad.numpy().copy()))
    for whole, part in zip(*found):
        np.testing.assert_allclose(part, 0.25 * whole, rtol=1e-5, atol=1e-8)


def test_updates_before_a_step_are_averaged(tiny_bert, examples, monkeypatch) -> None:
    nlp = build(tiny_bert, model={"dropout": 0.0})
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    still(component.model)
    found = []
    monkeypatch.setattr(
        torch_bridge, "clip_gradients", lambda model, norm: found.append(gradients(nlp))
    )
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.0
    for n_updates in (1, 3):
        for _ in range(n_updates):
            component.update(examples)
        component.finish_update(optimizer)
    for one, three in zip(*found):
        torch.testing.assert_close(three, one, rtol=1e-4, atol=1e-7)


def test_training_under_attack_learns_and_reports_its_loss(tiny_bert, examples) -> None:
    nlp = build(tiny_bert, adversary={"@misc": "spacy_bioner.Adversary.v1", "epsilon": 0.5})
    learn_by_heart(nlp, examples)
    losses = nlp.update(examples, sgd=nlp.resume_training())
    assert losses["bioner_adversarial"] > losses["bioner"] > 0
    assert entities_of(nlp(TEXT)) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]
    assert torch_shims(nlp.get_pipe("bioner").model)[0].module.tap is None


def test_an_attack_starts_late_grows_and_takes_its_share() -> None:
    adversary = make_adversary(epsilon=2.0, start=2, ramp=4)
    assert [adversary.strikes() for _ in range(3)] == [False, False, True]
    assert adversary.radius == 0.5
    assert not make_adversary("none").strikes()
    random.seed(0)
    half = make_adversary(share=0.5)
    assert 400 < sum(half.strikes() for _ in range(1000)) < 600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "cw"}, "method = 'cw': expected none or fgsm or pgd or vat"),
        ({"norm": "l1"}, "norm = 'l1': expected l2 or linf"),
        ({"epsilon": -1.0}, "found epsilon = -1.0"),
        ({"share": 2.0}, "share = 2.0"),
    ],
)
def test_adversary_settings_out_of_range_are_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make_adversary(**settings)


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
@pytest.mark.parametrize("crf", [False, True])
def test_an_attack_on_a_trained_model_raises_its_loss_and_teaches_nothing(
    tiny_bert, examples, method: str, crf: bool
) -> None:
    nlp = build(tiny_bert, model={"crf": crf, "crf_lr_scale": 1.0})
    learn_by_heart(nlp, examples)
    component: Any = nlp.get_pipe("bioner")
    before = component.model.to_bytes()
    for example in examples:
        example.predicted = nlp.make_doc(example.reference.text)
    component.attack(examples, make_adversary(method, epsilon=1e-6))
    assert [entities_of(eg.predicted) for eg in examples] == [
        entities_of(eg.reference) for eg in examples
    ]
    component.attack(examples, make_adversary(method, epsilon=1e3))
    assert [entities_of(eg.predicted) for eg in examples] != [
        entities_of(eg.reference) for eg in examples
    ]
    assert component.model.to_bytes() == before
    assert entities_of(nlp(TEXT)) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]


def test_an_attack_is_the_same_each_time(tiny_bert, examples) -> None:
    nlp = build(tiny_bert)
    learn_by_heart(nlp, examples)
    component: Any = nlp.get_pipe("bioner")
    docs = [example.predicted for example in examples]

    def attack() -> List[np.ndarray]:
        with tapped(component.model, dropout=False):
            make_adversary("pgd", epsilon=2.0).perturb(
                component.model, docs, lambda rows: component.get_loss(examples, rows)
            )
            return component.predict(docs)

    for first, second in zip(attack(), attack()):
        np.testing.assert_array_equal(first, second)
