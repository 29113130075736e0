import re
import subprocess
import sys
import warnings
from typing import List, Tuple

import pytest
import typer
from typer.testing import CliRunner

from spacy_bioner import __version__
from spacy_bioner.apps.cli import main
from spacy_bioner.errors import BionerError


def test_version_is_printed():
    result = CliRunner().invoke(main.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"spacy-bioner {__version__}\n")


@pytest.mark.parametrize("command", [(), *((name,) for name in main.COMMANDS)])
def test_every_command_has_help(command):
    result = CliRunner().invoke(main.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_without_a_command_help_is_printed():
    assert "Usage:" in CliRunner().invoke(main.app, []).output


def test_run_turns_an_error_into_one_line_and_exit_code_1(monkeypatch, capsys):
    def fail(arguments):
        raise BionerError("x.txt:3: found a tab,\n  expected a pipe")

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit) as raised:
        main.run()
    assert raised.value.code == 1
    assert capsys.readouterr() == ("", "error: x.txt:3: found a tab, expected a pipe\n")


def test_run_lets_other_errors_through(monkeypatch):
    def fail(arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(ZeroDivisionError):
        main.run()


def test_an_unknown_command_is_an_error_of_usage():
    result = CliRunner().invoke(main.app, ["evalute"])
    assert result.exit_code == 2
    assert "No such command 'evalute'" in result.output


def test_run_reports_a_missing_file_of_a_command(capsys):
    with pytest.raises(SystemExit) as raised:
        main.run(["evaluate", "model", "gone.spacy"])
    assert raised.value.code == 1
    assert capsys.readouterr().err.startswith("error: gone.spacy: no such file")


def test_commands_keep_their_context_settings(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main.run(["train", "corpus", "out", "--profile", "absent", "--training.dropout", "0.2"])
    assert "no profile 'absent'" in capsys.readouterr().err


def test_help_imports_neither_spacy_nor_torch():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from spacy_bioner.apps.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([name for name in ('spacy', 'torch', 'transformers') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_warnings_of_corpora_are_one_line(tmp_path, capsys):
    (tmp_path / "x.jsonl").write_text('{"text": "We gave aspirin.", "label": "positive"}\n')
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(SystemExit):
            main.run(["inspect", str(tmp_path / "x.jsonl")])
    expected = "warning: no mention in any document: keys not read: label\n"
    assert expected in capsys.readouterr().err


def test_the_help_lists_every_command_in_a_group() -> None:
    shown = CliRunner().invoke(main.app, ["--help"]).output
    for title, commands in main.GROUPS.items():
        section = shown.split(f"\n{title}:\n")[1].split("\n\n")[0]
        listed = re.findall(r"^  (\w+)  ", section, re.MULTILINE)
        assert listed == list(commands)


def list_help() -> List[Tuple[str, str, str]]:
    found = []
    for name in main.COMMANDS:
        command = typer.main.get_command(main.app).get_command(None, name)
        # A group has commands of its own.
        for single in getattr(command, "commands", {"": command}).values():
            found += [(name, item.name, item.help or "") for item in single.params]
    return found


def test_help_texts_are_phrases_that_stand_alone() -> None:
    texts = [item for item in list_help() if item[1] not in ("from_format", "to_format")]
    assert len(texts) > 150
    begins = "Of|The same|Its|Seeds|Gets|Draws|Holds|In all|How many;|Instead|Then|A row|Same"
    fragments = re.compile(rf"(?:{begins})\b|[^A-Z]")
    # What a user writes may stand in front, and the name of a file.
    allowed = re.compile(r"OLD=NEW|OUT|P1 to P5|\w+\.(?:json|cfg)")
    wrong = [
        item
        for item in texts
        if (fragments.match(item[2]) and not allowed.match(item[2]))
        or re.search(r"[a-z]\.$", item[2])
    ]
    assert wrong == []
