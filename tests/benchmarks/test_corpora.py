"""The benchmarks of conversion: speed, memory, tokenizers."""

import sys
from importlib import import_module

import pytest

CONLL = "Renal\tB-D\nfailure\tI-D\n.\tO\n\nK+\tB-C\nloss\tO\n"
PUBTATOR = "1|t|IL6R|KO mice.\n1|a|\n1\t0\t4\tIL6R\tGene\t1\n1\t8\t12\tmice\tSpecies\t2\n\n"


def run(script, monkeypatch, capsys, *options):
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *map(str, options)])
    import_module(script).main()
    lines = capsys.readouterr().out.splitlines()[4:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_speed_reads_the_same_entities_with_both(monkeypatch, tmp_path, capsys):
    path = tmp_path / "toy.tsv"
    path.write_text(CONLL)
    rows = run("conll_speed", monkeypatch, capsys, "--file", path, "--repeats", 1)
    assert [row[1] for row in rows] == [
        "spacy convert",
        "spacy convert -n 10",
        "ours, the file's tokens",
        "ours, our tokens",
    ]
    # The sentences are documents of their own, but for ten in one.
    assert [row[2:5] for row in rows] == [
        ["2", "5", "2"],
        ["1", "5", "2"],
        ["2", "5", "2"],
        ["2", "6", "2"],
    ]


def test_memory_is_measured_for_each_number_of_copies(monkeypatch, tmp_path, capsys):
    path = tmp_path / "toy.pubtator"
    path.write_text(PUBTATOR)
    options = ("--file", path, "--factors", 2, 1, "--single")
    rows = run("conversion_memory", monkeypatch, capsys, *options)
    assert [row[:4] for row in rows] == [
        ["1", "folder", "1", "2"],
        ["2", "folder", "2", "4"],
        ["1", "one file", "1", "2"],
        ["2", "one file", "2", "4"],
    ]
    assert rows[0][-1] == rows[2][-1] == "1.00"


def test_tokenizers_are_compared_on_each_split(monkeypatch, tmp_path, capsys):
    folder = tmp_path / "corpora" / "bc5cdr"
    folder.mkdir(parents=True)
    (folder / "dev.pubtator.txt").write_text(PUBTATOR)
    options = ("--data", tmp_path, "--repeats", 1)
    rows = run("tokenizer_coverage", monkeypatch, capsys, *options)
    assert rows[0][:5] == ["bc5cdr dev", "2", "0", "100.00 %", "50.00 %"]
    assert rows[0][-1] == "100.00 %"


@pytest.mark.parametrize("script", ["conll_speed", "conversion_memory", "tokenizer_coverage"])
def test_an_absent_corpus_is_one_line(monkeypatch, tmp_path, capsys, script):
    with pytest.raises(SystemExit, match="2"):
        run(script, monkeypatch, capsys, "--data", tmp_path)
    assert "found no" in capsys.readouterr().err
