import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.linker import ConceptLinker
from spacy_bioner.errors import ConfigError, TermTableError
from spacy_bioner.knowledge.concepts.building import write_store
from spacy_bioner.knowledge.concepts.schema import PREFERRED_NAME, SYNONYM
from spacy_bioner.ledger import list_concepts
from tests.knowledge.concepts.conftest import make_source

TERMS = [
    ("D003924", "Diabetes Mellitus, Type 2", "Disease", PREFERRED_NAME),
    ("D003924", "NIDDM", "Disease", SYNONYM),
    ("D003924", "Type 2 diabetes mellitus without complications", "Disease", SYNONYM),
    ("D000740", "Anemia", "Disease", PREFERRED_NAME),
    ("D001943", "Breast Cancer", "Disease", PREFERRED_NAME),
    ("D010051", "Ovarian Cancer", "Disease", PREFERRED_NAME),
]
CODES = [
    ("E11", "Type 2 diabetes mellitus", "Disease", PREFERRED_NAME),
    ("E11.6", "Type 2 diabetes with other complications", "Disease", PREFERRED_NAME),
    ("E11.65", "Type 2 diabetes with hyperglycemia", "Disease", PREFERRED_NAME),
    ("E11.9", "Type 2 diabetes mellitus without complications", "Disease", PREFERRED_NAME),
]


@pytest.fixture
def terms(tmp_path):
    path = tmp_path / "terms.store"
    write_store([make_source(TERMS, "MeSH", "2025")], path, digest="terms")
    return path


@pytest.fixture
def codes(tmp_path):
    path = tmp_path / "codes.store"
    write_store([make_source(CODES, "ICD-10-CM", "2021")], path, digest="codes")
    return path


def make_nlp(*stores, **settings):
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_linker", config={"stores": [str(path) for path in stores], **settings})
    return nlp


def make_doc(nlp, text, *entities):
    doc = nlp.make_doc(text)
    doc.ents = [
        doc.char_span(text.index(name), text.index(name) + len(name), label=label, kb_id=kb_id)
        for name, label, kb_id in entities
    ]
    return doc


def link(nlp, text, *entities):
    return nlp.get_pipe("bioner_linker")(make_doc(nlp, text, *entities))


def test_an_entity_gets_an_id_and_the_account_of_it(terms):
    doc = link(make_nlp(terms), "Anaemia was seen.", ("Anaemia", "Disease", ""))
    (ent,) = doc.ents
    assert ent.kb_id_ == "D000740"
    (row,) = ent._.concepts
    assert 0.5 < row.pop("score") <= 1
    assert row == {
        "start_char": 0,
        "end_char": 7,
        "label": "Disease",
        "id": "D000740",
        "name": "Anemia",
        "how": "normalized",
        "matched": "Anemia",
        "table": "MeSH",
        "version": "2025",
        "path": [["", "Anaemia"], ["D000740", "Anemia"]],
        "parents": [],
        "chosen": True,
        "kb_id": "D000740",
    }


def test_an_id_that_others_have_set_stays_unless_the_setting_says_else(terms):
    entity = ("Anaemia", "Disease", "X1")
    kept = link(make_nlp(terms), "Anaemia", entity)
    replaced = link(make_nlp(terms, overwrite=True), "Anaemia", entity)
    assert [doc.ents[0].kb_id_ for doc in (kept, replaced)] == ["X1", "D000740"]
    assert kept.ents[0]._.concepts[0]["id"] == "D000740"
    unknown = link(make_nlp(terms, overwrite=True), "Zzz", ("Zzz", "Disease", "X1"))
    assert unknown.ents[0].kb_id_ == "X1"


def test_a_composite_mention_has_the_ids_of_all_its_parts(terms):
    doc = link(
        make_nlp(terms), "breast and ovarian cancer", ("breast and ovarian cancer", "Disease", "")
    )
    assert doc.ents[0].kb_id_ == "D001943|D010051"
    assert [row["path"][0] for row in doc.ents[0]._.concepts] == [
        ["", "breast cancer"],
        ["", "ovarian cancer"],
    ]


