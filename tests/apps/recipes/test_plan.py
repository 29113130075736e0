"""Recipes: what they plan, that every command exists, what runs again, and the summary."""

import json
import re
from pathlib import Path

import pytest
import srsly
import typer
from spacy.cli._util import parse_config_overrides
from thinc.api import Config
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.recipes.plan import (
    FOLDER,
    Choices,
    find_recipe,
    list_recipes,
    parse_settings,
    plan_recipe,
)
from spacy_bioner.apps.recipes.recipe import run_in_process, run_recipe
from spacy_bioner.apps.recipes.recipe_file import read_recipe
from spacy_bioner.errors import BionerError, ConfigError
from tests.paths import ROOT

NAMES = ["P1", "P2", "P3", "P4", "P5"]
OUT = Path("OUT")
STAND_IN = Choices(from_hub=True)
OWN_DATA = Choices(corpus="notes", from_hub=True)
ABOUT = {key: f"some {key}" for key in ("title", "paper", "did", "data", "not_comparable")}
SMALL = {
    **ABOUT,
    "stand_in": "small files",
    "corpus": "${out}/make/words.csv",
    "settings": {"steps": 50, "encoder": "tiny", "shares": "80/20"},
    "steps": [
        {
            "name": "make",
            "title": "makes the stand-in",
            "when": "stand-in",
            "run": "bioner convert demo.txt ${here}/words.csv",
            "outputs": ["words.csv"],
        },
        {
            "name": "split",
            "title": "divides it",
            "run": "bioner split ${corpus} ${here}/parts --ratio ${shares}",
            "outputs": ["parts"],
        },
        {
            "name": "other",
            "title": "uses neither",
            "run": "bioner convert a.txt ${here}/b.csv --label-map '${encoder} ${steps}'",
            "outputs": ["b.csv"],
        },
        {
            "name": "train",
            "title": "learns from the parts",
            "run": "bioner train ${out}/split/parts ${here}/model --training.eval_frequency "
            "${eval_every} --warm ${short}",
            "outputs": ["model"],
        },
        {
            "name": "more",
            "title": "is for the hub",
            "when": "hub",
            "run": "bioner compare ${out}/split/parts ${here}",
        },
    ],
}


@pytest.fixture
def small(tmp_path):
    srsly.write_yaml(tmp_path / "small.yaml", SMALL)
    return read_recipe(tmp_path / "small.yaml")


@pytest.fixture
def write_small(tmp_path):
    """Writes the small recipe with other values."""

    def write(**changes):
        path = tmp_path / "changed.yaml"
        srsly.write_yaml(path, {**SMALL, **changes})
        return path

    return write


class Runner:
    """Stands in for the processes: writes the outputs that a step should, and remembers."""

    def __init__(self, fails=""):
        self.ran = []
        self.fails = fails

    def __call__(self, words, log):
        name = log.stem
        self.ran.append(name)
        folder = log.parent.parent / name
        log.write_text("much text\nerror: no luck today\n" if name == self.fails else "fine\n")
        if name == self.fails:
            (folder / "half.txt").write_text("half")
            return 1
        step = next(item for item in SMALL["steps"] if item["name"] == name)
        for item in step.get("outputs", ()):
            (folder / item).write_text("whole")
        return 0


def list_lines(recipe, choices=STAND_IN):
    return {item.step.name: item.line for item in plan_recipe(recipe, OUT, choices)}


def cut(**changes):
    return [{**SMALL["steps"][0], **changes}]


# What ships


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


# Planning


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


# Running


def test_steps_run_in_order_and_leave_logs(small, tmp_path):
    runner, lines = Runner(), []
    run_recipe(small, tmp_path / "out", Choices(), run_command=runner, report=lines.append)
    assert runner.ran == ["make", "split", "other", "train"]
    assert lines[1] == "2 of 4 split: divides it"
    assert (tmp_path / "out/logs/split.log").read_text() == "fine\n"
    state = json.loads((tmp_path / "out/steps.json").read_text())
    assert state["recipe"] == "small"
    assert [step["finished"] for step in state["steps"].values()] == [True] * 4


