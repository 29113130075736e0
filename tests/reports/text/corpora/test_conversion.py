import re
from collections import Counter

from spacy_bioner.corpora.alignment_counts import AlignedMention
from spacy_bioner.corpora.conversion import AuditLog, Conversion
from spacy_bioner.records import Mention, Record
from spacy_bioner.reports.text.corpora.conversion import render_ceilings, render_conversion

RECORD = Record("1", "Acute renal failure. After K+/Na+ loss.")
MENTIONS = (
    AlignedMention(Mention(0, 19, "SpecificDisease", "Acute renal failure", line=3), "exact", 0, 3),
    AlignedMention(
        Mention(6, 19, "DiseaseClass", "renal failure", line=4),
        "nested",
        1,
        3,
        reason="overlaps SpecificDisease 0-19",
    ),
    AlignedMention(Mention(27, 29, "Chemical", "K+", line=5), "exact", 5, 6),
)


def make_conversion(mentions=MENTIONS):
    conversion = Conversion(
        "corpus.txt",
        "x.spacy",
        tokenizer="bioner",
        documents=2,
        entities=2,
        counters=Counter(relations_skipped=1),
        edits=Counter(dashes=3),
    )
    conversion.log.add(RECORD, mentions)
    conversion.count = conversion.log.count()
    return conversion


def test_a_conversion_has_a_table_and_what_deserves_a_look():
    text = render_conversion(make_conversion())
    assert "2 documents, 3 gold mentions, 2 entities" in text
    assert re.search(r"all +2 +0 +0 +1 +0 +0 +0 +3\n", text)
    assert "left out while reading: relations skipped 1" in text
    assert "edits: dashes 3" in text
    assert (
        "recall ceiling under strict matching: 66.67 % "
        "(tokenizer bioner 100.00 %, flat spans 66.67 %), strict F1 at most 80.00 %"
    ) in text


def test_the_outcomes_asked_for_are_listed():
    text = render_conversion(make_conversion(), outcomes=["nested"])
    assert text.splitlines()[-1] == (
        "corpus.txt:4: 1 6-19 DiseaseClass: nested (overlaps SpecificDisease 0-19): "
        "found 'renal failure'"
    )


def test_lost_mentions_are_listed_up_to_a_limit():
    reason = "text at the offsets differs"
    lost = [AlignedMention(Mention(i, i + 1, "A", "z"), "lost", reason=reason) for i in range(12)]
    conversion = make_conversion(lost)
    text = render_conversion(conversion)
    assert text.count("lost (text at the offsets differs)") == 10
    assert "… and 2 more like these; --list lost shows all of them" in text
    assert render_conversion(conversion, outcomes=["lost"]).count("lost (text") == 12


def make_log(*outcomes):
    log = AuditLog()
    mentions = [
        AlignedMention(Mention(0, 1, "X"), outcome, 0, 1, on_borders=outcome != "widened")
        for outcome in outcomes
    ]
    log.add(Record("1", "text"), mentions)
    return log


def test_ceilings_are_a_row_for_each_tokenizer():
    logs = {"bioner": make_log("exact", "exact"), "blank": make_log("widened", "exact")}
    text = render_ceilings(logs)
    rows = [line.split("  ") for line in text.splitlines()[2:]]
    assert [row[1] for row in rows] == ["bioner (this package's)", "blank (spaCy's English)"]
    assert ["50.00 %" in line for line in text.splitlines()[2:]] == [False, True]
