"""Why a pipeline says what it says of a text: sources, confidence, other readings, and words."""

from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.apps.evaluation.entity_confidence import (
    COMPONENT,
    Target,
    find_occluder,
    find_tagger,
    make_score,
    make_target,
)
from spacy_bioner.architectures.pieces.words import find_words
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.components.overlaps import Rejection, read_rejections
from spacy_bioner.components.tag_probabilities import TagProbabilities, read_tag_probabilities
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.explanation.occlusion import occlude
from spacy_bioner.evaluation.explanation.results import (
    Explanation,
    Proposal,
    Reading,
    SpanSource,
    TextExplanation,
    WordShare,
    misses_much,
)
from spacy_bioner.extras import find_missing, say_missing
from spacy_bioner.spans import overlaps

METHODS = ("auto", "gradients", "occlusion", "none")
N_STEPS = 50
N_READINGS = 3
FACTORS = (1, 2, 4)
"""Of the steps of integrated gradients, one after the other until the values miss little."""


def explain(
    nlp: Language,
    text: str,
    *,
    method: str = "auto",
    n_steps: int = N_STEPS,
    n_readings: int = N_READINGS,
) -> TextExplanation:
    """Explain the entities that a pipeline finds in a text.

    nlp (Language): A pipeline that is loaded.
    text (str): One document.
    method (str): "gradients" (integrated gradients; needs captum and an encoder of ours),
        "occlusion" (any pipeline), "none", or "auto": gradients where they are possible, else
        occlusion.
    n_steps (int): Of integrated gradients; up to four times as many where so few miss much.
    n_readings (int): How many other readings are given.
    RETURNS (TextExplanation): The entities with their sources, and proposals that were left out.
    RAISES (ConfigError): For settings that are none, and gradients where they are not possible.
    """
    if method not in METHODS:
        raise ConfigError(f"found method {method!r}, expected {', '.join(METHODS)}")
    if n_steps < 2:
        raise ConfigError(f"found {n_steps} steps, expected 2 or more")
    if n_readings < 0:
        raise ConfigError(f"found {n_readings} other readings, expected 0 or more")
    tagger = find_tagger(nlp)
    if method in ("auto", "gradients"):
        reason = _why_no_gradients(tagger)
        if method == "gradients" and reason:
            raise ConfigError(f"integrated gradients are not possible: {reason}")
        method = "occlusion" if reason else "gradients"
    doc = nlp(text)
    probabilities = (
        read_tag_probabilities(tagger, [doc])[0] if tagger is not None and len(doc) else None
    )
    found: List[Explanation] = []
    for ent in doc.ents:
        explained = _describe(nlp, ent, probabilities, n_readings)
        found.append(_attribute(explained, nlp, tagger, probabilities, ent, method, n_steps))
    return TextExplanation(doc.text, tuple(found), tuple(_list_left_out(doc)))


def _why_no_gradients(tagger: Any) -> str:
    if tagger is None:
        return f"the pipeline has no trained '{COMPONENT}' with tag probabilities"
    if find_missing("captum"):
        return say_missing("captum", extra="explain", who="explaining by gradients")
    from spacy_bioner.architectures.adversary import find_encoders

    if not tagger.model.has_ref("encoder") or not find_encoders(tagger.model):
        return f"'{COMPONENT}' has no transformer encoder of its own"
    return ""


def _describe(
    nlp: Language, ent: Span, probabilities: Optional[TagProbabilities], n_readings: int
) -> Explanation:
    doc = ent.doc
    readings: List[Reading] = []
    belief: Optional[float] = None
    if probabilities is not None and ent.label_ in probabilities.labels:
        belief = probabilities.confidence(ent.start, ent.end, ent.label_)
        others = probabilities.alternatives(ent.start, ent.end, ent.label_)
        readings = [
            Reading(doc[item.start : item.end].text, item.label, item.confidence)
            for item in others[:n_readings]
        ]
    sources = tuple(
        SpanSource(entry.source, entry.confidence, entry.concept_id, entry.rule)
        for entry in span_evidence(ent)
    )
    if not sources:
        # spaCy's own components keep no evidence.
        names = [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]
        sources = tuple(SpanSource(name) for name in names) if len(names) == 1 else ()
    offsets = (ent.start_char, ent.end_char)
    return Explanation(ent.text, *offsets, ent.label_, sources, belief, tuple(readings))


