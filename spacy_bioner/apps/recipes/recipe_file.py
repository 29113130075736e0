"""The files of recipes: a published system as `bioner` commands from corpus to scores.

A recipe is a YAML file of this form (`data/P1.yaml` is one):

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
        scores: test.json   optional: what of an evaluation, comparison or k folds is quoted
        tables: […]         optional: Markdown files that the summary takes in

Placeholders are the settings, and `out`, `here` (the step's folder), `corpus`, `recipes` (the
folder of this package's recipes), `gpu`, `seed`, `eval_every` (a fifth of `steps`), `patience` (two
fifths) and `short` (a tenth).
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import srsly

from spacy_bioner.apps.recipes.score_readers import READERS
from spacy_bioner.errors import ConfigError
from spacy_bioner.training.results.recipes import RecipeAbout, ScoreRow

WHEN = ("", "stand-in", "corpus", "hub")
_TEXTS = ("title", "paper", "did", "stand_in", "data", "not_comparable", "corpus")
_OTHERS = ("later", "settings", "published", "steps")
_STEP_KEYS = {"name", "title", "when", "run", "outputs", "scores", "tables"}
_PUBLISHED = ("precision", "recall", "f_score")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class RecipeStep:
    """One command of a recipe, with its placeholders; see the top of this module.

    words (Tuple[str, ...]): Its `run`, split as a shell does, "bioner" and a command first.
    """

    name: str
    title: str
    words: Tuple[str, ...]
    when: str = ""
    outputs: Tuple[str, ...] = ()
    scores: str = ""
    tables: Tuple[str, ...] = ()

    @property
    def leaves(self) -> Tuple[str, ...]:
        """All that has to be in its folder afterwards: outputs, scores and tables."""
        scores = (self.scores,) if self.scores else ()
        return tuple(dict.fromkeys((*self.outputs, *scores, *self.tables)))


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


def read_recipe(path: Path) -> Recipe:
    """Read the file of a recipe, and find its faults before anything runs.

    RAISES (ConfigError): No such file, or one that is no recipe, with the key or step.
    """
    data = _read_mapping(path)
    texts = {key: " ".join(str(data[key]).split()) for key in _TEXTS if key != "corpus"}
    settings = data.get("settings") or {}
    if not isinstance(settings, dict):
        raise _fault(path, "settings", settings, "NAME: VALUE pairs")
    steps = _read_list(data, "steps", str(path), "a list of steps")
    later = _read_list(data, "later", str(path), "a list of texts", kind=str)
    published = _read_list(data, "published", str(path), "a list of rows")
    about = RecipeAbout(
        name=path.stem,
        **texts,
        published=tuple(_read_published(row, path) for row in published),
        later=tuple(" ".join(item.split()) for item in later),
    )
    return Recipe(
        about,
        corpus=str(data["corpus"]),
        settings={str(k): "" if value is None else str(value) for k, value in settings.items()},
        steps=tuple(_read_step(item, path, number) for number, item in enumerate(steps, start=1)),
    )


def _read_mapping(path: Path) -> Dict[str, Any]:
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
    unknown = sorted(map(str, set(data) - {*_TEXTS, *_OTHERS}))
    if unknown:
        known = ", ".join((*_TEXTS, *_OTHERS))
        raise ConfigError(f"{path}: found the key {unknown[0]}, expected some of {known}")
    return data


def _read_list(
    data: Mapping[str, Any], key: str, place: str, expected: str, *, kind: type = object
) -> List[Any]:
    """Return a list, empty where the key has no value; its items are of a kind."""
    found = data.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
        raise _fault(place, key, found, expected)
    return found


def _read_published(row: Any, path: Path) -> ScoreRow:
    known = ("system", "data", *_PUBLISHED)
    if not isinstance(row, dict) or not {"system", "data"} <= set(row) <= set(known):
        raise _fault(path, "published", row, ", ".join(known))
    for name in _PUBLISHED:
        if not isinstance(row.get(name, 0), (int, float)):
            raise _fault(path, f"published, {name} of {row['system']}", row[name], "per cent")
    return ScoreRow(**row)


def _read_step(item: Any, path: Path, number: int) -> RecipeStep:
    if not isinstance(item, dict):
        raise _fault(path, f"step {number}", item, "a mapping with name, title and run")
    name = str(item.get("name", ""))
    if not _NAME.fullmatch(name) or name == "logs":
        raise ConfigError(f"{path}: found the step name {name!r}, expected words like train-crf")
    place = f"{path}: step {name}"
    unknown = set(item) - _STEP_KEYS
    missing = {"title", "run"} - set(item)
    if unknown or missing or (item.get("when") or "") not in WHEN:
        expected = ", ".join(sorted(_STEP_KEYS))
        raise ConfigError(
            f"{place}: found {', '.join(sorted(map(str, item)))}, expected title, run and others "
            f"of {expected}, with when = {', '.join(WHEN[1:])} or none"
        )
    words = _split(str(item["run"]), place)
    return RecipeStep(
        name=name,
        title=" ".join(str(item["title"]).split()),
        words=words,
        when=item.get("when") or "",
        outputs=tuple(_read_list(item, "outputs", place, "a list of names", kind=str)),
        scores=_read_scores(item, words[1], place),
        tables=tuple(_read_list(item, "tables", place, "a list of names", kind=str)),
    )


def _split(run: str, place: str) -> Tuple[str, ...]:
    try:
        words = shlex.split(run)
    except ValueError as error:
        message = f"run: found {run!r}, expected a line as in a shell ({error})"
        raise ConfigError(f"{place}: {message}") from error
    if words[:1] != ["bioner"] or len(words) < 2:
        raise _fault(place, "run", run, "a `bioner` command, as in `bioner train …`")
    return tuple(words)


def _read_scores(item: Mapping[str, Any], command: str, place: str) -> str:
    found = item.get("scores") or ""
    if not isinstance(found, str):
        raise _fault(place, "scores", found, "the name of a file")
    if found and command not in READERS:
        known = ", ".join(f"`bioner {name}`" for name in READERS)
        raise ConfigError(f"{place}: found scores of `bioner {command}`, expected those of {known}")
    return found


def _fault(place: Any, key: str, found: Any, expected: str) -> ConfigError:
    return ConfigError(f"{place}: {key}: found {found!r}, expected {expected}")