def test_finished_steps_are_skipped(small, tmp_path):
    out = tmp_path / "out"
    run_recipe(small, out, Choices(), run_command=Runner())
    runner, lines = Runner(), []
    run_recipe(small, out, Choices(), run_command=runner, report=lines.append)
    assert runner.ran == []
    assert lines[-1] == "4 of 4 train: finished before"


def test_a_folder_that_was_moved_is_still_finished(small, tmp_path):
    run_recipe(small, tmp_path / "out", Choices(), run_command=Runner())
    (tmp_path / "out").rename(tmp_path / "moved")
    runner = Runner()
    run_recipe(small, tmp_path / "moved", Choices(), run_command=runner)
    assert runner.ran == []


def test_a_changed_step_runs_anew_with_those_that_use_it(small, tmp_path):
    out = tmp_path / "out"
    run_recipe(small, out, Choices(), run_command=Runner())
    (out / "split/left over.txt").write_text("old")
    runner, lines = Runner(), []
    choices = Choices(settings={"shares": "50/50"})
    run_recipe(small, out, choices, run_command=runner, report=lines.append)
    assert runner.ran == ["split", "train"]
    assert lines[1] == "2 of 4 split: divides it (its command changed)"
    assert lines[3] == "4 of 4 train: learns from the parts (a step that it uses ran anew)"
    assert not (out / "split/left over.txt").exists()


def test_what_uses_a_changed_step_runs_anew_even_after_a_kill_in_between(small, tmp_path):
    out = tmp_path / "out"
    run_recipe(small, out, Choices(), run_command=Runner())
    choices = Choices(settings={"shares": "50/50"})
    with pytest.raises(BionerError):
        run_recipe(small, out, choices, run_command=Runner(fails="split"))
    first, second = Runner(fails="train"), Runner()
    with pytest.raises(BionerError):
        run_recipe(small, out, choices, run_command=first)
    run_recipe(small, out, choices, run_command=second)
    assert (first.ran, second.ran) == (["split", "train"], ["train"])


def test_a_step_whose_output_is_gone_runs_anew(small, tmp_path):
    out = tmp_path / "out"
    run_recipe(small, out, Choices(), run_command=Runner())
    (out / "other/b.csv").unlink()
    runner, lines = Runner(), []
    run_recipe(small, out, Choices(), run_command=runner, report=lines.append)
    assert runner.ran == ["other"]
    assert lines[2] == "3 of 4 other: uses neither (b.csv is missing)"


