import pickle
import re
import zlib

import numpy as np
import pytest
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.errors import BionerError, TermTableError
from spacy_bioner.knowledge import matcher as matching
from spacy_bioner.knowledge.matcher import TermMatcher, longest
from spacy_bioner.knowledge.table import TermTable
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term, is_case_sensitive


def split(text):
    """Token borders: runs of letters, runs of digits, single other signs."""
    found = list(re.finditer(r"[^\W\d_]+|\d+|[^\w\s]|_", text))
    return np.array([m.start() for m in found]), np.array([m.end() for m in found])


def find(text, *terms, variants=False, nested=True):
    matcher = TermMatcher(
        [term if isinstance(term, Term) else Term(term, "X") for term in terms], variants=variants
    )
    starts, ends = split(text)
    matches = matcher.find(text, starts.astype(int), ends.astype(int))
    return [
        text[starts[match.start] : ends[match.end - 1]]
        for match in (matches if nested else longest(matches))
    ]


def test_find_longer_term_that_fails_does_not_hide_shorter_one():
    assert find("aspirin induced", "aspirin", "aspirin in") == ["aspirin"]


def test_find_gives_overlapping_and_nested_occurrences():
    text = "acute kidney injury model"
    found = find(text, "kidney", "acute kidney injury", "injury model")
    assert found == ["acute kidney injury", "kidney", "injury model"]


def test_longest_drops_only_what_lies_within():
    text = "acute kidney injury model"
    found = find(text, "kidney", "acute kidney injury", "injury model", nested=False)
    assert found == ["acute kidney injury", "injury model"]


def test_longest_keeps_several_terms_on_one_span():
    terms = (Term("RA", "Disease", "1"), Term("RA", "Anatomy", "2"), Term("RA", "Disease", "3"))
    assert find("RA", *terms, nested=False) == ["RA", "RA", "RA"]


def test_find_keeps_offsets_behind_letters_that_grow_when_lowered():
    assert find("İİİ Aspirin İ", "aspirin") == ["Aspirin"]


def test_find_matches_a_letter_that_grows_when_lowered():
    assert find("xx İstanbul", "İSTANBUL") == ["İstanbul"]


def test_find_keeps_offsets_behind_astral_characters():
    assert find("😀𝛼 Aspirin", "aspirin") == ["Aspirin"]


@pytest.mark.parametrize("text", ["IL2", "CIL", "2IL", "ILα"])
def test_find_needs_word_borders_even_where_tokens_end(text):
    assert find(text, "IL") == []


def test_find_needs_token_borders():
    matcher = TermMatcher([Term("heart", "X")])
    assert matcher.find("heart-failure", np.array([0]), np.array([13])) == []


@pytest.mark.parametrize(
    ("name", "sensitive"),
    [
        ("ALL", True),
        ("NaCl", True),
        ("CYP2D6", True),
        ("HIV-1", True),
        ("IL-6", True),
        ("VEGFA", True),
        ("KRASGE", False),
        ("Iron", False),
        ("Ironic", False),
        ("aids", False),
        ("p53", False),
        ("Vitamin B12", False),
        ("METHOTREXATE", False),
    ],
)
def test_case_of_a_name_is_guessed_from_its_shape(name, sensitive):
    assert is_case_sensitive(Term(name, "X")) is sensitive


def test_find_symbol_keeps_its_capitals():
    assert find("all ALL All", "ALL") == ["ALL"]


def test_find_word_in_any_case():
    assert find("Asthma ASTHMA asthma", "asthma") == ["Asthma", "ASTHMA", "asthma"]


@pytest.mark.parametrize("case", ["exact", "ignore"])
def test_find_declared_case_overrules_the_shape(case):
    found = find("ALL all", Term("ALL", "X", case=case))
    assert found == {"exact": ["ALL"], "ignore": ["ALL", "all"]}[case]


@pytest.mark.parametrize("space", [" ", "  ", "\n", "\u00a0", " \n "])
def test_find_any_white_space_between_words(space):
    assert find(f"heart{space}failure", "heart failure") == [f"heart{space}failure"]


def test_find_does_not_cross_a_blank_line():
    assert find("heart\n \nfailure", "heart failure") == []


