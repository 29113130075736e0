import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.deidentification import (
    combine,
    deidentify,
    deidentify_text,
    find_identifiers,
    keep_years,
    unite,
)
from spacy_bioner.transforms.identifiers.rules import Identifier

TEXT = "Mr. Smith, 92 years old, had asthma on 3/5/2021."


def mention(text, surface, label="X", **settings):
    start = text.index(surface)
    return Mention(start, start + len(surface), label, surface, **settings)


def finder(text, *surfaces, label="NAME"):
    """Make a function that finds given words."""
    starts = [(text.index(surface), len(surface)) for surface in surfaces]
    return lambda _: [Identifier(start, start + size, label, "test") for start, size in starts]


def shown(result):
    return [(m.text, result.record.text[m.start_char : m.end_char]) for m in result.record.mentions]


def counts(result):
    return (result.same, result.moved, result.changed, len(result.dropped))


def test_labels_take_the_place_of_identifiers():
    assert deidentify(Record("1", TEXT)).record.text == (
        "Mr. [NAME], [AGE] years old, had asthma on [DATE]."
    )


def test_masks_are_as_long_as_what_they_hide_and_keep_white_space():
    result = deidentify(Record("1", "Ms. Anna Smith, asthma"), replace_by="mask")
    assert result.record.text == "Ms. **** *****, asthma"


def test_an_unknown_surrogate_is_refused():
    with pytest.raises(ConfigError, match="found surrogate 'hash', expected one of label, mask"):
        deidentify(Record("1", ""), replace_by="hash")


def test_a_second_run_changes_nothing():
    once = deidentify(Record("1", TEXT)).record
    again = deidentify(once)
    assert again.record == once
    assert (again.replaced, again.placeholders) == ((), 3)


def test_mentions_follow_the_text():
    text = "Asthma in Mr. Smith with fever"
    gold = (mention(text, "Asthma"), mention(text, "fever"))
    result = deidentify(Record("1", text, gold))
    assert shown(result) == [("Asthma", "Asthma"), ("fever", "fever")]
    assert counts(result) == (1, 1, 0, 0)


def test_a_mask_moves_no_mention():
    result = deidentify(Record("1", TEXT, (mention(TEXT, "asthma"),)), replace_by="mask")
    assert result.record.mentions == (mention(TEXT, "asthma"),)
    assert counts(result) == (1, 0, 0, 0)


@pytest.mark.parametrize("surface", ["3/5/2021", "2021"])
def test_a_mention_within_an_identifier_is_dropped(surface):
    gold = mention(TEXT, surface, "Date")
    result = deidentify(Record("1", TEXT, (gold,)))
    assert result.dropped == (gold,)
    assert result.record.mentions == ()
    assert counts(result) == (0, 0, 0, 1)


def test_an_identifier_within_a_mention_is_replaced_and_the_mention_goes_on_around_it():
    result = deidentify(Record("1", TEXT, (mention(TEXT, "92 years old", "Age"),)))
    assert shown(result) == [("[AGE] years old", "[AGE] years old")]
    assert counts(result) == (0, 0, 1, 0)


def test_a_mention_wins_where_both_reach_beyond_each_other():
    text = "seen James Parkinson disease twice"
    gold = mention(text, "Parkinson disease")
    result = deidentify(Record("1", text, (gold,)), finder(text, "James Parkinson"))
    assert result.record.text == "seen [NAME] Parkinson disease twice"
    assert shown(result) == [("Parkinson disease", "Parkinson disease")]
    assert [(i.start, i.end) for i in result.left] == [(11, 20)]
    assert [(i.start, i.end) for i in result.replaced] == [(5, 10)]


def test_a_mention_that_only_a_cut_identifier_would_cover_stays():
    text = "seen James Parkinson disease twice"
    gold = (mention(text, "Parkinson disease"), mention(text, "Parkinson"), mention(text, "James"))
    result = deidentify(Record("1", text, gold), finder(text, "James Parkinson"))
    assert [m.text for m in result.record.mentions] == ["Parkinson disease", "Parkinson"]
    assert result.dropped == (gold[2],)
    assert counts(result) == (0, 2, 0, 1)


