from spacy_bioner.evaluation.runner import PipelineEvaluation, Throughput
from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.reports.text.evaluation import render_evaluation


def _titles(evaluation):
    return [
        line.split(" · ")[0] for line in render_evaluation(evaluation).splitlines() if "·" in line
    ]


def test_render_evaluation_shows_component_and_pipeline():
    scores = {"model": Scores(), "pipeline": Scores(by_type={"Gene": Counts(1)})}
    evaluation = PipelineEvaluation(scores, 1, Throughput(3, 0.5))
    assert _titles(evaluation) == ["Trained component alone", "Full pipeline (doc.ents)"]


def test_render_evaluation_shows_equal_scores_once():
    evaluation = PipelineEvaluation(
        {"model": Scores(), "pipeline": Scores()}, 1, Throughput(3, 0.5)
    )
    assert _titles(evaluation) == ["Trained component alone = Full pipeline (doc.ents)"]


def test_render_evaluation_ends_with_the_throughput():
    evaluation = PipelineEvaluation({"pipeline": Scores()}, 1, Throughput(3, 0.5))
    last = render_evaluation(evaluation).splitlines()[-1]
    assert last == "1 document with 3 words (split at white space) in 0.5 s: 6 words/s"
