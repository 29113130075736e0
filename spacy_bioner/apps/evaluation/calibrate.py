"""Temperature and thresholds of a pipeline's confidences, fitted on development data and saved."""

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.dev_documents import annotate_dev, read_dev
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.packaging.assemble import PIPELINE_MARKS, find_recognizer
from spacy_bioner.architectures.decoding import scale_confidences
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.confidence.calibration import Fitted, calibrate, fit_temperature
from spacy_bioner.evaluation.confidence.predictions import Judged, ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import choose_thresholds, sweep
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.replacing import check_own_folder, replacing_folder
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.gold import MentionKey, read_spans

FILTER = "bioner_confidence"


@guards_outputs("output", "report", as_files=("report",))
def calibrate_pipeline(
    model: str,
    dev: Optional[Path],
    output: Path,
    *,
    with_temperature: bool = True,
    with_thresholds: bool = True,
    report: Optional[Path] = None,
    gpu_id: int = -1,
) -> Fitted:
    """Fit temperature and thresholds on development data and save a pipeline that applies them.

    model (str): A pipeline folder or package.
    dev (Optional[Path]): A DocBin that the pipeline was neither trained on nor is to be tested on;
        None takes the development documents of its config.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    report (Optional[Path]): Gets what was fitted, as JSON.
    RAISES (ConfigError): For a pipeline without confidences, and where nothing is to be fitted.
    RAISES (CorpusError): For a corpus without annotated documents, or where no prediction is right,
        and for a folder to write that holds something else.
    """
    if not with_temperature and not with_thresholds:
        raise ConfigError("found neither temperature nor thresholds to fit, expected one or both")
    if dev is not None:
        check_is_file(dev)
    check_apart([output, *list_paths(report)], [model, *list_paths(dev)], replaced=[output])
    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    source = find_recognizer(nlp)
    if FILTER in nlp.pipe_names:
        # What was fitted before would be fitted upon.
        nlp.remove_pipe(FILTER)
    judged = _judge(nlp, source, dev)
    if not any(judged.right):
        wanted = ", ".join(sorted(label or "(none)" for label in judged.gold)) or "none"
        raise CorpusError(
            f"found {len(judged.right):,} predictions and none of them right, expected some to fit "
            f"on; these documents have mentions labeled {wanted}",
            path=dev,
        )
    fitted = _fit(judged, source, with_temperature, with_thresholds)
    settings = {
        "source": source,
        "temperature": fitted.temperature,
        "thresholds": [[label, value] for label, value in fitted.thresholds.items()],
    }
    nlp.add_pipe(FILTER, after=source, config=settings)
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
    documents = []
    for (left, _), right in zip(own, predicted):
        compared = compare_docs(left, right, spans_key=spans_key)
        if compared.gold is not None:
            values = _confidences(right, compared.predicted, spans_key, source)
            documents.append(ScoredDocument(compared.gold, compared.predicted, values))
    if not documents:
        raise CorpusError("found no annotated document, expected some to fit on", path=dev)
    return judge(documents)


def _confidences(
    doc: Doc, mentions: Sequence[MentionKey], spans_key: Optional[str], source: str
) -> List[Optional[float]]:
    """Return the source's own confidences, which the component scales, whoever else agrees."""
    known: Dict[MentionKey, Optional[float]] = {}
    for span in read_spans(doc, spans_key):
        own = [entry.confidence for entry in span_evidence(span) if entry.source == source]
        known[span.start_char, span.end_char, span.label_] = next(iter(own), None)
    return [known.get(mention) for mention in mentions]


def _fit(judged: Judged, source: str, with_temperature: bool, with_thresholds: bool) -> Fitted:
    temperature, note = 1.0, ""
    n_right = int(judged.right.sum())
    if not with_temperature:
        note = "not fitted"
    elif 0 < n_right < len(judged.right):
        temperature = fit_temperature(judged)
    else:
        note = f"not fitted: {n_right:,} of {len(judged.right):,} predictions are right"
    scaled = replace(judged, confidences=scale_confidences(judged.confidences, temperature))
    thresholds = choose_thresholds(scaled) if with_thresholds else {}
    labels = sorted({*judged.labels, *judged.gold, *judged.without})
    return Fitted(
        source,
        temperature,
        {label: value for label, value in thresholds.items() if value > 0},
        before=calibrate(judged),
        after=calibrate(scaled),
        counts_before={label: sweep(judged, label).points[0].counts for label in labels},
        counts_after={label: _count_above(scaled, label, thresholds) for label in labels},
        n_docs=judged.n_docs,
        note=note,
    )


def _count_above(judged: Judged, label: str, thresholds: Dict[str, float]) -> Counts:
    points = sweep(judged, label).points
    return next(p.counts for p in points if p.threshold >= thresholds.get(label, 0.0))
