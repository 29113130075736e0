"""The table of strategies: what each row changes, and rows that are there already."""

import json
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest

from spacy_bioner.apps.stored_results import store_result
from spacy_bioner.errors import ConfigError

pytest.importorskip("torch")
pytest.importorskip("transformers")

ENCODER = "components.bioner.model.encoder"
ACCOUNT = {"minutes": 1.25, "dev": {"tp": 6, "fp": 2, "fn": 2}, "cut": 7, "tokens": 1000}


@pytest.fixture
def script():
    return import_module("strategies")


def make_job(script, tmp_path: Path, name="x", steps=3, **overrides):
    args = Namespace(encoder="", seed=0, steps=steps)
    return script.make_job(name, "minilm_bc5cdr", args, tmp_path, overrides)


def store(job, folder: Path) -> Path:
    settings = json.loads(json.dumps(vars(job), default=str))
    store_result(folder / "x.json", settings, ACCOUNT)
    return folder / "x.json"


def test_the_script_has_help(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["strategies.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        script.main()
    assert {"--steps", "--only", "--docs"} <= set(capsys.readouterr().out.split())


def test_rows_change_settings_that_the_config_has(script):
    from spacy_bioner.apps.profiles import read_config

    config = read_config(script.ROOT / "configs/transformer.cfg", interpolate=False)
    for key in {**script.DEFAULTS, **script.VARIANTS["max75"].changes}:
        section = config
        for part in key.split("."):
            section = section[part]


def test_a_row_wins_over_the_command_line(script, tmp_path):
    overrides = {f"{ENCODER}.pooling": "first", "training.dropout": 0.3}
    job = make_job(script, tmp_path, **overrides)
    assert job.overrides[f"{ENCODER}.pooling"] == "x"
    assert job.overrides["training.dropout"] == 0.3
    assert job.overrides[f"{ENCODER}.unit"] == "sentence"


def test_a_finished_row_is_taken_over(script, tmp_path):
    job = make_job(script, tmp_path)
    path = store(job, tmp_path)
    assert script.take_over(job, path)["minutes"] == 1.25


def test_a_row_of_other_settings_is_refused(script, tmp_path):
    path = store(make_job(script, tmp_path), tmp_path)
    other = make_job(script, tmp_path, steps=4)
    with pytest.raises(ConfigError, match="made with max_steps 3, expected 4; name another output"):
        script.take_over(other, path)


def test_the_table_has_a_line_per_row(script):
    assert script.render({"max75": ACCOUNT})[1] == (
        "max75",
        "at most 75 pieces",
        "75.00",
        "75.00",
        "75.00",
        "6",
        "2",
        "2",
        "7 of 1,000",
        "1.2",
    )
