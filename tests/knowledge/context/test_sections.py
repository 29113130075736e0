import re

import pytest

from spacy_bioner.knowledge.context.heads import SectionTable
from spacy_bioner.knowledge.context.sections import TextSection, find_sections, section_at

NOTE = """CHIEF COMPLAINT

Joint pain.

Past Medical History: gout
1. HTN
2. COPD
Family History:
Mother: diabetes

VITALS REVIEWED

• Blood Pressure: elevated
ASSESSMENT AND PLAN
1. Gout. Plan: allopurinol.
"""


def found(text, **settings):
    return [(s.label, text[s.head_start : s.head_end]) for s in find_sections(text, **settings)]


def test_a_note_has_the_sections_of_its_heads():
    assert found(NOTE) == [
        ("chief_complaint", "CHIEF COMPLAINT"),
        ("past_medical_history", "Past Medical History"),
        ("family_history", "Family History"),
        ("vital_signs", "VITALS REVIEWED"),
        ("assessment_and_plan", "ASSESSMENT AND PLAN"),
        ("plan", "Plan"),
    ]


def test_offsets_are_those_of_head_and_section():
    text = "Cough.\n\n2. Family History: none\nPlan:\nrest"
    assert find_sections(text) == [
        TextSection("body", 0, 8, 0, 0),
        TextSection("family_history", 8, 32, 11, 25),
        TextSection("plan", 32, 42, 32, 36),
    ]


def test_sections_cover_a_text_from_start_to_end():
    for text in (NOTE, f"  {NOTE}", f"Title\n{NOTE}", "nothing here"):
        sections = find_sections(text)
        borders = [s.start_char for s in sections] + [len(text)]
        assert [s.end_char for s in sections] == borders[1:]
        assert borders[0] == 0


@pytest.mark.parametrize("text", ["A cough for two days.", "x", "cough: dry", "a\n\nb\n"])
def test_a_text_without_heads_is_one_body(text):
    assert find_sections(text) == [TextSection("body", 0, len(text), 0, 0)]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t"])
def test_a_text_without_words_has_no_section(text):
    assert find_sections(text) == []


ABSTRACT = (
    "Statins and muscle. BACKGROUND: Statins may hurt. PATIENTS AND METHODS: We asked 20 men. "
    "MAIN RESULTS: Two were ill. CONCLUSIONS: Rare."
)


def test_an_abstract_on_one_line_has_sections():
    assert [label for label, _ in found(ABSTRACT)] == [
        "body",
        "background",
        "methods",
        "results",
        "conclusions",
    ]


def test_breaks_of_lines_change_no_head_with_a_colon():
    expected = [s.label for s in find_sections(ABSTRACT)]
    for size in range(1, 9):
        count = iter(range(1000))
        wrapped = re.sub(" ", lambda _, n=size, c=count: " " if next(c) % n else "\n", ABSTRACT)
        assert [s.label for s in find_sections(wrapped)] == expected
        assert [s.start_char for s in find_sections(wrapped)] == [
            s.start_char for s in find_sections(ABSTRACT)
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PMH: gout. FH: asthma in father.", ["past_medical_history", "family_history"]),
        ("**Assessment & Plan:** rest", ["assessment_and_plan"]),
        ("A/P: rest", ["assessment_and_plan"]),
        ("## Hospital Course\nDay 1.", ["hospital_course"]),
        ("III. RESULTS\nTwo died.", ["results"]),
        ("2.1 Study design\nTwo arms.", ["methods"]),
        ("Past Medical Hx:\r\ngout\r\nPlan:\r\nrest", ["past_medical_history", "plan"]),
        ("Fever and cough Family History: asthma", ["body", "family_history"]),
        ("SOCIAL\nHISTORY: smokes", ["social_history"]),
        ("One.\n\nHOUSING SITUATION\n\nlives alone", ["body", "housing_situation"]),
        ("gout.\nCARE TEAM:\nDr. X", ["body", "care_team"]),
    ],
)
def test_heads_are_found_as_they_are_written(text, expected):
    assert [label for label, _ in found(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "We discussed the plan: rest and fluids.",
        "There were two\nresults\nof note.",
        "PMH of note.",
        "Problems with sleep\n\nCOPD\n\nand more",
        "MODIFIED-RESULTS: x",
        "He was seen for follow\nup in the clinic.",
        "his family\n\nhistory: unknown",
        "A LONG LINE IN CAPITALS THAT NAMES NO SECTION\n\nx",
        "Final remark.\n\nCARE TEAM",
    ],
)
def test_what_only_looks_like_a_head_is_none(text):
    labels = [label for label, _ in found(text)]
    assert [label for label in labels if label not in ("body", "x")] == []


def test_in_a_text_in_capitals_a_line_is_a_head_where_it_stands_apart():
    text = "HE WAS ILL AND\nPLAN\nWAS MADE.\nPLAN\nREST.\n\nHOUSING SITUATION\n\nNONE."
    assert found(text) == [("body", ""), ("plan", "PLAN")]
    assert find_sections(text)[1].head_start == 30


def test_a_table_of_ones_own():
    table = SectionTable({"befund": "findings"})
    assert found("Befund: normal. Plan: rest", table=table) == [("findings", "Befund")]


def test_the_section_of_an_offset():
    sections = find_sections(NOTE)
    assert section_at(sections, NOTE.index("diabetes")).label == "family_history"
    assert section_at(sections, 0).label == "chief_complaint"
    assert section_at(sections, len(NOTE)) is None
    assert section_at([], 0) is None
