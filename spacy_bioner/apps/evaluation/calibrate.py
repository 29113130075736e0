"""Temperature and thresholds of a pipeline's confidences, fitted on development data and saved."""

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.dev_documents import annotate_dev, read_dev
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.packaging.assemble import (
    PIPELINE_MARKS,
    add_confidence,
    find_recognizer,
)
from spacy_bioner.architectures.decoding import scale_confidences
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.confidence.calibration import Fitted, calibrate, fit_temperature
from spacy_bioner.evaluation.confidence.predictions import Judged, ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import (
    ScoreTarget,
    choose_thresholds,
    parse_target,
    sweep,
)
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.replacing import check_own_folder, replacing_folder
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.gold import MentionKey, read_spans
from spacy_bioner.training.results.model_facts import CONFIDENCE


@guards_outputs("output", "report", as_files=("report",))
def calibrate_pipeline(
    model: str,
    dev: Optional[Path],
    output: Path,
    *,
    with_temperature: bool = True,
    with_thresholds: bool = True,
    target: Optional[str] = None,
    overall: bool = False,
    report: Optional[Path] = None,
    gpu_id: int = -1,
) -> Fitted:
    """Fit temperature and thresholds on development data and save a pipeline that applies them.

    model (str): A pipeline folder or package.
    dev (Optional[Path]): A DocBin that the pipeline was neither trained on nor is to be tested on;
        None takes the development documents of its config.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    target (Optional[str]): What the thresholds are to reach, "precision=0.95" or "recall=0.9";
        None for the best F1.
    overall (bool): One threshold for all labels.
    report (Optional[Path]): Gets what was fitted, as JSON.
    RAISES (ConfigError): For a pipeline without confidences, where nothing is to be fitted, and
        another target.
    RAISES (CorpusError): For a corpus without annotated documents, or where no prediction is right,
        and for a folder to write that holds something else.
    """
    if not with_temperature and not with_thresholds:
        raise ConfigError("found neither temperature nor thresholds to fit, expected one or both")
    if not with_thresholds and (target or overall):
        raise ConfigError("found a target or one threshold for all, and no thresholds to fit")
    aim = None if target is None else parse_target(target)
    if dev is not None:
        check_is_file(dev)
    check_apart([output, *list_paths(report)], [model, *list_paths(dev)], replaced=[output])
    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    source = find_recognizer(nlp)
    if CONFIDENCE in nlp.pipe_names:
        # What was fitted before would be fitted upon.
        nlp.remove_pipe(CONFIDENCE)
    judged = _judge(nlp, source, dev)
    if not any(judged.right):
        wanted = ", ".join(sorted(label or "(none)" for label in judged.gold)) or "none"
        raise CorpusError(
            f"found {len(judged.right):,} predictions and none of them right, expected some to fit "
            f"on; these documents have mentions labeled {wanted}",
            path=dev,
        )
    scaled, temperature, note = _scale(judged, with_temperature)
    chosen = choose_thresholds(scaled, target=aim, overall=overall) if with_thresholds else {}
    fitted = replace(
        _describe(judged, scaled, chosen),
        source=source,
        temperature=temperature,
        note=note,
        target=str(aim or ""),
        unreached=_list_unreached(scaled, chosen, aim),
    )
    # Confidences that are raised later were looked at as they are then.
    boosters = [name for name, pipe in nlp.pipeline if getattr(pipe, "boosts", False)]
    places = {name: place for place, name in enumerate(nlp.pipe_names)}
    add_confidence(
        nlp,
        source,
        fitted.thresholds,
        after=max([source, *boosters], key=lambda name: places[name]),
        temperature=fitted.temperature,
        threshold=fitted.threshold,
    )
    with replacing_folder(output, marks=PIPELINE_MARKS) as partial:
        nlp.to_disk(partial)
    if report is not None:
        write_json(report, fitted.to_json())
    return fitted


def _judge(nlp: Language, source: str, dev: Optional[Path]) -> Judged:
    own = read_dev(nlp, dev)
    predicted = annotate_dev(nlp, own)
    has_group = any(source in doc.spans for doc in predicted)
    spans_key = source if has_group else None
    pairs = zip((left for left, _ in own), predicted)
    scored = (score_document(*pair, source, spans_key) for pair in pairs)
    documents = [document for document in scored if document is not None]
    if not documents:
        raise CorpusError("found no annotated document, expected some to fit on", path=dev)
    return judge(documents)


def score_document(
    gold: Doc, predicted: Doc, source: str, spans_key: Optional[str] = None
) -> Optional[ScoredDocument]:
    """Return a document's mentions with the confidence of a source; None without annotation.

    spans_key (Optional[str]): A span group that is looked at in place of `doc.ents`.
    """
    compared = compare_docs(gold, predicted, spans_key=spans_key)
    if compared.gold is None:
        return None
    values = _confidences(predicted, compared.predicted, spans_key, source)
    return ScoredDocument(compared.gold, compared.predicted, values)


def _confidences(
    doc: Doc, mentions: Sequence[MentionKey], spans_key: Optional[str], source: str
) -> List[Optional[float]]:
    """Return the source's own confidences, which the component scales, whoever else agrees."""
    known: Dict[MentionKey, Optional[float]] = {}
    for span in read_spans(doc, spans_key):
        own = [entry.confidence for entry in span_evidence(span) if entry.source == source]
        known[span.start_char, span.end_char, span.label_] = next(iter(own), None)
    return [known.get(mention) for mention in mentions]


def _scale(judged: Judged, with_temperature: bool) -> Tuple[Judged, float, str]:
    """Fit a temperature and apply it; return it, and why there is none."""
    temperature, note = 1.0, ""
    n_right = int(judged.right.sum())
    if not with_temperature:
        note = "not fitted"
    elif 0 < n_right < len(judged.right):
        temperature = fit_temperature(judged)
    else:
        note = f"not fitted: {n_right:,} of {len(judged.right):,} predictions are right"
    scaled = scale_confidences(judged.confidences, temperature)
    return replace(judged, confidences=scaled), temperature, note


def _describe(judged: Judged, scaled: Judged, chosen: Dict[Optional[str], float]) -> Fitted:
    thresholds = {label: value for label, value in chosen.items() if label is not None}
    overall = chosen.get(None, 0.0)
    labels = sorted({*judged.labels, *judged.gold, *judged.without})
    return Fitted(
        "",
        1.0,
        {label: value for label, value in thresholds.items() if value > 0},
        before=calibrate(judged),
        after=calibrate(scaled),
        counts_before={label: sweep(judged, label).points[0].counts for label in labels},
        counts_after={
            label: _count_above(scaled, label, thresholds.get(label, overall)) for label in labels
        },
        n_docs=judged.n_docs,
        threshold=overall,
    )


def _list_unreached(
    scaled: Judged, chosen: Dict[Optional[str], float], target: Optional[ScoreTarget]
) -> Dict[str, float]:
    if target is None:
        return {}
    reached = {
        label or "": target.get(_count_above(scaled, label, value))
        for label, value in chosen.items()
    }
    return {label: value for label, value in reached.items() if value < target.least}


def _count_above(judged: Judged, label: Optional[str], threshold: float) -> Counts:
    points = [p for p in sweep(judged, label).points if p.threshold >= threshold]
    if points:
        return points[0].counts
    # All are below: what has no confidence is kept.
    n_right, n_wrong = judged.without.get(label or "", (0, 0))
    return Counts(n_right, n_wrong, judged.gold.get(label or "", 0) - n_right)
