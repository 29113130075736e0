import re
import time

import pytest

from spacy_bioner.knowledge.context.cues import load_cue_table
from spacy_bioner.knowledge.context.findings import Finding, find_context
from spacy_bioner.knowledge.context.heads import load_section_table
from spacy_bioner.knowledge.context.sections import find_sections
from spacy_bioner.sentences import sentence_starts

MARKED = re.compile(r"\[([^\]]+)\]")


def read(marked):
    """Take the brackets of entities out of a text."""
    text, places = "", []
    for number, piece in enumerate(MARKED.split(marked)):
        places += [(len(text), len(text) + len(piece))] * (number % 2)
        text += piece
    return text, places


def find(text, places, terms=()):
    return find_context(
        text,
        places,
        sentence_starts=sentence_starts(text),
        sections=find_sections(text),
        cues=load_cue_table(),
        heads=load_section_table(),
        terms=terms,
    )


def values(marked):
    text, places = read(marked)
    found = find(text, places)
    return [sorted({finding.sets for finding in found.get(place, ())}) for place in places]


def test_a_finding_says_where_its_cue_and_scope_are():
    text, (place,) = read("Well. He denies any [chest pain], but coughs.")
    assert find(text, [place]) == {
        place: [Finding("negated", "denies", 9, 15, "forward", 16, 31, "negation before")]
    }


def test_a_finding_behind_its_entities():
    text, places = read("[Fever], [chills] and [rash] were denied.")
    expected = Finding("negated", "were denied", 23, 34, "backward", 0, 22, "negation behind")
    assert find(text, places) == {place: [expected] for place in places}


def test_a_section_says_it_after_the_cues():
    text, (place,) = read("Family History: mother had [gout]")
    assert find(text, [place])[place] == [
        Finding("family", "mother", 16, 22, "forward", 23, 31, "relative before", "mother"),
        Finding("family", "Family History", 0, 14, "section", 14, 31, "section family_history",
                "family"),
    ]  # fmt: skip


def test_breaks_of_lines_and_invisible_characters_change_nothing_but_offsets():
    marked = "She has no sign of [lung cancer]; [deep vein thrombosis] cannot be excluded."
    text, places = read(marked)
    expected = find(text, places)
    for blank in ("\n", " \n ", "\t", "\u00a0"):
        wide, wide_places = read(marked.replace(" ", blank))
        found = find(wide, wide_places)
        for place, other in zip(places, wide_places, strict=True):
            assert [(f.sets, f.rule, f.direction) for f in found[other]] == [
                (f.sets, f.rule, f.direction) for f in expected[place]
            ]
            (finding,) = found[other]
            assert wide[finding.cue_start : finding.cue_end] == expected[place][0].cue.replace(
                " ", blank
            )
    hidden, (place,) = read("He de\u00adnies [fever].")
    assert find(hidden, [place])[place][0].cue_end == 10


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        # Scopes end at the sentence, at words that end them, and at the next cue of their kind.
        ("No [a]. [B] is there.", [["negated"], []]),
        ("No [a], however [b].", [["negated"], []]),
        ("Possible [a] in the x y z u v w and t [b].", [["uncertain"], []]),
        ("Not [a] b c [d].", [["negated"], []]),
        # A list is denied together, clauses are not.
        ("[a], [b], and [c] were denied.", [["negated"]] * 3),
        ("[a], and [b] were denied.", [[], ["negated"]]),
        ("[a] with one or two more [b] were denied.", [[], ["negated"]]),
        ("[a] was here and lasted [b] was excluded.", [[], ["negated"]]),
        # A year is that of the nearest alone.
        ("[a] and [b] in 1999.", [[], ["historical"]]),
        # Neither pseudo cues nor cues in entities.
        ("No change in [a].", [[]]),
        ("[no-flow] and [a]", [[], []]),
        ("He could [no longer walk] because of [a].", [[], []]),
    ],
)
def test_scopes(marked, expected):
    assert values(marked) == expected


def test_terms_have_no_cues_either():
    text, (place,) = read("The without borders disease and [a].")
    assert find(text, [place])[place][0].sets == "negated"
    assert find(text, [place], terms=[(4, 27)]) == {}


def test_without_entities_there_is_nothing_to_find():
    assert find("No fever.", []) == {}
    assert find("", []) == {}


@pytest.mark.parametrize(
    "unit", ["no a ", "a was denied, ", "a, ", "no ", "a vs ", "a in 1999 and ", "a and a, "]
)
def test_time_grows_with_the_text(unit):
    def seconds(size):
        text = unit * size
        places = [found.span() for found in re.finditer(r"\ba\b", text)]
        taken = []
        for _ in range(3):
            began = time.thread_time()
            find_context(
                text,
                places,
                sentence_starts=[0],
                sections=[],
                cues=load_cue_table(),
                heads=load_section_table(),
            )
            taken.append(time.thread_time() - began)
        return min(taken)

    seconds(10)
    assert seconds(6000) < max(16 * seconds(1000), 0.05)
