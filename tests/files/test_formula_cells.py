"""Cells that spreadsheets would compute: written as they are, and told of."""

import csv
import io
import logging
import subprocess
import sys

import pytest

from spacy_bioner.corpora.formats.mimic import read_mimic, write_mimic
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.files.formula_cells import CsvRows, is_formula
from spacy_bioner.records import Mention, Record
from spacy_bioner.reports.text.compare import render_comparison_csv
from spacy_bioner.training.results.experiments import ComparisonRow

ATTACK = "=HYPERLINK(evil)"


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "=x", "＝1+1", "＋1", "－2+3", "＠SUM", "\t=1", "\r=1",
     "\n=1", "-cell", "+/-", "=cmd|' /C calc'!A0", "-5%"],
)  # fmt: skip
def test_what_a_spreadsheet_computes_is_a_formula(cell: str) -> None:
    assert is_formula(cell)


@pytest.mark.parametrize(
    "cell", ["", "a=b", "-", "+", "=", "@", "-5", "+3.5e-2", "5-HT", "TNF-α", " ="]
)
def test_signs_numbers_and_names_are_none(cell: str) -> None:
    assert not is_formula(cell)


def test_the_first_cells_are_named_with_their_lines(caplog) -> None:
    stream = io.StringIO()
    rows = CsvRows(stream, ["Word", "Tag"])
    rows.write(["two\nlines", "O"])
    for number in range(1000):
        rows.write([f"={number}\x1b", "O"])
    rows.warn("x.csv")
    assert stream.getvalue().splitlines()[3] == "=0\x1b,O"
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(
        "warning: x.csv: 1,000 cells begin as formulas do (line 4, column Word: '=0\\x1b'; line 5,"
    )
    assert "; …)" in message
    assert "import the columns as text" in message


def test_nothing_is_said_of_other_cells(caplog) -> None:
    rows = CsvRows(io.StringIO(), ["Word"])
    rows.write(["IL-6"])
    rows.write([None])
    rows.warn("x.csv")
    assert not caplog.records


@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_words_come_back_as_they_were(name: str, tmp_path, caplog) -> None:
    text = "Take =A1 and @b"
    record = Record(
        "=1+1",
        text,
        mentions=(Mention(5, 8, "Drug", text="=A1"),),
        words=((0, 4), (5, 8), (9, 12), (13, 15)),
    )
    path = tmp_path / name
    write_records([record], path, "csv")
    (back,) = read_records(path)
    assert (back.id, back.text) == ("=1+1", text)
    assert [(m.start_char, m.end_char, m.label) for m in back.mentions] == [(5, 8, "Drug")]
    (message,) = [item.getMessage() for item in caplog.records if item.levelno == logging.WARNING]
    assert f"{path}: 6 cells begin as formulas do (line 2, column Document: '=1+1'" in message


def test_notes_come_back_as_they_were(tmp_path, caplog) -> None:
    path = tmp_path / "notes.csv"
    write_mimic([Record("1", f"{ATTACK}\nA note.")], path)
    (back,) = read_mimic(path)
    assert back.text == f"{ATTACK}\nA note."
    assert "1 cell begins as formulas do (line 2, column TEXT: '=HYPERLINK(evil)\\nA note.')" in (
        caplog.text
    )


def test_a_comparison_of_encoders_warns_too(caplog) -> None:
    text = render_comparison_csv([ComparisonRow("a", "@folder/x", reason=ATTACK)])
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["source"], row["reason"]) == ("@folder/x", ATTACK)
    assert "comparison.csv: 2 cells begin as formulas do" in caplog.text


def test_the_command_line_says_so(tmp_path) -> None:
    source = tmp_path / "x.jsonl"
    source.write_text('{"text": "=A1 helps", "spans": [{"start": 4, "end": 9, "label": "L"}]}\n')
    words = ["deidentify", source, tmp_path / "x.csv", "--to", "mimic"]
    command = [sys.executable, "-m", "spacy_bioner.apps.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "x.csv: 1 cell begins as formulas do (line 2, column TEXT: '=A1 helps')" in done.stderr
