"""The summary of a recipe: its scores beside the published ones, and what stands between them."""

from typing import Iterable, List, Sequence, Tuple

from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import quote_code, render_markdown_table
from spacy_bioner.training.results.recipes import RecipeAbout, ScoreRow, StepResult

HEADER = ("system", "data", "mentions", "precision", "recall", "F1")
PUBLISHED = "published"


def render_recipe(
    about: RecipeAbout, results: Sequence[StepResult], *, how: str, corpus: str = ""
) -> str:
    """Render the summary as Markdown.

    how (str): Encoder, training steps and seed, for the head of the table.
    corpus (str): The user's data; empty: the stand-in.
    """
    notes = [f"- {note}" for result in results for note in result.notes]
    plots = [f"- [{plot}]({plot})" for result in results for plot in result.plots]
    lines = ((result.name, result.title, result.line) for result in results)
    parts = [
        f"# {about.name}: {about.title}",
        f"Recipe of {about.paper}",
        f"**The paper.** {about.did}",
        *(
            [f"**Data.** {quote_code(corpus)}, in place of the stand-in."]
            if corpus
            else [f"**Stand-in.** {about.stand_in}", f"**The paper's data.** {about.data}"]
        ),
        "## Scores",
        _render_scores(results, about.published, how),
        f"**Not comparable.** {about.not_comparable}",
        "\n".join(notes),
        *(f"### {result.name}\n\n{table}" for result in results for table in result.tables),
        *(["## Plots and pages", "\n".join(plots)] if plots else []),
        *_render_later(about.later),
        "## Steps",
        _render_steps(results),
        "```bash\n" + render_commands(lines) + "\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_commands(lines: Iterable[Tuple[str, str, str]]) -> str:
    """Return command lines as one can type them.

    lines (Iterable[Tuple[str, str, str]]): Name, title and command line of each step.
    """
    return "\n".join(f"# {name}: {title}\n{line}" for name, title, line in lines)


def render_list(recipes: Sequence[RecipeAbout]) -> str:
    """List recipes: name, title and paper."""
    return "\n".join(f"{item.name}  {item.title}\n    {item.paper}" for item in recipes)


def _render_scores(results: Sequence[StepResult], published: Sequence[ScoreRow], how: str) -> str:
    """Put our rows, then the published ones, into one table."""
    ours = [row for result in results for row in result.rows]
    rows: List[Tuple[str, ...]] = [_cells(row, row.data) for row in ours]
    rows += [_cells(row, f"{PUBLISHED}: {row.data}") for row in published]
    if not rows:
        return "No step gives scores."
    head = f"Per cent. Ours are strict (offsets and label as in the gold standard), with {how}."
    return f"{head}\n\n{render_markdown_table(HEADER, rows, right=range(2, len(HEADER)))}"


def _cells(row: ScoreRow, data: str) -> Tuple[str, ...]:
    values = (row.precision, row.recall, row.f_score)
    shown = (DASH if value is None else f"{value:.2f}" for value in values)
    return (row.system, data, DASH if row.mentions is None else f"{row.mentions:,}", *shown)


def _render_later(later: Sequence[str]) -> List[str]:
    items = "\n".join(f"- {item}" for item in later)
    return ["## Not in this recipe", items] if later else []


def _render_steps(results: Sequence[StepResult]) -> str:
    rows = [
        (item.name, item.title, f"{item.seconds:,.0f}", f"[log]({item.log})" if item.log else DASH)
        for item in results
    ]
    return render_markdown_table(("step", "what it does", "seconds", "log"), rows, right=(2,))
