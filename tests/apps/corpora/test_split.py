import json
from collections import Counter

import pytest
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.split import split_cli
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.apps.corpora.split import parse_ratios, split
from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import ConfigError, CorpusError

DOCUMENT = "{n}|t|Aspirin and pain.\n{n}|a|\n{n}\t0\t7\tAspirin\tChemical\tD1\n"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in" / "corpus.pubtator.txt"
    path.parent.mkdir()
    path.write_text("\n".join(DOCUMENT.format(n=n) for n in range(20)))
    return path


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(split_cli)
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments])


def ids(path):
    return [record.id for record in read_records(path)]


def test_parts_are_written_in_the_format_that_was_read(source, tmp_path):
    splits = split(source, tmp_path / "out")
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["dev.pubtator", "split.json", "test.pubtator", "train.pubtator"]
    by_name = {part.name: part.ids for part in splits.parts}
    for name, expected in by_name.items():
        assert sorted(ids(tmp_path / "out" / f"{name}.pubtator")) == list(expected)
    assert [len(part) for part in by_name.values()] == [16, 2, 2]


def test_nothing_is_lost_or_changed(source, tmp_path):
    split(source, tmp_path / "out", ratios=(1, 1))
    written = [
        r for n in ("train", "test") for r in read_records(tmp_path / "out" / f"{n}.pubtator")
    ]
    written.sort(key=lambda record: int(record.id))
    assert [reduce_record(record, FEATURES) for record in written] == [
        reduce_record(record, FEATURES) for record in read_records(source)
    ]


def test_json_names_the_documents_of_each_part(source, tmp_path):
    split(source, tmp_path / "out", seed=3, stratify=True)
    data = json.loads((tmp_path / "out" / "split.json").read_text())
    assert (data["seed"], data["stratified"], data["format"]) == (3, True, "pubtator")
    assert data["source"] == str(source)
    assert data["parts"]["dev"]["ids"] == sorted(ids(tmp_path / "out" / "dev.pubtator"))
    assert data["parts"]["dev"]["labels"] == {"Chemical": 2}


def test_each_fold_has_a_folder_with_train_and_test(source, tmp_path):
    splits = split(source, tmp_path / "out", folds=5)
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert folders == ["fold-1", "fold-2", "fold-3", "fold-4", "fold-5", "split.json"]
    for part in splits.parts:
        train, test = (tmp_path / "out" / part.name / f"{n}.pubtator" for n in ("train", "test"))
        assert (len(ids(train)), sorted(ids(test))) == (16, list(part.ids))
        assert set(ids(train)).isdisjoint(ids(test))


@pytest.mark.parametrize("name", ["spacy", "jsonl", "conll"])
def test_parts_can_be_written_in_another_format(source, tmp_path, name):
    split(source, tmp_path / "out", ratios=(1, 1), to_format=name)
    written = [path for path in (tmp_path / "out").iterdir() if path.name != "split.json"]
    assert {path.suffix for path in written} == {f".{name}"}
    assert sum(len(ids(path)) for path in written) == 20


def test_a_format_without_an_ending_gets_one(source, tmp_path):
    split(source, tmp_path / "out", ratios=(1, 1), to_format="doccano")
    assert (tmp_path / "out" / "train.jsonl").is_file()


def test_a_folder_that_is_not_empty_is_left_alone(source, tmp_path):
    with pytest.raises(CorpusError, match="found a folder that is not empty"):
        split(source, source.parent)
    with pytest.raises(CorpusError, match="found a file, expected a new folder"):
        split(source, source)
    (tmp_path / "empty").mkdir()
    split(source, tmp_path / "empty")
    assert (tmp_path / "empty" / "split.json").is_file()


def test_a_failure_leaves_no_folder(source, tmp_path, monkeypatch):
    class FullError(Exception):
        pass

    def write_in_vain(records, path, format, losses):
        if "test" in path.name:
            raise FullError
        path.write_text("")

    monkeypatch.setattr("spacy_bioner.apps.corpora.split.write_records", write_in_vain)
    with pytest.raises(FullError):
        split(source, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_problems_are_noted_once(source, tmp_path):
    source.write_text(source.read_text() + "\n99|t|x\n99|a|\n99\tzero\t1\tx\tA\tD1\n")
    with pytest.raises(CorpusError, match="found start offset 'zero'"):
        split(source, tmp_path / "out")
    problems = ReadErrors()
    split(source, tmp_path / "out", problems=problems)
    assert sum(problems.skipped.values()) == 1


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_a_part_has_a_name_that_a_file_can_have(source, tmp_path, name):
    with pytest.raises(ConfigError, match="expected one that a file can have"):
        split(source, tmp_path / "out", ratios=(1, 1), names=["train", name])


def test_ratios_are_read():
    assert parse_ratios("80/10/10") == [80, 10, 10]
    with pytest.raises(ConfigError, match="found the ratio '80-20'"):
        parse_ratios("80-20")


@pytest.mark.parametrize(
    ("text", "ratios"),
    [
        ("80:10:10", [80, 10, 10]),
        ("80 / 20", [80, 20]),
        ("80%, 20%", [80, 20]),
        ("0.8,0.2", [0.8, 0.2]),
        ("8/1/1", [8, 1, 1]),
        ("2:1", [2, 1]),
        ("33/33/33", [33, 33, 33]),
        ("80 10 10", [80, 10, 10]),
        ("66.7;33.3", [66.7, 33.3]),
    ],
)
def test_ratios_have_several_spellings(text, ratios):
    assert parse_ratios(text) == ratios


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("80/30", "found the ratio '80/30', which adds up to 110, expected parts of 100"),
        ("80/10", "which adds up to 90"),
        ("0.8/0.1", "which adds up to 0.9"),
        ("1.5/1.5", "which adds up to 3"),
        ("100", "expected two positive numbers or more"),
        ("100/0", "expected two positive numbers or more"),
        ("120/-20", "expected two positive numbers or more"),
        ("nan/1", "expected two positive numbers or more"),
        ("inf/1", "expected two positive numbers or more"),
        ("0,8/0,2", "expected numbers like 80/10/10"),
        ("", "expected two positive numbers or more"),
        ("80/10/", "expected numbers like 80/10/10"),
    ],
)
def test_ratios_that_say_nothing_clear_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_ratios(text)


