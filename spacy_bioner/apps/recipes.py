"""Recipes: a published system as `bioner` commands that run from corpus to scores.

A recipe is a YAML file of this form (`recipes_data/P1.yaml` is one):

    title, paper, did:      what was published
    stand_in, data:         what runs without the paper's data, and how to give that data
    not_comparable:         why the figures differ whatever the system does
    later: […]              optional: parts of the paper that the recipe leaves out
    corpus: PATH            the stand-in, which `--corpus` replaces
    settings: {NAME: …}     placeholders with their defaults
    published: […]          rows of system, data, precision, recall, f_score (per cent)
    steps:                  in order
      - name: split         also its folder in OUT
        title: what it does
        when: stand-in      optional; `corpus` is only with --corpus, `hub` only with hub access
        run: bioner split ${out}/clean/corpus.spacy ${here}/corpus --ratio ${ratio}
        outputs: […]        files and folders in its folder, without which it is not finished
        scores: test.json   optional: what the summary quotes
        tables: […]         optional: Markdown files that the summary takes in

Placeholders are the settings, and `out`, `here` (the step's folder), `corpus`, `recipes` (the
folder of this package's recipes), `gpu`, `seed`, `eval_every` (a fifth of `steps`), `patience` (two
fifths) and `short` (a tenth).
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import srsly

from spacy_bioner.errors import ConfigError
from spacy_bioner.reports.recipes import RecipeAbout, ScoreRow

FOLDER = Path(__file__).parent / "recipes_data"
WHEN = ("", "stand-in", "corpus", "hub")
_TEXTS = ("title", "paper", "did", "stand_in", "data", "not_comparable", "corpus")
_STEP_KEYS = {"name", "title", "when", "run", "outputs", "scores", "tables"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class RecipeStep:
    """One command of a recipe, with its placeholders; see the top of this module."""

    name: str
    title: str
    run: str
    when: str = ""
    outputs: Tuple[str, ...] = ()
    scores: str = ""
    tables: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """What a published system did, and the commands; see the top of this module."""

    about: RecipeAbout
    corpus: str
    settings: Mapping[str, str]
    steps: Tuple[RecipeStep, ...]

    @property
    def name(self) -> str:
        """Its short name: the file's stem."""
        return self.about.name


@dataclass(frozen=True)
class Choices:
    """What a user chooses of a run.

    corpus (str): A corpus in the paper's format, instead of the stand-in; empty: the stand-in.
    encoder (str): Empty: the recipe's.
    steps (int): Training steps; 0: the recipe's.
    from_hub (bool): Take the steps that load encoders from the model hub.
    settings (Mapping[str, str]): Other values of the recipe's settings.
    """

    corpus: str = ""
    encoder: str = ""
    steps: int = 0
    gpu_id: int = -1
    seed: int = 0
    from_hub: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A step with everything filled in.

    words (Tuple[str, ...]): The command line, "bioner" first.
    folder (Path): All that it writes is in there.
    """

    step: RecipeStep
    words: Tuple[str, ...]
    folder: Path

    @property
    def line(self) -> str:
        """The command as one types it."""
        return shlex.join(self.words)

    def uses(self, other: "Command") -> bool:
        """Tell whether the command line names the folder of another step, or something in it."""
        place = re.compile(re.escape(str(other.folder)) + r"(?![\w.-])")
        return any(place.search(word) for word in self.words)


def list_recipes() -> List[Recipe]:
    """Give the recipes that come with the package."""
    return [read_recipe(path) for path in sorted(FOLDER.glob("P*.yaml"))]


def find_recipe(name: str) -> Recipe:
    """Give a recipe by its name, in either case, or by the path of its file.

    RAISES ConfigError: For neither.
    """
    if name.endswith((".yaml", ".yml")):
        return read_recipe(Path(name))
    known = {path.stem: path for path in sorted(FOLDER.glob("P*.yaml"))}
    if name.upper() not in known:
        expected = ", ".join(known)
        raise ConfigError(f"found no recipe {name!r}, expected one of {expected}, or a .yaml file")
    return read_recipe(known[name.upper()])


def read_recipe(path: Path) -> Recipe:
    """Read the file of a recipe.

    RAISES ConfigError: No such file, or one that is no recipe, with the key.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file, expected a recipe")
    try:
        data = srsly.read_yaml(path)
    except ValueError as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: found no mapping, expected the keys {', '.join(_TEXTS)}, steps")
    missing = [key for key in (*_TEXTS, "steps") if not data.get(key)]
    if missing:
        raise ConfigError(f"{path}: found no {', '.join(missing)}, expected a value for each")
    texts = {key: " ".join(str(data[key]).split()) for key in _TEXTS if key != "corpus"}
    about = RecipeAbout(
        name=path.stem,
        **texts,
        published=tuple(_read_published(row, path) for row in data.get("published", ())),
        later=tuple(" ".join(item.split()) for item in data.get("later", ())),
    )
    return Recipe(
        about,
        corpus=str(data["corpus"]),
        settings={name: str(value) for name, value in data.get("settings", {}).items()},
        steps=tuple(_read_step(item, path) for item in data["steps"]),
    )


