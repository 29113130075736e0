import pytest

from spacy_bioner.corpora.formats.offsets.hints import explain_offsets
from spacy_bioner.records import Mention, Record

TEXT = "β-blocker \U0001f400 and\r\nasthma in rats."
ASTHMA = TEXT.index("asthma")
SECTIONS = (("title", 0, 18), ("abstract", 17, len(TEXT)))


def record(text=TEXT, **settings):
    return Record("1", text, **settings)


@pytest.mark.parametrize(
    ("start", "hint"),
    [
        (ASTHMA, ""),
        (ASTHMA + 4, "in bytes of UTF-8"),
        (ASTHMA + 1, "in UTF-16 code units"),
        (0, ""),
        (500, ""),
        (-1, ""),
    ],
)
def test_units_are_named(start, hint):
    mention = Mention(start, start + 6, "D", "asthma")
    assert explain_offsets(mention, record()) == hint


@pytest.mark.parametrize(
    ("text", "start", "settings", "hint"),
    [
        ("Title. We saw asthma.", 7, {"sections": (("title", 0, 6), ("a", 7, 21))}, "passage 'a'"),
        ("One. We saw asthma.", 7, {"sentence_starts": (0, 5)}, "start of its sentence"),
        ("asthma", 1, {}, "from 1"),
        ("a\r\nb\r\nasthma", 4, {}, "with CR LF as one character"),
        ("a\nb\nasthma", 6, {}, "with line ends as CR LF"),
        ("asthma and asthma", 3, {}, ""),
    ],
)
def test_other_starts_are_named(text, start, settings, hint):
    mention = Mention(start, start + 6, "D", "asthma")
    assert hint in explain_offsets(mention, record(text, **settings))
    assert bool(hint) == bool(explain_offsets(mention, record(text, **settings)))


def test_fragments_are_moved_as_well():
    mention = Mention(10, 24, "D", "renal failure", fragments=((10, 15), (17, 24)))
    text = "éé and renal a failure"
    assert explain_offsets(mention, record(text)) == ""
    moved = Mention(9, 24, "D", "renal failure", fragments=((9, 14), (17, 24)))
    assert explain_offsets(moved, record(text)) == "in bytes of UTF-8"


@pytest.mark.parametrize("claim", ["", "asthma"])
def test_what_fits_or_claims_nothing_is_not_explained(claim):
    assert explain_offsets(Mention(ASTHMA, ASTHMA + 6, "D", claim), record()) == ""
    assert explain_offsets(Mention(3, 9, "D", ""), record()) == ""
