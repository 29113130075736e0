"""Beside spacy-transformers and scispaCy, each in the environment that has its pins."""

import json
from importlib import metadata

import pytest
import spacy
from packaging.version import Version
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.tokenizers import build_tokenizer
from spacy_bioner.records import Record
from tests.paths import ROOT

TEXT = "Acute kidney injury (AKI) followed tacrolimus; AKI resolved."
PUBTATOR = (
    "1|t|Acute kidney injury (AKI) after tacrolimus.\n1|a|\n"
    "1\t0\t19\tAcute kidney injury\tDisease\tD058186\n"
    "1\t32\t42\ttacrolimus\tChemical\tD016559\n"
)
TERMS = [
    {"label": "Disease", "pattern": "Acute kidney injury", "id": "MESH:D058186"},
    {"label": "Chemical", "pattern": "tacrolimus", "id": "MESH:D016559"},
]


@pytest.mark.trf
def test_spacy_transformers_has_the_transformers_that_it_pins():
    assert Version(metadata.version("transformers")) < Version("4.53.3")
    assert Version(metadata.version("torch")) >= Version("2.10")


@pytest.mark.trf
def test_our_own_encoder_trains_beside_it(bioner_nlp, make_example):
    example = make_example("Naloxone reverses it.", [(0, 8, "Chemical")])
    bioner_nlp.initialize(lambda: [example])
    losses = bioner_nlp.update([example], losses={})
    assert losses["bioner"] > 0


@pytest.mark.trf
@pytest.mark.slow
def test_workflow_of_the_profile_ends_with_scores(tiny_bert, tmp_path, monkeypatch):
    """The commands of the project, at two steps, with spaCy's `ner` on a shared transformer."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "in.pubtator.txt").write_text(PUBTATOR, encoding="utf-8")
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    for split in ("train", "dev"):
        call(["convert", tmp_path / "in.pubtator.txt", corpus / f"{split}.spacy"])
    options = ["--profile", "minilm_trf", "--encoder", tiny_bert, "--max-steps", 2]
    call(["train", corpus, out, *options])
    call(["assemble", out / "model-best", out / "pipeline"])
    metrics = tmp_path / "test.json"
    call(["evaluate", out / "pipeline", corpus / "dev.spacy", "--output", metrics])
    assert json.loads(metrics.read_text(encoding="utf-8"))["n_docs"] == 1
    nlp = spacy.load(out / "pipeline")
    assert nlp.pipe_names[:2] == ["transformer", "ner"]
    assert "bioner_gazetteer" in nlp.pipe_names


@pytest.mark.scispacy
def test_scispacy_has_the_numpy_that_it_needs():
    assert Version(metadata.version("numpy")) < Version("2")


@pytest.mark.scispacy
def test_its_tokenizer_converts_a_corpus(tmp_path):
    source, target = tmp_path / "in.pubtator.txt", tmp_path / "out.spacy"
    source.write_text(PUBTATOR, encoding="utf-8")
    call(["convert", source, target, "--tokenizer", "scispacy"])
    doc = next(iter(read_docbin(target, spacy.blank("en").vocab)))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Acute kidney injury", "Disease"),
        ("tacrolimus", "Chemical"),
    ]


@pytest.mark.scispacy
def test_its_tokenizer_keeps_hyphenated_words_whole():
    doc = build_tokenizer("scispacy")(Record("1", "TNF-alpha-induced apoptosis"))
    ours = build_tokenizer("bioner")(Record("1", "TNF-alpha-induced apoptosis"))
    assert len(doc) < len(ours)


@pytest.mark.scispacy
def test_its_abbreviations_and_ours_stand_side_by_side():
    from scispacy.abbreviation import AbbreviationDetector  # noqa: F401

    nlp = spacy.blank("en")
    nlp.add_pipe("abbreviation_detector")
    nlp.add_pipe("bioner_gazetteer").add_patterns(TERMS)
    nlp.add_pipe("bioner_abbreviations")
    doc = nlp(TEXT)
    assert {short.text for short in doc._.abbreviations} == {"AKI"}
    assert [(ent.text, ent.label_, ent.kb_id_) for ent in doc.ents] == [
        ("Acute kidney injury", "Disease", "MESH:D058186"),
        ("AKI", "Disease", "MESH:D058186"),
        ("tacrolimus", "Chemical", "MESH:D016559"),
        ("AKI", "Disease", "MESH:D058186"),
    ]
    # Its spans in extensions cannot be saved; what is ours can.
    theirs = ("abbreviations", "long_form")
    doc.user_data = {key: value for key, value in doc.user_data.items() if key[1] not in theirs}
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert [ent._.source for ent in again.ents] == [ent._.source for ent in doc.ents]


@pytest.mark.scispacy
def test_its_attributes_are_read_and_filled():
    from scispacy.abbreviation import AbbreviationDetector  # noqa: F401

    # as its linker defines it
    Span.set_extension("kb_ents", default=[], force=True)
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_gazetteer").add_patterns(TERMS)
    nlp.add_pipe("abbreviation_detector")
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_scispacy", config={"write": True})
    doc = nlp(TEXT)
    assert [(s.text, s._.long_form.text) for s in doc._.abbreviations] == [
        ("AKI", "Acute kidney injury"),
        ("AKI", "Acute kidney injury"),
    ]
    assert doc.ents[1]._.kb_ents == [("MESH:D058186", 1.0)]
    doc.ents = [Span(doc, 0, 3, "Disease")]
    doc.ents[0]._.kb_ents = [("C2609414", 0.98)]
    (ent,) = nlp.get_pipe("bioner_scispacy")(doc).ents
    assert (ent.kb_id_, ent._.kb_ents) == ("C2609414", [("C2609414", 0.98)])
    assert [row["rule"] for row in ent._.evidence if row["source"] == "bioner_scispacy"] == [
        "linked: C2609414 0.98"
    ]


def call(words):
    """Run a command of ours."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
