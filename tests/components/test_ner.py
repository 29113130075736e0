import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.architectures.decoding import log_softmax
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.errors import LabelError, TrainingDataError
from tests.conftest import entities_of, learn_by_heart, make_bioner_nlp

TEXT = "Naloxone reverses the effect of clonidine."
LEARNED = [("Naloxone", "Chemical"), ("clonidine", "Chemical")]


def test_bioner_overfits_two_documents(trained_nlp):
    assert entities_of(trained_nlp(TEXT)) == LEARNED
    assert entities_of(trained_nlp("hypertension in rats")) == [("hypertension", "Disease")]


def test_bioner_finds_labels_on_initialize(trained_nlp):
    component = trained_nlp.get_pipe("bioner")
    assert component.labels == ("Chemical", "Disease")
    assert component.tags == ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")


def test_bioner_writes_confidence_and_source(trained_nlp):
    entity = trained_nlp(TEXT).ents[0]
    assert entity._.source == "bioner"
    assert 0.5 < entity._.confidence <= 1.0
    assert [span.text for span in entity.doc.spans["bioner"]] == ["Naloxone", "clonidine"]


def test_bioner_pipe_equals_one_by_one(trained_nlp):
    texts = [TEXT, "", " \n ", "hypertension in rats", TEXT * 20]
    together = list(trained_nlp.pipe(texts, batch_size=5))
    for text, doc in zip(texts, together):
        alone = trained_nlp(text)
        assert entities_of(doc) == entities_of(alone)
        for left, right in zip(doc.ents, alone.ents):
            assert left._.confidence == pytest.approx(right._.confidence, abs=1e-4)


def test_what_bioner_makes_of_scores_does_not_depend_on_the_batch(trained_nlp):
    component = trained_nlp.get_pipe("bioner")
    together = [trained_nlp.make_doc(text) for text in (TEXT, "hypertension in rats", TEXT * 20)]
    alone = [doc.copy() for doc in together]
    scores = component.predict(together)
    component.set_annotations(together, scores)
    for doc, copy, rows in zip(together, alone, scores, strict=True):
        component.set_annotations([copy], [rows])
        assert entities_of(copy) == entities_of(doc) != []
        assert [ent._.confidence for ent in copy.ents] == [ent._.confidence for ent in doc.ents]


@pytest.mark.parametrize("text", ["", "   ", "\n\n\t"])
def test_bioner_finds_nothing_in_nothing(trained_nlp, text):
    doc = trained_nlp(text)
    assert doc.text == text
    assert doc.ents == ()


def test_bioner_run_twice_gives_the_same(trained_nlp):
    component = trained_nlp.get_pipe("bioner")
    doc = component(trained_nlp(TEXT))
    assert entities_of(doc) == LEARNED
    assert len(doc.spans["bioner"]) == 2
    assert len(span_evidence(doc.ents[0])) == 1


def test_bioner_keeps_entities_of_others_where_there_is_room(trained_nlp):
    doc = trained_nlp.make_doc(TEXT)
    doc.set_ents([Span(doc, 3, 4, label="Other"), Span(doc, 0, 2, label="Other")])
    doc = trained_nlp.get_pipe("bioner")(doc)
    assert entities_of(doc) == [LEARNED[0], ("effect", "Other"), LEARNED[1]]


def test_bioner_is_as_sure_of_an_entity_before_white_space(trained_nlp):
    doc = Doc(trained_nlp.vocab, words=["rats", "hypertension", "\n\n", "in"])
    scores = np.full((4, 5), np.log(1e-5), dtype=np.float32)
    scores[[0, 1, 2, 3], [0, 3, 4, 0]] = np.log(1 - 4e-5)
    trained_nlp.get_pipe("bioner").set_annotations([doc], [scores])
    assert entities_of(doc) == [("hypertension", "Disease")]
    assert doc.ents[0]._.confidence == pytest.approx(1.0, abs=1e-3)


def test_bioner_keeps_what_its_columns_mean_when_it_is_initialized_again(trained_nlp, make_example):
    component = trained_nlp.get_pipe("bioner")
    component.initialize(lambda: [make_example(TEXT, [])], labels=["Disease", "Chemical"])
    assert component.labels == ("Chemical", "Disease")
    assert entities_of(trained_nlp(TEXT)) == LEARNED


