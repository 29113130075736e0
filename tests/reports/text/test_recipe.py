"""The summary of a recipe: both kinds of figures in one table, and what is said of the data."""

from spacy_bioner.reports.text.recipe import render_commands, render_list, render_recipe
from spacy_bioner.training.results.recipes import RecipeAbout, ScoreRow, StepResult

ABOUT = RecipeAbout(
    name="P0",
    title="a title",
    paper="a paper",
    did="It did much.",
    stand_in="Something small.",
    data="Ask for it.",
    not_comparable="Other data.",
    published=(ScoreRow("theirs", "notes", f_score=81.0),),
    later=("explanations",),
)
OURS = StepResult(
    "evaluate",
    "scores it",
    "bioner evaluate m c",
    seconds=1234.4,
    rows=(ScoreRow("ours", "test", 1200, 50.0, 25.0, 100 / 3),),
    log="logs/evaluate.log",
)


def test_ours_and_the_published_figures_stand_in_one_table():
    text = render_recipe(ABOUT, [OURS], how="seed 0")
    table = [line for line in text.splitlines() if line.startswith("|")][:4]
    assert table == [
        "| system | data             | mentions | precision | recall |    F1 |",
        "| ------ | ---------------- | -------: | --------: | -----: | ----: |",
        "| ours   | test             |    1,200 |     50.00 |  25.00 | 33.33 |",
        "| theirs | published: notes |        – |         – |      – | 81.00 |",
    ]
    assert "(offsets and label as in the gold standard), with seed 0." in text
    assert "**Not comparable.** Other data." in text


def test_the_stand_in_is_named_unless_there_is_real_data():
    own = render_recipe(ABOUT, [OURS], how="", corpus="my/notes")
    assert "**Stand-in.** Something small.\n\n**The paper's data.** Ask for it." in render_recipe(
        ABOUT, [OURS], how=""
    )
    assert "**Data.** `my/notes`, in place of the stand-in." in own
    assert "Something small." not in own


def test_steps_have_their_seconds_log_and_command():
    text = render_recipe(ABOUT, [OURS], how="")
    assert "| evaluate | scores it    |   1,234 | [log](logs/evaluate.log) |" in text
    assert "```bash\n# evaluate: scores it\nbioner evaluate m c\n```" in text
    assert "## Not in this recipe\n\n- explanations" in text


def test_without_scores_plots_and_notes_there_are_no_empty_sections():
    plain = RecipeAbout("P0", "t", "p", "d", "s", "d", "n")
    text = render_recipe(plain, [], how="")
    assert "No step gives scores." in text
    assert "## Plots" not in text
    assert "## Not in" not in text


def test_commands_and_lists_are_plain_lines():
    assert render_commands([("a", "does a", "bioner a"), ("b", "does b", "bioner b")]) == (
        "# a: does a\nbioner a\n# b: does b\nbioner b"
    )
    assert render_list([ABOUT]) == "P0  a title\n    a paper"
