"""What comes from files does not command the terminal, whatever command prints it."""

import io
import json
import logging
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import List

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.terminal import (
    GuardedStream,
    guarded_streams,
    passing_styles,
    unguarded,
)
from spacy_bioner.errors import BionerError
from spacy_bioner.training.step_progress import StatusLine

TITLE = "\x1b]0;taken over\x07"
LINK = "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\"
BAD = [TITLE, LINK, "\x1b[2J", "good\rBAD", "\x9b31m", "\u202egnp\u2066", "\x7f", "\u200b", "a\nb"]
HARMLESS = "\n\t"


def is_harmless(output: str) -> bool:
    kinds = {unicodedata.category(char) for char in output if char not in HARMLESS}
    return not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts, labels, ids and concepts with all that a terminal obeys."""
    folder = tmp_path_factory.mktemp("hostile")
    lines = []
    for number in range(18):
        bad, other = BAD[number % len(BAD)], BAD[(number + 1) % len(BAD)]
        word = f"asp{other}irin"
        text = f"We gave {word} and morphine{TITLE} to rats. They{chr(13)} had fever {number}."
        spans = [
            {"start": 8, "end": 8 + len(word), "label": f"Drug{bad}"},
            {"start": text.index("morphine") + 1, "end": text.index("morphine") + 8, "label": "D"},
            {"start": text.index("fever"), "end": text.index("fever") + 5, "label": f"Sign{other}"},
        ]
        meta = {"id": f"doc{bad}{number}"}
        lines.append(json.dumps({"text": text, "meta": meta, "spans": spans}))
    path = folder / "corpus.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def broken(corpus: Path) -> Path:
    """The same with mentions that do not fit, and a line that is no JSON, all as hostile."""
    path = corpus.with_name("broken.jsonl")
    bad = {
        "text": "x",
        "spans": [{"start": 0, "end": 99, "label": f"L{TITLE}"}],
        "meta": {"id": LINK},
    }
    rows = [json.dumps(bad), f'{{"text": "{TITLE}', *corpus.read_text().splitlines()[:3]]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(corpus: Path) -> Path:
    """A pipeline of rules with hostile labels."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": f"Drug{TITLE}", "pattern": "morphine", "id": f"MESH:{LINK}"},
            {"label": "Sign\rBAD\u202e", "pattern": "fever"},
        ]
    )
    folder = corpus.with_name("model")
    nlp.to_disk(folder)
    return folder


def call(arguments: List[str], capsys: pytest.CaptureFixture) -> str:
    with pytest.raises(SystemExit):
        run([str(argument) for argument in arguments])
    return "".join(capsys.readouterr())