@pytest.mark.parametrize("text", ["betablocker", "beta-blocker", "beta\u2013blocker"])
def test_find_without_variants_needs_the_same_hyphens(text):
    assert find(text, "beta blocker") == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("IL-2", "IL2", True),
        ("IL-2", "IL 2", True),
        ("IL-2", "IL\u20112", True),
        ("IL2", "IL-2", True),
        ("IL2", "IL 2", False),
        ("beta blocker", "beta-blocker", True),
        ("beta blocker", "betablocker", False),
    ],
)
def test_find_variants_let_a_hyphen_be_space_or_nothing(name, text, found):
    assert find(text, name, variants=True) == ([text] if found else [])


def test_find_name_that_ends_with_a_hyphen():
    assert find("Cl- and Cl", "Cl-") == ["Cl-"]


def test_a_soft_hyphen_that_divides_a_word_is_no_part_of_a_name():
    assert find("cl\u00ad\nopidogrel", "Cl-") == []
    assert find("cl\u00ad\n", "Cl-") == []
    assert find("cl\u00ad\nopidogrel", "Clopidogrel") == ["cl\u00ad\nopidogrel"]
    assert find("\u00ad\nCl", "-Cl") == []


@pytest.mark.parametrize("blank", ["\u115f", "\u2003", " "])
def test_a_blank_at_the_end_is_no_hyphen_of_a_variant(blank):
    text = f"vitamin{blank}"
    starts, ends = np.array([0, 7]), np.array([7, 8])
    matcher = TermMatcher([Term("vitamin-", "X")], variants=True)
    assert matcher.find(text, starts, ends) == []
    assert len(matcher.find("vitamin-", starts, ends)) == 1


def test_find_token_term_needs_the_same_tokens():
    term = Term(TOKEN_SEPARATOR.join(["il", "2"]), "X", case="ignore", tokens=True)
    assert find("IL2 IL-2", term) == ["IL2"]
    assert find("IL 2", term) == ["IL 2"]


def test_find_nothing_in_empty_text_or_without_terms():
    assert find("", "asthma") == []
    assert find("asthma") == []


@pytest.mark.parametrize("name", ["", " ", "-", "- -"])
def test_name_of_nothing_visible_is_refused(name):
    with pytest.raises(TermTableError, match="at least one letter"):
        TermMatcher([Term("aspirin", "X"), Term(name, "X")])


def test_bytes_round_trip_finds_the_same():
    terms = [Term("aspirin", "Chemical", "D1"), Term("Cl-", "Ion"), Term("é😀", "X")]
    matcher = TermMatcher.from_bytes(TermMatcher(terms).to_bytes())
    text = "Aspirin Cl- é😀"
    assert list(matcher.table) == terms
    assert [m.term_index for m in matcher.find(text, *split(text))] == [0, 1, 2]


def test_bytes_round_trip_of_no_terms():
    assert len(TermMatcher.from_bytes(TermMatcher().to_bytes())) == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: b"xyz"])
def test_damaged_bytes_are_refused(damage):
    data = TermMatcher([Term("aspirin", "Chemical")]).to_bytes()
    with pytest.raises(BionerError, match="wrong checksum"):
        TermMatcher.from_bytes(damage(data))


def test_matcher_can_be_sent_to_another_process():
    matcher = pickle.loads(pickle.dumps(TermMatcher([Term("IL-2", "Gene")], variants=True)))
    assert len(matcher.find("IL2", *split("IL2"))) == 1


def test_table_drops_duplicates_and_keeps_order():
    terms = [Term("b", "X", "2"), Term("a", "Y", "1"), Term("b", "X", "2"), Term("b", "X", "3")]
    assert list(TermTable(terms)) == [terms[0], terms[1], terms[3]]


def test_table_columns_round_trip():
    terms = [Term("α", "X", "2", "exact"), Term("a", "Y", "", "ignore", tokens=True)]
    assert list(TermTable.from_columns(TermTable(terms).to_columns())) == terms


@settings(max_examples=300)
@given(
    st.lists(st.text(alphabet="aAbB1- ", min_size=1, max_size=4), max_size=4),
    st.text(alphabet="aAbB1- ", max_size=14),
)
def test_find_agrees_with_brute_force(names, text):
    text = " ".join(text.split())
    names = [" ".join(name.split()) for name in names if name.replace("-", "").strip()]
    starts, ends = split(text)
    expected = set()
    for i, start in enumerate(starts):
        for j, end in enumerate(ends):
            joined_left = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
            joined_right = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
            if start < end and not joined_left and not joined_right:
                expected |= {(i, j + 1, name) for name in names if name == text[start:end]}
    matcher = TermMatcher([Term(name, "X", case="exact") for name in names])
    found = matcher.find(text, starts.astype(int), ends.astype(int))
    assert {(m.start, m.end, matcher.table[m.term_index].name) for m in found} == expected


