import pytest

from spacy_bioner.errors import BionerError, ConfigError, StoppedError
from spacy_bioner.training.tuning import (
    Setting,
    find_importances,
    get_reason,
    list_trials,
    open_study,
    parse_setting,
    reporting_to,
    run_trials,
    to_overrides,
)

optuna = pytest.importorskip("optuna", reason="needs the extra [tuning]")
X = Setting("x", 0.0, 1.0)


def states(study):
    return [trial.state.name for trial in study.get_trials()]


def test_trials_of_an_earlier_run_count(tmp_path):
    for total in (2, 5, 3):
        study = open_study(tmp_path / "study.db")
        run_trials(study, X.suggest, total, seed=0)
    assert len(study.trials) == 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError])
def test_study_that_was_interrupted_continues_as_if_it_had_not_been(tmp_path, error):
    whole = open_study(tmp_path / "whole.db")
    run_trials(whole, X.suggest, 6, seed=3)

    def stop(trial):
        X.suggest(trial)
        raise error

    cut = open_study(tmp_path / "cut.db")
    run_trials(cut, X.suggest, 3, seed=3)
    with pytest.raises(error):
        run_trials(cut, stop, 6, seed=3)
    # As a process leaves it that was killed.
    cut.ask()
    again = open_study(tmp_path / "cut.db")
    run_trials(again, X.suggest, 6, seed=3)
    assert [t.params for t in list_trials(again)] == [t.params for t in list_trials(whole)]
    assert len(again.trials) == 8


def test_failed_trial_is_counted_with_its_reason(tmp_path):
    def fail_once(trial):
        value = X.suggest(trial)
        if trial.number == 1:
            raise RuntimeError("out of\nmemory")
        return value

    study = open_study(tmp_path / "study.db")
    run_trials(study, fail_once, 3, seed=0)
    assert states(study) == ["COMPLETE", "FAIL", "COMPLETE"]
    assert [get_reason(trial) for trial in list_trials(study)] == ["", "out of memory", ""]


def test_failure_before_any_success_ends_the_study(tmp_path):
    def fail(trial):
        raise ConfigError("no such corpus")

    study = open_study(tmp_path / "study.db")
    with pytest.raises(BionerError, match="the trial 0 failed: no such corpus"):
        run_trials(study, fail, 3, seed=0)
    assert states(study) == ["FAIL"]


def test_trial_below_the_median_is_pruned(tmp_path):
    def objective(trial):
        score = 0.1 if trial.number == 4 else 0.5 + trial.number / 100
        for step in (0, 10, 20):
            trial.report(score, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return score

    study = open_study(tmp_path / "study.db")
    run_trials(study, objective, 5, seed=0)
    assert states(study) == ["COMPLETE"] * 4 + ["PRUNED"]
    # Not at step 0.
    assert sorted(study.trials[4].intermediate_values) == [0, 10]


def test_file_that_is_no_study_is_an_error(tmp_path):
    (tmp_path / "study.db").write_text("no database at all", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study\.db: found no study of Optuna"):
        open_study(tmp_path / "study.db")


def test_importances_find_the_setting_that_matters(tmp_path):
    other = Setting("y", 0.0, 1.0)

    def objective(trial):
        other.suggest(trial)
        return X.suggest(trial)

    study = open_study(tmp_path / "study.db")
    run_trials(study, objective, 3, seed=0)
    assert find_importances(study) == {}
    run_trials(study, objective, 25, seed=0)
    assert list(find_importances(study)) == ["x", "y"]


def test_settings_suggest_by_their_kind(tmp_path):
    study = open_study(tmp_path / "study.db")
    trial = study.ask()
    assert isinstance(Setting("a", 1, 8, log=True).suggest(trial), int)
    assert isinstance(Setting("b", 0.5, 8).suggest(trial), float)
    assert Setting("c", choices=("u",)).suggest(trial) == "u"


def test_share_of_the_warm_up_becomes_steps():
    values = {"warmup_share": 0.25, "training.dropout": 0.1}
    assert to_overrides(values, max_steps=200) == {
        "training.dropout": 0.1,
        "training.optimizer.learn_rate.warmup_steps": 50,
    }


def test_settings_are_parsed():
    assert parse_setting("a", ["x", 1], place="f") == Setting("a", choices=("x", 1))
    ends = {"low": 1e-5, "high": 1e-3, "log": True}
    assert parse_setting("a", ends, place="f") == Setting("a", 1e-5, 1e-3, log=True)


@pytest.mark.parametrize(
    "value",
    [
        3,
        [],
        [[1]],
        {"low": 1},
        {"low": 1, "high": 2, "step": 1},
        {"low": 2, "high": 1},
        {"low": 0, "high": 1, "log": True},
        {"low": "a", "high": 1},
    ],
)
def test_setting_that_is_neither_range_nor_choices_is_an_error(value):
    with pytest.raises(ConfigError, match=r"^space\.cfg: found .* for a, "):
        parse_setting("a", value, place="space.cfg")


def test_reporting_logger_is_there_only_within_the_block():
    from spacy.util import registry

    with reporting_to(lambda step, score: None) as overrides:
        name = overrides["training.logger.@loggers"]
        assert registry.has("loggers", name)
    assert not registry.has("loggers", name)
