"""project.yml: what it promises is there, and the whole workflow runs at a few steps."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import srsly
from typer.testing import CliRunner
from weasel.cli.document import project_document
from weasel.util import load_project_config

from spacy_bioner import __version__
from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.corpora.assets import md5_of
from tests.paths import ROOT

PROJECT = srsly.read_yaml(ROOT / "project.yml")
CORPUS_FILES = [asset for asset in PROJECT["assets"] if not asset.get("extra")]
COMMANDS = {command["name"]: command for command in PROJECT["commands"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A fresh copy of what the workflow needs of the repository, nothing generated."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "project.yml", folder)
    shutil.copytree(ROOT / "configs", folder / "configs")
    ignored = shutil.ignore_patterns("*.pubtator.txt", "__pycache__")
    shutil.copytree(ROOT / "assets/demo", folder / "assets/demo", ignore=ignored)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_deps_and_outputs(name):
    command = COMMANDS[name]
    assert command["help"]
    assert command["script"]
    assert command["deps"]
    assert command["outputs"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_dependency_ships_or_is_an_output_of_an_earlier_command(project, name):
    # With the variables filled in; reading it so makes the project's folders where it lies.
    commands = load_project_config(project)["commands"]
    position = [command["name"] for command in commands].index(name)
    made = {output for command in commands[:position] for output in command["outputs"]}
    deps = commands[position]["deps"]
    assert [dep for dep in deps if dep not in made and not (project / dep).exists()] == []


def test_every_file_that_a_script_names_is_a_dependency_or_ships():
    for name, command in COMMANDS.items():
        for script in command["script"]:
            files = [word for word in shlex.split(script) if word.endswith(".py")]
            assert set(files) <= set(command["deps"]), name


@pytest.mark.parametrize("workflow", PROJECT["workflows"])
def test_workflow_makes_everything_before_it_is_used(workflow):
    made = set()
    outputs = {output for command in COMMANDS.values() for output in command["outputs"]}
    for name in PROJECT["workflows"][workflow]:
        needed = outputs.intersection(COMMANDS[name]["deps"])
        assert needed <= made
        made.update(COMMANDS[name]["outputs"])


def test_workflow_all_is_the_way_from_corpus_to_wheel():
    steps = ["demo", "prepare", "train", "assemble", "evaluate", "report", "package"]
    assert PROJECT["workflows"]["all"] == steps


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_scripts_use_options_that_their_command_has(name):
    command, *arguments = shlex.split(COMMANDS[name]["script"][0])
    help_text = CliRunner().invoke(app, [arguments[0], "--help"]).stdout
    options = [word for word in arguments if word.startswith("--")]
    assert (command, arguments[0]) == ("bioner", name)
    assert [option for option in options if f"{option} " not in help_text] == []


def test_project_can_be_documented(project, tmp_path):
    project_document(project, tmp_path / "project.md")
    text = (tmp_path / "project.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in COMMANDS)


def test_assets_have_url_checksum_and_a_place_that_git_ignores():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for asset in PROJECT["assets"]:
        assert asset["url"].startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{32}", asset.get("checksum", "")) or asset["extra"]
        assert f"{Path(asset['dest']).parent}/" in ignored
        assert asset["description"]


def test_assets_are_the_corpus_files_that_the_settings_name():
    named = set()
    for path in (ROOT / "configs/corpora").glob("*.cfg"):
        text = path.read_text(encoding="utf-8")
        # An archive that users unpack themselves is no asset: its settings say where it is from.
        named.update(re.findall(r'path = "(.+)"', text) if "fetch =" not in text else ())
    published = {asset["dest"] for asset in CORPUS_FILES}
    assert published == {path for path in named if not path.startswith("assets/demo/")}


def test_assets_of_the_wrong_checksum_leave_nothing(tmp_path, capsys):
    shutil.copy(ROOT / "project.yml", tmp_path)
    usb = tmp_path / "usb"
    usb.mkdir()
    for asset in PROJECT["assets"]:
        (usb / Path(asset["dest"]).name).write_text("cut off", encoding="utf-8")
    with pytest.raises(SystemExit) as raised:
        run(["assets", "--from", str(usb), "--project", str(tmp_path)])
    error = capsys.readouterr().err
    assert (raised.value.code, error.count("\n")) == (1, 1)
    assert re.search(r"NCBItrainset_corpus\.txt: found MD5 .*, expected b5355e52", error)
    assert not any(path.is_file() for path in (tmp_path / "assets").rglob("*"))


def test_assets_are_copied_from_a_folder_and_used_as_they_are(data_dir, tmp_path, capsys):
    shutil.copy(ROOT / "project.yml", tmp_path)
    for action in ("copied ", "present "):
        with pytest.raises(SystemExit) as raised:
            run(["assets", "--from", str(data_dir / "corpora"), "--project", str(tmp_path)])
        assert raised.value.code == 0
        output = capsys.readouterr().out
        assert output.count(action) == len(CORPUS_FILES)
    for asset in CORPUS_FILES:
        assert md5_of(tmp_path / asset["dest"]) == asset["checksum"]


def test_a_profile_that_is_not_there_is_told_with_those_that_are(tmp_path):
    shutil.copy(ROOT / "project.yml", tmp_path)
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    command = next(item for item in PROJECT["commands"] if item["name"] == "prepare")
    for path in command["deps"]:
        if not (tmp_path / path).exists():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
    done = run_project(tmp_path, "", profile="nosuch", workflow="prepare")
    assert done.returncode != 0
    assert "no profile 'nosuch'" in done.stderr
    assert "biobert, cnn_bilstm_crf" in done.stderr


@pytest.fixture(scope="module")
def first_run(project, tiny_bert):
    return run_project(project, tiny_bert)


@pytest.mark.slow
def test_workflow_ends_with_the_wheel_of_the_flagship(project, first_run):
    assert first_run.returncode == 0, first_run.stdout[-2000:] + first_run.stderr[-2000:]
    wheels = sorted(path.name for path in (project / "packages/biobert").glob("*/dist/*"))
    ours = f"spacy_bioner-{__version__}-py3-none-any.whl"
    assert wheels == ["en_bioner_biobert-0.1.0-py3-none-any.whl", ours]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_workflow_leaves_scores_a_log_and_an_account(project):
    scores = json.loads((project / "metrics/biobert/test.json").read_text(encoding="utf-8"))
    assert scores["model"]["path"] == "training/biobert/pipeline"
    log = (project / "metrics/biobert/training.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["step"] for line in log.splitlines()] == [0, 3]
    account = json.loads((project / "corpus/biobert/corpus.json").read_text(encoding="utf-8"))
    assert account["name"] == "demo"


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_workflow_makes_a_package_that_says_what_it_was_trained_on(project, tiny_bert):
    wheel = next((project / "packages/biobert").glob("*/dist/en_*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/README.md"))
        readme = archive.read(name).decode("utf-8")
    assert "spacy-bioner demo corpus (synthetic)" in readme
    assert tiny_bert.name in readme
    assert "dmis-lab" not in readme


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_workflow_writes_only_where_the_project_says(project):
    folders = {path.name for path in project.iterdir() if path.is_dir()}
    assert folders == set(PROJECT["directories"])
    litter = [path for path in project.rglob(".*") if path.name != ".gitkeep"]
    assert litter == []


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_second_run_skips_every_command(project, tiny_bert):
    second = run_project(project, tiny_bert)
    skipped = re.findall(r"Skipping '(\w+)': nothing changed", second.stdout)
    assert (second.returncode, skipped) == (0, PROJECT["workflows"]["all"])


def run_project(project, encoder, *, profile="biobert", workflow="all"):
    """Run the workflow as a user does, with networking to a model hub off."""
    settings = {"profile": profile, "encoder": encoder, "corpus": "demo", "max_steps": 3}
    variables = [part for key, value in settings.items() for part in (f"--vars.{key}", str(value))]
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join((scripts, os.environ["PATH"])),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "spacy", "project", "run", workflow, ".", *variables]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=300
    )
