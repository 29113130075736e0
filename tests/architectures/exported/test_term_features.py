"""Names of a term table beside an exported encoder."""

import subprocess
import sys

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import DocBin

from spacy_bioner.apps.packaging.export import export
from spacy_bioner.architectures.exported.term_features import build_exported_term_features
from spacy_bioner.architectures.pieces.term_flags import find_table
from spacy_bioner.errors import ConfigError, EncoderError
from spacy_bioner.knowledge.gaz import write_gaz
from spacy_bioner.knowledge.terms import Term
from tests.architectures.exported.conftest import TEXTS
from tests.conftest import TOKENIZER, learn_by_heart

FEATURES = {"@architectures": "spacy_bioner.TermFeatures.v1", "width": 4, "dropout": 0.0}
SHAPES = {"@architectures": "spacy_bioner.AttributeEmbedding.v1", "attribute": "SHAPE"}


def make_pipeline(tiny_bert, examples, **parts):
    encoder = {"@architectures": "spacy_bioner.TransformerEncoder.v1", "name": str(tiny_bert)}
    encoder["precision"] = "float32"
    # The terms before the encoder: columns are told by their part, not by their place.
    parts = {"@architectures": "spacy_bioner.Concatenation.v1", "*": {**parts, "x": encoder}}
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"encoder": parts, "crf": True}
    nlp.add_pipe("bioner", config={"model": model})
    learn_by_heart(nlp, examples)
    return nlp


@pytest.fixture
def examples(make_example):
    return [
        make_example(TEXTS[0], [(0, 8, "Chemical"), (32, 41, "Chemical")]),
        make_example(TEXTS[1], [(0, 12, "Disease")]),
    ]


@pytest.fixture
def nlp(tiny_bert, examples, tmp_path):
    terms = [Term("naloxone", "Chemical", "D1"), Term("effect of clonidine", "Chemical")]
    write_gaz([*terms, Term("rats", "Species")], tmp_path / "terms.gaz")
    nlp = make_pipeline(
        tiny_bert, examples, terms={**FEATURES, "path": str(tmp_path / "terms.gaz")}
    )
    (tmp_path / "terms.gaz").unlink()
    return nlp


def test_emissions_are_those_of_torch(export_model, nlp):
    trained = nlp.get_pipe("bioner").model
    exported = export_model("float32", nlp)
    docs = [doc for doc in map(nlp.make_doc, TEXTS) if len(doc)]
    for own, other in zip(exported.predict(docs), trained.predict(docs), strict=True):
        assert_allclose(own, other, atol=1e-5)
    weights = exported.get_ref("terms").get_param("W")
    assert weights.shape == (exported.get_dim("nO"), 8)
    assert np.abs(weights).max() > 0


def test_emissions_do_not_depend_on_what_else_is_in_the_batch(export_model, nlp):
    model = export_model("int8", nlp)
    docs = [nlp.make_doc(text) for text in TEXTS]
    for doc, expected in zip(docs, model.predict(docs), strict=True):
        assert_array_equal(model.predict([doc])[0], expected)


def test_an_exported_pipeline_finds_the_same_without_torch(nlp, examples, tmp_path):
    nlp.to_disk(tmp_path / "trained")
    dev = tmp_path / "dev.spacy"
    DocBin(docs=[one.reference for one in examples], store_user_data=True).to_disk(dev)
    exported = export(str(tmp_path / "trained"), tmp_path / "out", precision="float32", dev=dev)
    assert exported.n_changed == 0
    code = (
        "import sys, spacy\n"
        # thinc imports torch where it is installed.
        "for name in ('torch', 'transformers', 'safetensors', 'onnx'): sys.modules[name] = None\n"
        f"nlp = spacy.load({str(tmp_path / 'out')!r})\n"
        f"again = spacy.blank('en').from_config(nlp.config).from_bytes(nlp.to_bytes())\n"
        "for one in (nlp, again):\n"
        f"    for doc in one.pipe({TEXTS[:2]!r}): print([(e.text, e.label_) for e in doc.ents])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tables = [
        find_table(one.get_pipe("bioner").model) for one in (nlp, spacy.load(tmp_path / "out"))
    ]
    (name, trained), (again, kept) = tables
    assert name == again == "terms.gaz"
    assert list(trained) == list(kept)
    assert (trained.sources, trained.rules) == (kept.sources, kept.rules)
    assert len(kept) == 3
    expected = [[(ent.text, ent.label_) for ent in nlp(text).ents] for text in TEXTS[:2]]
    assert done.stdout.splitlines() == [*map(str, expected)] * 2
    assert expected[0] == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]


def test_other_parts_are_refused(tiny_bert, examples, tmp_path):
    nlp = make_pipeline(tiny_bert, examples, shape={**SHAPES, "width": 4})
    nlp.to_disk(tmp_path / "trained")
    with pytest.raises(ConfigError, match=r"expected 'bioner' with .*TokenClassifier"):
        export(str(tmp_path / "trained"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_training_and_starting_from_nothing_are_refused(export_model, nlp):
    terms = export_model("int8", nlp).get_ref("terms")
    with pytest.raises(EncoderError, match="cannot be trained"):
        terms.begin_update([nlp.make_doc("rats")])
    with pytest.raises(EncoderError, match="has no terms of its own"):
        build_exported_term_features(nO=5).initialize()
