"""Recipes: what they plan, and that every command exists."""

import re
from pathlib import Path

import pytest
import typer
from spacy.cli._util import parse_config_overrides
from thinc.api import Config

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.recipes.plan import (
    FOLDER,
    Choices,
    find_recipe,
    list_recipes,
    parse_settings,
    plan_recipe,
)
from spacy_bioner.apps.recipes.recipe_file import read_recipe
from spacy_bioner.errors import ConfigError
from tests.apps.recipes.small_recipe import SMALL, STAND_IN
from tests.paths import ROOT

NAMES = ["P1", "P2", "P3", "P4", "P5"]
OUT = Path("OUT")
OWN_DATA = Choices(corpus="notes", from_hub=True)


def list_lines(recipe, choices=STAND_IN):
    return {item.step.name: item.line for item in plan_recipe(recipe, OUT, choices)}


def cut(**changes):
    return [{**SMALL["steps"][0], **changes}]


def test_five_recipes_ship():
    assert [recipe.name for recipe in list_recipes()] == NAMES


def list_commands():
    for name in NAMES:
        for kind, choices in (("stand-in", STAND_IN), ("own", OWN_DATA)):
            for command in plan_recipe(find_recipe(name), OUT, choices):
                yield pytest.param(command, id=f"{name}-{kind}-{command.step.name}")


