import re
import sys
import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import ConfigError, TermTableError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.expansions import BUILT_IN, Expansion, load_expansions
from spacy_bioner.transforms.normalization import (
    DEFAULT_STEPS,
    STEPS,
    build_normalizer,
)

QUICK = settings(max_examples=200, derandomize=True, deadline=None)
# Characters that the steps look for, and some that they must leave alone.
ODD = (
    "aeN 1\n\t\r\x00\x0b\x0c\x1c\x85\u2028\xa0\u2009\u200b\ufeff\xad\u2010\u2014\u2212\u207b`´’“′″"
    "‴\u0301\u0308\u0323\u1100\u1161\u11a8ﬁ½é\u212b\uff9e\uff76x²/.-vsw"
)
TEXTS = st.one_of(st.text(alphabet=ODD, max_size=20), st.text(max_size=12))
ALL_BUT_ABBREVIATIONS = [name for name in STEPS if name != "abbreviations"]
BRACKET = re.compile(r"(\w+ \w+) \((\w+)\)")


def find_in_brackets(text):
    """Takes two words in front of a bracket for the long form of the one in it."""
    return [
        SimpleNamespace(
            short_start=match.start(2),
            short_end=match.end(2),
            long_start=match.start(1),
            long_end=match.end(1),
        )
        for match in BRACKET.finditer(text)
    ]


def run(text, *names, **options):
    return build_normalizer(names, **options)(text)[0]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("controls", "a\x00b\x1b\x7f\x90 c\td\ne\ufffd", "ab c\td\ne\ufffd"),
        ("controls", "a\r\nb\rc\x0cd\x85e\x1cf", "a\nb\nc\nd\ne f"),
        ("spaces", "5\u2009mg\xa0of\tit", "5 mg of it"),
        ("spaces", "\ufeffzero\u200bwidth\u2060", "zerowidth"),
        ("spaces", "a\r\nb\u2028c\nd", "a\nb\nc\nd"),
        ("unicode", "e\u0301 o\u0323\u0302 ﬁ", "é ộ ﬁ"),
        ("unicode", "\u212b", "\xc5"),
        ("dashes", "TNF‑α — 3−5 10⁻³ un\xadseen", "TNF-α - 3-5 10⁻³ unseen"),
        ("quotes", "‘a’ “b” «c» 5′-end 7″ `d´ ‴", "'a' \"b\" \"c\" 5'-end 7\" 'd' '''"),
        ("collapse", "a  b \n c\n \n\nd\u2003\u2003e ", "a b\nc\n\nd e "),
        ("expand", "A vs. B, A vs B (w/o C)", "A versus B, A versus B (without C)"),
        ("expand", "C/o pain w/ fever, s/p CABG", "Complains of pain with fever, status post CABG"),
    ],
)
def test_step_changes_what_it_names(name, old, new):
    assert run(old, name) == new


@pytest.mark.parametrize(
    "text",
    [
        "VS stable, 4 mVs, A/vs/B, vs.5, vsx",
        "5% w/w and w/v, w/o/w emulsion, w/contrast",
        "C/O and S/P ratios, W/O emulsion",
    ],
)
def test_expand_leaves_alone_what_may_mean_something_else(text):
    assert run(text, "expand") == text


def test_line_breaks_can_be_joined():
    assert run("a\r\nb\nc", "spaces", line_breaks="join") == "a b c"
    assert run("a \n\n b\nc", "collapse", line_breaks="join") == "a b c"


def test_nfkc_is_asked_for():
    assert run("ﬁ x² ½", "unicode") == "ﬁ x² ½"
    assert run("ﬁ x² ½", "unicode", form="NFKC") == "fi x2 1⁄2"


def test_unicode_edits_reach_no_further_than_a_cluster():
    _, offsets = build_normalizer(["unicode"])("ne\u0301e\u0301n")
    edits = offsets.maps[0].edits
    assert [(edit.start, edit.end, edit.new) for edit in edits] == [(1, 3, "é"), (3, 5, "é")]


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
@QUICK
@given(text=TEXTS)
def test_unicode_step_is_the_normal_form_of_the_whole_text(form, text):
    assert run(text, "unicode", form=form) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_no_character_joins_with_the_cluster_before_it(form):
    step = build_normalizer(["unicode"], form=form)
    second = set()
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second.add((chr(int(parts[0], 16)), chr(int(parts[1], 16))))
    text = "".join(f"{left}{right}." for left, right in sorted(second))
    text += "\u1100\u1161\u11a8 \uac00\u11a8"  # Hangul syllables are made by rule
    assert len(second) > 900
    assert step(text)[0] == unicodedata.normalize(form, text)


@pytest.mark.parametrize("name", ALL_BUT_ABBREVIATIONS)
@pytest.mark.parametrize("line_breaks", ["keep", "join"])
@QUICK
@given(text=TEXTS)
def test_step_leaves_alone_what_it_has_been_through(name, line_breaks, text):
    step = build_normalizer([name], line_breaks=line_breaks, form="NFKC")
    once = step(text)[0]
    assert step(once) == (once, step("")[1])


