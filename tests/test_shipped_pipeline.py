"""The pipeline in assets/pipelines, as it lies there."""

import hashlib
import json
import subprocess
import sys
import zipfile
from contextlib import nullcontext
from email.parser import Parser
from html import unescape

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner import annotate
from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.evaluation.disagree import disagree
from spacy_bioner.errors import CorpusWarning
from tests.conftest import entities_of
from tests.paths import ROOT

FOLDER = ROOT / "assets/pipelines"
MOST_BYTES = 30_000_000
LABELS = ("CellLine", "Chemical", "Disease", "Gene", "Species", "Variant")
TEXT = (
    "Tacrolimus raised creatinine in rats. Acute kidney injury (AKI) followed; AKI resolved. "
    "BRAF V600E was found in HeLa cells."
)
LOAD = """
import json, sys
for name in ("torch", "transformers", "safetensors", "onnx"):
    sys.modules[name] = None
import spacy
nlp = spacy.load(sys.argv[1])
print(json.dumps([(ent.text, ent.label_, ent._.source) for ent in nlp(sys.argv[2]).ents]))
"""


@pytest.fixture(scope="module")
def wheel():
    (found,) = FOLDER.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def pipeline(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (config,) = folder.glob("en_bioner_multi/*/config.cfg")
    return config.parent


def test_wheel_is_small_and_has_its_checksum(wheel):
    digest, name = (FOLDER / "sha256.txt").read_text(encoding="utf-8").split()
    assert name == wheel.name
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == digest
    assert wheel.stat().st_size <= MOST_BYTES


def test_config_has_no_absolute_path(pipeline):
    config = (pipeline / "config.cfg").read_text(encoding="utf-8")
    assert 'output_file = "training/multi_all.training.jsonl"' in config
    assert '= "/' not in config


def test_wheel_needs_the_runtime_and_no_torch(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode("utf-8"))
    needed = metadata.get_all("Requires-Dist")
    assert [item for item in needed if item.startswith("spacy-bioner[runtime]")]
    assert not [item for item in needed if "torch" in item or "transformers" in item]


def test_meta_says_what_int8_cost_and_what_it_was_trained_on(pipeline):
    pytest.importorskip("onnxruntime")
    meta = spacy.load(pipeline).meta
    exported = meta["export"]
    assert (exported["precision"], exported["compared"]["n_docs"]) == ("int8", 700)
    assert exported["compared"]["f_score"]["difference"]["value"] >= -0.002
    assert tuple(meta["labels"]["bioner"]) == LABELS
    for corpus in ("NCBI-disease", "BC5CDR", "NLM-Gene", "BioRED", "GNormPlus"):
        assert corpus in meta["sources"][0]["name"]
    assert "S800" not in json.dumps(meta)


def test_it_finds_entities_without_torch(pipeline):
    pytest.importorskip("onnxruntime")
    command = [sys.executable, "-c", LOAD, str(pipeline), TEXT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [(text, label) for text, label, _ in found] == [
        ("Tacrolimus", "Chemical"),
        ("creatinine", "Chemical"),
        ("rats", "Species"),
        ("Acute kidney injury", "Disease"),
        ("AKI", "Disease"),
        ("AKI", "Disease"),
        ("BRAF", "Gene"),
        ("V600E", "Variant"),
        ("HeLa", "CellLine"),
    ]


def test_entities_have_identifiers_of_its_table(pipeline):
    pytest.importorskip("onnxruntime")
    nlp = spacy.load(pipeline)
    found = {ent.text: ent.kb_id_ for ent in nlp(TEXT).ents}
    assert (found["Tacrolimus"], found["AKI"], found["BRAF"]) == (
        "D016559",
        "D058186",
        "NCBIGene:673",
    )
    with nlp.select_pipes(disable=["bioner_gazetteer"]):
        plain = nlp(TEXT)
    named = nlp(TEXT)
    # It adds nothing, and raises the confidence of what it has as well.
    assert entities_of(named) == entities_of(plain)
    confidences = {ent.text: ent._.confidence for ent in plain.ents}
    for ent in named.ents:
        if ent.text in ("Tacrolimus", "Acute kidney injury", "BRAF"):
            assert ent._.confidence > confidences[ent.text]
        if not ent.kb_id_:
            assert ent._.confidence == confidences[ent.text]


def test_the_picture_shows_what_it_finds(pipeline):
    pytest.importorskip("onnxruntime")
    drawn = (ROOT / "docs/entities.svg").read_text(encoding="utf-8")
    text = (ROOT / "assets/demo/sample.txt").read_text(encoding="utf-8").strip()
    doc = spacy.load(pipeline)(text)
    found = ", ".join(f"{ent.text} ({ent.label_})" for ent in doc.ents)
    assert f"{len(doc.ents)} entities of a text: {found}" in unescape(drawn)


def test_it_carries_the_documents_that_verify_it(pipeline):
    pytest.importorskip("onnxruntime")
    told = call(["verify", pipeline])
    assert "87.82" in told


def test_it_gives_the_same_in_batches_processes_and_alone(pipeline):
    pytest.importorskip("onnxruntime")
    nlp = spacy.load(pipeline)
    texts = [TEXT[start:] for start in range(0, len(TEXT), 7)]

    def read(docs):
        return [(entities_of(doc), [ent._.confidence for ent in doc.ents]) for doc in docs]

    alone = [read([nlp(text)])[0] for text in texts]
    assert sum(len(found) for found, _ in alone) > 50
    for settings in ({"batch_size": 3}, {"batch_size": 64}, {"batch_size": 5, "n_process": 2}):
        assert read(nlp.pipe(texts, **settings)) == alone


def test_rules_of_a_corpus_can_be_chosen(pipeline):
    pytest.importorskip("onnxruntime")
    key = "components.bioner.model.encoder.dataset"
    found = {
        name: entities_of(spacy.load(pipeline, config={key: name})(TEXT))
        for name in ("bc5cdr", "biored")
    }
    assert ("HeLa", "CellLine") in found["biored"]
    assert found["bc5cdr"] != found["biored"]


def call(arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_every_command_takes_the_rules_of_a_corpus(pipeline, tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "in.txt").write_text(TEXT, encoding="utf-8")
    found = {}
    for name in ("bc5cdr", "biored"):
        out = tmp_path / name
        rules = ["--rules", name]
        call(["annotate", tmp_path / "in.txt", out, "--model", pipeline, *rules])
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["settings"]["dataset"] == name
        (line,) = (out / "shards/part-00000.jsonl").read_text(encoding="utf-8").splitlines()
        found[name] = {(ent["text"], ent["label"]) for ent in json.loads(line)["entities"]}
        key = "components.bioner.model.encoder.dataset"
        nlp = spacy.load(pipeline, config={key: name})
        assert found[name] == set(entities_of(nlp(TEXT)))
        shown = call(["show", pipeline, "--text", TEXT, *rules])
        assert ("HeLa" in shown) is (("HeLa", "CellLine") in found[name])
    assert ("HeLa", "CellLine") in found["biored"]


def test_rules_that_it_has_not_learned_are_refused_with_the_list(pipeline, capsys):
    pytest.importorskip("onnxruntime")
    with pytest.raises(SystemExit):
        run(["show", str(pipeline), "--text", TEXT, "--rules", "s800"])
    error = capsys.readouterr().err
    known = "bc5cdr, ncbi_disease, biored, gnormplus, nlm_gene"
    assert error == f"error: found corpus 's800', expected one of {known}\n"


@pytest.mark.parametrize(
    ("text", "is_foreign"),
    [
        (TEXT, False),
        ("У больных с артериальной гипертонией наблюдалось повышение уровня калия.", True),
        ("在患有高血压和慢性肾功能不全的病人中，服药后观察到血清钾升高。", True),
        ("Σε ασθενείς με υπέρταση παρατηρήθηκε αύξηση του καλίου στον ορό.", True),
    ],
)
def test_text_in_another_script_is_told(pipeline, text, is_foreign):
    pytest.importorskip("onnxruntime")
    found = annotate([text], pipeline)
    assert next(found).receipt.foreign == is_foreign
    told = pytest.warns(CorpusWarning, match="1 document seems to be in another language or scri")
    with told if is_foreign else nullcontext():
        assert list(found) == []


def test_corpora_disagree_on_what_a_hormone_is(pipeline, tmp_path):
    pytest.importorskip("onnxruntime")
    text = "Insulin lowered glucose, and angiotensin II raised blood pressure."
    (tmp_path / "in.txt").write_text(text, encoding="utf-8")
    found = disagree(str(pipeline), tmp_path / "in.txt").found
    assert found.labels["bc5cdr"] == ("Chemical", "Disease")
    (place,) = [place for place in found.places if place.text == "angiotensin II"]
    labels = {
        name: reading and [entity.label for entity in reading]
        for name, reading in place.readings.items()
    }
    assert labels == {
        "bc5cdr": ["Chemical"],
        # It annotates diseases only.
        "ncbi_disease": None,
        "biored": ["Chemical"],
        "gnormplus": ["Gene"],
        "nlm_gene": (),
    }


def test_card_is_that_of_the_wheel(wheel):
    card = (FOLDER / "en_bioner_multi.md").read_text(encoding="utf-8")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        assert card.strip() in archive.read(name).decode("utf-8")
    assert card.count("documents, by the rules of") >= 5
