"""Test documents that were trained on are found, counted and left out of a second score."""

import json
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("datasketch")

from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.evaluate import EvaluationSettings, evaluate
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.gold import GOLD_KEY, ID_KEY

KNOWN = "Naloxone reverses the effect of clonidine."
OTHER = "Nothing of the kind was seen in any of the other animals."
CHEMICALS = [[0, 8, "Chemical", []], [32, 41, "Chemical", []]]


def write(nlp, path, *documents):
    docs = []
    for name, text, rows in documents:
        doc = nlp.make_doc(text)
        doc.user_data.update({GOLD_KEY: rows, ID_KEY: name})
        docs.append(doc)
    write_docbin(docs, path)
    return path


@pytest.fixture
def files(trained_nlp, tmp_path):
    test = write(trained_nlp, tmp_path / "test.spacy",
                 ("a", KNOWN, CHEMICALS), ("b", OTHER, [[0, 7, "Disease", []]]),
                 ("c", OTHER.lower(), []))  # fmt: skip
    train = write(trained_nlp, tmp_path / "train.spacy", ("x", KNOWN.upper(), CHEMICALS))
    return test, train


def test_they_are_counted_and_the_rest_is_scored(trained_folder, files) -> None:
    test, train = files
    found = evaluate(str(trained_folder), test, EvaluationSettings(train=train))
    assert found.shared is not None
    assert found.shared.ids == ("a",)
    assert found.shared.in_train.same_text == 1
    assert found.measurement.strict.micro.tp == 2
    # What was learned by heart is left out: one missed mention, and nothing right.
    assert (found.shared.rest.tp, found.shared.rest.fn) == (0, 1)
    assert found.warnings[0].startswith("1 of 3 documents stands in the training documents as well")
    assert "strict F1 without them 0.00" in found.warnings[0]
    assert found.warnings[1] == "1 of 3 documents repeats an earlier one of these, and counts twice"
    stored = found.to_json()["shared_documents"]
    assert stored["ids"] == ["a"]
    assert stored["rest"]["documents"] == 2


def test_the_command_warns(trained_folder, files, tmp_path) -> None:
    test, train = files
    words = ["evaluate", str(trained_folder), str(test), "--train", str(train)]
    result = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "out.json")])
    assert result.exit_code == 0
    assert "warning: 1 of 3 documents stands in the training documents" in result.stderr
    assert json.loads((tmp_path / "out.json").read_text())["warnings"]
    quiet = CliRunner().invoke(app, words[:3])
    assert "warning" not in quiet.stderr


def test_without_datasketch_it_is_said(trained_folder, files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    test, train = files
    found = evaluate(str(trained_folder), test, EvaluationSettings(train=train))
    assert found.shared is None
    assert found.warnings == [
        "documents that stand in training as well were not looked for: near-duplicates need the "
        "library datasketch (the extra 'corpora' of spacy-bioner)"
    ]
