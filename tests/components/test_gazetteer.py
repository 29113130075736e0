import pickle

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.errors import BionerError, TermTableError
from spacy_bioner.knowledge.gaz import SourceInfo, read_gaz, write_gaz
from spacy_bioner.knowledge.terms import Term, TokenPattern

TERMS = [
    Term("aspirin", "Chemical", "MESH:D001241"),
    Term("kidney", "Anatomy", "UBERON:0002113"),
    Term("acute kidney injury", "Disease", "MESH:D058186"),
    Term("RA", "Disease", "MESH:D001172"),
    Term("RA", "Disease", "MESH:D000000"),
    Term("RA", "Chemical", "MESH:D014212"),
]
OPERATOR_PATTERN = {"label": "Disease", "pattern": [{"LOWER": "very", "OP": "*"}, {"LOWER": "ill"}]}
TEXT = "Aspirin caused acute kidney injury."


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def gazetteer(nlp):
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_terms(TERMS)
    component.add_patterns([OPERATOR_PATTERN])
    return component


def rows(spans):
    return [(span.text, span.label_, span.kb_id_) for span in spans]


FOUND = [
    ("Aspirin", "Chemical", "MESH:D001241"),
    ("acute kidney injury", "Disease", "MESH:D058186"),
]


def test_gazetteer_writes_span_group_and_ents(nlp, gazetteer):
    doc = nlp(TEXT)
    assert rows(doc.spans["bioner_gazetteer"]) == FOUND
    assert rows(doc.ents) == FOUND


def test_gazetteer_writes_evidence(nlp, gazetteer):
    (entry,) = span_evidence(nlp(TEXT).ents[0])
    assert (entry.source, entry.confidence) == ("bioner_gazetteer", None)
    assert (entry.concept_id, entry.rule) == ("MESH:D001241", "aspirin")


def test_gazetteer_confidence_is_a_setting(nlp):
    nlp.add_pipe("bioner_gazetteer", config={"confidence": 0.7}).add_terms(TERMS)
    assert nlp("aspirin").ents[0]._.confidence == 0.7


def test_gazetteer_finds_shorter_term_behind_failed_longer_one(nlp):
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_terms([Term("aspirin", "Chemical"), Term("aspirin in", "Chemical")])
    assert [ent.text for ent in nlp("aspirin induced").ents] == ["aspirin"]


def test_gazetteer_keeps_all_labels_and_ids_of_a_name(nlp, gazetteer):
    doc = nlp("RA")
    group = doc.spans["bioner_gazetteer"]
    assert rows(group) == [("RA", "Disease", "MESH:D001172"), ("RA", "Chemical", "MESH:D014212")]
    assert group[0]._.evidence[0]["concept_id"] == "MESH:D001172|MESH:D000000"


def test_gazetteer_prefers_the_id_of_the_name_as_spelled(nlp):
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_terms([Term("Cat", "Gene", "1"), Term("cat", "Gene", "2")])
    assert nlp("a cat").ents[0].kb_id_ == "2"


def test_gazetteer_nested_is_a_setting(nlp):
    nlp.add_pipe("bioner_gazetteer", config={"nested": True}).add_terms(TERMS)
    doc = nlp(TEXT)
    assert [span.text for span in doc.spans["bioner_gazetteer"]] == [
        "Aspirin",
        "acute kidney injury",
        "kidney",
    ]
    assert [ent.text for ent in doc.ents] == ["Aspirin", "acute kidney injury"]


def test_gazetteer_existing_ents_win(nlp, gazetteer):
    doc = nlp.make_doc(TEXT)
    doc.ents = [Span(doc, 4, 5, "Other")]
    assert rows(gazetteer(doc).ents) == [FOUND[0], ("injury", "Other", "")]


def test_gazetteer_without_set_ents_leaves_ents_alone(nlp):
    nlp.add_pipe("bioner_gazetteer", config={"set_ents": False}).add_terms(TERMS)
    doc = nlp(TEXT)
    assert doc.ents == ()
    assert len(doc.spans["bioner_gazetteer"]) == 2