@QUICK
@given(text=TEXTS)
def test_all_steps_in_their_order_leave_nothing_to_do(text):
    normalizer = build_normalizer(ALL_BUT_ABBREVIATIONS)
    once = normalizer(text)[0]
    assert normalizer(once)[0] == once


@QUICK
@given(text=TEXTS, data=st.data())
def test_mentions_follow_and_none_disappears_unreported(text, data):
    places = st.integers(0, len(text))
    spans = [sorted((data.draw(places), data.draw(places))) for _ in range(3)]
    mentions = tuple(Mention(a, b, "A", text[a:b]) for a, b in spans)
    result = build_normalizer(ALL_BUT_ABBREVIATIONS).normalize(Record("1", text, mentions))
    record = result.record
    assert len(record.mentions) + len(result.lost) == 3
    assert set(result.lost) <= set(mentions)
    for mention in record.mentions:
        assert mention.text == record.text[mention.start_char : mention.end_char]
    assert result.offsets.to_new(0, len(text))[1] <= len(record.text)


def test_mentions_follow_through_several_steps():
    text = "The  TNF\u2011\u03b1 vs.  IL\u20116"
    mentions = (Mention(5, 10, "Gene", "TNF\u2011α"), Mention(16, 20, "Gene", "IL\u20116"))
    result = build_normalizer(["dashes", "expand", "collapse"]).normalize(
        Record("1", text, mentions)
    )
    assert result.record.text == "The TNF-α versus IL-6"
    assert result.record.mentions == (
        Mention(4, 9, "Gene", "TNF-α"),
        Mention(17, 21, "Gene", "IL-6"),
    )
    assert result.edits == {"dashes": 2, "expand": 1, "collapse": 2}
    assert result.offsets.to_old(17, 21) == (16, 20)
    assert result.offsets.to_new(16, 20) == (17, 21)


def test_a_mention_of_which_nothing_is_left_is_reported_as_it_was():
    record = Record("9", "a\x00 \u200b b", (Mention(3, 4, "X", "\u200b"), Mention(5, 6, "Y", "b")))
    result = build_normalizer().normalize(record)
    assert result.record == Record("9", "a b", (Mention(2, 3, "Y", "b"),))
    assert result.lost == (Mention(3, 4, "X", "\u200b"),)
    assert result.edits == {"collapse": 1, "controls": 1, "spaces": 1}


def test_a_text_that_needs_nothing_gives_the_same_record():
    record = Record("1", "Plain text.", (Mention(0, 5, "A", "Plain"),))
    result = build_normalizer().normalize(record)
    assert result.record is record
    assert (result.edits, result.lost) == ({}, ())


def abbreviations(text):
    return run(text, "abbreviations", find_definitions=find_in_brackets)


def test_abbreviations_write_out_later_short_forms_only():
    text = "TNF. Tumour necrosis (TNF) is x. TNF-a, (TNF), TNFR and TNFs."
    new = abbreviations(text)
    start = "TNF. Tumour necrosis (TNF) is x. "
    assert new == start + "Tumour necrosis-a, (Tumour necrosis), TNFR and TNFs."


def test_abbreviations_take_the_last_definition_before():
    text = "right atrium (RA): RA; rheumatoid arthritis (RA): RA"
    assert abbreviations(text) == (
        "right atrium (RA): right atrium; rheumatoid arthritis (RA): rheumatoid arthritis"
    )


def test_abbreviations_write_out_short_forms_in_long_forms():
    text = "multiple sclerosis (MS), MS patients (MSP): MSP"
    new = abbreviations(text)
    assert new == "multiple sclerosis (MS), MS patients (MSP): multiple sclerosis patients"
    assert abbreviations(new) == new


def test_abbreviations_that_define_each_other_come_to_an_end():
    assert abbreviations("B x (A), A y (B): A") == "B x (A), A y (B): A y x"


def test_mentions_follow_a_short_form_that_is_written_out():
    text = "Lesch syndrome (LS). LS gene."
    record = Record("1", text, (Mention(21, 23, "Disease", "LS"), Mention(21, 28, "Gene")))
    normalizer = build_normalizer(["abbreviations"], find_definitions=find_in_brackets)
    record = normalizer.normalize(record).record
    assert [record.text[m.start_char : m.end_char] for m in record.mentions] == [
        "Lesch syndrome",
        "Lesch syndrome gene",
    ]
    assert record.mentions[0].text == "Lesch syndrome"


def test_unknown_step_names_the_known_ones():
    with pytest.raises(ConfigError, match="found normalization step 'dash', expected one of contr"):
        build_normalizer(["dash"])


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="found Unicode form 'NFD', expected one of NFC, NFKC"):
        build_normalizer(form="NFD")
    with pytest.raises(ConfigError, match="found line breaks 'drop', expected one of keep, join"):
        build_normalizer(line_breaks="drop")
    with pytest.raises(ConfigError, match="pass find_definitions"):
        build_normalizer(["abbreviations"])


