import subprocess
import sys
import warnings

import pytest
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
