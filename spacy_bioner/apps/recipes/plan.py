"""Recipes: those that come with the package, and the commands of a run with all filled in."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.apps.recipes.recipe_file import Recipe, RecipeStep, read_recipe
from spacy_bioner.errors import ConfigError

FOLDER = Path(__file__).parent / "data"


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
    """Return the recipes that come with the package."""
    return [read_recipe(path) for path in sorted(FOLDER.glob("P*.yaml"))]


def find_recipe(name: str) -> Recipe:
    """Return a recipe by its name, in either case, or by the path of its file.

    RAISES (ConfigError): For neither.
    """
    if name.endswith((".yaml", ".yml")):
        return read_recipe(Path(name))
    known = {path.stem: path for path in sorted(FOLDER.glob("P*.yaml"))}
    if name.upper() not in known:
        expected = ", ".join(known)
        raise ConfigError(f"found no recipe {name!r}, expected one of {expected}, or a .yaml file")
    return read_recipe(known[name.upper()])


def check_output(recipe: Recipe, output: Optional[Path]) -> Path:
    """Return the folder that a recipe is run in.

    RAISES (ConfigError): Where none was named.
    """
    if output is None:
        raise ConfigError(f"found no OUT, expected `bioner recipe {recipe.name} OUT`")
    return output


def plan_recipe(recipe: Recipe, out: Path, choices: Choices) -> List[Command]:
    """Fill in the commands of a run, without those that it does not need.

    RAISES (ConfigError): An unknown setting or placeholder, or two steps of one name.
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
        words = [_fill(word, step_values, place) for word in step.words]
        commands.append(Command(step, tuple(words), folder))
    return commands


def describe_run(recipe: Recipe, choices: Choices) -> str:
    """Name what a run's figures depend on: encoder, training steps and seed."""
    values = _fill_values(recipe, Path("OUT"), choices)
    encoder = values.get("encoder", "no encoder")
    return f"{encoder}, {values['steps']} training steps and seed {values['seed']}"


def parse_settings(items: Sequence[str]) -> Dict[str, str]:
    """Read NAME=VALUE items.

    RAISES (ConfigError): What is none.
    """
    pairs = [item.partition("=") for item in items]
    for (name, sign, _), item in zip(pairs, items):
        if not sign or not name.strip():
            raise ConfigError(f"--set: found {item!r}, expected NAME=VALUE")
    return {name.strip(): value for name, _, value in pairs}


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
