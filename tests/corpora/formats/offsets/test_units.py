"""Units of offsets: told by the text, translated, and named where they are in doubt."""

import json
from dataclasses import replace

import pytest

from spacy_bioner.corpora.formats.json_files.jsonl import read_jsonl
from spacy_bioner.corpora.formats.offsets import graphemes, units
from spacy_bioner.corpora.formats.offsets.graphemes import cluster_starts, simple_cluster_starts
from spacy_bioner.corpora.formats.offsets.hints import explain_offsets
from spacy_bioner.corpora.formats.offsets.units import (
    UNITS,
    OffsetTable,
    UnitSurvey,
    stands_right,
)
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import WARNING_KEY, ReadingNotes
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

AMBULANCE = "\U0001f691"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ACCENT = "De\u0301partement"
TEXTS = {
    "emoji": f"{AMBULANCE} Patient with asthma took salbutamol.",
    "family": f"{FAMILY} mother with asthma took salbutamol.",
    "skin tone": "\U0001f44d\U0001f3fd said: asthma, salbutamol",
    "flag": "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 asthma salbutamol",
    "accent": f"{ACCENT} asthma salbutamol",
    "greek": "\u03b2-blocker for asthma, salbutamol",
    "line ends": "No.\r\nHas asthma.\r\nTook salbutamol.",
    "hangul": "\u1112\u1161\u11ab asthma salbutamol",
    "keycap": "1\ufe0f\u20e3 asthma salbutamol",
    "NUL": "a\0b \U0001f691 asthma salbutamol",
}
WORDS = ("asthma", "salbutamol")


def count(text, unit):
    """Count units in plain words, apart from the code under test."""
    if unit == "utf-16":
        return len(text.encode("utf-16-le")) // 2
    if unit == "bytes":
        return len(text.encode())
    return len(text) if unit == "characters" else len(list(cluster_starts(text)))


def choose(records):
    survey = UnitSurvey()
    for record in records:
        survey.add(record)
    return survey.choose()


def in_unit(text, unit, *, claims=False):
    """Make a record of the words with offsets in a unit."""
    spans = []
    for word in WORDS:
        start = count(text[: text.index(word)], unit)
        spans.append(Mention(start, start + len(word), "X", word if claims else ""))
    return Record("1", text, tuple(spans))


def write(path, *records):
    rows = [
        {
            "id": r.id,
            "text": r.text,
            "entities": [[m.start_char, m.end_char, m.label] for m in r.mentions],
        }
        for r in records
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_offsets_of_a_unit_are_translated(text, unit):
    table = OffsetTable(text)
    for word in WORDS:
        start = text.index(word)
        assert table.translate(count(text[:start], unit), unit) == start
    assert table.translate(count(text, unit), unit) == len(text)


def test_offsets_within_a_character_or_beyond_the_text_are_none():
    table = OffsetTable(TEXTS["emoji"])
    assert table.translate(1, "utf-16") is None
    assert table.translate(3, "bytes") is None
    assert table.translate(500, "utf-16") is None
    assert table.translate(-1, "utf-16") is None


@pytest.mark.parametrize("claims", [False, True])
@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("emoji", "utf-16"),
        ("emoji", "bytes"),
        ("family", "utf-16"),
        ("family", "graphemes"),
        ("skin tone", "graphemes"),
        ("flag", "graphemes"),
        ("accent", "graphemes"),
        ("greek", "bytes"),
        ("line ends", "graphemes"),
        ("hangul", "graphemes"),
        *((name, "characters") for name in TEXTS),
    ],
)
def test_the_text_tells_the_unit(name, unit, claims):
    assert choose([in_unit(TEXTS[name], unit, claims=claims)]) == unit


def test_gold_that_cuts_words_stays_in_characters():
    text = f"{AMBULANCE} COX2 inhibitors in asthmatics"
    cut = Record("1", text, (Mention(2, 5, "G"), Mention(21, 27, "D")))
    assert choose([cut]) == "characters"
    many = [in_unit(TEXTS["emoji"], "characters")] * 5
    assert choose([*many, in_unit(TEXTS["emoji"], "utf-16")]) == "characters"


def test_one_mention_that_claims_its_text_is_enough():
    text = f"{AMBULANCE} COX2 and asthma"
    assert choose([Record("1", text, (Mention(3, 6, "G", "COX"),))]) == "utf-16"


