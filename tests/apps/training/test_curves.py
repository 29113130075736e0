import json

import pytest

from spacy_bioner.apps.cli.curves import curves_cli
from spacy_bioner.apps.profiles import read_config
from spacy_bioner.apps.training.curves import (
    name_curves,
    read_rates,
    read_training_log,
    with_rates,
    write_training_curves,
)
from spacy_bioner.errors import BionerError
from tests.paths import ROOT


def row(step, f_score=0.5, **more):
    scores = {"ents_p": 0.4, "ents_r": 0.6, "ents_f": f_score}
    types = {"Gene": {"p": 1.0, "r": 1.0, "f": f_score, "tp": 1, "fp": 0, "fn": 0}}
    losses = {"bioner": 10.0}
    data = {"epoch": 0, "step": step, "seconds": 1.0, "words": 9, "losses": losses}
    return {**data, "scores": {**scores, "ents_per_type": types}, "score": f_score, **more}


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "run" / "training.jsonl"
    path.parent.mkdir()
    lines = [json.dumps(row(step)) for step in (0, 10, 20)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_curves_are_a_picture_and_a_drawing(log, tmp_path):
    pytest.importorskip("matplotlib")
    paths = write_training_curves(log, tmp_path / "new" / "plots")
    assert [path.name for path in paths] == ["curves.png", "curves.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    svg = paths[1].read_text(encoding="utf-8")
    assert all(text in svg for text in ("Training loss of a step", "F1 by type", "best F1 50.0"))
    assert "Learning rate" not in svg
    assert sorted(path.name for path in (tmp_path / "new" / "plots").iterdir()) == [
        "curves.png",
        "curves.svg",
    ]


def test_equal_logs_give_equal_drawings(log, tmp_path):
    pytest.importorskip("matplotlib")
    first, second = (write_training_curves(log, tmp_path / name)[1] for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_learning_rate_comes_from_the_schedule_of_a_config(log):
    config = read_config(ROOT / "configs" / "transformer.cfg")
    evaluations = read_training_log(log)
    rates = read_rates(config, evaluations)
    # Ten of 200 steps to 1e-4.
    shown = [item.learn_rate for item in with_rates(evaluations, rates)]
    assert shown == pytest.approx([0.0, 5e-6, 1e-5])
    assert len(rates) == evaluations[-1].step + 1
    assert rates[1] == pytest.approx(5e-7)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (0.5, [0.5] * 21),
        ({"@schedules": "warmup_linear.v1", "initial_rate": 1.0, "warmup_steps": 4,
          "total_steps": 20}, [0, 0.25, 0.5, 0.75, *(step / 16 for step in range(16, -1, -1))]),
        ({"@schedules": "nobody_has_it.v1"}, []),
        (None, []),
    ],
)  # fmt: skip
def test_rates_are_those_of_each_step(log, schedule, rates):
    config = {"training": {"optimizer": {"learn_rate": schedule}}}
    assert read_rates(config, read_training_log(log)) == pytest.approx(rates)


def test_learning_rate_in_the_log_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row(0, learn_rate=0.25)) + "\n", encoding="utf-8")
    assert read_training_log(path)[0].learn_rate == 0.25


def test_undefined_scores_leave_a_gap(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "a.jsonl"
    empty = row(0, scores=dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type")))
    path.write_text(json.dumps({**empty, "losses": {"bioner": None}}) + "\n", encoding="utf-8")
    svg = write_training_curves(path, tmp_path)[1].read_text(encoding="utf-8")
    assert "best F1" not in svg


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.jsonl: found no evaluation in the training log"),
        ("\n\n", r"a\.jsonl: found no evaluation in the training log"),
        ('{"step": 0}\n{"step": 5', r"a\.jsonl:2: found no JSON"),
        ("[1]", r"a\.jsonl:1: found list, expected a JSON object"),
        ('{"epoch": 1}', r"a\.jsonl:1: found step None"),
        ('{"step": 5}\n\n{"step": 5}', r"a\.jsonl:3: found step 5 after step 5"),
        ('{"step": 5, "losses": 3}', r"a\.jsonl:1: found losses 3"),
        ('{"step": 5, "losses": {"a": "x"}}', r"a\.jsonl:1: found 'x' as a, expected a number"),
        ('{"step": 5, "fitted": {"a": 1}}', r"a\.jsonl:1: found 1 as losses of a, expected a list"),
        ('{"step": 5, "scores": {"ents_f": NaN}}', r"a\.jsonl:1: found nan as ents_f"),
        ('{"step": 5, "scores": {"ents_per_type": {"A": 1}}}', r"a\.jsonl:1: found A 1"),
        (b"\xff\xfe", r"a\.jsonl:1: found no JSON"),
    ],
)
def test_broken_log_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BionerError, match=message):
        read_training_log(path)


def test_absent_log_is_an_error(tmp_path):
    with pytest.raises(BionerError, match="no such training log"):
        read_training_log(tmp_path / "absent.jsonl")


def test_logs_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    logs = [tmp_path / name / "training.jsonl" for name in ("a", "b")]
    assert name_curves(logs) == ["a-training", "b-training"]
    assert name_curves(logs[:1]) == ["curves"]
    with pytest.raises(BionerError, match="named twice"):
        name_curves([logs[0], logs[0]])


def test_command_writes_curves_of_each_log(log, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    other = tmp_path / "other.jsonl"
    other.write_text(log.read_text(encoding="utf-8"), encoding="utf-8")
    curves_cli([log, other], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "other.png",
        "other.svg",
        "training.png",
        "training.svg",
    ]
    assert capsys.readouterr().out.count("wrote ") == 4