def test_every_part_of_a_composite_mention_is_as_sure_as_any_other(terms):
    text = "breast and ovarian cancer"
    rows = link(make_nlp(terms), text, (text, "Disease", "")).ents[0]._.concepts
    least = min(row["score"] for row in rows)
    unsure = make_nlp(terms, min_score=least + (1 - least) / 2)
    assert "|" not in link(unsure, text, (text, "Disease", "")).ents[0].kb_id_


@pytest.mark.parametrize("settings", [{"min_score": 5.0}, {"min_score": -0.1}, {"n_others": -1}])
def test_settings_that_cannot_work_are_refused(terms, settings):
    with pytest.raises(ConfigError, match="expected 0 to 1 and 0 or more"):
        make_nlp(terms, **settings)


def test_labels_are_those_of_the_store_or_are_mapped_to_them(terms):
    plain, mapped = make_nlp(terms), make_nlp(terms, label_map={"DISEASE": "Disease"})
    entity = ("Anemia", "DISEASE", "")
    assert link(plain, "Anemia", entity).ents[0].kb_id_ == ""
    assert link(mapped, "Anemia", entity).ents[0].kb_id_ == "D000740"


def test_short_forms_are_looked_up_by_their_definitions(terms):
    nlp = make_nlp(terms)
    nlp.add_pipe("bioner_abbreviations", before="bioner_linker")
    text = "Breast cancer (BC) is common. BC was treated."
    doc = make_doc(nlp, text, ("Breast cancer", "Disease", ""))
    for _, component in nlp.pipeline:
        doc = component(doc)
    assert [(ent.text, ent.kb_id_) for ent in doc.ents] == [
        ("Breast cancer", "D001943"),
        ("BC", "D001943"),
        ("BC", "D001943"),
    ]


def test_a_code_is_reached_through_the_names_of_the_concept(terms, codes):
    doc = link(make_nlp(terms, codes), "NIDDM", ("NIDDM", "Disease", ""))
    (ent,) = doc.ents
    assert ent.kb_id_ == "D003924"
    first, code = ent._.concepts
    assert (first["id"], first["how"], first["table"]) == ("D003924", "exact", "MeSH")
    assert (code["id"], code["how"], code["table"]) == ("E11", "through", "ICD-10-CM")
    assert code["path"] == [
        ["", "NIDDM"],
        ["D003924", "Diabetes Mellitus, Type 2"],
        ["E11", "Type 2 diabetes mellitus"],
    ]
    assert code["version"] == "2021"
    assert 0 < code["score"] <= first["score"]


def test_a_code_has_the_codes_above_it(codes):
    text = "type 2 diabetes with hyperglycemia"
    (row,) = link(make_nlp(codes), text, (text, "Disease", "")).ents[0]._.concepts
    assert row["id"] == "E11.65"
    assert row["parents"] == [
        ["E11.6", "Type 2 diabetes with other complications"],
        ["E11", "Type 2 diabetes mellitus"],
    ]


def test_running_twice_gives_the_same(terms):
    nlp = make_nlp(terms)
    doc = link(nlp, "Anaemia and Zzz", ("Anaemia", "Disease", ""), ("Zzz", "Disease", "X"))
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_linker")(doc).to_bytes() == before


def test_an_id_of_an_earlier_run_goes_where_nothing_is_found_any_more(terms, codes):
    doc = link(make_nlp(terms), "Anemia", ("Anemia", "Disease", ""))
    assert doc.ents[0].kb_id_ == "D000740"
    make_nlp(codes).get_pipe("bioner_linker")(doc)
    assert (doc.ents[0].kb_id_, doc.ents[0]._.concepts) == ("", [])


def test_documents_without_entities_pass(terms):
    nlp = make_nlp(terms)
    assert [doc.text for doc in nlp.pipe(["", "none"])] == ["", "none"]


def test_concepts_survive_bytes_docbin_and_json(terms):
    nlp = make_nlp(terms)
    doc = link(nlp, "Anaemia", ("Anaemia", "Disease", ""))
    rows = doc.ents[0]._.concepts
    of_bytes = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    (of_bin,) = DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab)
    of_json = Doc(nlp.vocab).from_json(
        json.loads(json.dumps(doc.to_json(underscore=["bioner_concepts"])))
    )
    for copy in (of_bytes, of_bin, of_json):
        (found,) = list_concepts(copy.ents[0])
        assert {**found, "path": [list(step) for step in found["path"]], "parents": []} == rows[0]