def test_a_failing_step_names_its_log_and_keeps_what_it_has(small, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(BionerError) as raised:
        run_recipe(small, out, Choices(), run_command=Runner(fails="split"))
    log = out / "logs/split.log"
    assert str(raised.value) == f"step 2 of 4 split failed: no luck today; its log is {log}"
    assert not (out / "recipe.md").exists()
    runner = Runner()
    run_recipe(small, out, Choices(), run_command=runner)
    assert runner.ran == ["split", "other", "train"]
    # Many commands go on where they were.
    assert (out / "split/half.txt").exists()


def test_a_step_that_was_killed_says_by_what(small, tmp_path):
    message = "failed: it was ended by SIGKILL, most likely for want of memory; its log is"
    with pytest.raises(BionerError, match=message):
        run_recipe(small, tmp_path / "out", Choices(), run_command=lambda words, log: -9)


def test_a_step_without_its_outputs_failed(small, tmp_path):
    with pytest.raises(BionerError, match=r"make failed: it did not write words\.csv; its log is"):
        run_recipe(small, tmp_path / "out", Choices(), run_command=lambda words, log: 0)


@pytest.mark.parametrize("keys", [{"scores": "s.json"}, {"tables": ["s.json"]}])
def test_a_step_without_its_scores_or_tables_failed(keys, write_small, tmp_path):
    step = {"name": "score", "title": "the system", "run": "bioner kfold c", **keys}
    recipe = read_recipe(write_small(steps=[step, {**step, "name": "later"}]))
    with pytest.raises(BionerError) as raised:
        run_recipe(recipe, tmp_path / "out", Choices(), run_command=lambda words, log: 0)
    message = "step 1 of 2 score failed: it did not write s.json; its log is"
    assert str(raised.value).startswith(message)


def test_a_step_whose_scores_are_gone_runs_anew(write_small, tmp_path):
    step = {"name": "score", "title": "the system", "run": "bioner kfold c", "scores": "s.json"}
    recipe = read_recipe(write_small(steps=[step]))
    ran = []

    def write(words, log):
        ran.append(log.stem)
        data = {"folds": [], "pooled": counts(1, 0.5)}
        (tmp_path / "out/score/s.json").write_text(json.dumps(data))
        return 0

    run_recipe(recipe, tmp_path / "out", Choices(), run_command=write)
    (tmp_path / "out/score/s.json").unlink()
    run_recipe(recipe, tmp_path / "out", Choices(), run_command=write)
    assert ran == ["score", "score"]


def test_an_interrupt_is_one_line_that_says_how_to_go_on(small, tmp_path):
    def interrupt(words, log):
        raise KeyboardInterrupt

    with pytest.raises(BionerError, match="interrupted in step make; the same command goes on"):
        run_recipe(small, tmp_path / "out", Choices(), run_command=interrupt)


def test_a_folder_with_something_else_is_left_alone(small, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("three years")
    with pytest.raises(ConfigError, match="found something else than an earlier run of a recipe"):
        run_recipe(small, tmp_path / "out", Choices(), run_command=Runner())
    assert (tmp_path / "out/thesis.txt").read_text() == "three years"


@pytest.mark.parametrize("text", ["{", "[]", '{"recipe": "small"}'])
def test_a_broken_account_is_refused(text, small, tmp_path):
    (tmp_path / "steps.json").write_text(text)
    with pytest.raises(ConfigError, match=r"steps\.json: found no account of a recipe's steps"):
        run_recipe(small, tmp_path, Choices(), run_command=Runner())


def test_the_folder_of_another_recipe_is_refused(small, write_small, tmp_path):
    run_recipe(small, tmp_path / "out", Choices(), run_command=Runner())
    other = read_recipe(write_small())
    with pytest.raises(ConfigError, match="found a run of small, expected one of changed"):
        run_recipe(other, tmp_path / "out", Choices(), run_command=Runner())


def test_a_corpus_that_is_not_there_is_refused_before_the_first_step(small, tmp_path):
    runner = Runner()
    with pytest.raises(ConfigError, match="--corpus nowhere: no such file or folder; some data"):
        run_recipe(small, tmp_path / "out", Choices(corpus="nowhere"), run_command=runner)
    assert runner.ran == []


def test_the_demo_corpus_is_asked_for_where_it_is_not_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"python assets/demo/build\.py"):
        run_recipe(find_recipe("P1"), tmp_path / "out", Choices(), run_command=Runner())


def test_a_process_leaves_its_output_and_code(tmp_path):
    log = tmp_path / "x.log"
    assert run_in_process(["bioner", "recipe", "P9"], log) == 1
    assert log.read_text().startswith("error: found no recipe 'P9', expected one of P1, P2")


# Scores


@pytest.fixture
def scored(write_small, tmp_path):
    """Runs a recipe whose only step writes given files, and gives the summary."""

    def build(run_line, files, **keys):
        step = {"name": "score", "title": "the system", "run": run_line, **keys}
        recipe = read_recipe(write_small(steps=[step]))

        def write(words, log):
            for name, content in files.items():
                path = tmp_path / "out/score" / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(content if isinstance(content, str) else json.dumps(content))
            return 0

        return run_recipe(recipe, tmp_path / "out", Choices(), run_command=write).read_text()

    return build


def counts(gold, share):
    return {"gold": gold, "precision": share, "recall": None, "f_score": share}


def find_rows(text):
    return [
        [c.strip() for c in line.strip("|").split("|")]
        for line in text.splitlines()
        if "| " in line
    ]


def test_scores_of_an_evaluation_are_quoted_with_their_spans(scored):
    data = {
        "corpus": "x/test.spacy",
        "spans_key": "spancat",
        "labels": ["Chemical", "Disease"],
        "scores": {
            "pipeline": {"micro": counts(1234, 0.5)},
            "spans": {"micro": counts(1300, 0.25)},
        },
    }
    rows = find_rows(scored("bioner evaluate m c", {"s.json": data}, scores="s.json"))
    where = "test, Chemical and Disease only"
    assert ["the system", where, "1,234", "50.00", "–", "50.00"] in rows
    name = "the system, all of doc.spans['spancat']"
    assert [name, where, "1,300", "25.00", "–", "25.00"] in rows


def test_scores_of_a_comparison_are_quoted_with_reasons(scored):
    shares = {name: {"value": 0.5} for name in ("precision", "recall", "f_score")}
    rows = [
        {"name": "a", "source": "x/a", "scores": {**shares, "seed": 0}, "reason": ""},
        {"name": "b", "source": "x/b", "scores": None, "reason": "no such encoder"},
    ]
    text = scored("bioner compare c o", {"c.json": rows}, scores="c.json")
    assert ["a (x/a)", "test", "–", "50.00", "50.00", "50.00"] in find_rows(text)
    assert ["b (x/b)", "test", "–", "–", "–", "–"] in find_rows(text)
    assert "- b (x/b): no such encoder" in text


def test_scores_of_folds_are_the_pooled_ones_and_tables_are_taken_in(scored):
    data = {"folds": [{}, {}], "pooled": counts(10, 0.5)}
    files = {"folds.json": data, "folds.md": "| fold | F1 |\n"}
    text = scored("bioner kfold c o", files, scores="folds.json", tables=["folds.md"])
    expected = ["the system", "training documents, 2 folds", "10", "50.00", "–", "50.00"]
    assert expected in find_rows(text)
    assert "### score\n\n| fold | F1 |\n" in text


def test_the_verdict_on_an_ensemble_and_plots_are_in_the_summary(scored):
    files = {"model/ensemble.json": {"verdict": "BELOW ITS BEST MEMBER"}, "curve.png": "x"}
    text = scored("bioner ensemble a b", files)
    assert "- score: BELOW ITS BEST MEMBER\n" in text
    assert "- [score/curve.png](score/curve.png)\n" in text


def test_scores_that_cannot_be_read_are_an_error_with_the_file(scored):
    with pytest.raises(BionerError, match=r"score/s\.json: found no scores"):
        scored("bioner evaluate m c", {"s.json": "{"}, scores="s.json")


# The command


def test_without_a_name_recipes_are_listed():
    result = CliRunner().invoke(app, ["recipe"])
    assert re.findall(r"^P\d", result.stdout, re.MULTILINE) == NAMES
    assert "Applying NER in Medical Records" in result.stdout


def test_a_dry_run_prints_commands_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["recipe", "p1", "my out", "--dry-run", "--steps", "7"])
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        "# stand-in: the demo corpus as a table of words and tags",
        "bioner convert assets/demo/train.pubtator.txt 'my out/stand-in/words.csv'",
    ]
    assert any("--max-steps 7 " in line for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["P6", "x"], "error: found no recipe 'P6', expected one of P1, P2, P3, P4, P5, or a"),
        (["P1"], "error: found no OUT, expected `bioner recipe P1 OUT`"),
        (["none.yaml", "x"], "error: none.yaml: no such file, expected a recipe"),
        (["P1", "x", "--set", "foo=1"], "error: recipe P1: found the setting foo, expected some"),
    ],
)
def test_faults_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as raised:
        run(["recipe", *arguments])
    error = capsys.readouterr().err
    assert (raised.value.code, error.count("\n")) == (1, 1)
    assert error.startswith(message)
