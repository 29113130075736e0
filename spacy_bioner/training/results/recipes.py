"""A recipe: what it says of itself, and what became of its steps."""

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class ScoreRow:
    """Scores in per cent; None where there is none.

    data (str): What was scored.
    mentions (Optional[int]): Gold mentions in it.
    """

    system: str
    data: str
    mentions: Optional[int] = None
    precision: Optional[float] = None
    recall: Optional[float] = None
    f_score: Optional[float] = None


@dataclass(frozen=True)
class RecipeAbout:
    """What a recipe says of itself.

    paper (str): Title and authors.
    did (str): What was published.
    stand_in (str): What runs without the paper's data.
    data (str): How to give that data.
    not_comparable (str): Why the figures differ whatever the system does.
    published (Tuple[ScoreRow, ...]): The paper's figures.
    later (Tuple[str, ...]): Parts of the paper that the recipe leaves out.
    """

    name: str
    title: str
    paper: str
    did: str
    stand_in: str
    data: str
    not_comparable: str
    published: Tuple[ScoreRow, ...] = ()
    later: Tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    line (str): Its command line.
    tables (Tuple[str, ...]): In Markdown.
    plots (Tuple[str, ...]): Paths of pictures and pages, relative to the summary.
    log (str): The path of its log, relative to the summary.
    """

    name: str
    title: str
    line: str
    seconds: float = 0.0
    rows: Tuple[ScoreRow, ...] = ()
    tables: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    plots: Tuple[str, ...] = ()
    log: str = ""