def test_several_processes_give_the_same(terms):
    nlp = make_nlp(terms)
    nlp.add_pipe("entity_ruler", before="bioner_linker").add_patterns(
        [{"label": "Disease", "pattern": "Anemia"}]
    )
    texts = ["Anemia was seen.", "", "No Anemia."] * 3
    one = [[(ent.kb_id_, ent._.concepts) for ent in doc.ents] for doc in nlp.pipe(texts)]
    two = [
        [(ent.kb_id_, ent._.concepts) for ent in doc.ents]
        for doc in nlp.pipe(texts, n_process=2, batch_size=2)
    ]
    assert one == two
    assert one[0][0][0] == "D000740"


def test_a_saved_pipeline_refers_to_its_store(terms, tmp_path):
    make_nlp(terms).to_disk(tmp_path / "pipeline")
    saved = json.loads((tmp_path / "pipeline/bioner_linker/stores.json").read_text())
    assert saved == [{"path": str(terms), "digest": "terms"}]
    nlp = spacy.load(tmp_path / "pipeline")
    assert link(nlp, "Anemia", ("Anemia", "Disease", "")).ents[0].kb_id_ == "D000740"


def test_a_saved_pipeline_refuses_a_store_that_was_built_otherwise(terms, tmp_path):
    make_nlp(terms).to_disk(tmp_path / "pipeline")
    write_store([make_source(CODES)], terms, digest="codes")
    nlp = spacy.load(tmp_path / "pipeline")
    with pytest.raises(TermTableError, match="with the digest codes, expected terms"):
        link(nlp, "Anemia", ("Anemia", "Disease", ""))


def test_a_pipeline_that_carries_its_store_moves_with_it(terms, tmp_path):
    make_nlp(terms, carried=True).to_disk(tmp_path / "pipeline")
    (tmp_path / "pipeline").rename(tmp_path / "moved")
    terms.unlink()
    nlp = spacy.load(tmp_path / "moved")
    assert link(nlp, "Anemia", ("Anemia", "Disease", "")).ents[0].kb_id_ == "D000740"
    # Saved where it is, and elsewhere, it is one store.
    nlp.to_disk(tmp_path / "moved")
    nlp.to_disk(tmp_path / "again")
    for folder in ("moved", "again"):
        names = sorted(path.name for path in (tmp_path / folder / "bioner_linker").iterdir())
        assert names == ["0-terms.store", "stores.json"]
    again = spacy.load(tmp_path / "again")
    assert link(again, "Anemia", ("Anemia", "Disease", "")).ents[0].kb_id_ == "D000740"


def test_bytes_refer_to_the_store(terms):
    linker = ConceptLinker(stores=[terms])
    copy = ConceptLinker().from_bytes(linker.to_bytes())
    assert [store.path for store in copy.stores] == [terms]


def test_no_store_is_told_when_it_is_needed():
    nlp = make_nlp()
    with pytest.raises(ConfigError, match="'bioner_linker' has no concept store"):
        link(nlp, "Anemia", ("Anemia", "Disease", ""))


def test_other_candidates_are_listed_if_asked_for(terms):
    nlp = make_nlp(terms, n_others=1, min_score=0.0)
    rows = link(nlp, "ovary cancer", ("ovary cancer", "Disease", "")).ents[0]._.concepts
    assert [(row["id"], row["chosen"]) for row in rows][:1] == [("D010051", True)]
    assert [row["chosen"] for row in rows] == [True, False]


def test_spans_that_are_no_entities_have_no_concepts(terms):
    doc = link(make_nlp(terms), "Anemia again", ("Anemia", "Disease", ""))
    assert Span(doc, 1, 2, label="Disease")._.concepts == []


def test_a_carried_store_keeps_its_name_whatever_number_that_begins_with(terms, tmp_path):
    store = terms.rename(tmp_path / "2-terms.store")
    make_nlp(store, carried=True).to_disk(tmp_path / "pipeline")
    nlp = spacy.load(tmp_path / "pipeline")
    copy = make_nlp(carried=True).from_bytes(nlp.to_bytes())
    for loaded, folder in ((nlp, "again"), (copy, "copy")):
        loaded.to_disk(tmp_path / folder)
        assert (tmp_path / folder / "bioner_linker/0-2-terms.store").is_file()
