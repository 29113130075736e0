"""The list of faults (`make mutants` tries them) fits the sources, and the script tells what it
sees. The faults themselves are not tried here."""

import re
import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import List

import pytest

from tests.mutants.listing import CHANGES, PACKAGE, Change
from tests.mutants.run import Outcome, apply, choose, copy_tree, main, render, try_changes
from tests.paths import ROOT

# Where it is installed: the tests may run without the sources beside them.
SOURCES = Path(find_spec(PACKAGE).origin).parent.parent
ROOMS = {"evaluation", "layers", "architectures", "components", "corpora", "knowledge"}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_a_change_replaces_stands_in_its_module_once(change: Change) -> None:
    source = (SOURCES / change.module).read_text(encoding="utf-8")
    changed = apply(change, source)
    assert changed != source
    compile(changed, change.module, "exec")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_tests_that_a_change_names_are_there(change: Change) -> None:
    assert change.why
    assert change.tests
    for name in change.tests:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file()
        assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8")


def test_changes_have_names_and_are_of_every_room() -> None:
    names = [change.name for change in CHANGES]
    assert len(set(names)) == len(names) >= 44
    assert all(re.fullmatch("[a-z0-9-]+", name) for name in names)
    assert {change.module.split("/")[1] for change in CHANGES} >= ROOMS


def test_a_change_that_no_longer_fits_is_refused() -> None:
    change = replace(CHANGES[0], old="x")
    for source, number in (("", 0), ("x x", 2)):
        with pytest.raises(ValueError, match=f"{number} times in .*, expected it once"):
            apply(change, source)


ROOM = f"{PACKAGE}/room.py"
TESTS = ("tests/test_room.py",)


def make_change(name: str, new: str, tests=TESTS) -> Change:
    return Change(name, ROOM, "value // 2", new, "it is wrong", tests)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A package of one module, with a test."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    files = {
        f"{PACKAGE}/__init__.py": "",
        ROOM: "def half(value):\n    return value // 2\n",
        "tests/test_room.py": (
            f"from {PACKAGE}.room import half\n\n\ndef test_half():\n    assert half(6) == 3\n"
        ),
        "tests/test_wrong.py": "def test_wrong():\n    assert False\n",
        ".gitignore": "ignored\n",
        "ignored/large.bin": "x",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.slow
def test_outcomes_are_told_apart_and_the_checkout_stays(checkout: Path) -> None:
    changes = [
        make_change("wrong", "value // 3"),
        make_change("equal", "int(value / 2)"),
        make_change("endless", "sum(iter(int, 1))"),
        make_change("no-import", "value // 2\n\n\nimport nowhere"),
        # Of the same size as the first: no bytecode of that may be taken for it.
        make_change("wrong-again", "value // 4"),
    ]
    told: List[str] = []
    outcomes = try_changes(
        changes, checkout, jobs=2, seconds=30, tell=lambda change, _: told.append(change.name)
    )
    noticed, survived, late, broken, again = outcomes
    assert (noticed.verdict, noticed.test) == ("noticed", "tests/test_room.py::test_half")
    assert (survived.verdict, late.verdict) == ("SURVIVED", "noticed by timeout")
    assert (broken.verdict, again.verdict) == ("BROKEN", "noticed")
    assert [item.is_noticed for item in outcomes] == [True, False, True, False, True]
    assert sorted(told) == sorted(change.name for change in changes)
    assert "value // 2" in (checkout / ROOM).read_text(encoding="utf-8")
    assert not list(checkout.rglob("*.pyc"))


def test_tests_have_to_pass_without_a_change(checkout: Path) -> None:
    change = make_change("wrong", "value // 3", (*TESTS, "tests/test_wrong.py"))
    with pytest.raises(ValueError, match=r"without any change: .*test_wrong; these tests have to"):
        try_changes([change], checkout)


def test_a_copy_has_what_git_does_not_ignore(checkout: Path, tmp_path_factory) -> None:
    subprocess.run(["git", "add", "tests/test_wrong.py"], cwd=checkout, check=True)
    (checkout / "tests" / "test_wrong.py").unlink()
    target = tmp_path_factory.mktemp("copy")
    copy_tree(checkout, target)
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == sorted([".gitignore", f"{PACKAGE}/__init__.py", ROOM, *TESTS])


def test_the_table_says_how_many_were_noticed() -> None:
    pairs = [
        (make_change("short", "1"), Outcome("noticed", "tests/test_a.py::test_b", 1.25)),
        (make_change("longer-name", "1"), Outcome("SURVIVED", "3 passed in 2.00s", 12.0)),
        (make_change("late", "1"), Outcome("noticed by timeout", "longer than 5 seconds", 5.0)),
    ]
    assert render(pairs).splitlines() == [
        "short           1.2 s  noticed: tests/test_a.py::test_b",
        "longer-name    12.0 s  SURVIVED: 3 passed in 2.00s",
        "late            5.0 s  noticed by timeout: longer than 5 seconds",
        "2 of 3 noticed, 1 by timeout",
    ]


def test_changes_are_chosen_by_name(capsys: pytest.CaptureFixture) -> None:
    assert choose([]) == list(CHANGES)
    assert choose([CHANGES[2].name]) == [CHANGES[2]]
    assert main(["--only", "no-such-change"]) == 1
    assert "found no change 'no-such-change', expected one of" in capsys.readouterr().err