COMMANDS = {
    "convert": "convert {corpus} {out}/x.spacy --list widened,narrowed,lost",
    "convert to brat": "convert {corpus} {out}/brat --to brat",
    "convert to xml": "convert {corpus} {out}/x.xml",
    "convert to csv": "convert {corpus} {out}/x.csv",
    "convert broken": "convert {broken} {out}/x.spacy --lenient",
    "refused": "convert {broken} {out}/x.spacy",
    "audit": "audit {corpus} --list widened,narrowed --tokenizer bioner",
    "audit broken": "audit {broken} --lenient --tokenizer bioner",
    "inspect": "inspect {corpus} {broken} --lenient --output {out}/page --no-clouds",
    "split": "split {corpus} {out}/split",
    "leaks": "leaks {corpus} {corpus}",
    "quality": "quality {corpus}",
    "quality broken": "quality {broken} --lenient",
    "agreement": "quality {corpus} --against {corpus}",
    "deidentify": "deidentify {corpus} {out}/x.jsonl",
    "evaluate": "evaluate {model} {out}/gold.spacy",
    "evaluate details": "evaluate {model} {out}/gold.spacy --details",
    "show": "show {model} --text {text}",
    "explain": "explain {model} --text {text} --method occlusion --html {out}/x.html",
    "no such file": "convert {name} {out}/x.spacy",
    "no such command": "{name}",
    "no such option": "show --{name}",
    "label map": "convert {corpus} {out}/x.spacy --label-map nothing{name}=X",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_of_a_file_commands_the_terminal(
    name: str, corpus: Path, broken: Path, model: Path, tmp_path: Path, capsys
) -> None:
    if name.startswith(("inspect", "explain")):
        pytest.importorskip("jinja2")
        pytest.importorskip("matplotlib")
    values = {"corpus": corpus, "broken": broken, "model": model, "out": tmp_path}
    values |= {"text": f"Some morphine{TITLE} for {LINK} fever.", "name": f"gone{TITLE}\rx"}
    if "gold" in COMMANDS[name]:
        call(["convert", str(corpus), str(tmp_path / "gold.spacy")], capsys)
    words = [word.format(**values) for word in COMMANDS[name].split()]
    shown = call(words, capsys)
    assert shown.strip()
    assert is_harmless(shown), [line for line in shown.splitlines() if not is_harmless(line)]
    if name not in ("leaks", "deidentify", "split", "no such file", "convert to xml"):
        assert re.search(r"\\x1b|\\r|\\x9b|\\u202e|\\x7f", shown), shown
    for page in tmp_path.rglob("*.html"):
        markup = page.read_text(encoding="utf-8")
        assert is_harmless(markup)


def test_a_runner_of_tests_sees_the_same(corpus: Path, tmp_path: Path) -> None:
    words = ["convert", str(corpus), str(tmp_path / "x.spacy")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0
    assert "Drug\\x1b]0;taken over\\x07" in result.output
    assert "Drug\\x1b[2J" in result.output
    assert is_harmless(result.output)


def test_errors_and_log_lines_are_shown_harmless(monkeypatch, capsys) -> None:
    def fail(arguments: object) -> None:
        logging.getLogger("spacy_bioner.x").warning("a label %s", TITLE)
        raise BionerError(f"found {LINK}\rno error")

    monkeypatch.setattr("spacy_bioner.apps.cli.main.app", fail)
    with pytest.raises(SystemExit):
        run([])
    shown = capsys.readouterr().err
    assert is_harmless(shown)
    assert "\\x1b]8;;https://evil.example\\x1b\\here" in shown
    assert shown.endswith("\\rno error\n")


def test_the_traceback_of_an_unexpected_error_is_harmless() -> None:
    code = (
        "from spacy_bioner.apps.cli import main\n"
        "def fail(arguments): raise ValueError('\\x1b]0;x\\x07\\x9b')\n"
        "main.app = fail\nmain.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: \\x1b]0;x\\x07\\x9b\n")


def test_streams_are_as_before_behind_a_command(capsys) -> None:
    kept = sys.stdout, sys.stderr
    with guarded_streams():
        assert isinstance(sys.stdout, GuardedStream)
        with guarded_streams():
            assert unguarded(sys.stdout) is kept[0]
    assert (sys.stdout, sys.stderr) == kept


def test_only_colors_pass_where_the_program_styles() -> None:
    stream = io.StringIO()
    guarded = GuardedStream(stream)  # type: ignore[arg-type]
    guarded.write("\x1b[38;5;2mgood\x1b[0m\n")
    guarded.styled = True
    guarded.write(f"\x1b[38;5;2mgood\x1b[0m {TITLE}\x1b[2J\n")
    assert stream.getvalue() == (
        "\\x1b[38;5;2mgood\\x1b[0m\n\x1b[38;5;2mgood\x1b[0m \\x1b]0;taken over\\x07\\x1b[2J\n"
    )


def test_styles_pass_within_their_block_only(capsys) -> None:
    with guarded_streams():
        with passing_styles():
            print("\x1b[1mbold\x1b[0m")
        print("\x1b[1mbold\x1b[0m")
    assert capsys.readouterr().out == "\x1b[1mbold\x1b[0m\n\\x1b[1mbold\\x1b[0m\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_line_goes_on_moving() -> None:
    stream = Terminal()
    line = StatusLine(GuardedStream(stream), 0.0, -1.0)  # type: ignore[arg-type]
    line.show(0.0, lambda: "1 document")
    line.clear()
    assert stream.getvalue() == "\r1 document\r          \r"


def test_explanations_keep_their_colors_on_a_terminal(model: Path, monkeypatch) -> None:
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit):
        run(["explain", str(model), "--text", f"Some morphine {TITLE}.", "--method", "occlusion"])
    shown = stream.getvalue()
    assert re.search(r"\x1b\[[\d;]*m", shown)
    assert is_harmless(re.sub(r"\x1b\[[\d;]*m", "", shown))


def test_what_a_terminal_cannot_encode_is_shown_as_an_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    kept, sys.stdout = sys.stdout, stream
    try:
        with guarded_streams():
            print("─ α")
        stream.flush()
    finally:
        sys.stdout = kept
    assert raw.getvalue() == b"\\u2500 \\u03b1\n"


CLOSED = """
import os, sys
for number in map(int, sys.argv[1]):
    os.close(number)
command = [sys.executable, "-m", "spacy_bioner.apps.cli", *sys.argv[2:]]
os.execv(sys.executable, command)
"""


@pytest.mark.parametrize("numbers", ["1", "2", "012"])
def test_a_command_ends_well_without_standard_streams(
    corpus: Path, tmp_path: Path, numbers: str
) -> None:
    out = tmp_path / "x.jsonl"
    command = [sys.executable, "-c", CLOSED, numbers, "convert", str(corpus), str(out)]
    ended = subprocess.run(command, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(out.read_text(encoding="utf-8").splitlines()) == len(
        corpus.read_text(encoding="utf-8").splitlines()
    )


def test_a_closed_standard_output_is_no_output(corpus: Path) -> None:
    arguments = ["convert", str(corpus), "/dev/stdout", "--to", "jsonl"]
    command = [sys.executable, "-c", CLOSED, "1", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: /dev/stdout: found that nothing can be written there")
    assert ended.stderr.count("\n") == 1
