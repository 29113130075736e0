"""Parts of a run's page that come from experiments with it: attacks, ablation."""

from typing import List, Optional, Sequence, Tuple

from spacy_bioner.evaluation.robustness import Outcome, Robustness
from spacy_bioner.reports.html.elements import Drawings, Section, draw_plot, make_table
from spacy_bioner.reports.plots.experiments import plot_ablation
from spacy_bioner.reports.plots.robustness import plot_robustness
from spacy_bioner.reports.text.ablation import describe_rows
from spacy_bioner.reports.text.robustness import list_rows
from spacy_bioner.training.results.experiments import AblationRow

NOT_OWN = "These are not parts of the pipeline of this page, but of another, or of its training."
MAX_EXAMPLES = 6
"""Lost mentions that the page shows of each attack; the JSON has more."""


def make_robustness_section(
    drawings: Drawings, results: Sequence[Robustness], *, is_own: bool
) -> Optional[Section]:
    """Show what is left under attack, with mentions that are lost; None without an attack.

    is_own (bool): Whether the page's pipeline is among those that were attacked.
    """
    if not results:
        return None
    header, rows = list_rows(results)
    tables = [make_table("Strict F1 under attack", header, rows)]
    caption = "F1 by the strength of an attack on embeddings, and under attacks on the text."
    plot = draw_plot(
        drawings,
        "robustness",
        plot_robustness(results),
        caption,
        [item.to_json() for item in results],
    )
    examples = _list_examples((*results[0].text, *results[0].curve))
    folded = []
    if examples:
        columns = ("attack", "document", "label", "found without it", "text under it", "found then")
        title = f"Mentions that {results[0].name} loses"
        folded.append(make_table(title, columns, examples, text_columns=len(columns)))
    line = (
        "In round brackets: the share of the points that the first pipeline loses and this one "
        "does not."
        if len(results) > 1
        else "Attacks on embeddings know the weights and the gold: they are the worst case."
    )
    clean = results[0].clean
    made = (
        f"{clean.n_docs:,} documents with {clean.counts.gold:,} mentions; in square brackets 95 % "
        "of 1,000 bootstrap resamples of them."
    )
    other = () if is_own else ("None of these is the pipeline of this page.",)
    return Section(
        "robustness",
        "Robustness",
        lines=(made, *other, line),
        plots=(plot,),
        tables=tuple(tables),
        folded=tuple(folded),
    )


def make_ablation_section(
    drawings: Drawings, rows: Sequence[AblationRow], *, is_own: bool
) -> Optional[Section]:
    """Show what is lost without each part; None where no part was left out.

    is_own (bool): Whether they are parts of the page's pipeline.
    """
    if not rows:
        return None
    header, lines, head = describe_rows(rows)
    caption = "Difference in strict F1 without each part, with its interval: below 0, it helps."
    data = [row.to_json() for row in rows]
    plot = draw_plot(drawings, "ablation", plot_ablation(rows), caption, data)
    table = make_table("Without each part", header, lines)
    return Section(
        "ablation",
        "Ablation",
        lines=(f"{head[0].upper()}{head[1:]}.", *(() if is_own else (NOT_OWN,))),
        plots=(plot,),
        tables=(table,),
    )


def _list_examples(outcomes: Sequence[Outcome]) -> List[Tuple[str, ...]]:
    rows: List[Tuple[str, ...]] = []
    for outcome in outcomes:
        name = outcome.attack
        if outcome.strength is not None:
            name += f", ε = {outcome.strength:g}"
        for item in outcome.examples[:MAX_EXAMPLES]:
            after = item.after if item.after != item.before else "the same"
            rows.append((name, item.document, item.label, item.before, after, item.found or "–"))
    return rows
