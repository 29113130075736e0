"""Why entities are there, as colored text for a terminal."""

from typing import List, Sequence

from rich.console import Console
from rich.style import Style
from rich.text import Text

from spacy_bioner.evaluation.explanation.results import (
    Explanation,
    Proposal,
    Reading,
    SpanSource,
    TextExplanation,
    WordShare,
    misses_much,
)
from spacy_bioner.printable import make_lines

N_WORDS = 5
MEANINGS = {
    "gradients": "integrated gradients: what each word adds to the log probability (nats)",
    "occlusion": "occlusion: what the entity's probability loses when the word is covered",
}
# Background colors on dark and light terminals alike, text set against them.
_FOR, _AGAINST = (0, 114, 178), (213, 94, 0)


def print_explanation(found: TextExplanation, console: Console) -> None:
    """Print what is known of each entity: sources, other readings, and its words in color.

    console (Console): Colors are left out where its output takes none; the strongest words are
        given with their values, too. What it styles is what a terminal can obey: all texts are
        made printable before.
    """
    n_characters = len(found.text)
    found = make_lines(found)
    if not found.entities:
        console.print(f"  no entities in {n_characters:,} characters")
    for entity in found.entities:
        console.print(_make_head(entity))
        for source in entity.sources:
            console.print(f"  found by   {describe_source(source)}", markup=False)
        if entity.readings:
            console.print(f"  otherwise  {describe_readings(entity)}", markup=False)
        if entity.words:
            words = Text("  words      ")
            words.append_text(_color_words(entity.words))
            console.print(words)
            console.print(f"             {describe_strongest(entity)}", markup=False)
            if missed := describe_error(entity):
                console.print(f"             {missed}", markup=False)
        if entity.note:
            console.print(f"  words      {entity.note}", markup=False)
        console.print()
    for proposal in found.left_out:
        console.print(f"  left out: {describe_proposal(proposal)}", markup=False)
    methods = sorted({item.method for item in found.entities if item.words})
    for method in methods:
        console.print(f"  * words by {MEANINGS[method]}", markup=False)


def describe_source(source: SpanSource) -> str:
    """Say who proposed an entity, how surely, and by which term or rule."""
    parts = [source.name]
    if source.confidence is not None:
        parts.append(f"{source.confidence:.3f}")
    if source.concept_id:
        parts.append(source.concept_id)
    if source.rule:
        parts.append(f"({source.rule})")
    return " ".join(parts)


def describe_reading(reading: Reading) -> str:
    """Say what else the words might be."""
    name = f"'{reading.text}' {reading.label}" if reading.label else "no entity"
    return f"{name} {reading.confidence:.3f}"


def describe_readings(entity: Explanation) -> str:
    """Say what else an entity might be; of one with a calibrated confidence, what the tagger itself
    gives it, which is what the others are to be held against."""
    others = ", ".join(map(describe_reading, entity.readings))
    known = entity.belief is not None and entity.confidence is not None
    if known and abs(entity.belief - entity.confidence) >= 0.001:  # type: ignore[operator]
        return f"{others} (by the tagger itself, which gives this reading {entity.belief:.3f})"
    return others


def describe_error(entity: Explanation) -> str:
    """Say what the values of words miss, where it is much; "" where it is not."""
    if entity.error is None or entity.change is None:
        return ""
    if not misses_much(entity.error, entity.change):
        return ""
    return (
        f"together they miss {abs(entity.error):.2f} of a change of {entity.change:+.2f}: take "
        "them with care, or ask for more steps"
    )


def describe_proposal(proposal: Proposal) -> str:
    """Say what was proposed and why it is no entity."""
    sources = f" by {', '.join(proposal.sources)}" if proposal.sources else ""
    return f"'{proposal.text}' {proposal.label}{sources}: {proposal.reason}"


def describe_strongest(entity: Explanation) -> str:
    """Name the words that add or take most."""
    ranked = sorted(entity.words, key=lambda word: (-abs(word.value), word.start_char))[:N_WORDS]
    return ", ".join(f"{word.text} {word.value:+.2f}" for word in ranked)


def _make_head(entity: Explanation) -> Text:
    head = Text(f"{entity.text}", style="bold")
    head.append(f"  {entity.label or '(none)'}", style="not bold")
    if entity.confidence is not None:
        head.append(f"  {entity.confidence:.3f}", style="not bold")
    return head


def _color_words(words: Sequence[WordShare]) -> Text:
    text = Text()
    last = words[0].start_char
    for word, share in zip(words, relative_values(words)):
        text.append(" " if word.start_char > last else "")
        last = word.end_char
        if abs(share) < 0.05:
            text.append(word.text)
            continue
        red, green, blue = _FOR if share > 0 else _AGAINST
        style = Style.parse(f"bold white on rgb({red},{green},{blue})" if abs(share) > 0.5 else
                            f"rgb({red},{green},{blue}) underline")  # fmt: skip
        text.append(word.text, style=style)
    return text


def relative_values(words: Sequence[WordShare]) -> List[float]:
    """Divide values by the greatest of them: -1 to 1, 0 where all are 0."""
    greatest = max((abs(word.value) for word in words), default=0.0) or 1.0
    return [word.value / greatest for word in words]