TWINS = [
    ("Alzheimer's disease", "Alzheimer\u2019s disease"),
    ("Alzheimer's disease", "Alzheimer\u02bcs disease"),
    ("Alzheimer's disease", "Alzheimer\u00b4s\u00a0disease"),
    ("5'-nucleotidase", "5\u2032-nucleotidase"),
    ("5'-nucleotidase", "5\u2019\u2011nucleotidase"),
    ("N6,2''-base", "N6,2\u2033-base"),
    ("\u00b5-opioid", "\u03bc-opioid"),
    ("beta-catenin", "beta\u2010catenin"),
    ("beta-catenin", "beta\u2013catenin"),
    ("beta-catenin", "beta\u2212catenin"),
    ("beta-catenin", "beta-\ncatenin"),
    ("kidney", "kid-\nney"),
    ("kidney", "kid-\r\n   ney"),
    ("kidney", "kid\u00adney"),
    ("kidney", "kid\u00ad\nney"),
    ("kidney", "kid\u200bney"),
    ("acute kidney injury", "acute\u2009kidney\u3000injury"),
    ("M\u00e9ni\u00e8re disease", "Me\u0301nie\u0300re disease"),
    ("fibrosis", "\ufb01brosis"),
    ("IL-2", "\uff29\uff2c\uff0d\uff12"),
    ("CO2", "CO\u2082"),
    ("TNF-\u03b2", "TNF-\u00df"),
    ("\u00c5 unit", "\u212b unit"),
    ('the "silent" gene', "the \u201csilent\u201d gene"),
    ("Cl-", "Cl\u2212"),
]


@pytest.mark.parametrize("variants", [False, True])
@pytest.mark.parametrize(("left", "right"), TWINS)
def test_typographic_twins_agree_in_both_directions(left, right, variants):
    for name, surface in ((left, right), (right, left), (left, left), (right, right)):
        if "\n" in name:
            continue
        text = f"\u201cLow {surface}, high {surface}\u201d"
        matcher = TermMatcher([Term(name, "X")], variants=variants)
        starts, ends = (border.astype(int) for border in split_at_marks(text))
        found = matcher.find(text, starts, ends)
        assert [text[starts[m.start] : ends[m.end - 1]] for m in found] == [surface, surface]


def split_at_marks(text):
    """Token borders as our tokenizer sets them: accents stay with their letters."""
    found = list(re.finditer(r"(?:[^\W\d_\u02bc][\u0300-\u036f]*)+|\d+|[^\w\s]|_|\u02bc", text))
    return np.array([m.start() for m in found]), np.array([m.end() for m in found])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pre\u00adkidney", "kidney"),
        ("kidney\u200bs", "kidney"),
        ("\ufb01brosis", "ibrosis"),
        ("M\u00e9ni\u00e8re", "Meniere"),
        ("kid -\nney", "kidney"),
        ("kid-\n\nney", "kidney"),
        ("kid\nney", "kidney"),
    ],
)
def test_what_is_no_twin_does_not_agree(text, name):
    assert find(text, name) == []


def test_trade_mark_is_no_part_of_a_word():
    assert find("Aspirin\u2122 and aspirin\u00ae", "aspirin") == ["Aspirin", "aspirin"]


def test_token_terms_find_twins():
    term = Term(TOKEN_SEPARATOR.join(["alzheimer", "'", "s"]), "X", case="ignore", tokens=True)
    assert find("Alzheimer\u2019s", term) == ["Alzheimer\u2019s"]