@pytest.mark.parametrize("command", [*list_commands()])
def test_every_command_parses_and_changes_settings_that_exist(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, *arguments = command.words[1:]
    parser = typer.main.get_command(app).get_command(None, name)
    with parser.make_context(name, list(arguments)) as context:
        overrides = parse_config_overrides(context.args, env_var=None) if context.args else {}
        profile = context.params.get("profile")
    if not profile:
        assert overrides == {}
        return
    chosen = load_profile(profile)
    every = {**chosen.overrides, **overrides}
    Config().from_disk(chosen.config, overrides=every, interpolate=False)
    plain = Config().from_disk(chosen.config, interpolate=False)
    assert [key for key in overrides if not exists(plain, key)] == []


def exists(config, key):
    section = config
    for part in key.split("."):
        if part not in section:
            return False
        section = section[part]
    return True


@pytest.mark.parametrize("choices", [STAND_IN, OWN_DATA], ids=["stand-in", "own"])
@pytest.mark.parametrize("name", NAMES)
def test_every_step_uses_outputs_of_earlier_steps(name, choices):
    made = set()
    for command in plan_recipe(find_recipe(name), OUT, choices):
        for step, path in re.findall(r"OUT/([a-z0-9-]+)(/[\w./-]+)?", " ".join(command.words)):
            if step != command.step.name:
                whole = step + path
                assert any(item == whole or within(item, whole) for item in made), whole
        made.update(f"{command.step.name}/{item}" for item in command.step.outputs)


def within(item, whole):
    """A folder above an output, or something in one."""
    return item.startswith(f"{whole}/") or whole.startswith(f"{item}/")


@pytest.mark.parametrize("name", NAMES)
def test_own_data_takes_the_place_of_the_stand_in(name):
    words = [w for item in plan_recipe(find_recipe(name), OUT, OWN_DATA) for w in item.words]
    assert "notes" in words
    assert "assets/demo/train.pubtator.txt" not in words


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_package_that_a_recipe_names_are_there(name):
    words = [w for item in plan_recipe(find_recipe(name), OUT, STAND_IN) for w in item.words]
    assert [
        word for word in words if word.startswith(str(FOLDER)) and not Path(word).exists()
    ] == []


@pytest.mark.parametrize(("name", "encoders"), [("P2", 6), ("P5", 4)])
def test_the_papers_encoders_come_from_the_hub_only_when_asked_for(name, encoders):
    recipe = find_recipe(name)
    with_hub = " ".join(list_lines(recipe).values())
    without = " ".join(list_lines(recipe, Choices()).values())
    hub = r"--encoder \w+=[\w-]+/[\w.-]+(?!/)"
    asked = [item for item in re.findall(hub, with_hub) if "OUT/" not in item]
    assert len(asked) == encoders
    assert [item for item in re.findall(hub, without) if "OUT/" not in item] == []


def test_published_figures_of_p5_are_those_of_the_paper():
    rows = {row.system: row.f_score for row in find_recipe("P5").about.published}
    assert rows == {
        "CNN-BiLSTM-CRF": 86.5,
        "BERT": 81.8,
        "DistilBERT": 78.2,
        "RoBERTa": 82.0,
        "DeBERTa": 84.0,
    }


def test_placeholders_are_filled(small):
    assert list_lines(small) == {
        "make": "bioner convert demo.txt OUT/make/words.csv",
        "split": "bioner split OUT/make/words.csv OUT/split/parts --ratio 80/20",
        "other": "bioner convert a.txt OUT/other/b.csv --label-map 'tiny 50'",
        "train": "bioner train OUT/split/parts OUT/train/model "
        "--training.eval_frequency 10 --warm 5",
        "more": "bioner compare OUT/split/parts OUT/more",
    }


def test_choices_replace_what_the_recipe_has(small):
    choices = Choices(corpus="my notes", encoder="big", steps=3, settings={"shares": "50/50"})
    assert list_lines(small, choices) == {
        "split": "bioner split 'my notes' OUT/split/parts --ratio 50/50",
        "other": "bioner convert a.txt OUT/other/b.csv --label-map 'big 3'",
        "train": "bioner train OUT/split/parts OUT/train/model "
        "--training.eval_frequency 1 --warm 1",
    }


def test_a_value_with_spaces_and_quotes_stays_one_word(small):
    choices = Choices(settings={"shares": """{"a b": "it's"}"""})
    words = plan_recipe(small, OUT, choices)[1].words
    assert words[-1] == """{"a b": "it's"}"""


def test_an_unknown_setting_is_refused(small):
    with pytest.raises(ConfigError, match="found the setting share, expected some of steps, enc"):
        plan_recipe(small, OUT, Choices(settings={"share": "1"}))


def test_steps_that_are_no_number_are_refused(small):
    with pytest.raises(ConfigError, match="steps = 'many', expected a whole number above 0"):
        plan_recipe(small, OUT, Choices(settings={"steps": "many"}))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (cut(run="bioner convert ${where} x"), "step make: found the placeholder 'where'"),
        (cut(run="bioner convert $ x"), r"step make: found '\$', expected"),
        (cut() * 2, "found the step make twice"),
    ],
)
def test_a_recipe_that_cannot_be_planned_is_refused(steps, message, write_small):
    with pytest.raises(ConfigError, match=message):
        plan_recipe(read_recipe(write_small(steps=steps)), OUT, Choices())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "found no title, expected"),
        ({"steps": cut(name="../x")}, "found the step name '../x'"),
        ({"steps": cut(name="logs")}, "found the step name 'logs'"),
        (
            {"steps": cut(when="sometimes")},
            "step make: found name, outputs, run, title, when, expected title, run and others of "
            "name, outputs, run, scores, tables, title, when, with when = stand-in, corpus, hub or",
        ),
        ({"steps": cut(output=[])}, "step make: found name, output, outputs"),
        ({"steps": {"name": "make"}}, "steps: found {'name': 'make'}, expected a list of steps"),
        ({"steps": [*cut(), "more"]}, "step 2: found 'more', expected a mapping with name, title"),
        ({"steps": cut(run="rm -r x")}, "step make: run: found 'rm -r x', expected a `bioner` com"),
        ({"steps": cut(run="bioner", scores="s.json")}, "step make: run: found 'bioner', expected"),
        (
            {"steps": cut(run="bioner convert 'x y")},
            'step make: run: found "bioner convert \'x y", expected a line as in a shell (No clos',
        ),
        (
            {"steps": cut(scores="s.json")},
            "step make: found scores of `bioner convert`, expected those of `bioner evaluate`, "
            "`bioner compare`, `bioner kfold`",
        ),
        (
            {"steps": cut(run="bioner kfold c", scores=["s.json"])},
            "step make: scores: found ['s.json'], expected the name of a file",
        ),
        (
            {"steps": cut(outputs="s.json")},
            "step make: outputs: found 's.json', expected a list of names",
        ),
        (
            {"steps": cut(tables="t.md")},
            "step make: tables: found 't.md', expected a list of names",
        ),
        ({"setings": {"steps": 3}}, "found the key setings, expected some of title, paper"),
        ({"settings": ["steps"]}, "settings: found ['steps'], expected NAME: VALUE pairs"),
        ({"later": [{"more": 1}]}, "later: found [{'more': 1}], expected a list of texts"),
        (
            {"published": [{"system": "x"}]},
            "published: found {'system': 'x'}, expected system, dat",
        ),
        ({"published": ["x"]}, "published: found 'x', expected system, data, precision"),
        (
            {"published": [{"system": "x", "data": "y", "recall": "80 %"}]},
            "published, recall of x: found '80 %', expected per cent",
        ),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(changes, message, write_small):
    path = write_small(**changes)
    with pytest.raises(ConfigError) as raised:
        read_recipe(path)
    assert str(raised.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("key", ["settings", "later", "published"])
def test_a_key_without_a_value_is_as_none(key, write_small, small):
    found, plain = read_recipe(write_small(**{key: None})), small
    assert found.about.published == found.about.later == ()
    assert found.settings == ({} if key == "settings" else plain.settings)


def test_a_setting_without_a_value_is_empty(write_small):
    assert read_recipe(write_small(settings={"label_map": None})).settings == {"label_map": ""}


@pytest.mark.parametrize("key", ["when", "outputs", "tables", "scores"])
def test_a_steps_key_without_a_value_is_as_none(key, write_small):
    (step,) = read_recipe(write_small(steps=cut(**{key: None}))).steps
    assert not getattr(step, key)


def test_settings_are_read_up_to_the_first_equals_sign():
    assert parse_settings(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(ConfigError, match="--set: found 'a', expected NAME=VALUE"):
        parse_settings(["a"])
