import json

import pytest

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.corpora.audit import compare_tokenizers
from spacy_bioner.apps.progress import counted, showing_progress
from spacy_bioner.corpora.alignment_counts import AlignedMention
from spacy_bioner.corpora.conversion import AuditLog, audit_path
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.records import Mention, Record

PUBTATOR = (
    "1|t|IL6R|KO mice ate.\n"
    "1|a|\n"
    "1\t0\t4\tIL6R\tGene\t16194\n"
    "1\t8\t12\tmice\tSpecies\t10090\n"
    "1\t13\t16\tdrank\tAct\t-\n"
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(PUBTATOR)
    return path


def call(*arguments):
    with pytest.raises(SystemExit) as stopped:
        run([str(argument) for argument in arguments])
    assert not stopped.value.code


def test_tokenizers_are_compared_in_one_pass(source):
    logs = compare_tokenizers(read_records(source), ["bioner", "blank"])
    ours, blank = (logs[name].count() for name in ("bioner", "blank"))
    assert (ours.token_ceiling, blank.token_ceiling) == (1.0, 0.5)
    assert (ours.exact, blank.exact, blank.widened, blank.lost) == (2, 1, 1, 1)


def test_audit_lists_mentions_on_request_and_writes_a_report(source, tmp_path, capsys):
    report = tmp_path / "audit.json"
    call("audit", source, "--tokenizer", "blank", "--list", "lost,widened", "--report", report)
    shown = capsys.readouterr().out
    assert "1 0-4 Gene: widened: found 'IL6R', tokens 'IL6R|KO'" in shown
    assert "1 13-16 Act: lost (text at the offsets differs): found 'ate', expected 'drank'" in shown
    data = json.loads(report.read_text())
    assert (data["blank"]["widened"], data["blank"]["token_ceiling"]) == (1, 0.5)


def test_audit_says_what_a_lenient_reading_left_out(source, capsys):
    source.write_text(PUBTATOR + "1\tzero\t4\tIL6R\tGene\t1\n")
    call("audit", source, "--lenient", "--tokenizer", "bioner")
    shown = capsys.readouterr().out
    assert "skipped (--lenient): annotation 1" in shown
    assert "corpus.txt:6: found start offset 'zero'" in shown


def test_log_gives_its_rows_back_in_order_and_more_than_once():
    log = AuditLog()
    record = Record("1", "ab" * 4000)
    for number in range(3000):
        log.add(record, [AlignedMention(Mention(0, 1, "X", line=number), "widened", 0, 1)])
        log.add(record, [AlignedMention(Mention(0, 1, "X"), "exact", 0, 1)])
    for _ in range(2):
        assert [row.line for row in log.list_rows()] == list(range(3000))
    assert log.rows == 3000
    assert (log.count().widened, log.count().exact) == (3000, 3000)


def test_log_without_rows_is_valid_json(tmp_path):
    AuditLog().write({"a": 1}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1, "mentions": []}


def test_audits_stand_beside_docbins(tmp_path):
    assert audit_path(tmp_path / "train.spacy") == tmp_path / "train.audit.json"
    assert audit_path(tmp_path / "train") == tmp_path / "train" / "audit.json"


def test_progress_is_told_after_each_item():
    told = []
    assert list(counted("ab", told.append)) == ["a", "b"]
    assert told == [1, 2]


def test_progress_of_a_short_run_shows_nothing(capsys):
    with showing_progress("documents") as progress:
        progress(1)
    assert capsys.readouterr().err == ""


def test_progress_of_a_long_run_is_a_line_now_and_then(capsys, monkeypatch):
    times = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr("spacy_bioner.apps.progress.time.monotonic", lambda: next(times))
    with showing_progress("documents") as progress:
        for done in (10, 3100, 3200, 6200):
            progress(done)
    assert capsys.readouterr().err == "3,100 documents, 100/s\n6,200 documents, 100/s\n"


def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_read(source, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["audit", "nothing.txt", "--report", str(source / "x.json")])
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {source}/x.json: found that nothing can be written there (")


def test_outcomes_that_no_mention_has_are_said_to_be_none(source, capsys):
    call("audit", source, "--tokenizer", "blank", "--list", "nested,lost")
    shown = capsys.readouterr().out
    assert "Act: lost" in shown
    assert shown.endswith("none of the mentions is nested\n")
    call("audit", source, "--tokenizer", "bioner", "--list", "exact,duplicate,nested")
    assert capsys.readouterr().out.endswith(
        "bioner:\n"
        "none of the mentions is duplicate or nested\n"
        "mentions that are exact are counted, not listed\n"
    )