def test_a_format_that_can_only_be_read_needs_another(source, tmp_path):
    with pytest.raises(CorpusError, match="which can only be read, expected one of"):
        split(source, tmp_path / "out", to_format="presidio")


def test_command_prints_the_division(source, run, tmp_path):
    result = run(source, tmp_path / "out", "--ratio", "70/30", "--stratify", "--seed", 1)
    assert result.exit_code == 0, result.output
    assert "20 documents, stratified by label, grouped by id, seed 1" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["train", "14", "70.0%", "70.0%", "14", "14"] in lines
    assert ["Chemical", "20", "70.0%", "30.0%"] in lines
    assert f"wrote {tmp_path / 'out'}" in result.stdout


def test_command_says_what_the_format_cannot_carry(source, run, tmp_path):
    result = run(source, tmp_path / "out", "--to", "conll", "--names", "a,b,c")
    assert result.exit_code == 0, result.output
    assert "which have no place for it: concept ids 20" in result.stdout
    assert (tmp_path / "out" / "a.conll").is_file()


def test_command_makes_folds(source, run, tmp_path):
    result = run(source, tmp_path / "out", "--folds", 4)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "fold-4" / "test.pubtator").is_file()


def test_real_splits_have_every_document(data_dir, tmp_path):
    source = data_dir / "corpora" / "ncbi_disease" / "train.pubtator.txt"
    split(source, tmp_path / "out", stratify=True)
    written = [ids(tmp_path / "out" / f"{name}.pubtator") for name in ("train", "dev", "test")]
    assert [len(part) for part in written] == [475, 59, 59]
    assert sorted(i for part in written for i in part) == sorted(ids(source))


DIRTY = (
    "1|t|Acute  renal failure.\n1|a|\n"
    "1\t0\t20\tAcute  renal failure\tDisease\tD1\n1\t7\t12\trenal\tOrgan\tD2\n\n"
    "2|t|Zinc.\n2|a|\n2\t0\t4\tZinc\tChemical\tD3\n"
)


@pytest.mark.parametrize("settings", [{"ratios": (1, 1)}, {"folds": 2}])
@pytest.mark.parametrize("name", ["conll", "csv", "spacy", "jsonl", "doccano", "pubtator"])
def test_what_a_format_cannot_carry_is_counted_as_by_convert(tmp_path, name, settings):
    source = tmp_path / "in.pubtator"
    source.write_text(DIRTY)
    losses = Counter()
    split(source, tmp_path / "out", to_format=name, losses=losses, **settings)
    assert losses == convert(source, tmp_path / "x", to_format=name).losses
    if name == "conll":
        assert losses == {
            "concept ids": 3,
            "overlapping mentions": 1,
            "sections": 4,
            "white space of documents": 2,
        }


def test_mentions_that_do_not_fit_are_counted_where_tokens_are_written(tmp_path):
    source = tmp_path / "in.pubtator"
    source.write_text(DIRTY.replace("\tZinc\t", "\tIron\t"))
    losses = Counter()
    split(source, tmp_path / "out", ratios=(1, 1), to_format="conll", losses=losses)
    assert losses["mentions that do not fit the text"] == 1


def test_an_output_that_cannot_be_written_is_an_error_before_anything_is_read(source, tmp_path):
    with pytest.raises(CorpusError, match="found that nothing can be written there"):
        split(source, source / "out")


def test_real_losses_are_those_of_convert(data_dir, tmp_path):
    source = data_dir / "corpora" / "maccrobat2020"
    losses = Counter()
    split(source, tmp_path / "out", to_format="conll", losses=losses)
    assert losses == convert(source, tmp_path / "x.conll").losses
    assert (losses["overlapping mentions"], losses["sentence borders within mentions"]) == (475, 7)
