from spacy_bioner.knowledge.context.cues import CueTable, parse_cues
from spacy_bioner.knowledge.context.matching import match_cues, read_sentence

GROUPS = [
    {
        "sets": ["negated"],
        "direction": "forward",
        "cues": ["no", "no sign of", "negative", "denied"],
    },
    {"sets": ["negated"], "direction": "backward", "cues": ["denied <end>", "was negative"]},
    {"sets": ["negated"], "direction": "pseudo", "cues": ["no change"]},
    {"sets": ["historical"], "direction": "backward", "cues": ["<number> years ago", "in <year>"]},
    {"sets": ["hypothetical"], "direction": "forward", "cues": ["<start> should"]},
]
TABLE = parse_cues(GROUPS, place="x", base=CueTable({}, (), {}))


def found(text, *entities, terms=()):
    places = [(text.index(entity), text.index(entity) + len(entity)) for entity in entities]
    others = [(text.index(term), text.index(term) + len(term)) for term in terms]
    sentence = read_sentence(text, 0, len(text), places, others)
    return {
        value: [(" ".join(m.cue.words), m.start, m.end) for m in matches]
        for value, matches in match_cues(text, sentence, TABLE).items()
    }


def test_words_of_entities_are_counted():
    sentence = read_sentence("no a-b, c.", 0, 9, [(3, 6), (8, 9)])
    assert sentence.words == ["no", "a", "-", "b", ",", "c"]
    assert sentence.entities == [(1, 4), (5, 6)]
    assert sentence.covered == [0, 0, 1, 2, 3, 3, 4]
    assert sentence.n_words == [0, 1, 2, 2, 3, 3, 4]


def test_the_longest_cue_from_the_left_counts():
    assert found("no sign of x, no change") == {
        "negated": [("no sign of", 0, 3), ("no change", 5, 7)]
    }


def test_of_cues_with_the_same_words_the_one_that_asks_for_an_end_counts():
    assert found("x denied, y") == {"negated": [("denied <end>", 1, 2)]}
    assert found("x denied") == {"negated": [("denied <end>", 1, 2)]}
    assert found("denied x") == {"negated": [("denied", 0, 1)]}


def test_numbers_and_years_stand_for_any():
    assert found("five years ago, 12 years ago, in 1987 or in 2387") == {
        "historical": [
            ("<number> years ago", 0, 3),
            ("<number> years ago", 4, 7),
            ("in <year>", 8, 10),
        ]
    }


def test_the_start_of_a_sentence():
    assert found("Should x, should y") == {"hypothetical": [("<start> should", 0, 1)]}


def test_a_cue_within_an_entity_or_a_term_is_none():
    assert found("no sign of x", "sign of x") == {"negated": [("no", 0, 1)]}
    assert found("no entry syndrome", "no entry syndrome") == {}
    assert found("no entry syndrome", terms=["no entry syndrome"]) == {}


def test_a_cue_in_a_compound_is_none():
    assert found("no-reflow") == {}
    assert found("triple-negative x") == {}
    assert found("HIV-negative x", "HIV") == {"negated": [("negative", 2, 3)]}
    assert found("- negative x") == {"negated": [("negative", 1, 2)]}


def test_nitric_oxide_is_no_cue():
    assert found("NO inhibits x") == {}
    assert found("NO SIGN OF X") == {"negated": [("no sign of", 0, 3)]}
    assert found("x: NO") == {"negated": [("no", 2, 3)]}


def test_a_sentence_without_words():
    assert found("") == {}
    assert found(" \n") == {}
