"""Patterns, next to spaCy's EntityRuler: what its documentation shows and its tests ask for."""

import pickle
from typing import Any, Callable, Dict, List

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.components.gazetteer.patterns import check_patterns
from spacy_bioner.errors import BionerError, ConfigError, PatternError, TermTableError
from spacy_bioner.knowledge.terms import Term

OURS, SPACYS = "bioner_gazetteer", "entity_ruler"
BOTH = (OURS, SPACYS)
PATTERNS: List[Dict[str, Any]] = [
    {"label": "GREETING", "pattern": "good morning"},
    {"label": "BYE", "pattern": [{"LOWER": "so"}, {"LOWER": "long"}]},
    {"label": "GREETING", "pattern": [{"ORTH": "MORNING"}]},
    {"label": "TOES", "pattern": [{"ORTH": "toe", "OP": "*"}]},
    {"label": "ORG", "pattern": "Roche", "id": "r1"},
    {"label": "ORG", "pattern": "Bayer", "id": "b2"},
]


@Language.component("standing_entity")
def set_standing_entity(doc: Doc) -> Doc:
    doc.ents = [Span(doc, 0, 3, label="STANDING")]
    return doc


def make(factory: str, patterns: List[Dict[str, Any]], **config: Any) -> Any:
    nlp = spacy.blank("en")
    component: Any = nlp.add_pipe(factory, name="ruler", config=config)
    component.add_patterns(patterns)
    return nlp, component


def describe(doc: Doc) -> Any:
    ents = [(e.start, e.end, e.label_, e.ent_id_, e.id_) for e in doc.ents]
    return ents, [(token.ent_iob_, token.ent_type_, token.ent_id_) for token in doc]


def read_both(text: str, patterns: List[Dict[str, Any]], **config: Any) -> Any:
    """Run both over a text; they have to agree in entities, tokens and matches."""
    found = []
    for factory in BOTH:
        nlp, component = make(factory, patterns, **config)
        doc = nlp(text)
        found.append((describe(doc), component.match(doc), component.patterns, component.labels))
    assert found[0] == found[1]
    return [(doc[start:end].text, label, name) for start, end, label, name, _ in found[0][0][0]]


