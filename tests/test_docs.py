"""The code of README and guides: Python blocks run, commands in shell blocks exist."""

import ast
import re
import shlex
from collections import Counter
from configparser import ConfigParser
from pathlib import Path

import pytest
import spacy
import srsly
import typer
from typer.core import TyperGroup

import spacy_bioner
from spacy_bioner.apps.cli.main import COMMANDS, app
from spacy_bioner.apps.packaging.assemble import assemble
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = [*PAGES, ROOT / "CHANGELOG.md"]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`((?:bioner|make|spacy project) [^`\n]+)`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
ANCHOR = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
WIDTH = 120
PLACEHOLDER = re.compile(r"[A-Z_]+")


def blocks_of(page, language):
    text = page.read_text(encoding="utf-8")
    return [block for name, block in BLOCK.findall(text) if name == language]


def list_commands():
    """List every (page, command) of shell blocks and of inline code."""
    commands = []
    for page in PAGES:
        lines = "\n".join(blocks_of(page, "bash")).replace("\\\n", " ").splitlines()
        for line in [*lines, *INLINE.findall(page.read_text(encoding="utf-8"))]:
            words = shlex.split(line, comments=True)
            commands += [pytest.param(words, id=f"{page.name}: {shlex.join(words)}")] * bool(words)
    return commands


PYTHON_PAGES = [page for page in PAGES if blocks_of(page, "python")]


@pytest.fixture(scope="module")
def shipped(trained_folder, tmp_path_factory):
    """A tiny pipeline in place of one that is installed."""
    folder = tmp_path_factory.mktemp("docs") / "pipeline"
    config = ROOT / "configs/postprocessing.cfg"
    assemble(trained_folder, folder, config=config, terms=ROOT / "assets/demo/gazetteer.tsv")
    return folder


def test_readme_has_python_and_shell_blocks():
    assert len(blocks_of(ROOT / "README.md", "python")) >= 2
    assert blocks_of(ROOT / "README.md", "bash")


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page, shipped, monkeypatch, tmp_path, capsys):
    load = spacy.load

    def load_tiny(name, **settings):
        return load(shipped if str(name).startswith("en_bioner_") else name, **settings)

    monkeypatch.setattr(spacy, "load", load_tiny)
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for number, block in enumerate(blocks_of(page, "python"), 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), namespace)
    assert capsys.readouterr().out.strip()


def test_functions_of_the_guide_to_extending_are_annotated():
    """What is copied from there has to pass the type checker and the test of registered names."""
    bare = []
    for block in blocks_of(ROOT / "docs" / "extending.md", "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.FunctionDef):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                bare += [
                    item.arg for item in arguments if not (item.annotation or item.arg == "self")
                ]
                bare += [node.name] * (node.returns is None)
    assert bare == []


def test_readme_shows_what_the_gazetteer_and_abbreviations_find(capsys):
    block = next(b for b in blocks_of(ROOT / "README.md", "python") if "add_patterns" in b)
    exec(block, {})
    shown = capsys.readouterr().out
    for text, source in [
        ("acetylsalicylic acid", "bioner_gazetteer"),
        ("ASA", "bioner_abbreviations"),
    ]:
        assert f"('{text}', 'Chemical', 'MESH:D001241', '{source}')" in shown
    assert "'long_text': 'acetylsalicylic acid'" in shown


@pytest.mark.parametrize("words", list_commands())
def test_commands_exist(words):
    name, *arguments = [word for word in words if "=" not in word or word.startswith("-")]
    checks = {"bioner": check_bioner, "make": check_make, "spacy": check_spacy, "pip": check_pip}
    if name in checks:
        checks[name](arguments)
    if name == "python":
        assert (ROOT / arguments[0]).is_file() or arguments[0] == "-m"


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    # The package may be installed elsewhere.
    package = "../spacy_bioner/"
    places = [
        Path(spacy_bioner.__file__).parent / link.removeprefix(package)
        if link.startswith(package)
        else page.parent / link
        for link in links
    ]
    assert [place for place in places if not place.exists()] == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_anchors_lead_to_headings(page):
    found = ANCHOR.findall(page.read_text(encoding="utf-8"))
    places = [(page.parent / name if name else page, anchor) for name, anchor in found]
    assert [place for place, anchor in places if anchor not in list_anchors(place)] == []


def test_an_anchor_is_made_as_the_host_of_the_pages_does(tmp_path):
    text = "# A `b_c`, d: e\n\n```bash\n# none\n```\n## Twice\n## Twice\n"
    (tmp_path / "x.md").write_text(text, encoding="utf-8")
    assert list_anchors(tmp_path / "x.md") == ["a-b_c-d-e", "twice", "twice-1"]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_no_line_is_too_long(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > WIDTH] == []


def test_readme_names_every_extra():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [extra for extra in read_extras() if f"| `{extra}` |" not in readme] == []


def test_readme_names_every_profile_and_corpus():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shipped = [path.stem for path in (ROOT / "configs").glob("*/*.cfg")]
    assert [name for name in shipped if f"`{name}`" not in readme] == []


def list_anchors(page):
    """List the anchors of a page's headings: words of small letters with hyphens between them."""
    anchors: Counter[str] = Counter()
    for heading in HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        anchors[re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")] += 1
    return [f"{name}-{n}" if n else name for name, count in anchors.items() for n in range(count)]


def check_bioner(arguments):
    if arguments[0].startswith("-"):
        assert arguments[0] in ("--help", "-h", "--version")
        return
    assert arguments[0] in COMMANDS
    command = typer.main.get_command(app).get_command(None, arguments[0])
    if isinstance(command, TyperGroup):
        named = next((word for word in arguments[1:] if not word.startswith("-")), "")
        # `bioner assets` is a command of its own, too.
        if named or not command.invoke_without_command:
            command = command.commands[named]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    used = [word.split("=")[0] for word in arguments if word.startswith("-")]
    # `bioner train` passes dotted options on to `spacy train`.
    assert [word for word in used if word not in known and "." not in word] == []


def check_make(arguments):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert arguments
    assert set(arguments) <= targets


def check_spacy(arguments):
    assert arguments[0] == "project"
    project = srsly.read_yaml(ROOT / "project.yml")
    known = {*project["workflows"], *(command["name"] for command in project["commands"])}
    if arguments[1] == "run":
        assert arguments[2] in known
    settings = dict(zip(arguments, arguments[1:]))
    names = [word for word in arguments if word.startswith("--vars.")]
    assert [name for name in names if name.removeprefix("--vars.") not in project["vars"]] == []
    for key, folder in (("--vars.profile", "profiles"), ("--vars.corpus", "corpora")):
        value = settings.get(key, "")
        if value and not PLACEHOLDER.fullmatch(value):
            assert (ROOT / "configs" / folder / f"{value}.cfg").is_file()


def check_pip(arguments):
    extras = [part for word in arguments for part in re.findall(r"\[(.+)\]", word)]
    assert {extra for part in extras for extra in part.split(",")} <= set(read_extras())
    files = [after for word, after in zip(arguments, arguments[1:]) if word in ("-c", "-r")]
    assert all((ROOT / file).is_file() for file in files)


def read_extras():
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return list(config["options.extras_require"])
