from importlib import import_module

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.errors import ConfigError
from tests import paths

TEXT = "No fever. Family History: mother had possible asthma.\nHe no longer has gout or COPD."
PATTERNS = [{"label": "X", "pattern": word} for word in ("fever", "asthma", "gout", "COPD", "rash")]
VALUES = ("negated", "uncertain", "historical", "family", "hypothetical")
EXPECTED = [
    ("fever", ["negated"], "patient"),
    ("asthma", ["uncertain", "family"], "mother"),
    ("gout", ["negated", "historical", "family"], "family"),
    ("COPD", ["negated", "historical", "family"], "family"),
]


def make(**config):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.add_pipe("bioner_context", config=config)
    return nlp


def said(doc):
    return [
        (ent.text, [value for value in VALUES if ent._.get(value)], ent._.experiencer)
        for ent in doc.ents
    ]


def test_entities_tell_what_is_said_of_them():
    doc = make()(TEXT)
    assert said(doc) == EXPECTED
    assert [(span.text, span.label_) for span in doc.spans["sections"]] == [
        ("No fever.", "body"),
        ("Family History: mother had possible asthma.\nHe no longer has gout or COPD.",
         "family_history"),
    ]  # fmt: skip


def test_the_evidence_is_plain_data():
    doc = make()(TEXT)
    assert doc.ents[0]._.context == [
        {
            "start_char": 3,
            "end_char": 8,
            "sets": "negated",
            "cue": "No",
            "cue_start": 0,
            "cue_end": 2,
            "direction": "forward",
            "scope_start": 3,
            "scope_end": 9,
            "rule": "negation before",
            "who": "",
        }
    ]
    assert len(doc._.bioner_context) == 1 + 3 + 3 + 3
    assert doc._.bioner_context[0] == doc.ents[0]._.context[0]


def test_what_is_said_goes_by_offsets_alone():
    doc = make()(TEXT)
    assert Span(doc, doc.ents[0].start, doc.ents[0].end, "Y")._.negated
    assert not doc[0:1]._.negated
    assert doc[0:1]._.experiencer == "patient"


def test_a_doc_that_was_not_processed_says_nothing():
    doc = make().make_doc(TEXT)
    assert (doc[1:2]._.negated, doc[1:2]._.context, doc._.bioner_context) == (False, [], [])


@pytest.mark.parametrize("text", ["", " ", "\n", "No entity."])
def test_docs_without_entities(text):
    doc = make()(text)
    assert (said(doc), doc._.bioner_context) == ([], [])


def test_twice_over_a_doc_changes_nothing():
    nlp = make()
    doc = nlp(TEXT)
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_context")(doc).to_bytes() == before


def test_entities_that_are_gone_leave_nothing():
    nlp = make()
    doc = nlp(TEXT)
    doc.ents = doc.ents[1:]
    assert len(nlp.get_pipe("bioner_context")(doc)._.bioner_context) == 9


def test_results_survive_storage_and_processes(tmp_path):
    nlp = make(cues=[{"sets": ["negated"], "direction": "forward", "cues": ["nix"]}])
    text = f"{TEXT} Nix rash."
    expected = [*EXPECTED, ("rash", ["negated", "family"], "family")]
    nlp.to_disk(tmp_path / "model")
    docs = [nlp(text), *spacy.load(tmp_path / "model").pipe([text, text], n_process=2)]
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    docs += DocBin().from_bytes(data).get_docs(nlp.vocab)
    docs.append(Doc(nlp.vocab).from_bytes(docs[0].to_bytes()))
    for doc in docs:
        assert said(doc) == expected
        assert doc._.bioner_context == docs[0]._.bioner_context


def test_cues_of_ones_own_replace_those_of_the_package():
    groups = [
        {"sets": ["negated"], "direction": "pseudo", "cues": ["no"]},
        {"sets": ["uncertain"], "direction": "backward", "cues": ["I guess"], "rule": "guess"},
    ]
    (ent,) = make(cues=groups)("No fever I guess.").ents
    assert [(row["sets"], row["rule"]) for row in ent._.context] == [("uncertain", "guess")]


def test_heads_of_ones_own_say_something():
    heads = {"former": {"heads": ["Vorgeschichte"], "sets": ["historical"]}}
    (ent,) = make(heads=heads)("Vorgeschichte: gout").ents
    assert ent._.historical
    assert ent._.context[0]["rule"] == "section former"


