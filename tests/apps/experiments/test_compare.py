import csv
import json
import os
import sys
from subprocess import CompletedProcess

import pytest

from spacy_bioner.apps.experiments import compare as compare_module
from spacy_bioner.apps.experiments.compare import (
    ENCODERS,
    compare_encoders,
    parse_encoders,
    read_encoders,
    summarize_encoder,
)
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.training.trial import count_parameters
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError, CorpusError
from tests.paths import ROOT

SMALL = {"components.bioner.model.encoder.precision": "float32", "training.dropout": 0.0}
TEXTS = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
]
RESULT = {
    "dev_f_score": 0.5,
    "training_seconds": 10.0,
    "peak_memory_mb": 100.0,
    "words_per_second": 20.0,
    "parameters": 1000,
    "document_counts": [[1, 0, 0], [0, 1, 1]],
}


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)
    # The processes that are started find the package as this one does.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path[:1])]))


@pytest.fixture
def corpus(make_example, tmp_path):
    docs = [make_example(text, entities).reference for text, entities in TEXTS]
    for name in ("train", "dev", "test"):
        write_docbin(docs, tmp_path / "corpus" / f"{name}.spacy")
    return tmp_path / "corpus"


@pytest.fixture
def profile(tiny_bert):
    return load_profile("demo", encoder=str(tiny_bert))


@pytest.fixture
def jobs(monkeypatch):
    """Remember the jobs, and train nothing."""
    seen = []

    def run(job, folder, *, keep_model):
        seen.append((job["profile"]["encoder"], job["seed"]))
        return (None, "no such weights") if "absent" in seen[-1][0] else (RESULT, "")

    monkeypatch.setattr(compare_module, "_run_job", run)
    return seen


def test_trainings_are_measured_and_an_encoder_that_does_not_load_is_a_row(
    corpus, profile, tiny_bert, tmp_path
):
    pytest.importorskip("matplotlib")
    encoders = {"tiny": str(tiny_bert), "absent": str(tmp_path / "absent")}
    rows = compare_encoders(
        corpus, tmp_path / "out", profile, encoders, max_steps=2, overrides=SMALL
    )
    tiny, absent = rows
    assert tiny.scores.n_docs == 2
    assert tiny.training_seconds > 0
    assert tiny.words_per_second > 0
    # Torch alone takes more than this; nothing here takes a fifth of the upper bound.
    assert 100 < tiny.peak_memory_mb < 5000
    assert 10_000 < tiny.parameters < 100_000
    assert absent.scores is None
    assert "no such folder" in absent.reason
    names = sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_file())
    assert names == [f"comparison.{kind}" for kind in ("csv", "json", "md", "png", "svg")]
    left = sorted(path.name for path in (tmp_path / "out" / "tiny" / "seed-0").iterdir())
    assert left == [
        "curves.png",
        "curves.svg",
        "job.json",
        "output.log",
        "result.json",
        "training.jsonl",
    ]


def test_finished_trainings_are_kept_and_failed_ones_tried_again(corpus, profile, tmp_path, jobs):
    pytest.importorskip("matplotlib")
    encoders = {"a": "hub/a", "b": "hub/absent"}
    compare_encoders(corpus, tmp_path / "out", profile, encoders, seeds=2)
    assert jobs == [("hub/a", 0), ("hub/a", 1), ("hub/absent", 0), ("hub/absent", 1)]
    jobs.clear()
    compare_encoders(corpus, tmp_path / "out", profile, encoders, seeds=2)
    assert jobs == [("hub/absent", 0), ("hub/absent", 1)]


def test_changed_settings_are_an_error_before_any_training(corpus, profile, tmp_path, jobs):
    pytest.importorskip("matplotlib")
    compare_encoders(corpus, tmp_path / "out", profile, {"a": "hub/a"})
    jobs.clear()
    with pytest.raises(ConfigError, match=r"made with profile\.encoder 'hub/a', expected 'hub/b'"):
        compare_encoders(corpus, tmp_path / "out", profile, {"c": "hub/c", "a": "hub/b"})
    assert jobs == []