def test_gazetteer_min_length_and_labels_filter(nlp):
    config = {"min_length": 3, "labels": ["Chemical", "Disease"]}
    component = nlp.add_pipe("bioner_gazetteer", config=config)
    assert component.add_terms(TERMS) == 2
    assert component.labels == ("Chemical", "Disease")


def test_gazetteer_variants_is_a_setting(nlp):
    component = nlp.add_pipe("bioner_gazetteer", config={"variants": True})
    component.add_terms([Term("beta blocker", "Chemical")])
    assert [ent.text for ent in nlp("a beta-blocker").ents] == ["beta-blocker"]


def test_gazetteer_operator_pattern_goes_to_the_matcher(nlp, gazetteer):
    doc = nlp("a very very ill man")
    assert rows(doc.ents) == [("very very ill", "Disease", "")]
    assert doc.ents[0]._.evidence[0]["rule"] == "very very ill"


def test_gazetteer_agrees_with_entity_ruler(nlp):
    patterns = [
        {"label": "Disease", "pattern": "Heart failure", "id": "1"},
        {"label": "Disease", "pattern": [{"LOWER": "heart"}, {"LOWER": "block"}], "id": "2"},
        {"label": "Gene", "pattern": [{"ORTH": "beta"}, {"ORTH": "-"}, {"ORTH": "actin"}]},
        {"label": "Gene", "pattern": [{"LOWER": "il", "OP": "+"}, {"IS_DIGIT": True}]},
    ]
    text = "Heart failure, heart failure; HEART block, beta-actin, Beta-actin, IL IL 2"
    reference = spacy.blank("en")
    reference.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.add_pipe("bioner_gazetteer").add_patterns(patterns)
    expected = [(ent.text, ent.label_, ent.ent_id_) for ent in reference(text).ents]
    assert len(expected) == 4
    assert rows(nlp(text).ents) == expected


def test_gazetteer_twice_over_a_doc_does_not_duplicate(nlp, gazetteer):
    once = nlp(TEXT)
    before = once.to_bytes()
    assert nlp(once).to_bytes() == before


def test_gazetteer_withdraws_its_ents_when_terms_are_gone(nlp, gazetteer):
    doc = nlp(TEXT)
    gazetteer.clear()
    gazetteer.add_terms(TERMS[:1])
    assert rows(nlp(doc).ents) == FOUND[:1]


def test_gazetteer_terms_added_later_are_found(nlp, gazetteer):
    nlp(TEXT)
    gazetteer.add_terms([Term("caused", "Event")])
    assert "Event" in [ent.label_ for ent in nlp(TEXT).ents]
    assert len(gazetteer) == len(TERMS) + 2


def test_gazetteer_without_terms_warns(nlp):
    nlp.add_pipe("bioner_gazetteer", name="names")
    with pytest.warns(UserWarning, match="'names' has no terms"):
        assert nlp(TEXT).ents == ()


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_gazetteer_empty_text(nlp, gazetteer, text):
    doc = nlp(text)
    assert doc.ents == ()
    assert len(doc.spans["bioner_gazetteer"]) == 0


def test_gazetteer_initialize_reads_files_from_config(tmp_path):
    (tmp_path / "terms.tsv").write_text("id\tname\tlabel\nD1\tasthma\tDisease\n")
    (tmp_path / "rules.jsonl").write_text('{"label": "Gene", "pattern": "TP53", "id": "7157"}\n')
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_gazetteer")
    nlp.config["initialize"]["components"]["bioner_gazetteer"] = {
        "terms": str(tmp_path / "terms.tsv"),
        "patterns": str(tmp_path / "rules.jsonl"),
    }
    nlp.initialize()
    assert rows(nlp("Asthma and TP53").ents) == [
        ("Asthma", "Disease", "D1"),
        ("TP53", "Gene", "7157"),
    ]


