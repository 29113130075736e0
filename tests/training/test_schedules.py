"""Learning rates, step by step."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import List

import pytest
import spacy
from spacy.util import registry
from thinc.api import Config, Optimizer

from spacy_bioner.errors import ConfigError
from spacy_bioner.training.loggers import make_training_logger
from spacy_bioner.training.schedules import make_plateau, make_warmup_cosine


def test_cosine_rises_falls_and_stays() -> None:
    rates = list(islice(make_warmup_cosine(2.0, 2, 6, final_rate=1.0), 9))
    quarter = 0.5 * 2**0.5
    falling = [1 + 0.5 * (1 + quarter), 1.5, 1 + 0.5 * (1 - quarter)]
    assert rates == pytest.approx([0.0, 1.0, 2.0, *falling, 1.0, 1.0, 1.0])


def test_a_plateau_lowers_the_rate_after_its_patience() -> None:
    schedule = make_plateau(1.0, factor=0.1, patience=2, min_rate=0.05)
    rates: List[float] = []
    for score in (0.5, 0.6, 0.6, 0.55, 0.61, 0.6, 0.6, 0.6, 0.6):
        rates.append(next(schedule))
        schedule.observe(score)
    assert rates == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.05, 0.05])


def test_a_gain_that_is_too_small_is_none() -> None:
    schedule = make_plateau(1.0, factor=0.5, patience=1, min_gain=0.1)
    next(schedule)
    for score in (0.5, 0.55):
        schedule.observe(score)
    assert next(schedule) == 0.5


def test_scores_of_the_rise_do_not_count() -> None:
    schedule = make_plateau(1.0, warmup_steps=4, factor=0.5, patience=1)
    rates = []
    for _ in range(6):
        rates.append(next(schedule))
        schedule.observe(0.5)
    # The fifth step's score is the first that counts, the sixth brings nothing new.
    assert rates == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert next(schedule) == 0.5


def test_the_training_logger_tells_the_schedule(tmp_path) -> None:
    config = {"@schedules": "spacy_bioner.Plateau.v1", "initial_rate": 1.0, "patience": 1}
    settings = registry.resolve({"optimizer": {"@optimizers": "Adam.v1", "learn_rate": config}})
    optimizer: Optimizer = settings["optimizer"]
    nlp = spacy.blank("en")
    log_step, finalize = make_training_logger(console_output=False)(
        nlp, io.StringIO(), io.StringIO()
    )
    info = {"epoch": 0, "step": 1, "words": 1, "losses": {}, "other_scores": {}, "score": 0.5}
    for _ in range(2):
        log_step(info)
        log_step(None)
        optimizer.step_schedules()
    finalize()
    assert optimizer.learn_rate == 0.5


def test_a_score_that_is_no_number_does_not_count() -> None:
    schedule = make_plateau(1.0, factor=0.5, patience=1)
    for score in (float("nan"), 0.5, 0.6, 0.7):
        next(schedule)
        schedule.observe(score)
    assert next(schedule) == 1.0


def test_a_plateau_cannot_be_run_ahead() -> None:
    assert not isinstance(make_plateau(1.0), Iterator)
    assert isinstance(make_warmup_cosine(1.0, 1, 2), Iterator)


def test_schedules_are_made_from_a_config() -> None:
    text = """
    [rate]
    @schedules = "spacy_bioner.WarmupCosine.v1"
    initial_rate = 0.1
    warmup_steps = 1
    total_steps = 3
    """
    found = registry.resolve(Config().from_str(text.replace("\n    ", "\n")))["rate"]
    assert list(islice(found, 4)) == pytest.approx([0.0, 0.1, 0.05, 0.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_rate": 0.0, "warmup_steps": 0, "total_steps": 5}, "a rate above 0"),
        ({"initial_rate": 1.0, "warmup_steps": 5, "total_steps": 5}, "warmup_steps < total_steps"),
        (
            {"initial_rate": 1.0, "warmup_steps": 0, "total_steps": 5, "final_rate": 2.0},
            "final_rate ≤ initial_rate",
        ),
    ],
)
def test_an_impossible_cosine_is_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make_warmup_cosine(**settings)


@pytest.mark.parametrize(
    "settings", [{"factor": 1.0}, {"patience": 0}, {"min_rate": -1.0}, {"min_rate": 2.0}]
)
def test_an_impossible_plateau_is_refused(settings) -> None:
    with pytest.raises(ConfigError, match="expected 0 < factor < 1, patience ≥ 1"):
        make_plateau(1.0, **settings)
