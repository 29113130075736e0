"""The recipes that ship, each from a tiny corpus to scores with one or two steps of training."""

import json

import pytest
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.experiments import compare as compare_module
from spacy_bioner.apps.recipes.plan import Choices, find_recipe
from spacy_bioner.apps.recipes.recipe import run_recipe
from spacy_bioner.apps.training.trial import train_and_measure
from tests.paths import ROOT

pytestmark = pytest.mark.slow
DRUGS = ("Naloxone", "Clonidine", "Lithium", "Aspirin", "Digoxin")
DISEASE = "hypertension"


def run_here(words, log):
    """Run a command in this process: starting one costs more than two steps of training."""
    result = CliRunner().invoke(app, list(words[1:]))
    log.write_text(f"{result.output}\n{result.exception or ''}", encoding="utf-8")
    return result.exit_code


def train_here(job, folder, *, keep_model):
    """Train with an encoder in this process, for the same reason."""
    return json.loads(json.dumps(train_and_measure(job))), ""


def list_notes(n_notes):
    for number in range(n_notes):
        drug = DRUGS[number % len(DRUGS)]
        yield str(number + 1), drug, f"{drug} reversed {DISEASE} in rats {number}."


def write_table(path, n_notes):
    lines = ["document,word,tag"]
    for name, drug, text in list_notes(n_notes):
        tags = {drug: "B-Drug", DISEASE: "B-Disease"}
        lines += [f"note{name},{word},{tags.get(word, 'O')}" for word in text[:-1].split()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_pubtator(path, n_notes):
    blocks = []
    for name, drug, text in list_notes(n_notes):
        start = text.index(DISEASE)
        mentions = [(0, len(drug), drug, "Chemical")]
        mentions += [(start, start + len(DISEASE), DISEASE, "Disease")]
        rows = ["\t".join(map(str, (name, *mention))) for mention in mentions]
        blocks.append("\n".join([f"{name}|t|{text}", f"{name}|a|", *rows]) + "\n")
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def write_brat(folder, n_notes):
    """Write a folder like MACCROBAT's: nested and discontinuous mentions, relations, dates."""
    folder.mkdir()
    for name, drug, text in list_notes(n_notes):
        start = text.index(DISEASE)
        rows = [
            f"T1\tMedication 0 {len(drug)}\t{drug}",
            f"T2\tDisease_disorder {start} {start + len(DISEASE)}\t{DISEASE}",
            f"T3\tClinical_event 0 {len(drug)};{start} {start + len(DISEASE)}\t{drug} {DISEASE}",
            f"T4\tDate {len(text) + 4} {len(text) + 14}\t2019-03-04",
            "E1\tMedication:T1",
            "R1\tMODIFY Arg1:T1 Arg2:T2",
        ]
        (folder / f"{name}.txt").write_text(f"{text} On 2019-03-04.\n", encoding="utf-8")
        (folder / f"{name}.ann").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def list_scored(summary, data="test"):
    rows = [[cell.strip() for cell in line.split("|")] for line in summary.splitlines()]
    return [row[1] for row in rows if len(row) == 8 and row[2] == data]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder with the configs of ours and a small demo corpus."""
    demo = tmp_path / "project" / "assets" / "demo"
    demo.mkdir(parents=True)
    (tmp_path / "project" / "configs").symlink_to(ROOT / "configs")
    write_pubtator(demo / "train.pubtator.txt", 80)
    terms = [f"X:{number}\t{drug}\tChemical\n" for number, drug in enumerate(DRUGS)]
    (demo / "gazetteer.tsv").write_text("".join(["id\tname\tlabel\n", *terms]), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def run(project, tiny_bert, monkeypatch):
    """Runs a recipe and gives its summary; nothing runs when the same is asked for again."""
    monkeypatch.setattr(compare_module, "_run_job", train_here)

    def refuse(words, log):
        raise AssertionError(words)

    def build(name, *, corpus="", steps=1):
        recipe = find_recipe(name)
        known = {"length": 64, "held_out": 0, "window": 64, "trials": 1, "folds": 2}
        chosen = {key: str(value) for key, value in known.items() if key in recipe.settings}
        choices = Choices(str(corpus), str(tiny_bert), steps, settings=chosen)
        summary = run_recipe(recipe, project / "out", choices, run_command=run_here)
        text = summary.read_text("utf-8")
        run_recipe(recipe, project / "out", choices, run_command=refuse)
        return text

    return build


def test_p1_runs_from_a_table_to_scores(run, project, tiny_bert):
    pytest.importorskip("pycrfsuite")
    table = write_table(project / "words.csv", 10)
    summary = run("P1", corpus=table, steps=2)
    systems = ["embedded encoder, tag X", "embedded encoder, parent's tag", "feature CRF"]
    assert list_scored(summary) == systems
    assert "[train-x/training.png](train-x/training.png)" in summary
    assert f"{tiny_bert}, 2 training steps and seed 0" in summary
    assert f"**Data.** `{table}`" in summary
    assert "The paper has no table of results" in summary


def test_p2_runs_from_notes_like_maccrobats_to_scores(run, project, tiny_bert):
    corpus = write_brat(project / "assets" / "maccrobat", 30)
    assert "`--corpus assets/maccrobat`" in find_recipe("P2").about.data
    summary = run("P2", corpus=corpus.relative_to(project))
    continued = project / "out/pretrain/encoder"
    assert sorted(list_scored(summary)) == [f"continued ({continued})", f"embedded ({tiny_bert})"]
    account = json.loads((project / "out/deidentify/notes.spacy.deid.json").read_text("utf-8"))
    assert account["deidentification"]["identifiers"] == {"DATE": 30}


def test_p3_runs_from_pubtator_to_scores_under_attack(run, project):
    summary = run("P3", corpus=write_pubtator(project / "notes.pubtator", 30))
    assert list_scored(summary) == ["plain training", "augmentation and PGD"]
    folds = ["cross-validation of the plain training"]
    assert list_scored(summary, "training documents, 2 folds") == folds
    assert "### robustness" in summary


def test_p4_runs_from_the_demo_corpus_to_scores(run):
    summary = run("P4")
    systems = ["first encoder", "second encoder", "fusion", "ensemble"]
    systems += ["fusion, terms behind it", "fusion, terms before it"]
    systems += ["fusion, thresholds on confidence"]
    assert list_scored(summary) == systems
    assert list_scored(summary, "test, Disease only") == ["fusion, on the other corpus"]


def test_p5_runs_from_brat_to_scores(run):
    pytest.importorskip("wordcloud")
    summary = run("P5")
    systems = [
        "words and characters, CNN-BiLSTM-CRF",
        "embedded encoder, BIO tags",
        "embedded encoder, all spans of up to eight tokens",
        "embedded encoder, starts and ends",
    ]
    found = list_scored(summary)
    assert [name for name in found if "doc.spans" not in name] == systems