def test_gazetteer_initialize_with_one_label(nlp, tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text("id\tname\tkind\nD1\tasthma\tsynonym\n")
    component = nlp.add_pipe("bioner_gazetteer")
    component.initialize(terms=path, label="Disease")
    assert rows(nlp("asthma").ents) == [("asthma", "Disease", "D1")]


def test_gazetteer_initialize_without_files_keeps_terms(nlp, gazetteer):
    nlp.initialize()
    assert rows(nlp(TEXT).ents) == FOUND


def test_gazetteer_initialize_two_columns_is_an_error(nlp, tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text("D1\tasthma\n")
    with pytest.raises(TermTableError, match=r"terms\.tsv:1: found 2 column"):
        nlp.add_pipe("bioner_gazetteer").initialize(terms=path)


def test_gazetteer_bytes_round_trip(nlp, gazetteer):
    other = spacy.blank("en")
    other.add_pipe("bioner_gazetteer").from_bytes(gazetteer.to_bytes())
    assert rows(other(TEXT).ents) == FOUND
    assert [ent.text for ent in other("very ill").ents] == ["very ill"]


def test_gazetteer_pipeline_disk_round_trip(nlp, gazetteer, tmp_path):
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert rows(loaded(TEXT).ents) == FOUND
    assert [ent.text for ent in loaded("very ill").ents] == ["very ill"]
    assert sorted(path.name for path in (tmp_path / "model" / "bioner_gazetteer").iterdir()) == [
        "rules.jsonl",
        "terms.bin",
    ]


def test_gazetteer_terms_are_mapped_and_sources_outlast_terms_that_are_added(
    nlp, gazetteer, tmp_path
):
    source = SourceInfo("MeSH", "2025", "free with the source named", "", 1)
    gazetteer.to_disk(tmp_path)
    write_gaz([Term("asthma", "Disease", "D1")], tmp_path / "terms.bin", sources=[source])
    gazetteer.from_disk(tmp_path)
    gazetteer.add_terms([Term("gout", "Disease", "D2")])
    assert [ent.text for ent in nlp("asthma and gout").ents] == ["asthma", "gout"]
    assert gazetteer.term_matcher.table.sources == (source,)
    # What is written replaces the file that is mapped.
    gazetteer.to_disk(tmp_path)
    assert read_gaz(tmp_path / "terms.bin").table.sources == (source,)
    assert [ent.text for ent in nlp("asthma and gout").ents] == ["asthma", "gout"]


def test_gazetteer_disk_without_terms_round_trip(nlp, tmp_path):
    component = nlp.add_pipe("bioner_gazetteer")
    component.to_disk(tmp_path / "gazetteer")
    assert len(component.from_disk(tmp_path / "gazetteer")) == 0


def test_gazetteer_damaged_file_is_refused(nlp, gazetteer, tmp_path):
    gazetteer.to_disk(tmp_path)
    data = (tmp_path / "terms.bin").read_bytes()
    (tmp_path / "terms.bin").write_bytes(data[: len(data) // 2])
    with pytest.raises(BionerError, match="wrong checksum"):
        gazetteer.from_disk(tmp_path)


def test_gazetteer_can_be_sent_to_another_process(nlp, gazetteer):
    copy = pickle.loads(pickle.dumps(gazetteer))
    assert rows(copy(nlp.make_doc(TEXT)).ents) == FOUND


def test_gazetteer_pipe_equals_one_by_one(nlp, gazetteer):
    texts = [TEXT, "", " ", "RA", TEXT]
    assert [rows(doc.ents) for doc in nlp.pipe(texts)] == [rows(nlp(text).ents) for text in texts]


def test_gazetteer_in_two_processes(nlp, gazetteer):
    docs = list(nlp.pipe([TEXT, "", TEXT], n_process=2, batch_size=1))
    assert [rows(doc.ents) for doc in docs] == [FOUND, [], FOUND]
    assert [rows(doc.spans["bioner_gazetteer"]) for doc in docs] == [FOUND, [], FOUND]
    assert docs[0].ents[0]._.source == "bioner_gazetteer"


def test_gazetteer_result_survives_docbin(nlp, gazetteer):
    data = DocBin(docs=[nlp(TEXT)], store_user_data=True).to_bytes()
    doc = next(DocBin().from_bytes(data).get_docs(nlp.vocab))
    assert rows(doc.spans["bioner_gazetteer"]) == FOUND
    assert doc.ents[1]._.evidence[0]["rule"] == "acute kidney injury"


def test_gazetteer_adds_token_patterns_directly(nlp):
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_terms([TokenPattern(({"IS_DIGIT": True},), "Number", "N")])
    doc = component(Doc(nlp.vocab, words=["dose", "5"]))
    assert rows(doc.ents) == [("5", "Number", "N")]


@pytest.mark.parametrize(
    ("pattern", "surface"),
    [
        ("Alzheimer's disease", "Alzheimer\u2019s disease"),
        ("Alzheimer's disease", "Alzheimer\u02bcs disease"),
        ("Parkinson", "Parkinson"),
        ("5'-nucleotidase", "5\u2032-nucleotidase"),
        ("\u00b5-opioid", "\u03bc-opioid"),
        ("M\u00e9ni\u00e8re", "Me\u0301nie\u0300re"),
        ("kidney", "kid\u00adney"),
        ("kidney", "kid-\nney"),
    ],
)
def test_typographic_twins_keep_the_offsets_of_the_text(bioner_config, pattern, surface):
    nlp = spacy.blank("en", config=bioner_config)
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_patterns([{"label": "T", "pattern": pattern, "id": "X:1"}])
    text = f"Of \u00ad{surface}\u02bcs and \ufeff{surface}."
    doc = nlp(text)
    assert [(ent.text, ent.kb_id_) for ent in doc.ents] == [(surface, "X:1")] * 2
    assert [text[ent.start_char : ent.end_char] for ent in doc.ents] == [surface] * 2
    assert doc.ents[0]._.evidence[0]["rule"] == pattern


def test_patterns_of_tokens_do_not_take_what_shows_nothing_for_a_word(nlp):
    component = nlp.add_pipe("bioner_gazetteer")
    component.add_patterns([{"label": "X", "pattern": [{"LOWER": "vitamin"}, {"LENGTH": 1}]}])
    words = [["vitamin", "\u115f"], ["vitamin", "C"]]
    docs = [Doc(nlp.vocab, words=own) for own in words]
    assert [[ent.text for ent in component(doc).ents] for doc in docs] == [[], ["vitamin C"]]


def test_a_compiled_table_is_used_as_it_is(nlp, tmp_path):
    source = SourceInfo("MeSH", "2025", "free with the source named", "", 6)
    write_gaz(TERMS, tmp_path / "terms.gaz", sources=[source], rules={"variants": {"comma": 1}})
    component = nlp.add_pipe("bioner_gazetteer")
    matcher = read_gaz(tmp_path / "terms.gaz")
    assert component.use_table(matcher) == len(TERMS)
    assert component.term_matcher is matcher
    assert rows(nlp(TEXT).ents) == FOUND


def test_a_compiled_table_loses_what_the_settings_leave_out(nlp, tmp_path):
    source = SourceInfo("MeSH", "2025", "free with the source named", "", 6)
    terms = [*TERMS, Term("Дж", "Disease", "X:1"), Term("heart", "Disease", "X:2")]
    write_gaz(terms, tmp_path / "terms.gaz", sources=[source], rules={"variants": {"comma": 1}})
    config = {"labels": ["Disease", "Gene"], "min_length": 3, "variants": True}
    component = nlp.add_pipe("bioner_gazetteer", config=config)
    assert component.use_table(read_gaz(tmp_path / "terms.gaz")) == 2
    table = component.term_matcher.table
    assert [term.name for term in table] == ["acute kidney injury", "heart"]
    assert (table.sources, table.rules) == ((source,), {"variants": {"comma": 1}})
    assert component.term_matcher.variants
    component.add_terms([Term("gout", "Disease")])
    assert component.term_matcher.table.sources == (source,)


def test_a_name_that_no_text_can_show_is_refused_when_it_is_added():
    nlp = spacy.blank("en")
    gazetteer = nlp.add_pipe("bioner_gazetteer")
    gazetteer.add_terms([Term("gout", "Disease")])
    for name in ("---", "\u200b" * 3, "   "):
        with pytest.raises(TermTableError, match="expected a name with at least one letter"):
            gazetteer.add_terms([Term(name, "Disease")])
    gazetteer.add_patterns([{"label": "B", "pattern": [{"LOWER": "\u200b"}]}])
    doc = gazetteer(nlp.make_doc("gout \u200b "))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("gout", "Disease")]
    assert gazetteer.to_bytes()
