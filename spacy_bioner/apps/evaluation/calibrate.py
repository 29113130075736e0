"""What makes a pipeline's confidences honest, fitted on development data and saved with it."""

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
from spacy_bioner.evaluation.confidence.calibration import Fitted, calibrate, fit_scaling
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
    except_labels: Sequence[str] = (),
    report: Optional[Path] = None,
    gpu_id: int = -1,
) -> Fitted:
    """Fit temperature, bias and thresholds on development data; save a pipeline that applies them.

    model (str): A pipeline folder or package.
    dev (Optional[Path]): A DocBin that the pipeline was neither trained on nor is to be tested on;
        None takes the development documents of its config.
    with_temperature (bool): Fit temperature and bias.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    target (Optional[str]): What the thresholds are to reach, "precision=0.95" or "recall=0.9";
        None for the best F1.
    overall (bool): One threshold for all labels.
    except_labels (Sequence[str]): These get none: of them, the documents say too little.
    report (Optional[Path]): Gets what was fitted, as JSON.
    RAISES (ConfigError): For a pipeline without confidences, where nothing is to be fitted, and
        another target.
    RAISES (CorpusError): For a corpus without annotated documents, or where no prediction is right,
        and for a folder to write that holds something else.
    """
    if not with_temperature and not with_thresholds:
        raise ConfigError("found neither temperature nor thresholds to fit, expected one or both")
    if not with_thresholds and (target or overall or except_labels):
        raise ConfigError(
            "found a target, one threshold for all or labels without one, and no thresholds to fit"
        )
    if overall and except_labels:
        raise ConfigError(
            "found one threshold for all and labels without one, expected one of both"
        )
    aim = None if target is None else parse_target(target)
    if dev is not None:
        check_is_file(dev)
    check_apart([output, *list_paths(report)], [model, *list_paths(dev)], replaced=[output])
    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    source = find_recognizer(nlp)
    _check_labels(except_labels, nlp.pipe_labels.get(source, []))
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
    (temperature, bias), note = _fit(judged, with_temperature)
    scaled = replace(judged, confidences=scale_confidences(judged.confidences, temperature, bias))
    chosen = choose_thresholds(scaled, target=aim, overall=overall) if with_thresholds else {}
    chosen = {label: least for label, least in chosen.items() if label not in except_labels}
    fitted = replace(
        _describe(judged, scaled, chosen),
        source=source,
        temperature=temperature,
        bias=bias,
        note=note,
        target=str(aim or ""),
        unreached=_list_unreached(scaled, chosen, aim),
    )
    add_confidence(
        nlp,
        source,
        thresholds=fitted.thresholds,
        temperature=fitted.temperature,
        bias=fitted.bias,
        threshold=fitted.threshold,
    )
    with replacing_folder(output, marks=PIPELINE_MARKS) as partial:
        nlp.to_disk(partial)
    if report is not None:
        write_json(report, fitted.to_json())
    return fitted


def _check_labels(labels: Sequence[str], known: Sequence[str]) -> None:
    for label in labels:
        if label not in known:
            raise ConfigError(
                f"found no label '{label}' to except, expected some of {', '.join(known)}"
            )


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


def _fit(judged: Judged, with_temperature: bool) -> Tuple[Tuple[float, float], str]:
    """Fit temperature and bias; return them, and why nothing was fitted."""
    n_right = int(judged.right.sum())
    if with_temperature and 0 < n_right < len(judged.right):
        return fit_scaling(judged), ""
    reason = f": {n_right:,} of {len(judged.right):,} predictions are right"
    return (1.0, 0.0), "not fitted" + (reason if with_temperature else "")


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
