"""The loop over the trainings of a plan."""

import pytest

from spacy_bioner.apps.experiments.trials import RESULT, PlannedTrial, TrialOutcome, run_trials
from spacy_bioner.apps.stored_results import store_result
from spacy_bioner.errors import ConfigError


@pytest.fixture
def plan(tmp_path):
    return [PlannedTrial(f"seed {seed}", tmp_path / str(seed), {"seed": seed}) for seed in (0, 1)]


def test_what_was_finished_before_is_not_run(plan):
    first, second = plan
    second.folder.mkdir()
    store_result(second.folder / RESULT, second.settings, {"f": 0.5})
    first.folder.mkdir()
    ran, lines = [], []

    def run(trial):
        ran.append(trial)
        return TrialOutcome({"f": 0.25})

    assert [done.result for done in run_trials(plan, run, report=lines.append)] == [
        {"f": 0.25}, {"f": 0.5}
    ]  # fmt: skip
    assert ran == [first]
    assert lines == ["seed 0: training", "seed 1: finished before"]
    assert run_trials(plan, run)[0] == TrialOutcome({"f": 0.25})
    assert ran == [first]


def test_what_fails_is_reported_and_not_stored(plan):
    lines = []
    run_trials(plan[:1], lambda trial: TrialOutcome(None, "no weights"), report=lines.append)
    assert lines == ["seed 0: training", "seed 0: no weights"]
    assert not (plan[0].folder / RESULT).exists()


def test_a_result_of_other_settings_is_refused_before_anything_runs(plan):
    plan[1].folder.mkdir()
    store_result(plan[1].folder / RESULT, {"seed": 7}, {})
    with pytest.raises(ConfigError, match="found a result made with seed 7, expected 1"):
        run_trials(plan, lambda trial: pytest.fail("ran"))
