"""A training that goes on from a checkpoint."""

import logging
import shutil
from pathlib import Path
from typing import Any, Callable, List

import pytest
import spacy
from spacy.training import Example
from spacy.util import registry
from thinc.api import Config

from spacy_bioner.errors import LabelError, TrainingDataError
from spacy_bioner.training.resuming import make_resume_from
from tests.conftest import TOKENIZER, make_bioner_nlp

CHEMICAL, DISEASE = (0, 8, "Chemical"), (12, 24, "Disease")


def start(tiny_bert: Any, examples: List[Example]) -> spacy.Language:
    nlp = make_bioner_nlp(str(tiny_bert))
    nlp.initialize(lambda: examples)
    return nlp


def test_the_weights_of_the_checkpoint_are_taken_over(
    trained_folder: Path, tiny_bert, make_example: Callable, caplog
) -> None:
    examples = [make_example("Naloxone in hypertension", [CHEMICAL, DISEASE])]
    nlp = start(tiny_bert, examples)
    before = nlp.get_pipe("bioner").model.to_bytes()
    resume = registry.get("callbacks", "spacy_bioner.ResumeFrom.v1")(str(trained_folder))
    with caplog.at_level(logging.WARNING):
        resume(nlp)
    wanted = spacy.load(trained_folder).get_pipe("bioner").model.to_bytes()
    assert nlp.get_pipe("bioner").model.to_bytes() == wanted != before
    assert "the optimizer's moments, the place in the learning-rate schedule" in caplog.text
    nlp.update(examples, sgd=nlp.resume_training())


def test_other_labels_than_the_checkpoints_are_refused(
    trained_folder: Path, tiny_bert, make_example: Callable
) -> None:
    nlp = start(tiny_bert, [make_example("Naloxone in rats", [CHEMICAL, (12, 16, "Species")])])
    with pytest.raises(LabelError, match=r"\(new: Species; gone: Disease\)\. Map the corpus' lab"):
        make_resume_from(trained_folder)(nlp)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path, trained_nlp) -> None:
    with pytest.raises(TrainingDataError, match="found no checkpoint to resume from"):
        make_resume_from(tmp_path)(trained_nlp)


def test_other_components_are_refused(trained_folder: Path, trained_nlp) -> None:
    trained_nlp.add_pipe("sentencizer")
    with pytest.raises(TrainingDataError, match="components bioner, expected bioner, sentencizer"):
        make_resume_from(trained_folder)(trained_nlp)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scheme": "BIOES"}, "components.bioner.scheme was 'BIO', is 'BIOES'"),
        ({"crf": True}, "components.bioner.model.crf was False, is True"),
        ({"pooling": "first"}, "encoder.pooling was 'mean', is 'first'"),
    ],
)
def test_another_model_than_the_checkpoints_is_refused(
    trained_folder: Path, tiny_bert, make_example: Callable, settings, message
) -> None:
    nlp = spacy.blank("en", config=TOKENIZER)
    encoder = {"name": str(tiny_bert), "precision": "float32"}
    encoder.update({"pooling": settings["pooling"]} if "pooling" in settings else {})
    model = {"encoder": encoder, "crf": settings.get("crf", False)}
    nlp.add_pipe("bioner", config={"model": model, "scheme": settings.get("scheme", "BIO")})
    examples = [make_example("Naloxone in hypertension", [CHEMICAL, DISEASE])]
    nlp.initialize(lambda: examples)
    with pytest.raises(TrainingDataError, match=message):
        make_resume_from(trained_folder)(nlp)


def test_a_checkpoint_from_before_a_setting_existed_is_taken(
    trained_folder: Path, tiny_bert, make_example: Callable, tmp_path
) -> None:
    config = Config().from_disk(trained_folder / "config.cfg", interpolate=False)
    encoder = config["components"]["bioner"]["model"]["encoder"]
    del encoder["dataset"], encoder["datasets"]
    shutil.copytree(trained_folder, tmp_path / "old")
    config.to_disk(tmp_path / "old" / "config.cfg")
    nlp = start(tiny_bert, [make_example("Naloxone in hypertension", [CHEMICAL, DISEASE])])
    make_resume_from(tmp_path / "old")(nlp)
    wanted = spacy.load(trained_folder).get_pipe("bioner").model.to_bytes()
    assert nlp.get_pipe("bioner").model.to_bytes() == wanted