def test_sections_that_are_there_are_used():
    nlp = make()
    nlp.add_pipe("bioner_sections", first=True, config={"spans_key": "parts"})
    doc = nlp("PMH: gout.")
    assert (doc.ents[0]._.historical, list(doc.spans)) == (True, ["parts"])


def test_spans_of_a_group_that_overlap():
    nlp = spacy.blank("en")
    detect = nlp.add_pipe("bioner_context", config={"spans_key": "found"})
    doc = nlp.make_doc("No fever or rash, gout was excluded.")
    doc.spans["found"] = [doc[1:4], doc[1:2], doc[3:4], doc[5:6], doc[5:6]]
    detect(doc)
    assert [span._.negated for span in doc.spans["found"]] == [True] * 5
    places = [(row["start_char"], row["end_char"]) for row in doc._.bioner_context]
    assert list(dict.fromkeys(places)) == [(3, 8), (3, 16), (12, 16), (18, 22)]


def test_terms_of_several_words_have_no_cues():
    nlp = make()
    doc = nlp.make_doc("The without borders test and gout, no rash.")
    doc.ents = [Span(doc, place, place + 1, "X") for place in (5, 8)]
    doc.spans["bioner_gazetteer"] = [doc[1:4], doc[7:8]]
    nlp.get_pipe("bioner_context")(doc)
    assert [ent._.negated for ent in doc.ents] == [False, True]


def test_sentences_of_the_doc_are_used():
    nlp = make()
    words = ["no", "fever", "and", "rash"]
    for flags, expected in (([1, 0, 0, 0], True), ([1, 0, 1, 0], False)):
        doc = Doc(nlp.vocab, words=words, sent_starts=[bool(flag) for flag in flags])
        doc.ents = [Span(doc, place, place + 1, "X") for place in (1, 3)]
        nlp.get_pipe("bioner_context")(doc)
        assert [ent._.negated for ent in doc.ents] == [True, expected]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cues": [{"sets": ["no"]}]}, "bioner_context, cues: group 1, sets: found 'no'"),
        ({"heads": {"x": {}}}, "bioner_context, heads: section 'x', heads: found None"),
    ],
)
def test_settings_are_checked(config, message):
    with pytest.raises(ConfigError, match=message):
        make(**config)


@pytest.mark.parametrize(("part", "least"), [("rules", 0.98), ("held", 0.95)])
def test_hand_worked_cases(part, least, monkeypatch, bioner_config):
    """The bar is 95 % of entities with all values right; `benchmarks/context.py` shows the rest."""
    monkeypatch.syspath_prepend(str(paths.ROOT / "benchmarks"))
    cases = import_module("_context_cases").read_cases(part)
    nlp = spacy.blank("en", config=bioner_config)
    detect = nlp.add_pipe("bioner_context")
    n_entities = n_right = 0
    for case in cases:
        doc = nlp.make_doc(case.text)
        doc.ents = [doc.char_span(e.start, e.end, label="X") for e in case.entities]
        detect(doc)
        for ent, entity in zip(doc.ents, case.entities, strict=True):
            found = {value for value in VALUES if ent._.get(value)}
            n_right += (found, ent._.experiencer) == (entity.values, entity.who)
            n_entities += 1
    assert len(cases) >= 90
    assert n_entities > 100
    assert n_right / n_entities >= least


@pytest.mark.parametrize(
    ("behind", "negated", "uncertain"),
    [
        ("cannot be completely excluded", False, True),
        ("cannot yet be ruled out", False, True),
        ("couldn't be ruled out", False, True),
        ("can't be excluded", False, True),
        ("hasn't been ruled out", False, True),
        ("has not yet been ruled out", False, True),
        ("was not definitively ruled out", False, True),
        ("was ruled out", True, False),
        ("has been excluded", True, False),
    ],
)
def test_what_is_not_ruled_out_is_unsure(behind, negated, uncertain):
    nlp = spacy.blank("en")
    rules = [{"label": "Disease", "pattern": "Infection"}]
    nlp.add_pipe("entity_ruler").add_patterns(rules)
    nlp.add_pipe("bioner_context")
    (ent,) = nlp(f"Infection {behind}.").ents
    assert (ent._.negated, ent._.uncertain) == (negated, uncertain)
