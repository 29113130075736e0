"""Where the annotation rules of corpora differ, as one self-contained HTML page."""

from typing import Any, Dict, List, Sequence, Tuple

from spacy_bioner.evaluation.disagreement import Disagreements, DisputedPlace
from spacy_bioner.reports.html.pages import render_page
from spacy_bioner.reports.text.pipelines.disagreement import (
    MOST_ON_PAGE,
    SILENT,
    describe_confidence,
    describe_extent,
    tabulate_pairs,
)

TEMPLATE = "disagreement.html.j2"
# Colors of the style sheet.
N_COLORS = 6
# Characters of a sentence to each side of the place.
AROUND = 300


def render_disagreement_page(found: Disagreements, *, title: str, notes: Sequence[str] = ()) -> str:
    """Render the page; it loads nothing.

    notes (Sequence[str]): What else is to be known, a paragraph each.
    """
    shown = found.places[:MOST_ON_PAGE]
    labels = sorted(
        {
            entity.label
            for place in shown
            for reading in place.readings.values()
            for entity in reading or ()
        }
    )
    tones = {label: number % N_COLORS + 1 for number, label in enumerate(labels)}
    return render_page(
        TEMPLATE,
        title=title,
        extent=describe_extent(found),
        notes=list(notes),
        rules=[(name, ", ".join(own) or "not known") for name, own in found.labels.items()],
        pairs=tabulate_pairs(found),
        groups=_group([_present(place, list(found.labels), tones) for place in shown]),
        n_more=len(found.places) - len(shown),
        silent=SILENT,
    )


def _group(places: Sequence[Dict[str, Any]]) -> List[Tuple[str, List[Dict[str, Any]]]]:
    """Group places, which are in that order, by how many corpora disagree."""
    groups: List[Tuple[str, List[Dict[str, Any]]]] = []
    for place in places:
        number = place["n_disagreeing"]
        title = "1 corpus disagrees" if number == 1 else f"{number} corpora disagree"
        if not groups or groups[-1][0] != title:
            groups.append((title, []))
        groups[-1][1].append(place)
    return groups


def _present(place: DisputedPlace, names: Sequence[str], tones: Dict[str, int]) -> Dict[str, Any]:
    start, end = (at - place.sentence_start for at in (place.start_char, place.end_char))
    before, behind = place.sentence[:start], place.sentence[end:]
    return {
        "document": place.document,
        "n_disagreeing": place.n_disagreeing,
        "before": "…" * (len(before) > AROUND) + before[-AROUND:],
        "text": place.text,
        "behind": behind[:AROUND] + "…" * (len(behind) > AROUND),
        "readings": [_present_reading(place, name, tones) for name in names],
    }


def _present_reading(place: DisputedPlace, name: str, tones: Dict[str, int]) -> Dict[str, Any]:
    reading = place.readings[name]
    whole = (place.start_char, place.end_char)
    entities = [
        {
            "label": entity.label or "(none)",
            "tone": tones[entity.label],
            "confidence": describe_confidence(entity),
            "part": "" if entity.key[:2] == whole else place.cut(entity),
        }
        for entity in reading or ()
    ]
    return {"is_silent": reading is None, "entities": entities}
