import os
import re
import subprocess
import sys
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

import pytest

from spacy_bioner.apps.cli import main
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.outputs import is_claimed
from tests.paths import ROOT

PUBTATOR = "1|t|Aspirin helps.\n1|a|\n1\t0\t7\tAspirin\tChemical\tD1\n\n"


@dataclass
class Settings:
    train: Path


@guards_outputs("output", inputs=("corpus", "settings.train"), replaced=("output",))
def write(corpus, output=None, *, settings):
    """Write."""
    return output is not None and is_claimed(output)


def test_a_guarded_function_looks_as_it_did():
    assert (write.__name__, write.__doc__) == ("write", "Write.")
    assert list(signature(write).parameters) == ["corpus", "output", "settings"]


def test_outputs_are_claimed_while_the_function_runs(tmp_path):
    settings = Settings(tmp_path / "train")
    assert write("corpus", tmp_path / "out", settings=settings)
    assert not is_claimed(tmp_path / "out")
    assert not write("corpus", settings=settings)


@pytest.mark.parametrize("name", ["corpus", "train", "link"])
def test_inputs_are_refused_as_outputs_also_within_settings(tmp_path, name):
    for item in ("corpus", "train"):
        (tmp_path / item).write_text(item)
    (tmp_path / "link").symlink_to("train")
    settings = Settings(tmp_path / "train")
    with pytest.raises(CorpusError, match="found the same path as IN and OUT"):
        write(tmp_path / "corpus", tmp_path / name, settings=settings)


def test_a_folder_that_others_write_to_is_claimed_by_one_file(tmp_path):
    @guards_outputs("output", file="page.html")
    def draw(output):
        return is_claimed(output), is_claimed(output / "page.html")

    assert draw(tmp_path) == (False, True)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a corpus, a folder of another, and text, all of which must stay."""
    monkeypatch.chdir(tmp_path)
    Path("a.pubtator.txt").write_text(PUBTATOR)
    Path("text.txt").write_text("Aspirin helps.")
    Path("scores.json").write_text("{}")
    Path("map.yaml").write_text("Chemical: Drug\n")
    Path("in").mkdir()
    Path("in", "1.txt").write_text("Aspirin helps.")
    Path("in", "1.ann").write_text("T1\tChemical 0 7\tAspirin\n")
    Path("corpus").mkdir()
    Path("corpus", "train.spacy").write_text("train")
    Path("model").mkdir()
    Path("model", "config.cfg").write_text("[nlp]")
    Path("link").symlink_to("a.pubtator.txt")
    Path("configs").symlink_to(ROOT / "configs")
    Path("assets").symlink_to(ROOT / "assets")
    return tmp_path


def snapshot(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


REASONS = re.compile(
    "found the same path (as IN and OUT|for the account and the corpus)|two outputs are one"
    "|lies in the input|which is read, in what|found a file, expected a new folder"
    "|found files there|is one of the members|found [^ ]+ in the output folder"
)


REFUSED = [
    "convert a.pubtator.txt ./a.pubtator.txt",
    "convert a.pubtator.txt link --to pubtator",
    "convert a.pubtator.txt out.jsonl --report ../{name}/a.pubtator.txt",
    "convert a.pubtator.txt out.json --to jsonl --report ./out.json",
    "convert a.pubtator.txt .",
    "convert in in --to jsonl",
    "convert in in/out --to brat",
    "convert in in/out.jsonl",
    "convert a.pubtator.txt out.jsonl --report link",
    "audit a.pubtator.txt --report link",
    "audit in --report in/1.txt",
    "split a.pubtator.txt a.pubtator.txt",
    "split in in/parts",
    "leaks a.pubtator.txt scores.json --report link",
    "leaks x=a.pubtator.txt in --drop-leaks ./a.pubtator.txt",
    "leaks a.pubtator.txt in --drop-leaks out.jsonl --report ../{name}/out.jsonl",
    "quality a.pubtator.txt --report link",
    "quality a.pubtator.txt --against in --report in/1.txt",
    "deidentify a.pubtator.txt link --to pubtator",
    "deidentify a.pubtator.txt out.jsonl --report link",
    "evaluate model link --output a.pubtator.txt",
    "evaluate model link --train in --output in/1.txt",
    "evaluate model link --output model/scores.json",
    "explain model text.txt --html ./text.txt --method none",
    "explain model text.txt --output text.txt --method none",
    "explain model text.txt --html new --output new --method none",
    "report model link model",
    "significance scores.json scores.json --output ./scores.json",
    "calibrate model link model",
    "calibrate model link .",
    "ensemble model model --dev link --output model",
    "assemble model model",
    "assemble model .",
    "distill model text.txt model --steps 1",
    "distill model in in/out --steps 1",
    "pretrain in in/out --steps 1",
    "inspect in --output in",
    "train corpus . --profile demo",
    "train corpus new --profile demo --log corpus/train.spacy",
    "train corpus new --profile demo --log configs/transformer.cfg",
    "train corpus new --profile demo --log ./new",
    "calibrate model a.pubtator.txt new --report link",
    "calibrate model a.pubtator.txt new --report model/meta.json",
    "convert a.pubtator.txt text.txt --to pubtator --ids ./text.txt",
    "convert a.pubtator.txt out.jsonl --report link --ids scores.json",
    "convert a.pubtator.txt out.jsonl --report text.txt --normalize expand --expansions text.txt",
    "convert in out.jsonl --texts in --report in/1.txt",
    "convert a.pubtator.txt out.jsonl --report map.yaml --label-map map.yaml",
    "robustness a.pubtator.txt model one=model",
]


@pytest.mark.parametrize("command", REFUSED)
def test_no_command_writes_over_what_it_reads(files, command, capsys):
    before = snapshot(files)
    with pytest.raises(SystemExit) as raised:
        main.run(command.format(name=files.name).split())
    error = capsys.readouterr().err
    assert raised.value.code == 1
    assert error.startswith("error: ")
    assert REASONS.search(error)
    assert snapshot(files) == before
    assert os.readlink("link") == "a.pubtator.txt"


HOLD = """
import sys
from spacy_bioner.files.outputs import claiming
with claiming(*sys.argv[1:]):
    print("held", flush=True)
    sys.stdin.read()
