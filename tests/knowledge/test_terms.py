import json

import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.terms import (
    TOKEN_SEPARATOR,
    Term,
    TokenPattern,
    parse_pattern,
    read_patterns,
    read_terms,
)


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="terms.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write_file


def test_read_terms_without_header(write):
    path = write("D1\taspirin\tChemical\n\nD2\tasthma\tDisease\textra\n")
    assert list(read_terms(path)) == [
        Term("aspirin", "Chemical", "D1"),
        Term("asthma", "Disease", "D2"),
    ]


def test_read_terms_header_orders_columns(write):
    path = write("\ufefflabel\tName\tid\r\nChemical\taspirin\tD1\r\n")
    assert list(read_terms(path)) == [Term("aspirin", "Chemical", "D1")]


def test_read_terms_one_label_ignores_kind(write):
    path = write("id\tname\tkind\nD1\taspirin\tsynonym\n")
    assert list(read_terms(path, label="Drug")) == [Term("aspirin", "Drug", "D1")]


def test_read_terms_one_label_takes_two_columns(write):
    assert list(read_terms(write("D1\taspirin\n"), label="Drug")) == [Term("aspirin", "Drug", "D1")]


def test_read_terms_empty_id_is_allowed(write):
    assert list(read_terms(write("\taspirin\tChemical\n"))) == [Term("aspirin", "Chemical", "")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("D1\ta\tX\nD2\tasthma\n", 2, "found 2 column(s), 'D2 | asthma'; expected 3"),
        ("D1\t\tX\n", 1, "found the name ''; expected at least one letter"),
        ("D1\t-\tX\n", 1, "found the name '-'; expected at least one letter"),
        ("D1\tasthma\t\n", 1, "found an empty label for 'asthma'"),
        ("id\tname\tkind\nD1\ta\tlabel\n", 1, "found the columns id, name, kind"),
        (b"D1\ta\tX\nD2\tna\xefve\tX\n", 2, "found the byte 0xef at position 5; expected UTF-8"),
    ],
)
def test_read_terms_malformed_row_names_file_and_line(write, text, line, message):
    path = write(text)
    with pytest.raises(TermTableError) as caught:
        list(read_terms(path))
    assert str(caught.value).startswith(f"{path}:{line}: {message}")


def test_read_terms_missing_file_is_named(tmp_path):
    with pytest.raises(TermTableError, match=r"absent\.tsv: found no such file"):
        list(read_terms(tmp_path / "absent.tsv"))


def test_read_patterns_string_compares_exactly(write):
    path = write('{"label": "Disease", "pattern": "Asthma", "id": "D1"}\n', "rules.jsonl")
    assert list(read_patterns(path)) == [Term("Asthma", "Disease", "D1", "exact")]


@pytest.mark.parametrize(
    ("pattern", "case"),
    [
        ([{"LOWER": "heart"}, {"lower": "failure"}], "ignore"),
        ([{"TEXT": "heart"}, {"ORTH": "failure"}], "exact"),
    ],
)
def test_parse_pattern_compiles_plain_tokens(pattern, case):
    name = f"heart{TOKEN_SEPARATOR}failure"
    expected = Term(name, "Disease", "D1", case, tokens=True)
    assert parse_pattern({"label": "Disease", "pattern": pattern, "id": "D1"}) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        [{"LOWER": "heart", "OP": "?"}, {"LOWER": "failure"}],
        [{"LOWER": "heart"}, {"TEXT": "Failure"}],
        [{"LOWER": {"IN": ["heart", "liver"]}}, {"LOWER": "failure"}],
        [{"IS_PUNCT": True}],
        [{"ORTH": "-"}, {"ORTH": "x"}],
        [{"ORTH": " "}],
        [{}],
    ],
)
def test_parse_pattern_leaves_the_rest_to_the_matcher(pattern):
    parsed = parse_pattern({"label": "Disease", "pattern": pattern})
    assert parsed == TokenPattern(tuple(pattern), "Disease")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "which is not JSON"),
        ("[]", "expected an object with the keys 'label' and 'pattern'"),
        ('{"pattern": "x"}', "expected an object with the keys"),
        ('{"label": "X"}', "neither a string nor a list"),
        ('{"label": "X", "pattern": []}', "at least 1 item"),
        ('{"label": "X", "pattern": [{"COLOUR": "red"}]}', "COLOUR"),
        ('{"label": "X", "pattern": [{"LOWER": "a", "OP": "{2"}]}', "OP"),
        ('{"label": "X", "pattern": [{"LOWER": {"REGEX": "("}}]}', "unterminated subpattern"),
        ('{"label": "X", "pattern": " "}', "expected at least one letter"),
    ],
)
def test_read_patterns_bad_line_is_named(write, row, message):
    good = json.dumps({"label": "X", "pattern": "x"})
    path = write(f"{good}\n{row}\n", "rules.jsonl")
    with pytest.raises(TermTableError) as caught:
        list(read_patterns(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_demo_gazetteer_is_readable():
    from tests.conftest import ROOT

    terms = list(read_terms(ROOT / "assets" / "demo" / "gazetteer.tsv"))
    labels = {term.label for term in terms}
    assert labels == {"Disease", "Chemical", "Gene", "Species", "Anatomy"}
    assert len(terms) == len({(term.name, term.label) for term in terms})
    assert all(term.id for term in terms)


def test_real_vocabularies_are_read_in_full(data_dir):
    paths = sorted((data_dir / "vocab").glob("*.tsv"))
    assert sum(1 for path in paths for _ in read_terms(path, label="X")) == 761_724