def test_all_mentions_of_the_file_are_moved_and_a_warning_names_the_documents(tmp_path):
    plain = Record("plain", "asthma, salbutamol", (Mention(0, 6, "X"),))
    records = [
        replace(in_unit(TEXTS[name], "utf-16"), id=name) for name in ("emoji", "family", "NUL")
    ]
    write(tmp_path / "x.jsonl", plain, *records)
    found = list(read_jsonl(tmp_path / "x.jsonl"))
    assert [[m.text for m in r.mentions] for r in found] == [["asthma"], *[list(WORDS)] * 3]
    notes = ReadingNotes()
    for record in found:
        notes.add(record)
    (warning,) = notes.list_warnings()
    assert warning.startswith("offsets were taken as UTF-16 code units")
    assert warning.endswith("(documents emoji, family, NUL)")


def test_a_unit_that_is_in_doubt_is_named_and_nothing_moved(tmp_path):
    # Three fit as characters; of the fourth only UTF-16 makes words.
    sure = [in_unit(TEXTS["emoji"], "characters")] * 3
    write(tmp_path / "x.jsonl", *sure, replace(in_unit(TEXTS["emoji"], "utf-16"), id="odd"))
    *rest, odd = read_jsonl(tmp_path / "x.jsonl")
    assert [m.text for m in odd.mentions] == ["sthma ", "albutamol."]
    assert "would not if their offsets were UTF-16 code units" in odd.reading_notes[WARNING_KEY]
    assert not any(WARNING_KEY in record.reading_notes for record in rest)


@pytest.mark.parametrize("held", [0, 1 << 25], ids=["read twice", "held"])
def test_files_of_any_size_and_with_faults_are_read_the_same(tmp_path, monkeypatch, held):
    monkeypatch.setattr(units, "_HELD", held)
    path = tmp_path / "x.jsonl"
    write(path, in_unit(TEXTS["emoji"], "utf-16"), in_unit(TEXTS["NUL"], "utf-16"))
    assert [[m.text for m in record.mentions] for record in read_jsonl(path)] == [list(WORDS)] * 2
    path.write_text(path.read_text() + "\n{broken\n")
    with pytest.raises(CorpusError, match="found 'broken"):
        list(read_jsonl(path))
    problems = ReadErrors()
    found = list(read_jsonl(path, problems=problems))
    assert [[m.text for m in record.mentions] for record in found] == [list(WORDS)] * 2
    assert problems.skipped == {"document": 1}
    assert len(problems.messages) == 1


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_that_is_asked_for_is_taken(tmp_path, unit):
    write(tmp_path / "x.jsonl", in_unit(TEXTS["family"], unit))
    (record,) = read_jsonl(tmp_path / "x.jsonl", offsets=unit)
    assert [mention.text for mention in record.mentions] == list(WORDS)
    assert WARNING_KEY not in record.reading_notes


def test_offsets_that_the_unit_does_not_have_are_an_error_or_left_out(tmp_path):
    spans = (Mention(1, 5, "X"), Mention(17, 23, "X"))
    write(tmp_path / "x.jsonl", Record("d", TEXTS["emoji"], spans))
    with pytest.raises(
        CorpusError, match=r"1-5 of document d, expected offsets in UTF-16"
    ) as error:
        list(read_jsonl(tmp_path / "x.jsonl", offsets="utf-16"))
    assert error.value.line == 1
    problems = ReadErrors()
    (record,) = read_jsonl(tmp_path / "x.jsonl", offsets="utf-16", problems=problems)
    assert len(record.mentions) == 1
    assert problems.skipped == {"annotation": 1}
    with pytest.raises(
        CorpusError, match="found offsets 'words', expected one of characters, utf-16"
    ):
        list(read_jsonl(tmp_path / "x.jsonl", offsets="words"))