def _attribute(
    explained: Explanation,
    nlp: Language,
    tagger: Any,
    probabilities: Optional[TagProbabilities],
    ent: Span,
    method: str,
    n_steps: int,
) -> Explanation:
    if method == "none":
        return explained
    if probabilities is not None:
        names = [source.name for source in explained.sources]
        if COMPONENT not in names or ent.label_ not in probabilities.labels:
            who = ", ".join(names) or "a component without evidence"
            return replace(explained, note=f"not found by '{COMPONENT}' but by {who}")
    target = make_target(tagger, probabilities, ent)
    change: Optional[float] = None
    error: Optional[float] = None
    if method == "gradients":
        attribution = _integrate(tagger, target, n_steps)
        values, unit, error = attribution.values, "nats", attribution.error
        change = attribution.score - attribution.baseline
    else:
        score = make_score(nlp, tagger, target)
        occluder = find_occluder(tagger)
        found = find_words(target.doc)
        values = occlude(
            target.doc,
            score,
            occluder,
            words=list(zip(found.starts.tolist(), found.ends.tolist())),
            sent_starts=target.sent_starts,
        )
        unit = "probability"
    words = tuple(_list_words(target, values))
    return replace(explained, method=method, unit=unit, words=words, change=change, error=error)


def _integrate(tagger: Any, target: Target, n_steps: int) -> Any:
    """Integrate with more steps until next to nothing is missed."""
    from spacy_bioner.architectures.attribution import integrate_gradients

    for factor in FACTORS:
        found = integrate_gradients(
            tagger.model, target.doc, [target.tags], n_steps=factor * n_steps
        )[0]
        if not misses_much(found.error, found.score - found.baseline):
            break
    return found


def _list_words(target: Target, values: Any) -> List[WordShare]:
    """List words as encoders read them: one that a soft hyphen cuts in two is one."""
    doc, words = target.doc, find_words(target.doc)
    shares: List[WordShare] = []
    for index in range(len(words)):
        start, end = int(words.starts[index]), int(words.ends[index])
        shown = words.text[words.start_chars[index] : words.end_chars[index]]
        last = doc[end - 1]
        places = (doc[start].idx + target.offset, last.idx + len(last) + target.offset)
        shares.append(WordShare(shown, *places, float(values[start:end].sum())))
    return shares


def _list_left_out(doc: Doc) -> List[Proposal]:
    """List what components proposed and what is no entity, in the order of the text."""
    chosen = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
    reasons: Dict[Tuple[int, int, str], List[Rejection]] = {}
    for item in read_rejections(doc):
        reasons.setdefault((item.start_char, item.end_char, item.label), []).append(item)
    found: Dict[Tuple[int, int, str], Proposal] = {}
    for group in doc.spans.values():
        for span in group:
            key = (span.start_char, span.end_char, span.label_)
            if key in chosen or key in found:
                continue
            sources = tuple(entry.source for entry in span_evidence(span))
            why = "; ".join(f"{item.rejected_by}: {item.reason}" for item in reasons.get(key, ()))
            if not why:
                place = (span.start, span.end)
                inside = [ent for ent in doc.ents if overlaps((ent.start, ent.end), place)]
                names = ", ".join(f"'{ent.text}' ({ent.label_})" for ent in inside)
                why = f"overlaps {names}" if names else "not chosen"
            found[key] = Proposal(span.text, *key, sources, why)
    return sorted(found.values(), key=lambda item: (item.start_char, item.end_char, item.label))
