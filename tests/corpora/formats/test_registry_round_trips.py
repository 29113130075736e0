"""Every pair of formats: what one can hold comes through the other, the rest is named."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.formats.capabilities import (
    FEATURES,
    WORDS,
    find_losses,
    reduce_record,
)
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.registry import FORMATS, format_of_target
from spacy_bioner.corpora.read_write import Selection, read_records, write_records
from spacy_bioner.records import Mention, Record

WRITABLE = sorted(name for name, item in FORMATS.items() if item.writer)
BY_TOKENS = sorted(name for name in WRITABLE if FORMATS[name].takes_docs)
BY_OFFSETS = sorted(set(WRITABLE) - set(BY_TOKENS))
# What comes back from every format: no repeated mention, no line break, one id each.
TITLE, BODY = (
    "Acute renal failure after K+ loss.",
    "It was fatal in 3 of 4 \u03b1-treated rats \U0001f400.",
)
RICH = Record(
    "12345",
    f"{TITLE} {BODY}",
    (
        Mention(0, 19, "Disease", "Acute renal failure", ("D058186", "D051437")),
        Mention(6, 11, "Anatomy", "renal", attributes=(("Negation", "true"),)),
        Mention(0, 19, "Sign", "Acute failure", ("S1",), fragments=((0, 5), (12, 19))),
        Mention(26, 28, "Chemical", "K+", ("D011188",)),
        Mention(58, 67, "Chemical", "\u03b1-treated"),
    ),
    sections=(("title", 0, 34), ("abstract", 35, 35 + len(BODY))),
)
POOR = Record("12346", "Nothing here.", sections=(("title", 0, 13), ("abstract", 13, 13)))
WORDS_TEXT = "Acute renal failure after K+ loss . It was fatal ."
WORD_BORDERS = tuple(match.span() for match in re.finditer(r"\S+", WORDS_TEXT))
TOKENISED = (
    Record(
        "77",
        WORDS_TEXT,
        (Mention(0, 19, "Disease", "Acute renal failure"), Mention(26, 28, "Chemical", "K+")),
        words=WORD_BORDERS,
        sentence_starts=(0, 36),
    ),
    Record("78", "Nothing here", words=((0, 7), (8, 12)), sentence_starts=(0,)),
)


def strip(record):
    """Leave out line numbers and counters, which belong to a file."""
    return reduce_record(record, FEATURES)


def save(records, folder, name):
    path = folder / f"{name}_corpus{FORMATS[name].file_ending}"
    write_records(records, path, name)
    return path


def load(path, name):
    return [strip(record) for record in read_records(path, name)]


def told(records, name):
    """Leave out what the reader of a format makes out of the text."""
    kept = set(FEATURES) - FORMATS[name].derives
    return [reduce_record(record, kept) for record in records]


def carried(records, name):
    kept = FORMATS[name].carried - FORMATS[name].derives
    return [reduce_record(record, kept) for record in records]


@pytest.mark.parametrize("name", WRITABLE)
def test_a_format_of_files_has_an_ending_that_others_do_not_take(name):
    item = FORMATS[name]
    assert bool(item.file_ending) != item.is_folder
    for ending in item.endings:
        assert format_of_target(f"corpus{ending}") == item


def test_names_and_endings_of_formats_are_their_own():
    for values in (
        [word for item in FORMATS.values() for word in (item.name, *item.aliases)],
        [ending for item in FORMATS.values() for ending in item.endings],
        [ending for item in FORMATS.values() for ending in item.folder_endings],
    ):
        assert len(values) == len(set(values))
    assert all(item.part_of in ("", *FORMATS) for item in FORMATS.values())


@pytest.mark.parametrize("name", BY_OFFSETS)
def test_format_gives_back_what_it_carries(tmp_path, name):
    records = [RICH, POOR]
    path = save(records, tmp_path, name)
    assert told(load(path, name), name) == carried(records, name)


@pytest.mark.parametrize("name", BY_TOKENS)
def test_format_of_tokens_gives_tokenized_records_back(tmp_path, name):
    path = save(TOKENISED, tmp_path, name)
    assert load(path, name) == list(TOKENISED)


@pytest.mark.parametrize("name", WRITABLE)
def test_format_is_told_by_its_content(tmp_path, name):
    path = save(TOKENISED, tmp_path, name)
    assert detect_format(path) == name


@pytest.mark.parametrize("second", BY_OFFSETS)
@pytest.mark.parametrize("first", WRITABLE)
def test_a_pair_of_formats_keeps_what_both_carry(tmp_path, first, second):
    source = TOKENISED if first in BY_TOKENS else (RICH, POOR)
    records = load(save(source, tmp_path, first), first)
    (tmp_path / "second").mkdir()
    path = save(records, tmp_path / "second", second)
    assert told(load(path, second), second) == carried(records, second)


@pytest.mark.parametrize("second", BY_TOKENS)
@pytest.mark.parametrize("first", sorted(n for n in WRITABLE if WORDS in FORMATS[n].carried))
def test_a_pair_of_formats_keeps_tokens_that_both_carry(tmp_path, first, second):
    records = load(save(TOKENISED, tmp_path, first), first)
    (tmp_path / "second").mkdir()
    path = save(records, tmp_path / "second", second)
    assert load(path, second) == records == list(TOKENISED)


@pytest.mark.parametrize("name", WRITABLE)
def test_what_a_format_cannot_carry_is_named(tmp_path, name):
    source = tmp_path / "rich.jsonl"
    write_records([RICH, POOR], source, "jsonl")
    target = tmp_path / f"out{FORMATS[name].file_ending}"
    conversion = convert(source, target, to_format=name)
    expected: Counter[str] = Counter()
    for record in (RICH, POOR):
        expected.update(find_losses(record, FORMATS[name].carried))
    assert all(conversion.losses[feature] == number for feature, number in expected.items())
    assert conversion.count.total == len(RICH.mentions)
    same = load(target, name) == [strip(RICH), strip(POOR)]
    assert same == (not conversion.losses)


@pytest.mark.parametrize("name", [*sorted(set(BY_OFFSETS) - {"mimic", "i2b2"}), "spacy"])
@pytest.mark.parametrize("corpus", ["bc5cdr/train", "ncbi_disease/train", "biored/dev"])
def test_real_mentions_come_through(data_dir, tmp_path, corpus, name):
    source = data_dir / "corpora" / f"{corpus}.pubtator.txt"
    selection = Selection(first=60)
    before = [strip(record) for record in read_records(source, selection=selection)]
    target = tmp_path / f"out{FORMATS[name].file_ending}"
    convert(source, target, to_format=name, selection=selection)
    after = load(target, name)
    if FORMATS[name].is_folder:
        # Files have no order but that of their names.
        before.sort(key=lambda record: record.id)
    assert [(r.id, r.text) for r in after] == [(r.id, r.text) for r in before]
    assert [_facts(record) for record in after] == [_facts(record) for record in before]


@pytest.mark.parametrize("name", [n for n in WRITABLE if n != "mimic"])
def test_what_is_written_can_be_read_strictly(tmp_path, name):
    source = tmp_path / "rich.jsonl"
    write_records([RICH, POOR], source, "jsonl")
    target = tmp_path / f"out{FORMATS[name].file_ending}"
    convert(source, target, to_format=name)
    again = convert(target, tmp_path / "again.spacy", from_format=name)
    assert again.count.lost == 0


def _facts(record):
    return [(m.start_char, m.end_char, m.label) for m in record.mentions]


def test_repeated_mentions_and_line_breaks_are_named_where_they_are_lost():
    record = replace(RICH, text=RICH.text.replace(" It", "\nIt"), mentions=RICH.mentions[:1] * 2)
    assert find_losses(record, FORMATS["pubtator"].carried) == {"line breaks and tabs": 1}
    notes = replace(RICH, sections=(("plan", 0, 34),))
    assert FORMATS["pubtator"].find_losses(notes)["sections"] == 1
    assert FORMATS["pubtator"].find_losses(RICH)["sections"] == 0
    assert FORMATS["pubtator"].find_losses(POOR)["sections"] == 0
    assert find_losses(record, FORMATS["spacy"].carried) == {"repeated mentions": 1}


@pytest.mark.parametrize("name", ["conll", "csv"])
def test_a_sentence_border_within_a_mention_does_not_part_it(tmp_path, name):
    text = "Lives at 5 High St.\nLeeds. Ate."
    address = Mention(9, 25, "Address", text[9:25])
    record = Record("1", text, (address,), sentence_starts=(0, 20, 27))
    write_records([record], tmp_path / "in.jsonl", "jsonl")
    target = tmp_path / f"out{FORMATS[name].file_ending}"
    conversion = convert(tmp_path / "in.jsonl", target)
    assert conversion.losses["sentence borders within mentions"] == 1
    (read,) = read_records(target, name)
    assert [mention.text for mention in read.mentions] == ["5 High St . Leeds"]
    assert len(read.sentence_starts) == 2
