import sys
from importlib import import_module

import pytest

DOCUMENT = """\
1|t|Naloxone reverses hypertension.
1|a|It does.
1\t0\t8\tNaloxone\tChemical\tD009270
1\t18\t30\thypertension\tDisease\tD006973
1\tCID\tD009270\tD006973

2|t|Rats.
2|a|None.
"""


@pytest.fixture
def run(monkeypatch, tmp_path):
    module = import_module("conversion")
    path = tmp_path / "corpora" / "toy" / "train.pubtator.txt"
    path.parent.mkdir(parents=True)
    path.write_text(DOCUMENT, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["conversion.py", "--data", str(tmp_path), "--repeats", "1"])

    def main(*splits):
        monkeypatch.setattr(module, "SPLITS", splits)
        module.main()

    return module.Split, main


def test_a_row_accounts_for_every_mention(run, capsys):
    make, main = run
    main(make("toy", "toy/train.pubtator.txt", 2))
    row = capsys.readouterr().out.splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:-2] == ["toy", "2", "2", "2", "2", "2", "0", "0", "0", "0", "0", "0"]


def test_a_split_is_a_part_of_a_file(run, capsys):
    make, main = run
    main(make("second", "toy/train.pubtator.txt", 0, skip=1))
    assert "| second | 1 | 0 | 0 | 0 | 0 |" in capsys.readouterr().out


def test_a_number_that_is_not_the_published_one_fails(run, capsys):
    make, main = run
    with pytest.raises(SystemExit, match="not every mention is accounted for in toy"):
        main(make("toy", "toy/train.pubtator.txt", 3))


def test_no_corpus_is_one_clear_line(run, capsys):
    make, main = run
    with pytest.raises(SystemExit, match="2"):
        main(make("absent", "absent/train.pubtator.txt"))
    assert "found no corpus in" in capsys.readouterr().err


def test_left_out_files_are_named(run, capsys):
    make, main = run
    main(make("toy", "toy/train.pubtator.txt"), make("absent", "absent/x.txt"))
    assert capsys.readouterr().out.endswith("Not there, so left out: absent/x.txt\n")
