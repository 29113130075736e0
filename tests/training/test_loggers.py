import io
import json

import numpy
import pytest
import spacy
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from spacy_bioner.training import step_progress
from spacy_bioner.training.loggers import make_training_logger

INFO = {
    "epoch": 1,
    "step": 20,
    "words": 300,
    "losses": {"ner": numpy.float32(2.5)},
    "other_scores": {"ents_f": 0.5, "ents_per_type": {"Gene": {"p": 1.0, "r": 0.25, "f": 0.4}}},
    "score": 0.5,
}


@pytest.fixture
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    config = {"max_steps": 2, "eval_frequency": 1, "score_weights": {"ents_f": 1.0}}
    nlp.config["training"].update(config)
    return nlp


def _read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _start(nlp, path, **settings):
    logger = make_training_logger(output_file=str(path), **settings)
    return logger(nlp, io.StringIO(), io.StringIO())


def test_logger_writes_one_line_per_evaluation(nlp, tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    log_step, finalize = _start(nlp, path)
    log_step(None)
    log_step(INFO)
    log_step(None)
    log_step({**INFO, "step": 40})
    finalize()
    rows = _read_rows(path)
    assert [row["step"] for row in rows] == [20, 40]
    assert rows[0].pop("seconds") >= 0
    assert rows[0] == {
        "epoch": 1,
        "step": 20,
        "words": 300,
        "losses": {"ner": 2.5},
        "scores": INFO["other_scores"],
        "score": 0.5,
    }


def test_logger_writes_once_what_was_learned_before_the_first_step(nlp, tmp_path):
    @spacy.Language.component("tests_fitted")
    def fitted(doc):
        return doc

    fitted.fitting_losses = [9.0, 4.0]
    nlp.add_pipe("tests_fitted", name="crf")
    log_step, finalize = _start(nlp, tmp_path / "log.jsonl")
    log_step(INFO)
    log_step({**INFO, "step": 40})
    finalize()
    rows = _read_rows(tmp_path / "log.jsonl")
    assert rows[0]["fitted"] == {"crf": [9.0, 4.0]}
    assert "fitted" not in rows[1]


def test_logger_flushes_each_line(nlp, tmp_path):
    log_step, finalize = _start(nlp, tmp_path / "log.jsonl")
    log_step(INFO)
    assert len(_read_rows(tmp_path / "log.jsonl")) == 1
    finalize()


def test_logger_begins_an_existing_file_anew(nlp, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("of an earlier run\n")
    log_step, finalize = _start(nlp, path)
    log_step(INFO)
    finalize()
    assert len(_read_rows(path)) == 1


def test_logger_leaves_the_file_alone_until_training_starts(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("of an earlier run\n")
    make_training_logger(output_file=str(path))
    assert path.read_text() == "of an earlier run\n"


def test_logger_writes_nan_as_null(nlp, tmp_path):
    log_step, finalize = _start(nlp, tmp_path / "log.jsonl")
    log_step({**INFO, "losses": {"ner": float("nan")}})
    finalize()
    assert _read_rows(tmp_path / "log.jsonl")[0]["losses"] == {"ner": None}


def test_logger_prints_spacys_table(nlp):
    stdout = io.StringIO()
    log_step, finalize = make_training_logger()(nlp, stdout, io.StringIO())
    log_step(INFO)
    finalize()
    lines = stdout.getvalue().splitlines()
    assert lines[0].split()[:5] == ["E", "#", "LOSS", "NER", "ENTS_F"]
    assert lines[2].split()[:4] == ["1", "20", "2.50", "50.00"]


def test_logger_can_be_silent(nlp, tmp_path):
    stdout = io.StringIO()
    logger = make_training_logger(output_file=str(tmp_path / "log"), console_output=False)
    log_step, finalize = logger(nlp, stdout, io.StringIO())
    log_step(INFO)
    finalize()
    assert stdout.getvalue() == ""


def test_logger_works_in_spacy_train(tmp_path):
    path = tmp_path / "log.jsonl"
    nlp = _make_trainable(str(path))
    train(nlp, None, stdout=io.StringIO(), stderr=io.StringIO())
    rows = _read_rows(path)
    assert [row["step"] for row in rows] == [0, 2, 4]
    assert rows[-1]["words"] > rows[0]["words"]
    assert set(rows[0]["losses"]) == {"ner"}
    assert {"ents_p", "ents_r", "ents_f", "ents_per_type"} <= set(rows[0]["scores"])


@spacy.registry.readers("test_loggers.TwoExamples.v1")
def make_two_examples():
    def read(nlp):
        for text in ("aspirin helps", "take aspirin"):
            start = text.index("aspirin")
            entities = [(start, start + len("aspirin"), "Chemical")]
            yield Example.from_dict(nlp.make_doc(text), {"entities": entities})

    return read


def _make_trainable(output_file):
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 8,
        "depth": 1,
        "embed_size": 20,
        "window_size": 1,
        "maxout_pieces": 1,
        "subword_features": False,
    }
    nlp.add_pipe("ner", config={"model": {"tok2vec": tok2vec}})
    config = nlp.config.copy()
    config["corpora"] = {
        name: {"@readers": "test_loggers.TwoExamples.v1"} for name in ("train", "dev")
    }
    config["training"].update(
        max_steps=4,
        eval_frequency=2,
        score_weights={"ents_f": 1.0},
        logger={"@loggers": "spacy_bioner.TrainingLogger.v1", "output_file": output_file},
    )
    return init_nlp(config)


@pytest.mark.parametrize("progress_bar", ["train", None])
def test_between_evaluations_steps_and_the_loss_are_told(
    bioner_nlp, make_example, monkeypatch, progress_bar
):
    monkeypatch.setattr(step_progress, "LOG_SECONDS", 0.0)
    example = make_example("Naloxone reverses it.", [(0, 8, "Chemical")])
    bioner_nlp.initialize(lambda: [example])
    bioner_nlp.config["training"].update({"max_steps": 40, "eval_frequency": 20})
    stdout, stderr = io.StringIO(), io.StringIO()
    set_up = make_training_logger(progress_bar=progress_bar, console_output=False)
    log_step, finalize = set_up(bioner_nlp, stdout, stderr)
    losses = bioner_nlp.update([example], losses={})
    log_step({**INFO, "step": 0, "losses": {"bioner": 1.0}})
    log_step(None)
    finalize()
    told = stderr.getvalue()
    assert told.count("\n") == (progress_bar is not None)
    if progress_bar:
        assert told.startswith(f"step 1 of 40, loss {losses['bioner']:.4f}, ")
        assert told.endswith("next evaluation at step 20\n")


def test_the_last_loss_is_that_of_one_update(bioner_nlp, make_example):
    example = make_example("Naloxone reverses it.", [(0, 8, "Chemical")])
    bioner_nlp.initialize(lambda: [example])
    losses = {"bioner": 5.0}
    bioner_nlp.update([example], losses=losses)
    component = bioner_nlp.get_pipe("bioner")
    assert component.last_loss == pytest.approx(losses["bioner"] - 5.0)
