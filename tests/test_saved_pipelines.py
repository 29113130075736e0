"""Pipelines and Docs that an earlier version saved load, and say what they said then."""

import json

import pytest
import spacy
from spacy.tokens import DocBin

from tests import paths
from tests.data.saved_pipeline.save import TEXTS, describe

FOLDER = paths.ROOT / "tests" / "data" / "saved_pipeline"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


def test_rules_find_what_they_found():
    nlp = spacy.load(FOLDER / "rules")
    assert nlp.pipe_names == ["bioner_gazetteer", "bioner_abbreviations", "bioner_overlaps"]
    assert [describe(doc) for doc in nlp.pipe(TEXTS)] == EXPECTED["rules"]
    assert EXPECTED["rules"][1]["entities"][1] == "27-30 Disease MESH:D058186"


def test_documents_keep_entities_and_user_data():
    saved = DocBin().from_bytes((FOLDER / "documents.docbin").read_bytes())
    docs = list(saved.get_docs(spacy.blank("en").vocab))
    assert [doc.text for doc in docs] == TEXTS
    assert [describe(doc) for doc in docs] == EXPECTED["rules"]
    sources = [ent._.source for ent in docs[1].ents[:2]]
    assert sources == ["bioner_gazetteer", "bioner_abbreviations"]


def test_a_tagger_gives_the_entities_and_confidences_that_it_gave():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    docs = list(spacy.load(FOLDER / "tagger").pipe(TEXTS))
    expected = EXPECTED["tagger"]
    assert [describe(doc)["entities"] for doc in docs] == [item["entities"] for item in expected]
    confidences = [ent._.confidence for doc in docs for ent in doc.ents]
    assert confidences == pytest.approx(
        [row["confidence"] for item in expected for row in item["evidence"]], abs=1e-4
    )