def write_table(tmp_path, text):
    path = tmp_path / "table.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table_of_ones_own_is_used(tmp_path):
    path = write_table(tmp_path, "\ufeff# notes\npt\tpatient\tinitial\n\nBP\tblood pressure\r\n")
    table = load_expansions(path)
    assert table == (Expansion("pt", "patient", "initial"), Expansion("BP", "blood pressure"))
    assert run("Pt had bp and BP. PT", "expand", expansions=table) == (
        "Patient had bp and blood pressure. PT"
    )
    assert run("pt vs BP", "expand", expansions=(*BUILT_IN, *table)) == (
        "patient versus blood pressure"
    )


def test_a_row_can_hold_in_any_case():
    table = (Expansion("hx", "history", case="any"),)
    assert run("hx, HX, Hx", "expand", expansions=table) == "history, history, History"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tb\nc\n", 2, "found 1 filled column"),
        ("a\t\n", 1, "found 1 filled column"),
        ("a\tb\texact\tword\tmore\n", 1, "found 5 filled column"),
        ("a\tb\tnever\n", 1, "found case 'never', expected one of exact, initial, any"),
        ("a\tb\texact\tline\n", 1, "found boundary 'line', expected one of word, space"),
        ("a\tb\nx\ty\na\tc\n", 3, "found 'a' again.*line 1"),
        ("x\ty\na\twith a\n", 2, "found 'a' in the long form 'with a'"),
        ("# nothing\n", 1, "found no row"),
        (b"a\tb\nc\t\xff\n", 2, "found byte 0xff, expected UTF-8"),
    ],
)
def test_a_malformed_table_is_named_with_its_line(tmp_path, text, line, message):
    path = write_table(tmp_path, text)
    with pytest.raises(TermTableError, match=message) as error:
        load_expansions(path)
    assert (error.value.path, error.value.line) == (str(path), line)


def test_a_missing_table_is_a_table_error(tmp_path):
    with pytest.raises(TermTableError, match="cannot be read"):
        load_expansions(tmp_path / "none.tsv")


def test_no_built_in_long_form_is_written_out_again(tmp_path):
    rows = "".join(f"{r.short}\t{r.long}\t{r.case}\t{r.boundary}\n" for r in BUILT_IN)
    assert load_expansions(write_table(tmp_path, rows)) == BUILT_IN


def test_an_empty_table_changes_nothing():
    assert run("A vs B", "expand", expansions=()) == "A vs B"


def check_gold_follows(records):
    """Check every mention. RETURNS (List[Counter[str]]): The edits of each record."""
    normalizer = build_normalizer(DEFAULT_STEPS, line_breaks="join")
    edits = []
    for record in records:
        result = normalizer.normalize(record)
        normal = result.record
        for old, new in zip(record.mentions, normal.mentions, strict=True):
            surface = record.text[old.start_char : old.end_char]
            assert normal.text[new.start_char : new.end_char] == normalizer(surface)[0]
            assert not old.text or new.text == normalizer(old.text)[0]
        assert result.lost == ()
        edits.append(result.edits)
    return edits


def test_gold_of_a_corpus_follows(data_dir):
    records = read_pubtator(data_dir / "corpora/bc5cdr/train.pubtator.txt")
    assert len(check_gold_follows(records)) == 500


def test_gold_of_a_corpus_made_odd_follows(data_dir):
    odd = str.maketrans({"-": "\u2011", "'": "’", ",": "\x00,", "i": "i\u200b", "e": "e\u0301"})
    mentions = 0
    records = []
    for record in read_pubtator(data_dir / "corpora/bc5cdr/train.pubtator.txt"):
        ends = [0]
        for char in record.text:
            ends.append(ends[-1] + len(char.translate(odd)))
        moved = tuple(
            Mention(ends[m.start_char], ends[m.end_char], m.label, m.text.translate(odd))
            for m in record.mentions
        )
        mentions += len(moved)
        records.append(Record(record.id, record.text.translate(odd), moved))
    edits = check_gold_follows(records)
    assert (len(list(filter(None, edits))), mentions) == (500, 9385)


def test_gold_of_case_reports_follows(data_dir):
    records = []
    for path in sorted((data_dir / "corpora/maccrobat2020").glob("*.txt")):
        rows = path.with_suffix(".ann").read_text(encoding="utf-8").splitlines()
        spans = [row.split("\t")[1].split() for row in rows if row[0] == "T" and ";" not in row]
        mentions = tuple(Mention(int(a), int(b), label) for label, a, b in spans)
        records.append(Record(path.stem, path.read_bytes().decode(), mentions))
    edits = check_gold_follows(records)
    assert len(edits) == 200
    assert sum(found["dashes"] for found in edits) > 0