"""
CLAIMED = [
    ("convert a.pubtator.txt out.spacy", "out.spacy"),
    ("convert a.pubtator.txt out.jsonl --report r.json", "r.json"),
    ("convert a.pubtator.txt out", "out"),
    ("convert a.pubtator.txt brat --to brat", "brat"),
    ("split a.pubtator.txt parts", "parts"),
    ("deidentify a.pubtator.txt clean.txt --to pubtator", "clean.txt.deid.json"),
    ("audit a.pubtator.txt --report r.json", "r.json"),
    ("quality a.pubtator.txt --report r.json", "r.json"),
    ("inspect a.pubtator.txt --output page", "page/corpus.html"),
    ("leaks a.pubtator.txt in --report r.json", "r.json"),
    ("evaluate model a.spacy --output r.json", "r.json"),
    ("report model a.spacy page", "page/report.html"),
    ("calibrate model a.spacy new", "new"),
    ("ensemble model model --dev a.spacy --output new", "new"),
    ("assemble model new", "new"),
    ("distill model text.txt new --steps 1", "new"),
    ("pretrain text.txt new --steps 1", "new"),
    ("train corpus new --profile demo", "new"),
    ("train corpus other --profile demo --log new", "new"),
    ("kfold a.spacy folds --profile demo", "folds/folds.json"),
    ("compare corpus table --encoder x=y --profile demo", "table/comparison.json"),
    ("recipe P1 recipe", "recipe/steps.json"),
    ("prepare prepared --profile demo", "prepared/corpus.json"),
    ("ablate a.spacy table --model model", "table/ablation.json"),
]


@pytest.fixture(scope="module")
def holder(tmp_path_factory):
    """Another process, which writes all of these outputs in a folder."""
    folder = tmp_path_factory.mktemp("held")
    names = sorted({str(folder / name) for _, name in CLAIMED})
    command = [sys.executable, "-c", HOLD, *names]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, **pipes)
    assert process.stdout.readline() == "held\n"
    yield folder, process.pid
    process.communicate()


@pytest.mark.parametrize("command", [command for command, _ in CLAIMED])
def test_every_command_leaves_an_output_to_its_first_writer(holder, command, monkeypatch, capsys):
    folder, pid = holder
    monkeypatch.chdir(folder)
    for name in ("a.pubtator.txt", "a.spacy", "text.txt"):
        (folder / name).write_text(PUBTATOR)
    for name in ("in", "model"):
        (folder / name).mkdir(exist_ok=True)
    for name in ("configs", "assets"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    (folder / "model" / "config.cfg").write_text("[nlp]")
    (folder / "model" / "meta.json").write_text("{}")
    with pytest.raises(SystemExit) as raised:
        main.run(command.split())
    assert raised.value.code == 1
    assert f"found that process {pid} is writing there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "in.pubtator", "out.spacy", "--report", "folder"),
        ("deidentify", "in.pubtator", "out.pubtator", "--report", "folder"),
        ("quality", "in.pubtator", "--report", "folder"),
        ("leaks", "in.pubtator", "in.pubtator", "--report", "folder"),
        ("audit", "in.pubtator", "--report", "folder"),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(
    words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("in.pubtator").write_text("1|t|Aspirin.\n1|a|\n\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main.run(list(words))
    said = capsys.readouterr()
    assert said.err == "error: folder: found a folder, expected the name of an output file\n"
    assert said.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in.pubtator"]
