import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.context.cues import (
    CUE_VALUES,
    Cue,
    CueTable,
    load_cue_table,
    parse_cues,
    read_cue_table,
    split_words,
)

EMPTY = CueTable({}, (), {})
TABLE = """
words: {who: [aunt, twin brother]}
groups:
  - {rule: r, sets: [family], direction: backward, reach: 3, who: "{who}", cues: ["in {who}", kin]}
  - {sets: [negated, historical], direction: pseudo, cues: [no longer]}
"""


def test_words_are_split_alike_in_cues_and_texts():
    assert split_words("Can’t r/o  her mother's  (x)") == [
        "can't", "r", "/", "o", "her", "mother", "'s", "(", "x", ")"
    ]  # fmt: skip
    assert split_words("<number>-day <start> a_b") == [
        "<number>",
        "-",
        "day",
        "<start>",
        "a",
        "_",
        "b",
    ]


def test_a_table_is_read(tmp_path):
    path = tmp_path / "cues.yaml"
    path.write_text(TABLE)
    assert read_cue_table(path).cues == (
        Cue(("in", "aunt"), ("family",), "backward", "r", 3, "aunt"),
        Cue(("in", "twin", "brother"), ("family",), "backward", "r", 3, "twin brother"),
        Cue(("kin",), ("family",), "backward", "r", 3, ""),
        Cue(("no", "longer"), ("negated", "historical"), "pseudo", "cue of the user"),
    )


def test_a_later_cue_of_the_same_words_and_value_does_not_count():
    first = [{"sets": ["negated"], "direction": "forward", "cues": ["no"]}]
    second = [
        {"sets": ["negated"], "direction": "pseudo", "cues": ["no"]},
        {"sets": ["family"], "direction": "forward", "cues": ["no"]},
    ]
    base = parse_cues(second, place="x", base=EMPTY)
    table = parse_cues(first, place="y", base=base)
    assert [(cue.direction, cue.sets) for cue in table.tree["no"][""]] == [
        ("forward", ("negated",)),
        ("forward", ("family",)),
    ]


def test_the_table_of_the_package():
    table = load_cue_table()
    assert {value for cue in table.cues for value in cue.sets} == set(CUE_VALUES)
    assert 5_000 < len(table.cues) < 30_000
    assert table.tree["denies"][""][0].rule == "negation before"
    assert all("{" not in word for cue in table.cues for word in cue.words)


GROUP = "{sets: [negated], direction: forward, cues: [no]}"


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("groups: x", "found 'x', expected a list of groups of cues"),
        ("groups: [x]", "group 1: found 'x', expected keys rule, sets"),
        (f"groups: [{GROUP}, {{cue: [a]}}]", "group 2: found key 'cue'"),
        (f"groups: [{GROUP.replace('negated', 'not')}]", "group 1, sets: found 'not', expected"),
        (f"groups: [{GROUP.replace('forward', 'left')}]", "group 1, direction: found 'left'"),
        (f"groups: [{GROUP.replace('[no]', 'no')}]", "cues: found 'no', expected a list of texts"),
        (f"groups: [{GROUP.replace('[no]', '[« »]')}]".replace("«", "'").replace("»", "'"),
         "cue ' ': found 0 words, expected 1 to 12"),
        (f"groups: [{GROUP.replace('cues', 'reach: -1, cues')}]", "reach -1, expected values and"),
        (f"groups: [{GROUP.replace('cues', 'reach: true, cues')}]", "reach True, expected values"),
        (f"groups: [{GROUP.replace('cues', 'who: 3, cues')}]", "who 3, expected texts"),
        ('groups: [{sets: [negated], direction: forward, cues: ["{a} x"]}]', "found {a}, expected"),
        (f"words: {{a: b}}\ngroups: [{GROUP}]", "words a: found 'b', expected a list of texts"),
        ("group: []", "found key 'group', expected words, groups"),
        ("- a", "expected keys words, groups"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(tmp_path, groups, message):
    path = tmp_path / "cues.yaml"
    path.write_text(groups)
    with pytest.raises(ConfigError, match=r"cues\.yaml") as error:
        read_cue_table(path)
    assert message in str(error.value)


def test_lists_that_multiply_too_far_are_refused():
    base = CueTable({"a": tuple(map(str, range(100)))}, (), {})
    groups = [{"sets": ["negated"], "direction": "forward", "cues": ["{a} {a} {a} {a} {a}"]}]
    with pytest.raises(ConfigError, match="found more than 200,000 cues"):
        parse_cues(groups, place="x", base=base)
