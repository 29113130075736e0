import json
import re
import sys

import pytest
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.inspect import inspect_cli
from spacy_bioner.apps.corpora.inspect import Source, inspect, parse_sources
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.errors import ConfigError, CorpusError, LabelError
from spacy_bioner.extras import install_command
from spacy_bioner.files.replacing import replacing

CONLL = "-DOCSTART- O\n\nLung\tB-Disease\ncancer\tI-Disease\nhere\tO\n\nAspirin\tB-Chemical\n.\tO\n"
PUBTATOR = "1|t|Aspirin.\n1|a|\n1\t0\t7\tAspirin\tChemical\tD1\n\n2|t|Nothing.\n2|a|\n"


@pytest.fixture
def corpora(tmp_path):
    train, test = tmp_path / "train.conll.tsv", tmp_path / "test.pubtator.txt"
    train.write_text(CONLL)
    test.write_text(PUBTATOR)
    return [Source("train", train), Source("test", test)]


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(inspect_cli)
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments])


def test_corpora_of_different_formats_are_inspected_together(corpora):
    found = inspect(corpora)
    assert [(c.name, c.mentions) for c in found.corpora] == [("train", 2), ("test", 1)]
    (overlap,) = found.overlaps
    assert overlap.of_label()[1].mention_share == 1.0
    assert found.skipped == {}


def test_a_docbin_gives_the_numbers_of_what_it_was_made_of(corpora, tmp_path):
    docbin = tmp_path / "test.spacy"
    write_records(read_records(corpora[1].path), docbin)
    found = inspect([corpora[1], Source("docbin", docbin)])
    assert found.corpora[1].labels == found.corpora[0].labels
    assert found.overlaps[0].of_label()[2].mention_share == 1.0


def test_labels_can_be_renamed(corpora):
    found = inspect(corpora, label_map={"Chemical": "Drug"})
    assert [label.label for label in found.corpora[1].labels] == ["Drug"]


def test_output_is_one_json_file_and_one_page(corpora, tmp_path):
    pytest.importorskip("matplotlib")
    found = inspect(corpora, output=tmp_path / "out" / "report")
    folder = tmp_path / "out" / "report"
    assert sorted(path.name for path in folder.iterdir()) == ["corpus.html", "corpus.json"]
    data = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(found.to_json()))
    assert [corpus["documents"] for corpus in data["corpora"]] == [1, 2]
    assert data["sources"][0] == {"name": "train", "path": str(corpora[0].path)}
    assert (folder / "corpus.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_output_appears_only_when_it_is_whole(corpora, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "corpus.json").write_text("old")

    class FullError(Exception):
        pass

    def replacing_in_vain(path):
        if path.name == "corpus.html":
            raise FullError
        return replacing(path)

    monkeypatch.setattr("spacy_bioner.apps.corpora.inspect.replacing", replacing_in_vain)
    with pytest.raises(FullError):
        inspect(corpora, output=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["corpus.json"]
    assert (tmp_path / "out" / "corpus.json").read_text() == "old"


def test_output_needs_matplotlib_and_says_so_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=re.escape(install_command("corpora"))):
        inspect([Source("none", tmp_path / "none.txt")], output=tmp_path / "out")


def test_output_must_not_be_a_file(corpora):
    pytest.importorskip("matplotlib")
    with pytest.raises(CorpusError, match="found a file, expected the name of a folder"):
        inspect(corpora, output=corpora[0].path)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        inspect([Source("none", tmp_path / "none.txt")])


def test_lenient_reading_counts_what_it_leaves_out(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text(CONLL + "\nbroken\tB-Disease-\nx\tWRONG\n")
    with pytest.raises(CorpusError):
        inspect([Source("train", path)])
    found = inspect([Source("train", path)], lenient=True)
    assert sum(found.skipped["train"]["skipped"].values()) >= 1


def test_sources_are_named_by_what_is_given_or_by_the_file(tmp_path):
    path = tmp_path / "a=b.txt"
    path.write_text("")
    texts = ["train=x/one.txt", "x/dev.pubtator.txt", str(path), "test=y=z"]
    names = [(source.name, str(source.path)) for source in parse_sources(texts)]
    assert names == [
        ("train", "x/one.txt"),
        ("dev", "x/dev.pubtator.txt"),
        ("a=b", str(path)),
        ("test", "y=z"),
    ]


def test_files_of_the_same_name_are_told_apart_by_their_folder():
    texts = ["ncbi/train.txt", "bc5cdr/train.txt", "bc5cdr/train.tsv", "test=x", "y/test.txt"]
    names = [source.name for source in parse_sources(texts)]
    assert names == ["ncbi/train", "bc5cdr/train", "bc5cdr/train (2)", "test", "y/test"]


def test_a_name_given_twice_is_an_error():
    with pytest.raises(ConfigError, match="found the name 'train' twice"):
        parse_sources(["train=a", "train=b"])


def test_command_prints_a_summary(corpora, run):
    result = run(f"train={corpora[0].path}", corpora[1].path)
    assert result.exit_code == 0, result.output
    assert "Seen in train" in result.stdout
    assert "corpus.html" not in result.stdout


def test_command_writes_where_it_says(corpora, run, tmp_path):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "out"
    result = run(corpora[0].path, "--output", folder, "--no-clouds")
    assert result.exit_code == 0, result.output
    assert f"wrote {folder / 'corpus.html'} and {folder / 'corpus.json'}" in result.stdout
    assert "not asked for" in (folder / "corpus.html").read_text(encoding="utf-8")


def test_all_of_bc5cdr_and_ncbi_disease_is_counted(data_dir):
    sources = [
        Source(f"{corpus} {split}", data_dir / "corpora" / corpus / f"{split}.pubtator.txt")
        for corpus in ("bc5cdr", "ncbi_disease")
        for split in ("train", "dev", "test")
    ]
    found = inspect(sources)
    assert sum(corpus.documents for corpus in found.corpora) == 2293


def test_case_reports_with_many_labels_are_counted(data_dir):
    pytest.importorskip("spacy_bioner.corpora.formats.standoff.brat")
    found = inspect([Source("maccrobat", data_dir / "corpora" / "maccrobat2020")])
    (corpus,) = found.corpora
    assert (corpus.documents, corpus.mentions, len(corpus.labels)) == (200, 25189, 41)
    assert corpus.nesting["discontinuous"] == 44


def test_names_of_the_label_map_that_no_corpus_has_are_an_error(corpora, run):
    # One corpus has it, the other not.
    assert inspect(corpora, label_map={"Disease": "D"}).corpora
    message = "no mention of the label Diseas, which --label-map renames.* did you mean Disease?"
    with pytest.raises(LabelError, match=message):
        inspect(corpora, label_map={"Disease": "D", "Diseas": "X"})
    result = run(corpora[0].path, "--label-map", "Gene=X")
    assert result.exit_code == 1
    assert "found no mention of the label Gene" in str(result.exception)


def test_an_output_that_cannot_be_written_is_an_error_before_anything_is_read(corpora):
    pytest.importorskip("matplotlib")
    with pytest.raises(CorpusError, match="found that nothing can be written there"):
        inspect([Source("none", corpora[0].path / "none")], output=corpora[0].path / "out")
