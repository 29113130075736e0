"""Trainings of a plan, one after the other: what was finished before is not done again."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from spacy_bioner.apps.stored_results import load_result, store_result

RESULT = "result.json"


class PlannedTrial(NamedTuple):
    """A training of a plan.

    title (str): What reports call it.
    folder (Path): Gets its result.
    settings (Mapping[str, Any]): Everything that decides about the result.
    """

    title: str
    folder: Path
    settings: Mapping[str, Any]


class TrialOutcome(NamedTuple):
    """What came of a training.

    result (Optional[Dict[str, Any]]): None where nothing did.
    reason (str): Why nothing did.
    """

    result: Optional[Dict[str, Any]]
    reason: str = ""


def run_trials(
    plan: Sequence[PlannedTrial],
    run: Callable[[PlannedTrial], TrialOutcome],
    *,
    report: Callable[[str], None] = lambda line: None,
) -> List[TrialOutcome]:
    """Run what is not finished yet, and store each result as soon as it is there.

    A training from which nothing comes is tried again next time.

    run (Callable): Trains and tests.
    report (Callable): Is told of each training.
    RETURNS (List[TrialOutcome]): In the order of the plan.
    RAISES (ConfigError): For a result that was made with other settings, before the first training.
    """
    # All of them before the first training, which may take hours.
    finished = [load_result(trial.folder / RESULT, trial.settings) for trial in plan]
    outcomes: List[TrialOutcome] = []
    for trial, result in zip(plan, finished, strict=True):
        if result is not None:
            report(f"{trial.title}: finished before")
            outcomes.append(TrialOutcome(result))
            continue
        report(f"{trial.title}: training")
        outcome = run(trial)
        if outcome.result is None:
            report(f"{trial.title}: {outcome.reason}")
        else:
            store_result(trial.folder / RESULT, trial.settings, outcome.result)
        outcomes.append(outcome)
    return outcomes
