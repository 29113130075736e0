import pytest

from spacy_bioner.knowledge.coordination import find_coordinated


def found(marked):
    """Take an entity's brackets out of a text, and return the rule and the mentions' texts."""
    start, end = marked.index("["), marked.index("]") - 1
    text = marked.replace("[", "").replace("]", "")
    mentions = find_coordinated(text, start, end)
    rules = {mention.rule for mention in mentions}
    return "".join(rules), [
        " ".join(text[first:last] for first, last in mention.fragments) for mention in mentions
    ]


@pytest.mark.parametrize(
    ("marked", "rule", "mentions"),
    [
        ("[renal and hepatic dysfunction]", "head", ["renal dysfunction", "hepatic dysfunction"]),
        ("[renal and/or hepatic failure]", "head", ["renal failure", "hepatic failure"]),
        (
            "[breast, ovarian and lung cancers]",
            "head",
            ["breast cancers", "ovarian cancers", "lung cancers"],
        ),
        ("[gastric, and\nbowel disease]", "head", ["gastric disease", "bowel disease"]),
        (
            "[structural or functional loss of fibres]",
            "head",
            ["structural loss of fibres", "functional loss of fibres"],
        ),
        (
            "[cancer of the bladder or kidney]",
            "front",
            ["cancer of the bladder", "cancer of the kidney"],
        ),
        ("[loss of both sight and the ear]", "front", ["loss of sight", "loss of the ear"]),
        (
            "[ventricular tachycardia and fibrillation]",
            "front",
            ["ventricular tachycardia", "ventricular fibrillation"],
        ),
        ("[types 1 and 2 diabetes]", "designators", ["types 1 diabetes", "types 2 diabetes"]),
        (
            "[complexes I, II, and III]",
            "designators",
            ["complexes I", "complexes II", "complexes III"],
        ),
        ("[hepatitis B] and C viruses", "designators beside", ["hepatitis B", "hepatitis C"]),
        (
            "[complex I], II or IV, V",
            "designators beside",
            ["complex I", "complex II", "complex IV"],
        ),
        ("his left and [right arm]", "head beside", ["left arm", "right arm"]),
    ],
)
def test_mentions_that_share_words(marked, rule, mentions):
    assert found(marked) == (rule, mentions)


@pytest.mark.parametrize(
    "marked",
    [
        "[gout]",
        "[fever and rash]",
        "[head and neck cancer]",
        "[postoperative nausea and vomiting]",
        "[pain and visual disturbance]",
        "[renal failure and death of the child]",
        "[left ventricular systolic and diastolic dysfunction]",
        "[a (b) and c d]",
        "[and]",
        "[and renal failure]",
        "[renal and]",
        "[increases in dural and cortical blood flow]",
        "was initiated and [muscle spasm]",
        "renal and [hepatic failure]",
        "a left [right arm]",
        "[hepatitis B] and",
        "[hepatitis B], C",
        "[hepatitis B] and gout",
        "[exon 21] and a change",
        "[]",
        f"[{'renal, ' * 30}and hepatic failure]",
    ],
)
def test_what_names_one_thing_or_cannot_be_told_apart(marked):
    assert found(marked) == ("", [])


def test_fragments_that_touch_are_one():
    (first, second) = find_coordinated("acute and chronic  pain", 0, 23)
    assert first.fragments == ((0, 5), (19, 23))
    assert second.fragments == ((10, 23),)
