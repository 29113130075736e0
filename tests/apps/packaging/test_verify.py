import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import spacy
from spacy.tokens import Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.loading import fingerprint
from spacy_bioner.apps.packaging import verify as module
from spacy_bioner.apps.packaging.carried_split import CarriedSettings, choose_split, run_split
from spacy_bioner.apps.packaging.package import package_pipeline
from spacy_bioner.apps.packaging.verify import verify
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.errors import BionerError, ConfigError, PackageError
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import GOLD_KEY, ID_KEY
from spacy_bioner.training.results.verification import FileChanges

# spaCy leaves the files that it writes for a package to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

NAME = "en_bioner_rules-0.1.0"
DATA = f"en_bioner_rules/{NAME}"
SETTINGS = {"name": "bioner_rules", "version": "0.1.0", "wheel": False}
# What it takes to show that nothing heavy is imported.
HEAVY = ("torch", "transformers", "sklearn", "matplotlib", "safetensors")


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    nlp = spacy.blank("en")
    patterns = [
        {"label": "Chemical", "pattern": "Aspirin"},
        {"label": "Disease", "pattern": "pain"},
        {"label": "Disease", "pattern": "fever"},
    ]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    folder = tmp_path_factory.mktemp("models") / "model-best"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Three documents: one right, one with a mention too many, one with one that is missed."""
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(text) for text in ("Aspirin eases pain.", "No fever.", "Severe headache")]
    docs[0].ents = [Span(docs[0], 0, 1, "Chemical"), Span(docs[0], 2, 3, "Disease")]
    docs[1].ents = []
    docs[2].ents = [Span(docs[2], 1, 2, "Disease")]
    docs[0].user_data[ID_KEY], docs[0].user_data["private"] = "one", "note"
    path = tmp_path_factory.mktemp("split") / "test.spacy"
    write_docbin(docs, path)
    return path


@pytest.fixture(scope="module")
def made(model_dir, documents, tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    split = CarriedSettings(documents, ["Disease"])
    return package_pipeline(model_dir, out, **SETTINGS, verify_on=split)


@pytest.fixture
def package(made, tmp_path):
    return shutil.copytree(made, tmp_path / NAME)


def test_a_package_is_what_was_made(package, tmp_path, monkeypatch):
    # Modules of the folder where it is called are none of its business.
    (tmp_path / "spacy.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    found = verify(str(package / DATA))
    assert found.is_same
    assert found.package == "en_bioner_rules 0.1.0"
    assert found.run.counts == found.split.run.counts == Counts(1, 1, 1)
    assert [item.id for item in found.run.outcomes] == ["one", "number 2", "number 3"]
    assert [item.counts for item in found.run.outcomes] == [
        Counts(1, 0, 0),
        Counts(0, 1, 0),
        Counts(0, 0, 1),
    ]
    assert (found.run.n_words, found.split.labels, found.split.rules) == (7, ("Disease",), "")
    assert found.run.peak_bytes > 10_000_000
    assert found.run.versions["spacy"] == spacy.about.__version__
    assert "torch" not in found.run.versions


def test_documents_are_carried_with_text_id_and_offsets_only(package):
    docs = list(read_docbin(package / DATA / "verification/test.spacy", Vocab()))
    assert [doc.text for doc in docs] == ["Aspirin eases pain.", "No fever.", "Severe headache"]
    rows = [[tuple(row) for row in doc.user_data[GOLD_KEY]] for doc in docs]
    assert [[row[:3] for row in own] for own in rows] == [
        [(14, 18, "Disease")],
        [],
        [(7, 15, "Disease")],
    ]
    assert all(not doc.ents and "private" not in doc.user_data for doc in docs)


def test_the_pipeline_keeps_its_fingerprint(package, model_dir):
    assert fingerprint(package / DATA) == fingerprint(model_dir)


def test_the_card_says_what_is_verified(package):
    card = (package / "README.md").read_text(encoding="utf-8")
    assert "bioner verify en_bioner_rules" in card
    assert "was 50.00 (tp 1, fp 1, fn 1)" in card


def test_changed_missing_and_additional_files_are_named_and_nothing_runs(package, monkeypatch):
    monkeypatch.setattr(module, "run_split", pytest.fail)
    (package / DATA / "tokenizer").write_bytes(b"other")
    (package / "en_bioner_rules/__init__.py").unlink()
    (package / DATA / "vocab/more.bin").touch()
    (package / "en_bioner_rules/__pycache__").mkdir()
    (package / "en_bioner_rules/__pycache__/__init__.cpython-311.pyc").touch()
    found = verify(str(package / DATA))
    assert found.changes == FileChanges(
        (f"{NAME}/tokenizer",), ("__init__.py",), (f"{NAME}/vocab/more.bin",)
    )
    assert (found.is_same, found.run) == (False, None)


def test_other_entities_are_a_difference_even_with_the_same_counts(package, monkeypatch):
    def run_otherwise(*args, **settings):
        run = run_split(*args, **settings)
        other = replace(run.outcomes[2], found="0" * 12)
        versions = {**run.versions, "numpy": "0.1"}
        return replace(run, outcomes=(*run.outcomes[:2], other), versions=versions)

    monkeypatch.setattr(module, "run_split", run_otherwise)
    found = verify(str(package / DATA))
    assert (found.is_same, found.changed_documents) == (False, ["number 3"])
    packaged = found.split.run.versions["numpy"]
    assert found.run.list_differences(found.split.run) == [("numpy", "0.1", packaged)]


def test_a_package_without_documents_has_its_files_checked(model_dir, tmp_path):
    folder = package_pipeline(model_dir, tmp_path, **SETTINGS)
    found = verify(str(folder / DATA))
    assert (found.is_same, bool(found.changes), found.split) == (False, False, None)


def test_what_is_no_package_is_refused(model_dir, package, tmp_path):
    with pytest.raises(PackageError, match="model-best: found a pipeline folder that is no pack"):
        verify(str(model_dir))
    with pytest.raises(BionerError, match="neither a folder nor an installed package"):
        verify(str(tmp_path / "nowhere"))
    (package / DATA / "digests.json").unlink()
    with pytest.raises(PackageError, match=r"found no digests\.json, expected a package that"):
        verify(str(package / DATA))


def test_a_damaged_account_is_refused(package):
    (package / DATA / "digests.json").write_text('{"form": 1}')
    with pytest.raises(PackageError, match=r"digests\.json: found a damaged file"):
        verify(str(package / DATA))
    (package / DATA / "digests.json").write_text('{"form": 2, "files": {}}')
    with pytest.raises(PackageError, match="found form 2, expected 1"):
        verify(str(package / DATA))


def test_scores_of_these_documents_have_to_be_those_of_the_package(model_dir, documents, tmp_path):
    metrics = tmp_path / "test.json"
    arguments = ["evaluate", model_dir, documents, "--label", "Disease", "--output", metrics]
    CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    given = {**SETTINGS, "metrics": [metrics], "verify_on": CarriedSettings(documents, ["Disease"])}
    package_pipeline(model_dir, tmp_path / "out", **given)
    data = json.loads(metrics.read_text())
    data["scores"]["pipeline"]["micro"]["tp"] = 2
    metrics.write_text(json.dumps(data))
    with pytest.raises(PackageError, match="found tp, fp, fn of 2, 1, 1, expected what the pipel"):
        package_pipeline(model_dir, tmp_path / "new", **given)
    assert not (tmp_path / "new").exists()


def test_rules_that_no_component_knows_are_refused(model_dir, documents, tmp_path):
    split = CarriedSettings(documents, rules="bc5cdr")
    with pytest.raises(PackageError, match="found corpus 'bc5cdr', but no component has learned"):
        package_pipeline(model_dir, tmp_path / "out", **SETTINGS, verify_on=split)
    assert not (tmp_path / "out").exists()


def test_labels_without_documents_are_refused():
    assert choose_split(None) is None
    with pytest.raises(ConfigError, match="found labels without test documents"):
        choose_split(None, labels=["Disease"])
    with pytest.raises(ConfigError, match="found rules without test documents"):
        choose_split(None, rules="bc5cdr")


def test_verify_cli_needs_nothing_heavy_and_tells_scripts(package, tmp_path):
    for name in HEAVY:
        (tmp_path / "blocked" / name).mkdir(parents=True)
        line = f"raise ModuleNotFoundError('blocked', name={name!r})\n"
        (tmp_path / "blocked" / name / "__init__.py").write_text(line)
    code = "from spacy_bioner.apps.cli.main import run; run()"
    command = [sys.executable, "-c", code, "verify", str(package / DATA), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "blocked")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["here"]["counts"] == {"tp": 1, "fp": 1, "fn": 1}


def test_verify_cli_exits_with_1(package):
    (package / DATA / "meta.json").write_text("{}")
    result = CliRunner().invoke(app, ["verify", str(package / DATA)])
    assert result.exit_code == 1
    assert "  changed  en_bioner_rules-0.1.0/meta.json" in result.stdout.splitlines()