def test_pieces_of_discontinuous_mentions_move_as_well():
    text = f"{AMBULANCE} renal and hepatic failure"
    mention = Mention(3, 28, "D", "renal failure", fragments=((3, 8), (21, 28)))
    moved = OffsetTable(text).move(mention, "utf-16")
    assert moved.fragments == ((2, 7), (20, 27))
    assert explain_offsets(mention, Record("1", text)) == "in UTF-16 code units"


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        (Mention(16, 22, "D", "asthma"), "in UTF-16 code units"),
        (Mention(18, 24, "D", "asthma"), "in bytes of UTF-8"),
        (Mention(15, 21, "D", "asthma"), ""),
        (Mention(3, 9, "D", "asthma"), ""),
        (Mention(16, 22, "D"), ""),
    ],
)
def test_the_likely_unit_of_one_mention(mention, expected):
    assert explain_offsets(mention, Record("1", TEXTS["emoji"])) == expected


def test_what_stands_right():
    text = "pre-asthma (IL-2), e\u0301tude"
    assert stands_right(Mention(4, 10, ""), text)
    assert stands_right(Mention(12, 16, ""), text)
    assert stands_right(Mention(19, 25, ""), text)
    assert not stands_right(Mention(19, 20, ""), text), "an accent of its own was cut off"
    assert not stands_right(Mention(5, 10, ""), text)
    assert not stands_right(Mention(10, 16, ""), text), "begins with a blank"
    assert not stands_right(Mention(4, 400, ""), text)


CLUSTERS = [
    (f"a{FAMILY}b", ["a", FAMILY, "b"]),
    ("e\u0301\u0302x", ["e\u0301\u0302", "x"]),
    ("\r\n\n\r", ["\r\n", "\n", "\r"]),
    ("\U0001f1e9\U0001f1ea\U0001f1eb", ["\U0001f1e9\U0001f1ea", "\U0001f1eb"]),
    ("\U0001f44d\U0001f3fd!", ["\U0001f44d\U0001f3fd", "!"]),
    ("\u2764\ufe0f\u200d\U0001f525", ["\u2764\ufe0f\u200d\U0001f525"]),
    ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
    ("\u1112\u1161\u11ab\uac00\u11a8", ["\u1112\u1161\u11ab", "\uac00\u11a8"]),
    ("a\u200d\U0001f525", ["a\u200d", "\U0001f525"]),
    ("\n\u0301", ["\n", "\u0301"]),
    ("\u0e01\u0e34", ["\u0e01\u0e34"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "clusters"), CLUSTERS)
def test_clusters_with_and_without_the_library(monkeypatch, text, clusters):
    starts, at = [], 0
    for cluster in clusters:
        starts.append(at)
        at += len(cluster)
    assert list(simple_cluster_starts(text)) == starts
    monkeypatch.setattr(graphemes, "_library", [None])
    assert cluster_starts(text) == starts
    pytest.importorskip("regex")
    monkeypatch.setattr(graphemes, "_library", [])
    assert cluster_starts(text) == starts


@pytest.mark.parametrize("unit", UNITS[1:])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_offset_of_a_unit_is_a_character_or_within_one(text, unit):
    borders = [*(cluster_starts(text) if unit == "graphemes" else range(len(text))), len(text)]
    expected = {count(text[:border], unit): border for border in borders}
    table = OffsetTable(text)
    found = {offset: table.translate(offset, unit) for offset in range(count(text, unit) + 1)}
    assert {offset: place for offset, place in found.items() if place is not None} == expected


def test_texts_without_joining_characters_are_not_cut_up(monkeypatch):
    monkeypatch.setattr(graphemes, "_find_starts", lambda text: pytest.fail("was cut up"))
    for text in ("\u03b2-blocker \u00b5g \u2264 5\u00a0%", "\U0001f691 x", "\u6c34\u6c34", "a\nb"):
        assert cluster_starts(text) == list(range(len(text)))


def test_no_character_that_the_library_joins_is_taken_for_one_alone():
    cluster = pytest.importorskip("regex").compile(r"\X")
    alone = [chr(code) for code in range(0x80, 0x20000) if not 0xD800 <= code <= 0xDFFF]
    alone = [character for character in alone if not graphemes._may_join(character)]
    # Behind each other, and each between two letters.
    for text in ("".join(alone), "a".join(alone)):
        assert len(cluster.findall(text)) == len(text)


def test_what_is_no_word_in_another_unit_does_not_tell_it():
    text = "\x80\x80\x1b00"
    # In bytes, the control character between two others.
    assert not stands_right(Mention(2, 3, "X"), text)
    assert not stands_right(Mention(4, 5, "X"), text)
