import json

import pytest
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.leaks import leaks_cli
from spacy_bioner.apps.corpora.inspect import Source
from spacy_bioner.apps.corpora.leaks import check_leaks, drop
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import ConfigError, CorpusError

pytest.importorskip("datasketch")
TEXTS = {
    "1": "Naloxone reverses the antihypertensive effect of clonidine.",
    "2": "Lidocaine was followed by cardiac asystole in one patient.",
    "3": "Suxamethonium infusion rate was seen to rise in children.",
}


def write_corpus(path, ids, texts=TEXTS):
    blocks = [f"{i}|t|{texts[i]}\n{i}|a|\n{i}\t0\t4\t{texts[i][:4]}\tX\tD1\n" for i in ids]
    path.write_text("\n".join(blocks))
    return path


@pytest.fixture
def corpora(tmp_path):
    train = write_corpus(tmp_path / "train.pubtator", ["1", "2", "3"])
    test = write_corpus(tmp_path / "test.pubtator", ["2"])
    return train, test


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(leaks_cli)
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments])


def test_command_shows_numbers_and_pairs(corpora, run):
    result = run(*corpora)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["train", "3", "test", "1", "1", "0", "1"] in lines
    assert ["train:", "2", "test:", "2", "id,", "text", "1.00"] in lines


def test_command_fails_when_it_is_asked_to(corpora, run, tmp_path):
    assert run(*corpora, "--fail").exit_code == 1
    assert run(*corpora, "--fail", "--drop-leaks", tmp_path / "x.pubtator").exit_code == 0
    clean = write_corpus(tmp_path / "clean.pubtator", ["1"])
    assert run(corpora[1], clean, "--fail").exit_code == 0


def test_leaks_between_the_others_are_not_dropped(corpora, run, tmp_path):
    other = write_corpus(tmp_path / "dev.pubtator", ["2"])
    target = tmp_path / "x.pubtator"
    assert run(*corpora, other, "--fail", "--drop-leaks", target).exit_code == 1
    assert [record.id for record in read_records(target)] == ["1", "3"]


def test_command_drops_leaks_and_says_how_many(corpora, run, tmp_path):
    target = tmp_path / "clean.jsonl"
    result = run(*corpora, "--drop-leaks", target, "--to", "pubtator")
    assert result.exit_code == 0, result.output
    expected = f"wrote {target} without 1 of 3 documents (1 of 3 mentions)"
    assert expected in result.stdout
    assert [record.id for record in read_records(target)] == ["1", "3"]


def test_a_name_that_tells_no_format_is_an_error_before_anything_is_read(run, tmp_path):
    result = run("none.txt", "nothing.txt", "--drop-leaks", tmp_path / "x.bin")
    assert isinstance(result.exception, CorpusError)
    assert "found no format and a name ending '.bin'" in str(result.exception)


def test_command_writes_a_report(corpora, run, tmp_path):
    report = tmp_path / "report.json"
    run(f"a={corpora[0]}", f"b={corpora[1]}", "--report", report, "--threshold", 0.7)
    data = json.loads(report.read_text())
    assert (data["documents"], data["threshold"]) == ({"a": 3, "b": 1}, 0.7)
    assert [(leak["left_id"], leak["kinds"]) for leak in data["leaks"]] == [("2", ["id", "text"])]


def test_running_numbers_are_no_leaks(run, tmp_path):
    train = write_corpus(tmp_path / "a.pubtator", ["1", "2"])
    test = write_corpus(tmp_path / "b.pubtator", ["1", "2"], {"1": TEXTS["3"], "2": "Else here."})
    result = run(train, test, "--fail")
    assert result.exit_code == 0
    assert "ids of a and b were not compared: most that are equal have another" in result.stdout


def test_long_lists_are_cut(tmp_path, run):
    paths = [write_corpus(tmp_path / f"{name}.pubtator", ["1", "2", "3"]) for name in "ab"]
    assert "and 2 more pairs, all of them in --report" in run(*paths, "--top", 1).stdout
    assert "similarity" not in run(*paths, "--top", 0).stdout


def test_dropping_everything_is_an_error(corpora, tmp_path):
    target = tmp_path / "x.pubtator"
    with pytest.raises(CorpusError, match="found nothing but leaking documents"):
        drop(Source("train", corpora[0]), target, {0, 1, 2})
    assert not target.exists()


def test_one_corpus_is_an_error(corpora):
    with pytest.raises(ConfigError, match="found one corpus, expected two"):
        check_leaks([Source("train", corpora[0])])


def test_known_leaks_are_dropped_from_a_real_corpus(data_dir, tmp_path, run):
    folder = data_dir / "corpora"
    train = folder / "biored" / "train.pubtator.txt"
    tests = [folder / name / "test.pubtator.txt" for name in ("bc5cdr", "ncbi_disease")]
    target = tmp_path / "clean.pubtator"
    result = run(train, *tests, "--drop-leaks", target)
    assert "without 54 of 400 documents (1,938 of 13,351 mentions)" in result.stdout
    seen = {record.id for test in tests for record in read_records(test)}
    kept = [record.id for record in read_records(target)]
    assert len(kept) == 346
    assert seen.isdisjoint(kept)


def test_command_says_what_the_written_format_cannot_carry(corpora, run, tmp_path):
    result = run(*corpora, "--drop-leaks", tmp_path / "clean.conll")
    assert "\nnot in it, which has no place for it: concept ids 2, sections 4" in result.stdout


@pytest.mark.parametrize("option", ["--report", "--drop-leaks"])
def test_outputs_that_cannot_be_written_are_errors_before_anything_is_read(corpora, run, option):
    result = run("none.txt", "nothing.txt", option, corpora[0] / "x.jsonl")
    assert "found that nothing can be written there" in str(result.exception)
