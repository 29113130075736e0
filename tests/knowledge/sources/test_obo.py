import pytest

from spacy_bioner.errors import TermTableError

TEXT = r"""format-version: 1.2
data-version: releases/2024-05-01
ontology: blues
property_value: http://purl.org/dc/terms/license http://creativecommons.org/licenses/by/4.0/

[Term]
id: BL:1
name: blue fever {source="x"} ! a comment
synonym: "fever, blue" EXACT [BL:a]
synonym: "the \"blues\"" RELATED []
synonym: "pale fever" NARROW OMO:0003000 []
synonym: no quotes
synonym: "blue fever" EXACT []

[Term]
id: BL:2
name: dark blue fever
namespace: dark
is_a: BL:1 {source="x"} ! blue fever

[Term]
name: nobody

[Term]
id: BL:3
name: obsolete fever
is_obsolete: true
! a line of comment
no tag here

[Typedef]
id: part_of
name: part of
"""


def test_names_and_synonyms_are_rows(read_source, skipped):
    source, rows = read_source(TEXT)
    assert rows == [
        ("BL:1", "blue fever", "blues", "label"),
        ("BL:1", "fever, blue", "blues", "exact"),
        ("BL:1", 'the "blues"', "blues", "related"),
        ("BL:1", "pale fever", "blues", "narrow"),
        ("BL:2", "dark blue fever", "dark", "label"),
    ]
    assert (source.kind.name, source.file.version) == ("obo", "releases/2024-05-01")
    assert source.file.licence == "http://creativecommons.org/licenses/by/4.0/"
    assert skipped(source) == {
        "malformed synonyms": (1, 15, "no quotes"),
        "terms without an id": (1, 24, "nobody"),
        "malformed lines": (1, 29, "no tag here"),
        "obsolete terms": (1, 31, "obsolete fever"),
    }


@pytest.mark.parametrize(
    ("parents", "circle"),
    [
        ({1: [1]}, "BL:1 → BL:1"),
        ({1: [2], 2: [3], 3: [1]}, "BL:1 → BL:2 → BL:3 → BL:1"),
        ({1: [2, 3], 2: [4], 3: [4], 4: [3]}, "BL:4 → BL:3 → BL:4"),
    ],
)
def test_a_circle_is_refused_with_its_terms(read_source, parents, circle):
    stanzas = [
        f"[Term]\nid: BL:{child}\nname: fever {child}\n"
        + "".join(f"is_a: BL:{parent}\n" for parent in of)
        for child, of in parents.items()
    ]
    with pytest.raises(TermTableError, match=rf"source\.txt:\d+: .*\(is_a: {circle}\)"):
        read_source("format-version: 1.2\n\n" + "\n".join(stanzas))


def test_terms_with_a_parent_in_common_are_no_circle(read_source):
    text = "".join(
        f"[Term]\nid: BL:{child}\nname: fever {child}\n"
        + "".join(f"is_a: BL:{parent}\n" for parent in of)
        for child, of in {1: [], 2: [1], 3: [1], 4: [2, 3]}.items()
    )
    assert [row[0] for row in read_source(text)[1]] == ["BL:1", "BL:2", "BL:3", "BL:4"]


def test_a_chain_of_many_parents_is_no_deep_recursion(read_source):
    text = "".join(f"[Term]\nid: BL:{n}\nname: fever {n}\nis_a: BL:{n + 1}\n" for n in range(5_000))
    assert len(read_source(text)[1]) == 5_000