def test_a_part_of_a_discontinuous_mention_wins_and_what_lies_between_goes():
    text = "renal Smith failure"
    gold = Mention(0, 19, "X", "renal failure", fragments=((0, 5), (12, 19)))
    result = deidentify(Record("1", text, (gold,)), finder(text, "Smith failure"))
    assert result.record.text == "renal [NAME] failure"
    assert result.record.mentions == (
        Mention(0, 20, "X", "renal failure", fragments=((0, 5), (13, 20))),
    )
    assert [(i.start, i.end) for i in result.left] == [(12, 19)]


def test_every_mention_is_accounted_for_once():
    gold = tuple(mention(TEXT, s) for s in ("Smith", "92 years", "asthma", "5/2021", "Mr."))
    result = deidentify(Record("1", TEXT, gold))
    assert sum(counts(result)) == 5
    assert counts(result) == (1, 1, 1, 2)


def test_an_empty_mention_is_left_to_the_audit():
    gold = Mention(6, 6, "X")
    assert deidentify(Record("1", TEXT, (gold,))).dropped == ()


def test_a_claimed_text_does_not_keep_what_was_replaced():
    gold = Mention(0, 22, "X", "MR SMITH 92 YEARS OLD")
    text = "Mr Smith, 92 years old"
    result = deidentify(Record("1", text, (gold,)), finder(text, "Smith"))
    assert result.record.mentions[0].text == ""


def test_attributes_are_searched_as_well():
    gold = Mention(29, 35, "X", attributes=(("note", "told by Dr. Smith"),))
    result = deidentify(Record("1", TEXT, (gold,)))
    assert result.record.mentions[0].attributes == (("note", "told by Dr. [NAME]"),)


def test_a_section_is_not_called_by_a_name_that_was_replaced():
    text = "Dr. Smith: well\nPlan: rest"
    sections = (("dr. smith", 0, 16), ("plan", 16, 26))
    result = deidentify(Record("1", text, sections=sections))
    assert result.record.sections == (("section", 0, 17), ("plan", 17, 27))


def test_tokens_that_share_a_surrogate_become_one():
    text = "Dr. Anna Smith came"
    words = ((0, 3), (4, 8), (9, 14), (15, 19))
    result = deidentify(Record("1", text, words=words))
    assert [result.record.text[a:b] for a, b in result.record.words] == ["Dr.", "[NAME]", "came"]
    masked = deidentify(Record("1", text, words=words), replace_by="mask")
    assert masked.record.words == words


def test_years_of_dates_can_stay():
    find = keep_years(find_identifiers)
    text = "on March 5, 2021, on 3/5/2021, on 2021-03-05 10:15 and on March 5"
    assert deidentify_text(text, find) == (
        "on [DATE], 2021, on [DATE]/2021, on 2021-[DATE] and on [DATE]"
    )


def test_finders_are_combined_and_overlaps_united():
    text = "Mr. Anna Smith-Jones"
    find = combine(find_identifiers, finder("Mr. Anna Smith-Jones", "Smith-Jones", label="LAST"))
    assert [(i.start, i.end, i.label) for i in find(text)] == [(4, 20, "NAME")]


def test_years_alone_are_no_dates_whoever_finds_them():
    assert unite(finder("in 2021", "2021", label="DATE")(""), "in 2021") == []


def test_chains_of_overlaps_become_one():
    chain = [Identifier(6, 9, "C"), Identifier(0, 4, "A"), Identifier(3, 7, "B")]
    assert [(i.start, i.end, i.label) for i in unite(chain, "x" * 9)] == [(0, 9, "A")]
    apart = [Identifier(0, 4, "A"), Identifier(4, 6, "B")]
    assert unite(apart, "x" * 9) == apart
