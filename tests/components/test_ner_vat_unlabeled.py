"""Virtual adversarial training on text of which nothing is known."""

from typing import Any, List

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from thinc.api import Adam

from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.gold import ANNOTATED_KEY
from tests.conftest import TOKENIZER, entities_of

TEXT = "Naloxone reverses the effect of clonidine in rats"


def make_nlp(tiny_bert: Any, method: str, *, crf: bool = False) -> Language:
    nlp = spacy.blank("en", config=TOKENIZER)
    encoder = {"name": str(tiny_bert), "precision": "float32"}
    adversary = {"@misc": "spacy_bioner.Adversary.v1", "method": method, "steps": 1}
    nlp.add_pipe(
        "bioner", config={"model": {"encoder": encoder, "crf": crf}, "adversary": adversary}
    )
    return nlp


def weights_of(nlp: Language) -> List[torch.Tensor]:
    shims = torch_shims(nlp.get_pipe("bioner").model)
    return [p.detach().clone() for shim in shims for p in shim.module.parameters()]


@pytest.fixture
def labeled(make_example) -> Example:
    return make_example("hypertension in rats", [(0, 12, "Disease")])


@pytest.fixture(params=["missing", "unannotated"])
def unlabeled(request, blank_nlp) -> Example:
    """Text without any annotation, or of a corpus that annotates none of the labels."""
    reference = blank_nlp(TEXT)
    if request.param == "unannotated":
        reference.set_ents([], default="outside")
        reference.user_data[ANNOTATED_KEY] = []
    return Example(blank_nlp(TEXT), reference)


@pytest.mark.parametrize("crf", [False, True])
def test_unlabeled_text_teaches_by_its_attack_alone(tiny_bert, labeled, unlabeled, crf):
    nlp = make_nlp(tiny_bert, "vat", crf=crf)
    nlp.initialize(lambda: [labeled])
    before = weights_of(nlp)
    # Without decay, which moves weights that nothing is learned by.
    losses = nlp.update([unlabeled], sgd=Adam(0.001, L2=0.0))
    # A CRF's is a difference of two sums over all sequences.
    assert losses["bioner"] == (pytest.approx(0.0, abs=1e-5) if crf else 0.0)
    assert losses["bioner_adversarial"] > 0
    moved = [float((new - old).abs().max()) for new, old in zip(weights_of(nlp), before)]
    assert sum(amount > 0 for amount in moved) > len(moved) / 2


def test_unlabeled_text_teaches_nothing_without_an_attack(tiny_bert, labeled, unlabeled):
    nlp = make_nlp(tiny_bert, "none")
    nlp.initialize(lambda: [labeled])
    before = weights_of(nlp)
    losses = nlp.update([unlabeled], sgd=Adam(0.001, L2=0.0))
    assert losses == {"bioner": 0.0}
    assert all(torch.equal(new, old) for new, old in zip(weights_of(nlp), before))


def test_labeled_text_is_learned_beside_unlabeled(tiny_bert, labeled, unlabeled):
    nlp = make_nlp(tiny_bert, "vat")
    nlp.initialize(lambda: [labeled])
    optimizer = Adam(0.01, L2=0.0)
    for _ in range(30):
        nlp.update([labeled, unlabeled], sgd=optimizer)
    assert entities_of(nlp(labeled.reference.text)) == [("hypertension", "Disease")]