def test_bioner_with_weights_refuses_other_labels_of_the_same_number(trained_nlp, make_example):
    component = trained_nlp.get_pipe("bioner")
    with pytest.raises(LabelError, match="labels: Chemical, Disease"):
        component.initialize(lambda: [make_example(TEXT, [])], labels=["Gene", "Species"])
    assert component.labels == ("Chemical", "Disease")


def test_bioner_bytes_round_trip(trained_nlp, bioner_config):
    again = spacy.blank("en", config=bioner_config)
    again.add_pipe("bioner", config={"model": {"encoder": {"precision": "float32"}}})
    again.from_bytes(trained_nlp.to_bytes())
    assert again.get_pipe("bioner").labels == ("Chemical", "Disease")
    assert entities_of(again(TEXT)) == LEARNED


def test_bioner_loads_from_disk_without_encoder_or_network(trained_nlp, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("loading reached for the network")

    trained_nlp.config["components"]["bioner"]["model"]["encoder"]["name"] = "gone/encoder"
    trained_nlp.to_disk(tmp_path / "model")
    monkeypatch.setattr("socket.socket.connect", refuse)
    again = spacy.load(tmp_path / "model")
    assert again.config["components"]["bioner"]["model"]["encoder"]["name"] == "gone/encoder"
    assert entities_of(again(TEXT)) == LEARNED


def test_bioner_raises_max_length_and_keeps_it(trained_nlp, tmp_path):
    trained_nlp.to_disk(tmp_path / "model")
    assert spacy.load(tmp_path / "model").max_length == 20_000_000


def test_bioner_annotations_survive_docbin(trained_nlp):
    stored = DocBin(docs=[trained_nlp(TEXT)], store_user_data=True).to_bytes()
    doc = next(iter(DocBin().from_bytes(stored).get_docs(spacy.blank("en").vocab)))
    assert entities_of(doc) == LEARNED
    assert doc.ents[0]._.source == "bioner"


def test_bioner_annotations_survive_processes(trained_nlp):
    docs = list(trained_nlp.pipe([TEXT, "hypertension in rats"], n_process=2, batch_size=1))
    assert [entities_of(doc) for doc in docs] == [LEARNED, [("hypertension", "Disease")]]
    assert docs[0].ents[0]._.source == "bioner"


def test_bioner_reads_two_million_characters(trained_nlp):
    text = (TEXT + " ") * (2_000_000 // (len(TEXT) + 1))
    doc = trained_nlp(text)
    assert len(doc.ents) == 2 * (2_000_000 // (len(TEXT) + 1))


def test_bioner_refuses_data_without_entities(bioner_nlp, make_example):
    with pytest.raises(TrainingDataError, match="no example has an entity"):
        bioner_nlp.initialize(lambda: [make_example(TEXT, [])])


def test_bioner_refuses_a_gold_label_that_it_does_not_know(trained_nlp, make_example):
    example = make_example("rats", [(0, 4, "Species")])
    with pytest.raises(LabelError, match="labeled Species, which the model does not know"):
        trained_nlp.update([example])


def test_bioner_refuses_a_new_label_once_initialized(trained_nlp):
    component = trained_nlp.get_pipe("bioner")
    assert component.add_label("Disease") == 0
    with pytest.raises(LabelError, match="initialized for the labels Chemical, Disease"):
        component.add_label("Gene")


def test_bioner_takes_labels_added_before_initialization(bioner_nlp, make_example):
    component = bioner_nlp.get_pipe("bioner")
    assert component.add_label("Gene") == 1
    bioner_nlp.initialize(lambda: [make_example("rats", [(0, 4, "Species")])])
    assert component.labels == ("Gene", "Species")


def test_bioner_update_skips_empty_documents(trained_nlp, make_example):
    assert trained_nlp.update([make_example("", [])]) == {"bioner": 0.0}


def test_bioner_update_learns_nothing_from_white_space(trained_nlp, make_example):
    optimizer = trained_nlp.resume_training()
    losses = trained_nlp.update([make_example(" \n ", [])], sgd=optimizer)
    assert losses["bioner"] == 0.0
    assert entities_of(trained_nlp(TEXT)) == LEARNED


def test_get_loss_is_cross_entropy_with_its_gradient(trained_nlp, make_example):
    component = trained_nlp.get_pipe("bioner")
    example = make_example("rats in rats", [(0, 4, "Disease")])
    emissions = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    loss, (gradient,) = component.get_loss([example], [emissions])
    gold = [3, 0, 0]
    expected = -log_softmax(emissions)[np.arange(3), gold].mean()
    assert loss == pytest.approx(expected, rel=1e-5)
    step = 1e-2
    for row, column in [(0, 3), (1, 0), (2, 4)]:
        moved = emissions.copy()
        moved[row, column] += step
        above = component.get_loss([example], [moved])[0]
        moved[row, column] -= 2 * step
        below = component.get_loss([example], [moved])[0]
        assert gradient[row, column] == pytest.approx((above - below) / (2 * step), abs=1e-4)


def test_get_loss_ignores_tokens_whose_tag_is_missing(trained_nlp, make_example):
    component = trained_nlp.get_pipe("bioner")
    example = make_example("rats in rats", [(0, 4, "Disease")])
    reference = example.reference
    reference.set_ents([reference.ents[0]], missing=[reference[1:3]], default="outside")
    _, (gradient,) = component.get_loss([example], [np.zeros((3, 5), dtype="float32")])
    assert gradient[0].any()
    assert not gradient[1:].any()


def test_get_loss_aligns_other_tokenizations(trained_nlp):
    component = trained_nlp.get_pipe("bioner")
    reference = Doc(trained_nlp.vocab, words=["hyper", "tension"], spaces=[False, False])
    reference.set_ents([Span(reference, 0, 2, label="Disease")], default="outside")
    example = spacy.training.Example(trained_nlp.make_doc("hypertension"), reference)
    emissions = np.full((1, 5), 0.0, dtype="float32")
    _, (gradient,) = component.get_loss([example], [emissions])
    assert gradient[0].argmin() == component.tags.index("B-Disease")


def test_bioner_initialize_takes_labels_that_were_added(bioner_nlp):
    component = bioner_nlp.get_pipe("bioner")
    component.add_label("Gene")
    bioner_nlp.initialize()
    assert component.labels == ("Gene",)


def test_bioner_initialize_anew_for_more_labels_is_refused(trained_nlp, make_example):
    example = make_example("rats", [(0, 4, "Species")])
    with pytest.raises(LabelError, match=r"model for 5 tags .*Species need 7"):
        trained_nlp.initialize(lambda: [example])
    assert trained_nlp.get_pipe("bioner").labels == ("Chemical", "Disease")


def test_bioner_rejects_an_unknown_scheme(tiny_bert):
    with pytest.raises(LabelError, match="BIOESX"):
        make_bioner_nlp(str(tiny_bert), scheme="BIOESX")


@pytest.mark.parametrize("scheme", ["BIO", "IO", "IOB1", "BIOES", "BILOU"])
def test_bioner_learns_in_every_scheme(tiny_bert, make_example, scheme):
    nlp = make_bioner_nlp(str(tiny_bert), scheme=scheme)
    learn_by_heart(nlp, [make_example(TEXT, [(0, 8, "Chemical"), (32, 41, "Chemical")])])
    assert entities_of(nlp(TEXT)) == LEARNED


def test_bioner_can_be_pickled(trained_nlp):
    # Processes that are spawned, not forked, get their components so.
    again = pickle.loads(pickle.dumps(trained_nlp.get_pipe("bioner")))
    assert entities_of(again(trained_nlp.make_doc(TEXT))) == LEARNED


def test_bioner_settings_of_the_config_win_over_saved_ones(trained_folder):
    encoder = {"batch_pieces": 77, "unit": "document"}
    config = {"components": {"bioner": {"model": {"encoder": encoder}}}}
    nlp = spacy.load(trained_folder, config=config)
    attrs = nlp.get_pipe("bioner").model.get_ref("encoder").attrs
    assert (attrs["batch_pieces"], attrs["unit"]) == (77, "document")
    assert entities_of(nlp(TEXT)) == LEARNED