def plan_recipe(recipe: Recipe, out: Path, choices: Choices) -> List[Command]:
    """Fill in the commands of a run, without those that it does not need.

    RAISES ConfigError: An unknown setting or placeholder, a command that is none of ours, or two
        steps of one name.
    """
    values = _fill_values(recipe, out, choices)
    wanted = {"", "corpus" if choices.corpus else "stand-in", "hub" if choices.from_hub else ""}
    commands: List[Command] = []
    for step in recipe.steps:
        if step.when not in wanted:
            continue
        folder = out / step.name
        if any(command.step.name == step.name for command in commands):
            raise ConfigError(f"recipe {recipe.name}: found the step {step.name} twice")
        place = f"recipe {recipe.name}, step {step.name}"
        step_values = {**values, "here": str(folder)}
        words = [_fill(word, step_values, place) for word in shlex.split(step.run)]
        if words[:1] != ["bioner"]:
            raise ConfigError(f"{place}: found {step.run!r}, expected a `bioner` command")
        commands.append(Command(step, tuple(words), folder))
    return commands


def describe_run(recipe: Recipe, choices: Choices) -> str:
    """Name what a run's figures depend on: encoder, training steps and seed."""
    values = _fill_values(recipe, Path("OUT"), choices)
    encoder = values.get("encoder", "no encoder")
    return f"{encoder}, {values['steps']} training steps and seed {values['seed']}"


def parse_settings(items: Sequence[str]) -> Dict[str, str]:
    """Read NAME=VALUE items.

    RAISES ConfigError: What is none.
    """
    pairs = [item.partition("=") for item in items]
    for (name, sign, _), item in zip(pairs, items):
        if not sign or not name.strip():
            raise ConfigError(f"--set: found {item!r}, expected NAME=VALUE")
    return {name.strip(): value for name, _, value in pairs}


def _read_published(row: Mapping[str, Any], path: Path) -> ScoreRow:
    known = ("system", "data", "precision", "recall", "f_score")
    if not {"system", "data"} <= set(row) <= set(known):
        raise ConfigError(f"{path}: published: found {dict(row)}, expected {', '.join(known)}")
    return ScoreRow(**row)


def _read_step(item: Mapping[str, Any], path: Path) -> RecipeStep:
    name = str(item.get("name", ""))
    if not _NAME.fullmatch(name) or name == "logs":
        raise ConfigError(f"{path}: found the step name {name!r}, expected words like train-crf")
    unknown = sorted(set(item) - _STEP_KEYS)
    missing = sorted({"title", "run"} - set(item))
    if unknown or missing or item.get("when", "") not in WHEN:
        expected = ", ".join(sorted(_STEP_KEYS))
        raise ConfigError(
            f"{path}: step {name}: found {', '.join(sorted(item))}, expected title, run and others "
            f"of {expected}, with when = {', '.join(WHEN[1:])} or none"
        )
    return RecipeStep(
        name=name,
        title=" ".join(str(item["title"]).split()),
        run=str(item["run"]),
        when=item.get("when", ""),
        outputs=tuple(item.get("outputs", ())),
        scores=item.get("scores", ""),
        tables=tuple(item.get("tables", ())),
    )


def _fill_values(recipe: Recipe, out: Path, choices: Choices) -> Dict[str, str]:
    unknown = sorted(set(choices.settings) - set(recipe.settings))
    if unknown:
        known = ", ".join(recipe.settings) or "none"
        message = f"found the setting {', '.join(unknown)}, expected some of {known}"
        raise ConfigError(f"recipe {recipe.name}: {message}")
    settings = {**recipe.settings, **choices.settings}
    settings.update({"encoder": choices.encoder} if choices.encoder else {})
    settings.update({"steps": str(choices.steps)} if choices.steps else {})
    if not settings.get("steps", "").isdigit() or int(settings["steps"]) < 1:
        message = f"found steps = {settings.get('steps')!r}, expected a whole number above 0"
        raise ConfigError(f"recipe {recipe.name}: {message}")
    steps = int(settings["steps"])
    values = {
        "out": str(out),
        "recipes": str(FOLDER),
        "gpu": str(choices.gpu_id),
        "seed": str(choices.seed),
        "eval_every": str(max(1, steps // 5)),
        "patience": str(2 * max(1, steps // 5)),
        "short": str(max(1, steps // 10)),
    }
    place = f"recipe {recipe.name}, settings"
    values.update({name: _fill(text, values, place) for name, text in settings.items()})
    values["corpus"] = choices.corpus or _fill(recipe.corpus, values, place)
    return values


def _fill(text: str, values: Mapping[str, str], place: str) -> str:
    try:
        return Template(text).substitute(values)
    except KeyError as error:
        known = ", ".join(values)
        message = f"found the placeholder {error.args[0]!r}, expected one of {known}"
        raise ConfigError(f"{place}: {message}") from error
    except ValueError as error:
        raise ConfigError(f"{place}: found {text!r}, expected ${{NAME}}, or $$ for $") from error