CASES: Dict[str, Any] = {
    "a phrase and tokens": (
        PATTERNS, "good morning so long", [("good morning", "GREETING", ""), ("so long", "BYE", "")]
    ),
    "phrases compare capitals": (PATTERNS, "Good morning roche", []),
    "orth compares capitals": (PATTERNS, "morning MORNING", [("MORNING", "GREETING", "")]),
    "an operator takes what it can": (PATTERNS, "toe toe toe off", [("toe toe toe", "TOES", "")]),
    "an id": (PATTERNS, "Roche and Bayer", [("Roche", "ORG", "r1"), ("Bayer", "ORG", "b2")]),
    "the first of two that overlap": (
        [{"label": "A", "pattern": "one two"}, {"label": "B", "pattern": "two three"}],
        "one two three", [("one two", "A", "")],
    ),
    "the longest of two that overlap": (
        [{"label": "A", "pattern": "one two"}, {"label": "B", "pattern": "two three four"}],
        "one two three four", [("two three four", "B", "")],
    ),
    "what lies within a longer one that loses": (
        [
            {"label": "A", "pattern": "a b c d e"},
            {"label": "B", "pattern": "e f g h"},
            {"label": "C", "pattern": "g h"},
        ],
        "a b c d e f g h", [("a b c d e", "A", ""), ("g h", "C", "")],
    ),
    "one id of two token patterns": (
        [
            {"label": "GPE", "pattern": [{"LOWER": "new"}, {"LOWER": "york"}], "id": "ny"},
            {"label": "GPE", "pattern": [{"LOWER": "new"}, {"LOWER": "yo"}], "id": "ny"},
        ],
        "New York New Yo", [("New York", "GPE", "ny"), ("New Yo", "GPE", "ny")],
    ),
    "two labels of one id": (
        [{"label": "A", "pattern": "x y", "id": "1"}, {"label": "B", "pattern": "z", "id": "1"}],
        "x y z", [("x y", "A", "1"), ("z", "B", "1")],
    ),
    "words that almost agree": (
        [{"label": "DRUG", "pattern": [{"LOWER": {"FUZZY": "aspirin"}}]}],
        "Asprin aspirine", [("Asprin", "DRUG", ""), ("aspirine", "DRUG", "")],
    ),
    "sets, regular expressions, numbers, flags": (
        [
            {"label": "GENE", "pattern": [{"TEXT": {"REGEX": "^IL\\d+$"}}]},
            {"label": "DOSE", "pattern": [{"LIKE_NUM": True}, {"LOWER": {"IN": ["mg", "g"]}}]},
            {"label": "LONG", "pattern": [{"LENGTH": {">=": 12}}]},
            {"label": "OPT", "pattern": [{"LOWER": "very", "OP": "?"}, {"LOWER": "ill"}]},
            {"label": "NOT", "pattern": [{"LOWER": "no", "OP": "!"}, {"LOWER": "cough"}]},
        ],
        "IL12 and 5 mg, very ill of acetylsalicylate ill cough",
        [
            ("IL12", "GENE", ""), ("5 mg", "DOSE", ""), ("very ill", "OPT", ""),
            ("acetylsalicylate", "LONG", ""), ("ill cough", "NOT", ""),
        ],
    ),
    "LOWER with a capital matches nothing": (
        [{"label": "X", "pattern": [{"LOWER": "Heart"}]}], "heart Heart", []
    ),
    "a single letter and a hyphen": (
        [{"label": "X", "pattern": "K"}, {"label": "Y", "pattern": "-"}],
        "K - L", [("K", "X", ""), ("-", "Y", "")],
    ),
    "a unit that stands right behind its number": (
        [{"label": "UNIT", "pattern": "mg"}], "5mg", [("mg", "UNIT", "")]
    ),
    "nothing": (PATTERNS, "", []),
    "blanks": (PATTERNS, " \n ", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_both_find_the_same(case):
    patterns, text, expected = CASES[case]
    assert read_both(text, patterns) == expected


def test_both_compare_phrases_by_an_attribute():
    patterns = [{"label": "P", "pattern": "joe biden", "id": "j"}, {"label": "Q", "pattern": "TNF"}]
    config = {"phrase_matcher_attr": "LOWER"}
    assert read_both("Joe Biden, tnf", patterns, **config) == [
        ("Joe Biden", "P", "j"),
        ("tnf", "Q", ""),
    ]
    shapes = [{"label": "PHONE", "pattern": "555-1234"}]
    assert read_both("of 123-4567", shapes, phrase_matcher_attr="SHAPE") == [
        ("123-4567", "PHONE", "")
    ]


@pytest.mark.parametrize(
    ("overwrite", "expected"),
    [(False, [(0, 3, "STANDING")]), (True, [(1, 2, "GREETING")])],
)
@pytest.mark.parametrize("factory", BOTH)
def test_entities_that_stand(factory, overwrite, expected):
    nlp, _ = make(factory, PATTERNS, overwrite_ents=overwrite)
    nlp.add_pipe("standing_entity", first=True)
    doc = nlp("OH MORNING SUN so long")
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [*expected, (3, 5, "BYE")]


@pytest.mark.parametrize("factory", BOTH)
def test_what_is_free_of_a_longer_match_that_is_not(factory):
    patterns = [{"label": "A", "pattern": "b c d"}, {"label": "B", "pattern": "c d"}]
    nlp, component = make(factory, patterns)
    doc = nlp.make_doc("a b c d")
    doc.ents = [Span(doc, 0, 2, "X")]
    assert [(e.text, e.label_) for e in component(doc).ents] == [("a b", "X"), ("c d", "B")]


@pytest.mark.parametrize("factory", BOTH)
def test_length_labels_ids_and_membership(factory):
    _, component = make(factory, PATTERNS)
    assert len(component) == 6
    assert component.labels == ("BYE", "GREETING", "ORG", "TOES")
    assert sorted(component.ent_ids) == ["b2", "r1"]
    assert "BYE" in component
    assert "BY" not in component


@pytest.mark.parametrize("factory", BOTH)
def test_separator_is_a_setting(factory):
    nlp, component = make(factory, PATTERNS, ent_id_sep="**")
    assert component.ent_id_sep == "**"
    assert "ORG**r1" in component.phrase_matcher
    (ent,) = nlp("Roche").ents
    assert (ent.label_, ent.ent_id_) == ("ORG", "r1")


@pytest.mark.parametrize("factory", BOTH)
def test_adding_nothing_changes_nothing(factory):
    _, component = make(factory, PATTERNS, validate=True)
    before = component.patterns
    component.add_patterns([])
    assert component.patterns == before
    assert len(component.matcher) > 0


@pytest.mark.parametrize("factory", BOTH)
def test_patterns_are_removed_by_id(factory):
    patterns = [
        {"label": "PERSON", "pattern": "Dina", "id": "dina"},
        {"label": "ORG", "pattern": "DinaCorp", "id": "dina"},
        {"label": "ORG", "pattern": [{"LOWER": "acme"}], "id": "acme"},
        {"label": "ORG", "pattern": [{"LOWER": "acm", "OP": "+"}], "id": "acm"},
        {"label": "DATE", "pattern": "last time"},
    ]
    nlp, component = make(factory, patterns)
    text = "Dina of DinaCorp saw ACME and ACM last time"
    assert len(nlp(text).ents) == 5
    component.remove("dina")
    assert [ent.text for ent in nlp(text).ents] == ["ACME", "ACM", "last time"]
    assert "PERSON||dina" not in component.phrase_matcher
    component.remove("acme")
    component.remove("acm")
    assert [ent.text for ent in nlp(text).ents] == ["last time"]
    assert component.patterns == patterns[4:]
    component.add_patterns([{"label": "DATE", "pattern": "Dina", "id": "dina"}])
    assert [ent.label_ for ent in nlp(text).ents] == ["DATE", "DATE"]


@pytest.mark.parametrize("factory", BOTH)
def test_removing_what_is_not_there(factory):
    _, component = make(factory, PATTERNS)
    with pytest.raises(ValueError, match="'nobody'"):
        component.remove("nobody")
    assert len(component) == 6


def test_remove_takes_phrases_and_tokens_of_one_label_and_id():
    """The EntityRuler goes on finding the tokens."""
    patterns = [
        {"label": "A", "pattern": "x y", "id": "1"},
        {"label": "A", "pattern": [{"LOWER": "z", "OP": "+"}], "id": "1"},
    ]
    nlp, component = make(OURS, [*patterns, {"label": "B", "pattern": "w"}])
    component.remove("1")
    assert [ent.text for ent in nlp("x y z w").ents] == ["w"]
    with pytest.raises(PatternError, match="ruler: found no pattern with the id '1'"):
        component.remove("1")
    with pytest.raises(PatternError, match="id ''"):
        component.remove("")


@pytest.mark.parametrize("factory", BOTH)
def test_clear_forgets_all(factory):
    nlp, component = make(factory, PATTERNS)
    component.clear()
    assert (len(component), component.labels, component.patterns) == (0, (), [])
    with pytest.warns(UserWarning, match="ruler"):
        assert nlp("so long").ents == ()


@pytest.mark.parametrize("factory", BOTH)
def test_initialize_takes_patterns(factory):
    _, component = make(factory, [{"label": "OLD", "pattern": "old"}])
    component.initialize(list, patterns=PATTERNS)
    assert component.patterns == make(factory, PATTERNS)[1].patterns


@spacy.registry.misc("bioner_test_patterns")
def list_patterns() -> List[Dict[str, Any]]:
    return PATTERNS


@pytest.mark.parametrize("factory", BOTH)
def test_initialize_takes_patterns_from_the_registry(factory):
    nlp, component = make(factory, [])
    nlp.config["initialize"]["components"]["ruler"] = {
        "patterns": {"@misc": "bioner_test_patterns"}
    }
    nlp.initialize()
    assert len(component) == 6
    assert [ent.label_ for ent in nlp("good morning so long").ents] == ["GREETING", "BYE"]


def test_initialize_without_patterns_keeps_them():
    nlp, component = make(OURS, PATTERNS)
    nlp.initialize()
    assert len(component) == 6


@spacy.registry.misc("bioner_test_never_alike")
def make_comparison() -> Callable[..., bool]:
    return lambda *_: False


@pytest.mark.parametrize("factory", BOTH)
def test_comparison_of_words_is_a_setting(factory):
    patterns = [{"label": "DRUG", "pattern": [{"LOWER": {"FUZZY": "aspirin"}}]}]
    config = {"matcher_fuzzy_compare": {"@misc": "bioner_test_never_alike"}}
    nlp, _ = make(factory, patterns, **config)
    assert nlp("asprin").ents == ()


@pytest.mark.parametrize("factory", BOTH)
def test_matches_can_be_written_by_hand(factory):
    nlp, component = make(factory, PATTERNS)
    doc = nlp.make_doc("Roche Bayer so long")
    matches = component.match(doc)
    assert [(start, end) for _, start, end in matches] == [(2, 4), (0, 1), (1, 2)]
    component.set_annotations(doc, matches[:2])
    assert [(e.text, e.label_, e.ent_id_) for e in doc.ents] == [
        ("Roche", "ORG", "r1"),
        ("so long", "BYE", ""),
    ]


@pytest.mark.parametrize("factory", BOTH)
def test_entities_can_be_merged(factory):
    patterns = [
        {"label": "ORG", "pattern": name} for name in ("Acme Inc", "Best Inc's", "Best Ltd")
    ]
    nlp, _ = make(factory, patterns)
    nlp.add_pipe("merge_entities")
    doc = nlp(" Acme Inc said Best Inc's Best Ltd did")
    assert [ent.text for ent in doc.ents] == ["Acme Inc", "Best Inc's", "Best Ltd"]
    assert len(doc) == 6


@pytest.mark.parametrize("factory", BOTH)
def test_scores(factory):
    nlp, _ = make(factory, PATTERNS)
    gold = nlp.make_doc("Roche so long")
    gold.ents = [Span(gold, 0, 1, "ORG"), Span(gold, 1, 2, "BYE")]
    scores = nlp.evaluate([Example(nlp.make_doc(gold.text), gold)])
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("writer", BOTH)
@pytest.mark.parametrize("reader", BOTH)
def test_a_file_of_patterns_goes_from_one_to_the_other(writer, reader, tmp_path):
    _, written = make(writer, PATTERNS)
    written.to_disk(tmp_path / "patterns.jsonl")
    nlp, read = make(reader, [{"label": "OLD", "pattern": "old"}])
    read.from_disk(tmp_path / "patterns.jsonl")
    assert read.patterns == written.patterns
    assert [ent.ent_id_ for ent in nlp("Roche").ents] == ["r1"]


@pytest.mark.parametrize("writer", BOTH)
@pytest.mark.parametrize("kind", ["disk", "bytes"])
def test_settings_of_patterns_are_kept(writer, kind, tmp_path):
    config = {"phrase_matcher_attr": "LOWER", "overwrite_ents": True, "ent_id_sep": "@@"}
    _, written = make(writer, PATTERNS, **config)
    nlp, read = make(OURS, [])
    if kind == "disk":
        written.to_disk(tmp_path / "ruler")
        read.from_disk(tmp_path / "ruler")
    else:
        read.from_bytes(written.to_bytes())
    assert (read.phrase_matcher_attr, read.overwrite, read.ent_id_sep) == ("LOWER", True, "@@")
    assert read.mode == "override"
    assert read.patterns == written.patterns
    assert [ent.ent_id_ for ent in nlp("ROCHE").ents] == ["r1"]


def test_a_pipeline_keeps_its_patterns_and_how_they_are_compared(tmp_path):
    nlp, _ = make(OURS, PATTERNS, phrase_matcher_attr="LOWER")
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert describe(loaded("bayer so long")) == describe(nlp("bayer so long"))
    assert len(loaded("bayer so long").ents) == 2
    files = sorted(path.name for path in (tmp_path / "model" / "ruler").iterdir())
    assert files == ["cfg", "rules.jsonl", "terms.bin"]


@pytest.mark.parametrize("name", ["none.jsonl", "none"])
@pytest.mark.parametrize("factory", BOTH)
def test_nothing_to_load_is_an_error(factory, name, tmp_path):
    _, component = make(factory, [])
    with pytest.raises(ValueError, match="none"):
        component.from_disk(tmp_path / name)


def test_a_file_has_no_place_for_terms(tmp_path):
    _, component = make(OURS, PATTERNS)
    component.add_terms([Term("asthma", "Disease")])
    with pytest.raises(ConfigError, match=r"x\.jsonl: found 1 terms, expected patterns alone"):
        component.to_disk(tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()


@pytest.mark.parametrize(
    "pattern", [{"label": "X", "pattern": [{"ASDF": "x"}]}, {"label": "X", "pattern": []}]
)
@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("factory", BOTH)
def test_what_no_matcher_takes_is_an_error(factory, validate, pattern):
    _, component = make(factory, [], validate=validate)
    with pytest.raises(ValueError, match=r"ASDF|at least 1|zero tokens"):
        component.add_patterns([pattern])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("x", "found 'x'; expected an object with the keys 'label' and 'pattern'"),
        ({"pattern": "x"}, "expected an object with the keys"),
        ({"label": "", "pattern": "x"}, "give the pattern a label"),
        ({"label": "X"}, "expected a string or a list"),
        ({"label": "X", "pattern": 5}, "expected a string or a list"),
        ({"label": "X", "pattern": " "}, "expected at least one letter"),
        ({"id": "1"}, "expected an object with the keys"),
    ],
)
def test_what_is_no_pattern_is_refused_and_nothing_is_added(pattern, message):
    """The EntityRuler raises a KeyError, or leaves it out without a word."""
    _, component = make(OURS, [])
    with pytest.raises(PatternError, match=message):
        component.add_patterns([*PATTERNS, pattern])
    assert len(component) == 0
    assert issubclass(PatternError, (TermTableError, BionerError, ValueError))


def test_a_file_with_a_bad_line_is_refused_and_nothing_is_lost(tmp_path):
    path = tmp_path / "patterns.jsonl"
    path.write_text('{"label": "X", "pattern": "x"}\n{"label": "X"}\n', encoding="utf-8")
    _, component = make(OURS, PATTERNS)
    for load in (component.from_disk, lambda path: component.initialize(patterns=path)):
        with pytest.raises(PatternError, match=r"patterns\.jsonl:2: found the pattern"):
            load(path)
        assert len(component) == 6


def test_patterns_take_other_components_only_where_they_need_them():
    seen = []

    @Language.component("bioner_test_watcher")
    def watch(doc: Doc) -> Doc:
        seen.append(doc.text)
        for token in doc:
            token.lemma_ = token.lower_.rstrip("s")
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_test_watcher")
    plain = nlp.add_pipe(OURS, name="plain")
    plain.add_patterns([{"label": "X", "pattern": "kidneys"}])
    assert seen == []
    by_lemma = nlp.add_pipe(OURS, name="by_lemma", config={"phrase_matcher_attr": "LEMMA"})
    by_lemma.add_patterns([{"label": "Y", "pattern": "livers"}])
    assert seen == ["livers"]
    assert [(e.text, e.label_) for e in nlp("a liver").ents] == [("liver", "Y")]


def test_labels_that_are_not_wanted_are_left_out():
    _, component = make(OURS, [], labels=["ORG"])
    assert component.add_patterns(PATTERNS) == 2
    assert component.labels == ("ORG",)


def test_ids_that_are_numbers_are_taken_as_words():
    (pattern,) = check_patterns([{"label": "GENE", "pattern": "TP53", "id": 7157}])
    assert pattern.row == {"label": "GENE", "pattern": "TP53", "id": "7157"}


def test_patterns_go_to_another_process():
    nlp, component = make(OURS, PATTERNS)
    copy = pickle.loads(pickle.dumps(component))
    assert describe(copy(nlp.make_doc("Roche so long"))) == describe(nlp("Roche so long"))
    docs = list(nlp.pipe(["Roche", "", "so long"], n_process=2, batch_size=1))
    assert [[e.ent_id_ or e.label_ for e in doc.ents] for doc in docs] == [["r1"], [], ["BYE"]]


def test_patterns_and_terms_stand_side_by_side():
    nlp, component = make(OURS, [{"label": "Disease", "pattern": "AKI", "id": "P1"}])
    component.add_terms(
        [Term("AKI", "Disease", "T1"), Term("acute AKI", "Disease", "T2"), Term("gout", "Disease")]
    )
    doc = nlp("AKI or gout")
    assert [(e.text, e.kb_id_, e.id_) for e in doc.ents] == [("AKI", "P1", "P1"), ("gout", "", "")]
    assert doc.ents[0]._.evidence[0]["concept_id"] == "P1|T1"
    assert [(e.text, e.kb_id_, e.id_) for e in nlp("acute AKI").ents] == [("acute AKI", "T2", "")]
    once = doc.to_bytes()
    assert nlp(doc).to_bytes() == once


WORDS = st.lists(st.sampled_from(["a", "b", "c", "A"]), min_size=1, max_size=3)
LABELS = st.sampled_from("XY")
PHRASES = st.builds(
    lambda words, label: {"label": label, "pattern": " ".join(words)}, WORDS, LABELS
)
PLAIN = st.builds(
    lambda words, key, label: {
        "label": label,
        "pattern": [{key: word} for word in words],
        "id": "".join(words),
    },
    WORDS,
    st.sampled_from(["LOWER", "ORTH"]),
    LABELS,
)
WITH_OPERATORS = st.builds(
    lambda word, op, label: {"label": label, "pattern": [{"LOWER": word, "OP": op}, {}]},
    st.sampled_from("abc"),
    st.sampled_from("?*+"),
    LABELS,
)
ROWS = st.lists(st.one_of(PHRASES, PLAIN, WITH_OPERATORS), min_size=1, max_size=6)


PAIR = [make(factory, []) for factory in BOTH]


@settings(deadline=None)
@given(ROWS, st.lists(st.sampled_from("abcA"), max_size=8), st.booleans(), st.booleans())
def test_both_agree_on_random_patterns(rows, words, overwrite, stands):
    distinct = {str(row["pattern"]).lower(): row for row in rows}
    rows = [{**row, "label": str(index)} for index, row in enumerate(distinct.values())]
    found = []
    for nlp, component in PAIR:
        component.clear()
        component.add_patterns(rows)
        component.overwrite = overwrite
        doc = Doc(nlp.vocab, words=words)
        if stands and len(words) > 2:
            doc.ents = [Span(doc, 1, 3, "STANDING")]
        found.append((component.match(doc), describe(component(doc))))
    (ours, our_ents), (spacys, spacys_ents) = found
    assert sorted(ours) == sorted(spacys)
    # Which of two at one place comes first is left to the order of a set.
    if len({(start, end) for _, start, end in ours}) == len(ours):
        assert (ours, our_ents) == (spacys, spacys_ents)
