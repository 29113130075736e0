"""Every section of RESULTS.md has commands that make it anew, and these exist."""

import re
import shlex
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest
import srsly
from click import Context
from typer.main import get_command

from spacy_bioner.apps.cli.main import app
from tests.paths import ROOT

RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
SECTIONS = srsly.read_yaml(ROOT / "benchmarks" / "results.yaml")


@pytest.fixture
def regenerate():
    return import_module("regenerate")


def pick(**given):
    return Namespace(**{"only": [], "all": False, "minutes": 3.0, **given})


def test_every_section_of_the_results_is_in_the_list_in_order(regenerate) -> None:
    assert regenerate.read_manifest(regenerate.MANIFEST) == SECTIONS
    headings = re.findall(r"^## (.+)$", RESULTS, re.MULTILINE)
    listed = [section["title"] for section in SECTIONS]
    assert listed[0] == regenerate.CORPORA
    assert listed[1:] == headings


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section["title"])
def test_commands_and_their_options_exist(section) -> None:
    for command in section["commands"]:
        program, first, *words = shlex.split(command)
        # Dotted ones are keys of a config.
        given = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
        if program == "python" and first != "-m":
            source = (ROOT / first).read_text(encoding="utf-8")
            assert given <= {"--data", *re.findall(r'"(--[a-z-]+)"', source)}
        elif program == "bioner":
            group = get_command(app)
            found = group.get_command(Context(group), first)
            assert given <= {name for option in found.params for name in option.opts}
        else:
            assert program in ("cp", "mkdir", "python")
    after = section.get("after")
    titles = [item["title"] for item in SECTIONS]
    assert after is None or titles.index(after) < titles.index(section["title"])


def test_what_a_command_reads_was_written_before() -> None:
    seen: set[str] = set()
    for section in SECTIONS:
        for command in section["commands"]:
            read = set(re.findall(r"\{out\}/([^/ ]+)/(?:model-|\w+\.spacy)", command))
            assert read <= seen or command.startswith(("bioner convert", "cp", "mkdir"))
            seen |= set(re.findall(r"\{out\}/([^/ ]+)", command))


def test_what_is_quick_needs_nothing_that_is_not(regenerate) -> None:
    quick = regenerate.choose(SECTIONS, pick())
    assert 5 <= len(quick) < len(SECTIONS)
    assert all(section["minutes"] <= regenerate.QUICK for section in quick)
    assert len(regenerate.choose(SECTIONS, pick(all=True))) == len(SECTIONS)
    longer = [section["title"] for section in regenerate.choose(SECTIONS, pick(minutes=6.0))]
    # It is short, but needs what takes an hour.
    assert "Ensembles" not in longer


def test_what_is_asked_for_brings_what_it_needs(regenerate) -> None:
    chosen = [s["title"] for s in regenerate.choose(SECTIONS, pick(only=["Ensembles"]))]
    assert chosen[0] == regenerate.CORPORA
    assert chosen[-1] == "Ensembles"
    assert len(chosen) == 3
    assert regenerate.choose(SECTIONS, pick(only=["no such"])) == []


def test_a_command_that_fails_is_reported_and_the_next_one_runs(regenerate, tmp_path: Path) -> None:
    program = shlex.quote(sys.executable)
    section = {
        "title": "A `b`: c",
        "minutes": 1,
        "commands": [f'{program} -c "raise SystemExit(3)"', f"{program} -c 'print(\"{{out}}\")'"],
    }
    failed = regenerate.run_section(section, {"data": "d", "out": "over there"}, tmp_path)
    assert len(failed) == 1
    text = (tmp_path / "a-b-c.md").read_text(encoding="utf-8")
    assert "failed with exit status 3" in text
    assert "\nover there\n" in text


def test_the_list_is_printed() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "regenerate.py"), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Abbreviation definitions" in done.stdout
    assert "Ensembles" not in done.stdout


def test_figures_that_are_not_reproduced_are_named(regenerate, tmp_path: Path) -> None:
    text = "# R\n## A `b`: c\n`--x 0.5` F1 **83.50** ± 0.14 of 9,809, [1.5, 2.5]; 3 runs\n## D\n"
    published = regenerate.read_sections(text)
    assert list(published) == ["A `b`: c", "D"]
    path = tmp_path / "a-b-c.md"
    made = "# A `b`: c\n\n`bioner --rate 2.5`\n\n| 83.50 | 9,809 | 1.5 |\nspaCy 0.14.1\n"
    path.write_bytes(made.encode() + b"\xff\n")
    said = regenerate.compare(tmp_path, "A `b`: c", published)
    assert said == ", 3 of 5 figures of RESULTS.md were reproduced"
    assert path.read_bytes().endswith(b"were reproduced; not: 0.14, 2.5\n")
    assert regenerate.compare(tmp_path, "D", published) == ""
