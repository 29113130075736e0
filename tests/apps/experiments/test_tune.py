from collections import Counter
from pathlib import Path

import pytest

from spacy_bioner.apps.experiments import tune as tune_module
from spacy_bioner.apps.experiments.tune import check_space, make_profile_text, read_space, tune
from spacy_bioner.apps.profiles import Profile, load_profile, read_config
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import BionerError, ConfigError
from spacy_bioner.training.tuning import Setting, list_trials
from tests.paths import ROOT

optuna = pytest.importorskip("optuna", reason="needs the extra [tuning]")
pytest.importorskip("matplotlib")
CONFIG = ROOT / "configs" / "transformer.cfg"
SMALL = {"components.bioner.model.encoder.precision": "float32", "training.eval_frequency": 1}
TEXTS = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
]
RATE = Setting("training.optimizer.learn_rate.initial_rate", 1e-4, 1e-2, log=True)


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def corpus(make_example, tmp_path):
    docs = [make_example(text, entities).reference for text, entities in TEXTS]
    for name in ("train", "dev"):
        write_docbin(docs, tmp_path / "corpus" / f"{name}.spacy")
    return tmp_path / "corpus"


@pytest.fixture
def profile(tiny_bert):
    return load_profile("demo", encoder=str(tiny_bert))


def test_trials_train_and_the_best_is_a_profile(corpus, profile, tmp_path, monkeypatch):
    output = tmp_path / "out"
    study = tune(corpus, output, profile, n_trials=2, max_steps=2, overrides=SMALL)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE"]
    assert [sorted(trial.intermediate_values) for trial in study.trials] == [[0, 1, 2]] * 2
    names = sorted(path.name for path in output.iterdir())
    kept = ["best.cfg", "history.png", "history.svg", "study.db", "study.json"]
    assert names == [*kept, "trials", "trials.md"]
    monkeypatch.setattr("spacy_bioner.apps.profiles.PROFILES", output)
    best = load_profile("best")
    assert best.encoder == profile.encoder
    assert best.overrides["training.max_steps"] == 2
    chosen = study.best_trial.params
    assert best.overrides["training.dropout"] == chosen["training.dropout"]
    assert set(chosen) == {setting.key for setting in tune_module.DEFAULT_SPACE}
    tune(corpus, output, profile, n_trials=3, max_steps=2, overrides=SMALL)
    kinds = Counter(path.suffix for path in (output / "trials").iterdir())
    assert kinds == {".jsonl": 3, ".png": 3, ".svg": 3}


def test_trial_that_is_pruned_ends_in_the_middle_of_training(
    corpus, profile, tmp_path, monkeypatch
):
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.number == 1)
    settings = {"max_steps": 3, "overrides": SMALL, "space": [RATE]}
    study = tune(corpus, tmp_path / "out", profile, n_trials=2, **settings)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert sorted(study.trials[1].intermediate_values) == [0]
    assert not (tmp_path / "out" / "model").exists()
    assert not (tmp_path / "out" / ".model.partial").exists()


def test_changed_settings_are_an_error(corpus, profile, tmp_path, monkeypatch):
    monkeypatch.setattr(tune_module, "_run_trial", lambda *args: 0.5)
    tune(corpus, tmp_path / "out", profile, n_trials=1, space=[RATE])
    with pytest.raises(ConfigError, match=r"study\.json: found a result made with seed 0, expec"):
        tune(corpus, tmp_path / "out", profile, n_trials=2, space=[RATE], seed=1)


def test_trial_that_fails_is_in_the_table_with_its_reason(corpus, profile, tmp_path, monkeypatch):
    def run(trial, *args):
        if trial.number == 1:
            raise RuntimeError("the loss is not a number")
        return 0.5

    monkeypatch.setattr(tune_module, "_run_trial", run)
    study = tune(corpus, tmp_path / "out", profile, n_trials=3, space=[RATE])
    assert len(list_trials(study)) == 3
    table = (tmp_path / "out" / "trials.md").read_text(encoding="utf-8").splitlines()
    assert [line.split("|")[2].strip() for line in table[2:]] == ["complete", "complete", "fail"]
    assert "the loss is not a number" in table[4]


def test_failure_of_the_first_trial_ends_the_study(corpus, profile, tmp_path, monkeypatch):
    (corpus / "train.spacy").write_bytes((corpus / "dev.spacy").read_bytes()[:-9])
    with pytest.raises(BionerError, match="the trial 0 failed: "):
        tune(corpus, tmp_path / "out", profile, n_trials=3, max_steps=1, overrides=SMALL)


def test_setting_that_the_config_lacks_is_an_error():
    config = read_config(CONFIG, interpolate=False)
    with pytest.raises(ConfigError, match=r"found training\.droput in the space"):
        check_space([Setting("training.droput", 0.0, 1.0)], config, 100)
    with pytest.raises(ConfigError, match="found no setting to tune"):
        check_space([], config, 100)


def test_default_space_leaves_out_what_a_config_lacks():
    config = read_config(ROOT / "configs" / "spacy_transformers.cfg", interpolate=False)
    keys = {setting.key for setting in check_space(None, config, 100)}
    assert "components.bioner.model.encoder.unit" not in keys
    assert "training.dropout" in keys


def test_space_is_read_from_a_file(tmp_path):
    path = tmp_path / "space.cfg"
    path.write_text(
        '[space]\ntraining.dropout = {"low": 0.0, "high": 0.5}\n'
        'components.bioner.scheme = ["BIO", "BIOES"]\n',
        encoding="utf-8",
    )
    assert read_space(path) == [
        Setting("training.dropout", 0.0, 0.5),
        Setting("components.bioner.scheme", choices=("BIO", "BIOES")),
    ]
    path.write_text("[spice]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"found no section \[space\]"):
        read_space(path)


def test_profile_is_written_as_it_is_read(tmp_path, monkeypatch):
    profile = Profile("p", Path("a.cfg"), "hub/b", "MIT", "demo", {"a.b": 1e-05, "c.d": None})
    (tmp_path / "p.cfg").write_text(make_profile_text(profile), encoding="utf-8")
    monkeypatch.setattr("spacy_bioner.apps.profiles.PROFILES", tmp_path)
    assert load_profile("p") == profile


@pytest.mark.parametrize("number", [0, -1])
def test_no_trials_are_an_error(corpus, profile, tmp_path, number):
    with pytest.raises(ConfigError, match="expected one or more"):
        tune(corpus, tmp_path / "out", profile, n_trials=number)