def test_written_tables_have_the_failed_encoder(corpus, profile, tmp_path, jobs):
    pytest.importorskip("matplotlib")
    compare_encoders(corpus, tmp_path / "out", profile, {"b": "hub/absent", "a": "hub/a"})
    with (tmp_path / "out" / "comparison.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["name"], row["f_score"], row["reason"]) for row in rows] == [
        ("a", "0.5", ""),
        ("b", "", "no such weights"),
    ]
    data = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert data[1]["parameters"] == 1000


def test_seeds_are_summed_by_document():
    second = {**RESULT, "document_counts": [[1, 0, 0], [1, 0, 0]], "peak_memory_mb": 300.0}
    row = summarize_encoder("a", "hub/a", [(RESULT, ""), (second, "")])
    assert row.scores.f_score.value == pytest.approx(6 / 8)
    assert row.scores.n_docs == 2
    assert row.f_scores == [0.5, 1.0]
    assert row.peak_memory_mb == 300.0
    assert row.gpu_memory_mb is None


def test_gpu_memory_is_the_greatest_over_the_seeds():
    runs = [({**RESULT, "gpu_memory_mb": value}, "") for value in (500.0, 700.0, None)]
    assert summarize_encoder("a", "hub/a", runs).gpu_memory_mb == 700.0


def test_split_that_is_not_there_is_an_error(corpus, profile, tmp_path):
    (corpus / "test.spacy").unlink()
    with pytest.raises(CorpusError, match=r"test\.spacy: no such file"):
        compare_encoders(corpus, tmp_path / "out", profile, {"a": "hub/a"})


def test_no_encoder_is_an_error(corpus, profile, tmp_path):
    with pytest.raises(ConfigError, match="found 0 encoders and 1 seeds"):
        compare_encoders(corpus, tmp_path / "out", profile, {})


@pytest.mark.parametrize("item", ["hub/name", "=hub", "a=", "a/b=hub", "..=hub"])
def test_encoder_without_a_name_is_an_error(item):
    with pytest.raises(ConfigError, match="expected NAME=HUB_OR_FOLDER"):
        parse_encoders([item])


def test_file_of_encoders_names_the_broken_line(tmp_path):
    path = tmp_path / "encoders.txt"
    path.write_text("# ours\na = hub/a\n\nb=x=y\n", encoding="utf-8")
    assert read_encoders(path) == {"a": "hub/a", "b": "x=y"}
    path.write_text("a=b\nnothing\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"encoders\.txt:2: found 'nothing'"):
        read_encoders(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_encoders(tmp_path / "absent.txt")


def test_names_of_the_default_encoders_can_be_folders():
    assert parse_encoders([f"{name}={hub}" for name, hub in ENCODERS.items()]) == ENCODERS
    assert len(ENCODERS) == 10


def test_parameters_are_those_of_the_encoder_and_the_head(trained_nlp):
    torch = pytest.importorskip("torch")
    encoder = trained_nlp.get_pipe("bioner").model.get_ref("encoder").shims[0].module
    assert isinstance(encoder, torch.nn.Module)
    # The head has a weight for each of 32 dimensions and a bias, for each of 5 tags.
    assert count_parameters(trained_nlp) == sum(w.numel() for w in encoder.parameters()) + 33 * 5


def test_the_reason_for_a_failure_names_its_log(corpus, profile, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")

    def fail(command, *, stdout, stderr):
        stdout.write("one\nOSError: no such model\n\n")
        return CompletedProcess(command, 1)

    monkeypatch.setattr(compare_module.subprocess, "run", fail)
    (row,) = compare_encoders(corpus, tmp_path / "out", profile, {"a": "hub/a"})
    log = tmp_path / "out" / "a" / "seed-0" / "output.log"
    assert row.reason == f"OSError: no such model; see {log}"
