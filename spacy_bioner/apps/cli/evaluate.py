"""`bioner evaluate`: scores of a pipeline on a converted corpus, as a table and as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, List, Optional, Sequence

import typer

from spacy_bioner.apps.cli.options import GpuId

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from spacy_bioner.evaluation.pipelines import PipelineEvaluation


def evaluate_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package.")],
    corpus: Annotated[Path, typer.Argument(help="Gold documents, a .spacy file.")],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the scores as JSON.")
    ] = None,
    gpu_id: GpuId = -1,
    label: Annotated[
        Optional[List[str]],
        typer.Option(help="A label that the corpus annotates; can be repeated. Default: all."),
    ] = None,
    spans_key: Annotated[
        Optional[str],
        typer.Option(help="Score this span group as well: nested mentions, which doc.ents has not"),
    ] = None,
    dataset: Annotated[
        str,
        typer.Option(help="Annotate by the rules of this corpus, one of those of its training"),
    ] = "",
) -> None:
    """Score a pipeline on gold documents.

    An entity counts when its offsets and its label are those of a gold mention. With --label,
    mentions of other labels are left out on both sides: for a pipeline that finds more than the
    corpus annotates.
    """
    evaluation = evaluate(
        model,
        corpus,
        output=output,
        gpu_id=gpu_id,
        labels=label or (),
        spans_key=spans_key,
        dataset=dataset,
    )
    typer.echo(render_evaluation(evaluation))


def evaluate(
    model: str,
    corpus: Path,
    *,
    output: Optional[Path] = None,
    gpu_id: int = -1,
    labels: Sequence[str] = (),
    spans_key: Optional[str] = None,
    dataset: str = "",
) -> "PipelineEvaluation":
    """Load a pipeline, run it over the texts of a corpus and score it.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    corpus (Path): A DocBin.
    output (Optional[Path]): Write the scores there; the file appears only when they are complete.
    gpu_id (int): -1 for the CPU.
    labels (Sequence[str]): Those that the corpus annotates; others are not scored. Empty: all.
    spans_key (Optional[str]): A span group to score as well.
    dataset (str): Of a pipeline that was trained on several corpora, the one by whose rules it
        annotates; "" is none in particular.
    RAISES (BionerError): No such pipeline, corpus, GPU or dataset; a corpus without documents.
    """
    from spacy_bioner.apps.loading import fingerprint, load_pipeline
    from spacy_bioner.corpora.docbin import read_docbin
    from spacy_bioner.corpora.docs import ANNOTATED_KEY
    from spacy_bioner.corpora.files import check_is_file, replacing
    from spacy_bioner.errors import CorpusError
    from spacy_bioner.evaluation.pipelines import evaluate_pipeline

    # Before the pipeline is loaded, which takes seconds.
    check_is_file(corpus)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    if dataset:
        from spacy_bioner.architectures.datasets import choose_dataset

        choose_dataset(nlp, dataset)
    gold = list(read_docbin(corpus, nlp.vocab))
    if not gold:
        raise CorpusError("found no document, expected at least one to score", path=corpus)
    if labels:
        _check_labels(labels, gold, corpus)
        for doc in gold:
            doc.user_data[ANNOTATED_KEY] = sorted(labels)
    evaluation = evaluate_pipeline(nlp, gold, group=spans_key)
    if output is not None:
        about = {key: nlp.meta.get(key, "") for key in ("lang", "name", "version")}
        about["fingerprint"] = fingerprint(Path(nlp.path))
        data = {"model": {"path": model, **about}, "corpus": str(corpus), **evaluation.to_json()}
        if labels:
            data["labels"] = sorted(labels)
        if dataset:
            data["dataset"] = dataset
        if spans_key is not None:
            data["spans_key"] = spans_key
        with replacing(output) as temporary:
            text = json.dumps(data, indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")
    return evaluation


def render_evaluation(evaluation: "PipelineEvaluation") -> str:
    """Render a table for each source of predictions that differs, and the throughput."""
    from spacy_bioner.evaluation.pipelines import TITLES
    from spacy_bioner.reports.scores import merge_equal, render_scores

    tables = merge_equal({TITLES[source]: scores for source, scores in evaluation.scores.items()})
    parts = [render_scores(scores, title=title) for title, scores in tables.items()]
    pace = evaluation.pace
    speed = pace.words_per_second
    rate = f": {speed:,.0f} words/s" if speed else ""
    noun = "document" if evaluation.n_docs == 1 else "documents"
    parts.append(
        f"{evaluation.n_docs:,} {noun} with {pace.n_words:,} words (split at white space) "
        f"in {pace.seconds:,.1f} s{rate}"
    )
    return "\n" + "\n\n".join(parts) + "\n"


def _check_labels(labels: Sequence[str], gold: Sequence["Doc"], corpus: Path) -> None:
    from spacy_bioner.errors import LabelError
    from spacy_bioner.evaluation.matching import list_gold

    known = {label for doc in gold for _, _, label in list_gold(doc) or ()}
    unknown = sorted(set(labels) - known)
    if unknown:
        raise LabelError(
            f"{corpus}: found no mention labelled {', '.join(unknown)}; the corpus has "
            f"{', '.join(sorted(known)) or 'none at all'}"
        )
