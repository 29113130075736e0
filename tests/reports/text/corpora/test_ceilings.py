from spacy_bioner.corpora.alignment_counts import AlignedMention
from spacy_bioner.corpora.conversion import AuditLog
from spacy_bioner.records import Mention, Record
from spacy_bioner.reports.text.corpora.ceilings import render_ceilings


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