def as_old_version(names, version):
    """Bytes as they were written with an automaton, which nobody reads any more."""
    columns = {
        "labels": ["X"],
        "names": "".join(names),
        "name_ends": np.cumsum([0, *map(len, names)], dtype="<i8").tobytes(),
        "ids": "".join(str(index) for index in range(len(names))),
        "id_ends": np.arange(len(names) + 1, dtype="<i8").tobytes(),
        "label_of": bytes(2 * len(names)),
        "flags": bytes(len(names)),
    }
    body = srsly.msgpack_dumps({"version": version, "automaton": b"x", "table": columns})
    return zlib.crc32(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("names", [["aspirin", "IL-2"], ["IL\u20132", "Alzheimer\u2019s disease"]])
def test_data_of_versions_before_loads_and_finds_twins(names, version):
    matcher = TermMatcher.from_bytes(as_old_version(names, version))
    assert [(term.name, term.id) for term in matcher.table] == list(zip(names, "01", strict=True))
    text = "aspirin, IL\u22122 and Alzheimer\u02bcs disease"
    starts, ends = (border.astype(int) for border in split_at_marks(text))
    assert [m.term_index for m in matcher.find(text, starts, ends)] == [0, 1]
    again = TermMatcher.from_bytes(matcher.to_bytes())
    assert [m.term_index for m in again.find(text, starts, ends)] == [0, 1]


def test_unknown_version_of_old_data_is_refused():
    with pytest.raises(BionerError, match="found format version 9; expected 3 or older; update"):
        TermMatcher.from_bytes(as_old_version(["aspirin"], 9))


def test_find_all_gives_each_text_its_own_tokens():
    texts = ["aspirin", "", "no \ufb01brosis, aspirin", "aspirin fibrosis", "fibrosis"]
    matcher = TermMatcher([Term(name, "X") for name in ("aspirin", "fibrosis", "fibrosis aspirin")])
    found = list(matcher.find_all((text, *split(text)) for text in texts))
    assert found == [[(0, 1, 0)], [], [(1, 2, 1), (3, 4, 0)], [(0, 1, 0), (1, 2, 1)], [(0, 1, 1)]]


def test_find_all_leaves_out_what_lies_within_a_longer_one():
    names = ["kidney", "acute kidney injury", "injury model", "model", "model", "kidney injury"]
    matcher = TermMatcher([Term(name, "X", str(index)) for index, name in enumerate(names)])
    texts = [(text, *split(text)) for text in ("acute kidney injury model", "model of kidney", "")]
    assert list(matcher.find_all(texts, nested=False)) == [
        longest(matcher.find(*text)) for text in texts
    ]
    assert list(matcher.find_all(texts, nested=False)) == [
        [(0, 3, 1), (2, 4, 2)],
        [(0, 1, 3), (0, 1, 4), (2, 3, 0)],
        [],
    ]


def test_find_all_reads_no_further_ahead_than_a_batch():
    text = "aspirin " * 10_000
    taken = []
    tokens = split(text)
    matches = TermMatcher([Term("aspirin", "X")]).find_all(
        (taken.append(number) or text, *tokens) for number in range(100)
    )
    assert len(next(matches)) == 10_000
    assert taken == [0, 1]


def test_find_in_a_text_of_a_million_characters():
    text = "zyx " * 249_998 + "aspirin \u03b2"
    matches = TermMatcher([Term("aspirin \u03b2", "X"), Term("zyx", "X", case="exact")])
    found = matches.find(text, *split(text))
    assert len(found) == 249_999
    assert found[-1] == (249_998, 250_000, 0)


@pytest.mark.parametrize("size", [7, 8, 9, 62, 63, 64, 65, 127, 128, 129, 10_000])
def test_find_names_of_any_number_of_letters(size):
    name = re.match(rf"(?:[ -]?\w){{{size}}}", "ab cd-" * size).group()
    text = f"{name[1:]} {name} {name[:-1]}"
    assert find(text, name, name[1:], "x") == [name[1:], name]


def test_surfaces_that_were_compared_are_forgotten_in_the_end(monkeypatch):
    monkeypatch.setattr(matching, "_MOST_SURFACES", 2)
    names = ["a1", "b1", "c1", "x" * 101]
    matcher = TermMatcher([Term(name, "X") for name in names])
    text = " ".join(names)
    for _ in range(2):
        assert [match.term_index for match in matcher.find(text, *split(text))] == [0, 1, 2, 3]
        assert len(matcher._agreeing) <= 2


def test_find_places_tells_all_terms_of_a_place_in_one_row():
    terms = [Term("RA", "Disease", "D1"), Term("Cl-", "Ion", "1"), Term("RA", "Chemical", "D2")]
    matcher = TermMatcher([*terms, Term("Cl-", "Salt", "2"), Term("RA block", "Disease", "D3")])
    texts = [(text, *split(text)) for text in ("RA block", "", "Cl- in RA")]
    assert list(matcher.find_places(texts)) == [
        [(0, 2, (4,)), (0, 1, (0, 2))],
        [],
        [
            (0, 2, (1, 3)),
            (3, 4, (0, 2)),
        ],
    ]
    assert next(matcher.find_places(texts, nested=False)) == [(0, 2, (4,))]
