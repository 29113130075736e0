"""Settings that a config has no place for are told, with what comes close."""

import subprocess
import sys

import pytest

from tests.paths import ROOT

pytest.importorskip("torch")
pytest.importorskip("transformers")

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.profiles import load_profile, read_training_config
from spacy_bioner.apps.setting_names import check_settings, read_overrides
from spacy_bioner.errors import ConfigError

PROFILES = sorted(path.stem for path in (ROOT / "configs/profiles").glob("*.cfg"))
CONFIG = read_training_config(ROOT / "configs/transformer.cfg")


def list_settings(place: dict, path: str = "") -> list:
    found = []
    for name, value in place.items():
        key = f"{path}.{name}" if path else name
        found += list_settings(value, key) if isinstance(value, dict) and value else [key]
    return found


@pytest.mark.parametrize("name", PROFILES)
def test_all_that_profiles_set_has_a_place(name, monkeypatch):
    if name == "minilm_trf":
        pytest.importorskip("spacy_transformers")
    monkeypatch.chdir(ROOT)
    profile = load_profile(name)
    config = read_training_config(profile.config)
    known = [key for key in list_settings(config) if "." in key]
    check_settings(config, known)
    check_settings(config, profile.overrides)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("training.dropuot", "--training.dropout?"),
        ("traning.dropout", "--training.dropout?"),
        ("nlp.batchsize", "--nlp.batch_size?"),
        ("components.bioner.modle.x", "--components.bioner.model.x?"),
        ("components.bioner.model.encoder.poling", "encoder.pooling?"),
        ("training.optimizer.learn_rate.initial_rat", "learn_rate.initial_rate?"),
        ("training.optimizer.zzz", "it has L2"),
        ("components.bioner.threshhold", "it has adversary"),
        ("components.bioner.schem", "--components.bioner.scheme?"),
        ("initialize.zzz", "it has "),
        ("dropout", "such as training.dropout"),
    ],
)
def test_what_has_no_place_is_an_error_with_what_comes_close(name, hint):
    with pytest.raises(ConfigError) as raised:
        check_settings(CONFIG, [name])
    assert str(raised.value).startswith(f"--{name}: ")
    assert hint in str(raised.value)


def test_settings_that_have_defaults_need_not_stand_in_the_config():
    check_settings(CONFIG, ["training.before_update", "training.optimizer.eps", "paths.mine"])


def test_a_section_that_is_replaced_has_places_of_its_own():
    rate = "training.optimizer.learn_rate"
    check_settings(CONFIG, [rate, f"{rate}.final_rate"])


def test_the_command_says_so_before_anything_is_read(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit):
        run(["train", "nowhere", str(tmp_path / "out"), "--training.dropuot", "0.1"])
    assert "did you mean --training.dropout?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


OPTIONS = ["--max-steps", "--seed"]


def test_options_without_a_section_are_no_settings():
    with pytest.raises(ConfigError, match="found no option --max-step; did you mean --max-steps"):
        read_overrides(["--max-step", "3"], OPTIONS)
    with pytest.raises(ConfigError, match="settings have a section in front"):
        read_overrides(["--qqq", "3"], OPTIONS)
    assert read_overrides(["--training.dropout", "0.2"], OPTIONS) == {"training.dropout": 0.2}


PASSING_ON = {
    "train": ["nowhere", "out"],
    "kfold": ["nowhere", "out"],
    "compare": ["nowhere", "out"],
    "tune": ["nowhere", "out"],
    "ablate": ["nowhere", "out", "--each"],
    "cross": ["out", "--corpus", "a=nowhere"],
}


@pytest.mark.parametrize("command", PASSING_ON)
def test_a_wrong_option_is_told_with_options_that_come_close(command, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    # The first is like the argument OUTPUT, which is no option.
    for option, hint in (("--droput", "settings have a section"), ("--max-stesp", "--max-steps?")):
        with pytest.raises(SystemExit):
            run([command, *PASSING_ON[command], option, "3"])
        told = capsys.readouterr().err
        assert f"found no option {option}; " in told
        assert hint in told


def test_components_are_known_to_a_process_that_has_loaded_nothing(tmp_path):
    words = ["train", "nowhere", str(tmp_path / "out"), "--components.bioner.schem", "x"]
    command = [sys.executable, "-m", "spacy_bioner.apps.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "did you mean --components.bioner.scheme?" in done.stderr
