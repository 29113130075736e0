"""Where the annotation rules of corpora differ, as text."""

from typing import Iterator, List, Sequence

from spacy_bioner.evaluation.disagreement import Disagreements, DisputedPlace, RuledEntity
from spacy_bioner.reports.scores import DASH, format_count
from spacy_bioner.reports.tables import Table, render_table, shorten

# Places in the terminal; a page has room for more.
MOST_SHOWN, MOST_ON_PAGE = 25, 5_000
SILENT = "·"
TEXT_WIDTH, SENTENCE_WIDTH, PART_WIDTH = 28, 60, 18
PAIR_HEADER = ("corpora", "places", "differ", "one only", "other label", "other borders")
LEGEND = f"{DASH} marks nothing; {SILENT} annotates no such label"


def render_disagreements(found: Disagreements, *, notes: Sequence[str] = ()) -> str:
    """Render places and pairs of corpora as tables.

    notes (Sequence[str]): What else is to be known, a line each.
    """
    parts = [describe_extent(found)]
    if found.places:
        shown = found.places[:MOST_SHOWN]
        header = ("text", *found.labels, "sentence")
        rows = [_make_row(place, list(found.labels)) for place in shown]
        parts += [render_table(header, rows), f"  {LEGEND}"]
        if len(found.places) > len(shown):
            parts.append(f"  {len(found.places) - len(shown):,} more places are not shown here")
    pairs = tabulate_pairs(found)
    parts.append(render_table(pairs.header, pairs.rows, right=pairs.right))
    return "\n\n".join([*parts, *("\n".join(f"note: {line}" for line in notes),) * bool(notes)])


def list_notes(*, limit: int, is_cut: bool, reasons: Sequence[str]) -> List[str]:
    """List what is not in a comparison.

    limit (int): The documents that were to be read, at most.
    is_cut (bool): There are more.
    reasons (Sequence[str]): Why documents were left out, a reason each.
    """
    found = [f"only the first {limit:,} documents were read (--limit)"] if is_cut else []
    if reasons:
        noun = "document was" if len(reasons) == 1 else "documents were"
        found.append(f"{len(reasons):,} {noun} left out; first: {reasons[0]}")
    return found


def describe_extent(found: Disagreements) -> str:
    """Say how much was compared, and how much differs."""
    documents = format_count(found.n_documents, "document")
    places = format_count(found.n_places, "place")
    return (
        f"{documents} by the rules of {', '.join(found.labels)}: something is found at {places}, "
        f"and corpora disagree on {len(found.places):,} of them"
    )


def tabulate_pairs(found: Disagreements) -> Table:
    """Count by pair of corpora, the most different first."""
    rows = tuple(
        (
            f"{pair.first}, {pair.second}",
            *(
                f"{count:,}"
                for count in (
                    pair.places,
                    pair.differing,
                    pair.one_only,
                    pair.other_label,
                    pair.other_borders,
                )
            ),
        )
        for pair in found.pairs
    )
    caption = "Pairs of corpora, on the places where both have a say"
    return Table(caption, PAIR_HEADER, rows, frozenset(range(1, len(PAIR_HEADER))))


def describe_confidence(entity: RuledEntity) -> str:
    """Word a confidence; empty where there is none."""
    return "" if entity.confidence is None else f"{entity.confidence:.2f}"


def _make_row(place: DisputedPlace, names: Sequence[str]) -> List[str]:
    cells = [_describe_reading(place, name) for name in names]
    return [shorten(place.text, TEXT_WIDTH), *cells, _show_around(place)]


def _describe_reading(place: DisputedPlace, name: str) -> str:
    reading = place.readings[name]
    if reading is None:
        return SILENT
    return "; ".join(_describe_entities(place, reading)) or DASH


def _describe_entities(place: DisputedPlace, entities: Sequence[RuledEntity]) -> Iterator[str]:
    for entity in entities:
        text = " ".join(filter(None, (entity.label or "(none)", describe_confidence(entity))))
        is_whole = (entity.start_char, entity.end_char) == (place.start_char, place.end_char)
        yield text if is_whole else f"{text} '{shorten(place.cut(entity), PART_WIDTH)}'"


def _show_around(place: DisputedPlace) -> str:
    """Return the sentence, what is left of the place cut where it would not be seen else."""
    start = place.start_char - place.sentence_start
    lead = place.sentence[:start]
    room = SENTENCE_WIDTH // 3
    if len(lead) > room:
        lead = "…" + lead[-room:]
    return shorten(lead + place.sentence[start:], SENTENCE_WIDTH)
