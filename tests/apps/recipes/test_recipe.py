"""Recipes that run: what runs again, what a failing step leaves, and the summary."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.recipes.plan import (
    Choices,
    find_recipe,
)
from spacy_bioner.apps.recipes.recipe import run_in_process, run_recipe
from spacy_bioner.apps.recipes.recipe_file import read_recipe
from spacy_bioner.errors import BionerError, ConfigError
from tests.apps.recipes.small_recipe import SMALL

OUT = Path("OUT")


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


def test_without_a_name_recipes_are_listed():
    result = CliRunner().invoke(app, ["recipe"])
    assert re.findall(r"^P\d", result.stdout, re.MULTILINE) == ["P1", "P2", "P3", "P4", "P5"]
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
