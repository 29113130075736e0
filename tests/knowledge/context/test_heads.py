import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.context.heads import (
    load_section_table,
    normal_head,
    read_section_table,
)


def test_a_head_has_one_form():
    assert normal_head("Past Med.\n Hx") == "past med history"
    assert normal_head("Assessment & Plan:") == "assessment and plan"
    assert normal_head("A/P") == "a p"


def test_the_table_of_the_package():
    table = load_section_table()
    assert table.labels["pmh"] == "past_medical_history"
    assert table.values["family_history"] == ("family",)
    assert table.values["past_surgical_history"] == ("historical",)
    assert "plan" not in table.values


def test_a_table_is_read(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "findings: {heads: [Befund, Be-Fund 2]}\nold: {heads: [Vor], sets: [historical]}"
    )
    table = read_section_table(path)
    assert table.labels == {"befund": "findings", "be fund 2": "findings", "vor": "old"}
    assert table.values == {"old": ("historical",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found no labels of sections"),
        ("- a", "found no labels of sections"),
        ("a: [", "found no YAML"),
        ("a b: {heads: [x]}", "section 'a b': expected words joined by underscores"),
        ("a: x", "section 'a': found 'x', expected keys heads, sets"),
        ("a: {head: [x]}", "section 'a': found key 'head'"),
        ("a: {heads: x}", "section 'a', heads: found 'x', expected a list of texts"),
        ("a: {heads: [x], sets: [old]}", "sets: found 'old', expected one of negated, uncertain"),
        ("a: {heads: ['!']}", "found head '!', expected 1 to 7 words"),
        ("a: {heads: [x]}\nb: {heads: [X]}", "section 'b': found head 'X', which a has as well"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"x\.yaml") as error:
        read_section_table(path)
    assert message in str(error.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="found no such file"):
        read_section_table(tmp_path / "x.yaml")
