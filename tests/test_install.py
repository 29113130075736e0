"""locks/install.py: one message for whatever keeps an environment from being made."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import pytest

from tests.paths import ROOT

SCRIPT = ROOT / "locks" / "install.py"
NOTHING = """
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0
"""
OLDER_THERE = """
ERROR: Cannot install setuptools because these package versions have conflicting dependencies.
The conflict is caused by:
    The user requested setuptools
    The user requested (constraint) setuptools==84.2.1
ERROR: ResolutionImpossible: for help visit the manual
"""
CONTRADICTION = """
The conflict is caused by:
    spacy-bioner[train] 0.1.0 depends on transformers!=4.56.* and >=4.45.0; extra == "train"
    The user requested (constraint) transformers==4.56.0
ERROR: ResolutionImpossible: for help visit the manual
"""
RETRYING = "WARNING: Retrying after connection broken by 'NewConnectionError(…): refused'"


@pytest.fixture(scope="module")
def script():
    spec = spec_from_file_location("install", SCRIPT)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def args_of(pip_args=""):
    return SimpleNamespace(lock="default", extras="train,offline", pip_args=pip_args)


def test_without_a_network_the_missing_file_and_the_offline_way_are_named(script):
    told = script.explain(RETRYING + NOTHING, args_of())
    assert told.startswith("no package index can be reached; torch==2.13.0 is the first")
    assert "pip download -d wheels -c locks/default.txt setuptools wheel '.[train,offline]'" in told
    assert "PIP_ARGS='--no-index --find-links wheels'" in told


@pytest.mark.parametrize(
    ("output", "missing"), [(NOTHING, "torch==2.13.0"), (OLDER_THERE, "setuptools==84.2.1")]
)
def test_a_lock_that_does_not_fit_the_platform_is_told_as_such(script, output, missing):
    told = script.explain("Collecting numpy>=1.26\n" + output, args_of())
    assert told.startswith(
        f"locks/default.txt has {missing}, of which no wheel is found for Python"
    )
    assert told.endswith("or resolve the lock anew: make locks")


def test_a_wheel_that_a_folder_lacks_is_named(script):
    told = script.explain(NOTHING, args_of("--no-index --find-links wheels"))
    assert told.startswith("torch==2.13.0 is not among the wheels that --no-index --find-links")


def test_where_nothing_could_be_fetched_both_reasons_are_told(script):
    told = script.explain(NOTHING, args_of())
    assert told.startswith("nothing could be fetched, not even torch==2.13.0: either no package")


def test_a_half_made_environment_is_made_again(script, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = script.make_environment(str(tmp_path / "env"))
    assert subprocess.run([python, "-c", "import pip"]).returncode == 0


def test_an_environment_without_a_python_that_works_is_told(script, tmp_path, capsys):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    with pytest.raises(SystemExit):
        script.check_environment(str(tmp_path), remake=False)
    assert "found no Python that works there; remove it" in capsys.readouterr().err


def test_an_environment_of_another_python_is_told(script, tmp_path, monkeypatch, capsys):
    done = SimpleNamespace(returncode=0, stdout="3.9\n")
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(SystemExit):
        script.make_environment(str(tmp_path))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    told = capsys.readouterr().err
    assert f"is an environment of Python 3.9, expected {here}: remove it (make clean)" in told


def test_a_lock_against_setup_says_who_wants_what(script):
    assert script.explain(CONTRADICTION, args_of()) == (
        "locks/default.txt has transformers==4.56.0, but spacy-bioner[train] 0.1.0 depends on "
        'transformers!=4.56.* and >=4.45.0; extra == "train"; resolve it anew: make locks'
    )


def test_a_full_disk_is_told(script):
    assert script.explain("OSError: [Errno 28] No space left on device", args_of()) == (
        "the disk is full"
    )


def test_else_the_last_line_of_pip_is_told(script):
    assert script.explain("one\n\ntwo\n", args_of()) == "pip failed: two"


def test_a_python_that_is_too_old_is_refused(script, monkeypatch, capsys):
    monkeypatch.setattr(script.sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit) as left:
        script.check_python()
    message = capsys.readouterr().err
    assert (left.value.code, message.count("\n")) == (1, 1)
    assert "expected 3.10 or newer; name another one: make run PYTHON=python3.12" in message


def test_a_lock_that_is_not_there_is_named(tmp_path):
    done = run(tmp_path / "env", "--lock", "nosuch")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "nosuch.txt: no such lock" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_index_that_is_out_of_reach_ends_in_one_line(tmp_path):
    nowhere = "--index-url http://127.0.0.1:9/simple --retries 1 --timeout 2"
    done = run(tmp_path / "env", "--extras", "train", "--pip-args", nowhere)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: no package index can be reached; setuptools")
    assert (tmp_path / "env" / "install.log").is_file()


def run(folder, *words):
    """Run the script without pip's settings, which may name other places with wheels."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    settings["PIP_CONFIG_FILE"] = os.devnull
    command = [sys.executable, str(SCRIPT), str(folder), *words]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=300)
