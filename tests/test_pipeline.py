"""What users do with the pipeline that ships, from `nlp(text)` to several processes."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_bioner.apps.packaging.assemble import assemble
from tests.paths import ROOT

TERMS = "MESH:D006323\tcardiac arrest\tDisease\nMESH:D003000\tclonidine\tChemical\n"
TEXTS = [
    "Naloxone reverses the effect of clonidine.",
    "",
    "Cardiac arrest (CA) in rats; CA was reversed by naloxone.",
    " \n\t ",
    "hypertension in rats",
    "Naloxone\n\nreverses hypertension (clonidine-induced).",
]


@pytest.fixture(scope="module")
def folder(trained_folder, tmp_path_factory):
    """The tiny pipeline, assembled as the one that ships, on disk."""
    target = tmp_path_factory.mktemp("assembled")
    (target / "terms.tsv").write_text(TERMS, encoding="utf-8")
    config = ROOT / "configs/postprocessing.cfg"
    assemble(trained_folder, target / "pipeline", config=config, terms=target / "terms.tsv")
    return target / "pipeline"


@pytest.fixture(scope="module")
def nlp(folder):
    return spacy.load(folder)


def describe(doc):
    """Everything that the pipeline says of a Doc, as plain data."""
    groups = {
        name: [(span.start_char, span.end_char, span.label_, span.kb_id_) for span in spans]
        for name, spans in doc.spans.items()
    }
    ents = [
        (ent.start_char, ent.end_char, ent.label_, ent.kb_id_, ent._.source, ent._.evidence)
        for ent in doc.ents
    ]
    # Lists of a Doc that was serialized come back as tuples.
    user_data = json.dumps(doc.user_data)
    return doc.text, [token.idx for token in doc], ents, groups, user_data


def test_entities_say_what_they_are_how_sure_and_from_where(nlp):
    doc = nlp(TEXTS[0])
    found = [(e.text, e.label_, round(e._.confidence, 1), e._.source) for e in doc.ents]
    assert found == [
        ("Naloxone", "Chemical", 1.0, "bioner"),
        ("clonidine", "Chemical", 1.0, "bioner"),
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", " \t\r\n\u00a0\u2003"])
def test_text_without_words_has_no_entities(nlp, text):
    doc = nlp(text)
    assert (doc.text, doc.ents) == (text, ())


def test_text_of_one_character_is_taken(nlp):
    assert nlp(".").text == "."


def test_all_of_a_text_of_two_million_characters_is_read(nlp):
    # Words so long that each is one unknown piece keep the test short; they fill 270 windows.
    text = f"{TEXTS[0]} {'x' * 119} " + f"{'x' * 119} " * 16_700 + TEXTS[0]
    assert len(text) > 2_000_000
    doc = nlp(text)
    assert doc.text == text
    starts = [ent.start_char for ent in doc.ents if ent.text == "Naloxone"]
    assert starts == [0, len(text) - len(TEXTS[0])]


def test_limit_on_length_survives_loading(nlp):
    assert nlp.max_length >= 2_000_000
    assert spacy.load(Path(nlp.path)).max_length == nlp.max_length


def test_pipe_gives_what_one_by_one_gives(nlp):
    assert [describe(doc) for doc in nlp.pipe(TEXTS)] == [describe(nlp(text)) for text in TEXTS]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_batch_size_changes_nothing(nlp, batch_size):
    docs = list(nlp.pipe(TEXTS, batch_size=batch_size))
    assert [describe(doc)[2] for doc in docs] == [describe(nlp(text))[2] for text in TEXTS]


def test_two_processes_give_what_one_gives(nlp):
    docs = list(nlp.pipe(TEXTS, n_process=2, batch_size=2))
    assert [describe(doc) for doc in docs] == [describe(nlp(text)) for text in TEXTS]


def test_docbin_keeps_entities_groups_and_evidence(nlp):
    docs = list(nlp.pipe(TEXTS))
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    restored = list(DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab))
    assert [describe(doc) for doc in restored] == [describe(doc) for doc in docs]


def test_components_run_again_over_a_restored_doc(nlp):
    doc = nlp(TEXTS[2])
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    restored = next(DocBin().from_bytes(data).get_docs(nlp.vocab))
    for _, component in nlp.pipeline:
        restored = component(restored)
    assert describe(restored) == describe(doc)


def test_bytes_of_a_doc_keep_entities_groups_and_evidence(nlp):
    doc = nlp(TEXTS[2])
    restored = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert describe(restored) == describe(doc)


def test_bytes_of_a_pipeline_give_the_same_entities(nlp):
    config = nlp.config
    copy = spacy.blank("en").from_config(config).from_bytes(nlp.to_bytes())
    assert [describe(doc) for doc in copy.pipe(TEXTS)] == [describe(d) for d in nlp.pipe(TEXTS)]


def test_running_the_components_again_changes_nothing(nlp):
    doc = nlp(TEXTS[2])
    before = describe(doc)
    for _, component in nlp.pipeline:
        doc = component(doc)
    assert describe(doc) == before


@pytest.mark.parametrize("name", ["bioner_gazetteer", "bioner_abbreviations", "bioner_overlaps"])
def test_every_added_component_can_be_switched_off(nlp, name):
    with nlp.select_pipes(disable=[name]):
        doc = nlp(TEXTS[0])
    assert [ent.text for ent in doc.ents] == ["Naloxone", "clonidine"]


def test_pipeline_moved_elsewhere_loads(folder, tmp_path, nlp):
    folder.rename(tmp_path / "moved")
    try:
        assert describe(spacy.load(tmp_path / "moved")(TEXTS[0])) == describe(nlp(TEXTS[0]))
    finally:
        (tmp_path / "moved").rename(folder)
