"""`bioner significance`: two pipelines on the same documents."""

import json
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import GOLD_KEY
from tests.apps.known_texts import CHEMICALS, KNOWN, run, write_gold


def test_two_pipelines_are_compared(trained_folder, dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "rules")
    for name, model in (("trained", trained_folder), ("rules", tmp_path / "rules")):
        run("evaluate", model, dev, "--output", tmp_path / f"{name}.json")
    output = tmp_path / "difference.json"
    files = [tmp_path / "trained.json", tmp_path / "rules.json"]
    said = run("significance", *files, "--output", output, "--shuffles", 50)
    assert "trained" in said
    assert "p by approximate randomization (50 exchanges)" in said
    found = json.loads(output.read_text(encoding="utf-8"))
    # Three right, one wrong, none missed against two right and one missed.
    assert found["first"]["tp"] == 3
    assert found["recall"]["difference"]["value"] == pytest.approx(2 / 3 - 1)


def test_evaluations_of_other_documents_are_refused(trained_folder, trained_nlp, dev, tmp_path):
    other = write_gold(trained_nlp, tmp_path / "other.spacy", CHEMICALS)
    for name, corpus in (("one", dev), ("two", other)):
        run("evaluate", trained_folder, corpus, "--output", tmp_path / f"{name}.json")
    files = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    with pytest.raises(ConfigError, match="found other documents in one than in the other"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)
    (tmp_path / "one.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="found no counts of documents, expected the JSON of"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)


def test_few_documents_that_differ_are_pointed_out(trained_folder, dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "rules")
    for name, model in (("trained", trained_folder), ("rules", tmp_path / "rules")):
        run("evaluate", model, dev, "--output", tmp_path / f"{name}.json")
    said = run("significance", tmp_path / "trained.json", tmp_path / "rules.json")
    assert "only 2 documents differ in their counts, so p cannot be below 0.5" in said
    (tmp_path / "null.json").write_text('{"measurement": null}', encoding="utf-8")
    words = ["significance", str(tmp_path / "null.json"), str(tmp_path / "rules.json")]
    with pytest.raises(ConfigError, match="found no counts of documents"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_other_texts_without_ids_are_told_apart(trained_folder, trained_nlp, tmp_path) -> None:
    for name, text in (("one", KNOWN), ("two", "Naloxone has the same effect as aspirin.")):
        doc = trained_nlp.make_doc(text)
        doc.user_data[GOLD_KEY] = CHEMICALS[:1]
        write_docbin([doc], tmp_path / f"{name}.spacy")
        run("evaluate", trained_folder, tmp_path / f"{name}.spacy", "-o", tmp_path / f"{name}.json")
    files = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    with pytest.raises(ConfigError, match="found other documents in one than in the other"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)
