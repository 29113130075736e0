"""`bioner calibrate`, on a pipeline that knows two texts by heart."""

import json
from pathlib import Path

import pytest
import spacy

from spacy_bioner.apps.evaluation.calibrate import calibrate_pipeline
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.knowledge.terms import Term
from tests.apps.known_texts import CHEMICALS, KNOWN, run, write_gold


def test_a_temperature_is_fitted_and_saved(trained_folder, dev, tmp_path: Path) -> None:
    report = tmp_path / "fitted.json"
    said = run("calibrate", trained_folder, dev, tmp_path / "out", "--report", report)
    assert "F1 before" in said
    assert "fitted and shown on the same 2 documents" in said
    fitted = json.loads(report.read_text(encoding="utf-8"))
    nlp = spacy.load(tmp_path / "out")
    assert nlp.pipe_names == ["bioner", "bioner_confidence"]
    component = nlp.get_pipe("bioner_confidence")
    assert component.temperature == fitted["temperature"]
    # Three of four are right, so confidences near 1 come down.
    assert component.bias == fitted["bias"] < 0
    before = spacy.load(trained_folder)(KNOWN).ents[0]._.confidence
    assert nlp(KNOWN).ents[0]._.confidence < before


def test_it_can_be_done_again(trained_folder, dev, tmp_path: Path) -> None:
    first = calibrate_pipeline(str(trained_folder), dev, tmp_path / "first")
    again = calibrate_pipeline(str(tmp_path / "first"), dev, tmp_path / "second")
    assert again.temperature == pytest.approx(first.temperature)
    assert spacy.load(tmp_path / "second").pipe_names == ["bioner", "bioner_confidence"]


def test_labels_that_are_excepted_keep_all_their_entities(trained_folder, dev, tmp_path) -> None:
    options = {"target": "precision=1", "with_temperature": False}
    every = calibrate_pipeline(str(trained_folder), dev, tmp_path / "every", **options)
    assert every.thresholds
    fitted = calibrate_pipeline(
        str(trained_folder), dev, tmp_path / "out", except_labels=tuple(every.thresholds), **options
    )
    assert fitted.thresholds == {}
    assert fitted.counts_after == fitted.counts_before
    # That of another label would say nothing of them.
    with pytest.raises(ConfigError, match="found no label 'Gene' to except, expected some of"):
        calibrate_pipeline(str(trained_folder), dev, tmp_path / "no", except_labels=["Gene"])
    with pytest.raises(ConfigError, match="one threshold for all"):
        calibrate_pipeline(
            str(trained_folder), dev, tmp_path / "no", except_labels=["A"], overall=True
        )


def test_without_mistakes_there_is_no_temperature(trained_folder, trained_nlp, tmp_path) -> None:
    dev = write_gold(trained_nlp, tmp_path / "right.spacy", CHEMICALS)
    fitted = calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")
    assert (fitted.temperature, fitted.thresholds) == (1.0, {})
    assert fitted.note == "not fitted: 2 of 2 predictions are right"


def test_nothing_to_fit_is_refused(trained_folder, dev, tmp_path) -> None:
    with pytest.raises(ConfigError, match="found neither temperature nor thresholds to fit"):
        calibrate_pipeline(
            str(trained_folder), dev, tmp_path, with_temperature=False, with_thresholds=False
        )


def test_a_corpus_without_annotation_is_refused(trained_folder, trained_nlp, tmp_path) -> None:
    write_docbin([trained_nlp.make_doc(KNOWN)], tmp_path / "bare.spacy")
    with pytest.raises(CorpusError, match="found no annotated document"):
        calibrate_pipeline(str(trained_folder), tmp_path / "bare.spacy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_labels_with_any_characters_keep_their_thresholds(trained_folder, tmp_path: Path) -> None:
    nlp = spacy.load(trained_folder)
    pairs = [["DISEASE:MESH", 0.5], ["[X]", 0.25], ["#c", 0.75], ["a=b", 0.1]]
    nlp.add_pipe("bioner_confidence", config={"thresholds": pairs})
    nlp.to_disk(tmp_path / "out")
    component = spacy.load(tmp_path / "out").get_pipe("bioner_confidence")
    assert [[label, value] for label, value in component.thresholds.items()] == pairs


def test_a_pipeline_of_spacys_own_has_no_confidences_to_fit(dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("Chemical")
    nlp.initialize()
    # Whatever it predicts, nothing says how surely.
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "ner")
    with pytest.raises(ConfigError, match="without a confidence"):
        calibrate_pipeline(str(tmp_path / "ner"), dev, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over_what_is_not_a_pipeline(trained_folder, dev, tmp_path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("of great worth", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"found a folder with other content \(notes\.txt\)"):
        calibrate_pipeline(str(trained_folder), dev, mine)
    with pytest.raises(CorpusError, match="found a file, expected a folder to write"):
        calibrate_pipeline(str(trained_folder), dev, mine / "notes.txt")
    assert (mine / "notes.txt").read_text(encoding="utf-8") == "of great worth"
    calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")
    calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")


def test_nothing_is_fitted_on_documents_where_nothing_is_right(
    trained_folder, trained_nlp, tmp_path
) -> None:
    other = write_gold(trained_nlp, tmp_path / "other.spacy", [[0, 8, "ORG", []]])
    with pytest.raises(CorpusError, match=r"none of them right.*labeled ORG"):
        calibrate_pipeline(str(trained_folder), other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_target_is_fitted_and_said(trained_folder, dev, tmp_path: Path) -> None:
    report = tmp_path / "fitted.json"
    words = ["--target", "recall=0.7", "--report", report]
    said = run("calibrate", trained_folder, dev, tmp_path / "out", *words)
    assert "precision  recall" in said
    assert "not reachable" not in said
    fitted = json.loads(report.read_text(encoding="utf-8"))
    assert (fitted["target"], fitted["unreached"]) == ("recall=0.7", {})


def test_a_target_out_of_reach_is_said(trained_folder, trained_nlp, tmp_path: Path) -> None:
    # One of three mentions is none that the pipeline finds.
    gold = [*CHEMICALS, [13, 21, "Chemical", []]]
    dev = write_gold(trained_nlp, tmp_path / "dev.spacy", gold)
    said = run("calibrate", trained_folder, dev, tmp_path / "out", "--target", "recall=0.9")
    assert "recall=0.9 is not reachable for Chemical: at most 66.67, with the threshold" in said
    fitted = calibrate_pipeline(
        str(trained_folder), dev, tmp_path / "all", target="recall=0.9", overall=True
    )
    assert fitted.unreached == {"": pytest.approx(2 / 3)}
    assert fitted.thresholds == {}
    component = spacy.load(tmp_path / "all").get_pipe("bioner_confidence")
    assert component.threshold == fitted.threshold


def test_one_threshold_for_all_is_saved(trained_folder, dev, tmp_path: Path) -> None:
    fitted = calibrate_pipeline(
        str(trained_folder), dev, tmp_path / "out", target="precision=0.99", overall=True
    )
    # The wrong one of four goes, and the right one that is as sure in the other document.
    assert (fitted.thresholds, fitted.unreached) == ({}, {})
    assert fitted.counts_after["Chemical"] == Counts(2, 0, 1)
    component = spacy.load(tmp_path / "out").get_pipe("bioner_confidence")
    assert (component.threshold, component.thresholds) == (fitted.threshold, {})
    assert [ent.text for ent in spacy.load(tmp_path / "out")(KNOWN).ents] == ["Naloxone"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "f1=0.9"}, "found the target 'f1=0.9'"),
        ({"target": "recall=0.9", "with_thresholds": False}, "and no thresholds to fit"),
        ({"overall": True, "with_thresholds": False}, "and no thresholds to fit"),
    ],
)
def test_targets_that_make_no_sense_are_refused(
    trained_folder, dev, tmp_path, settings, message
) -> None:
    with pytest.raises(ConfigError, match=message):
        calibrate_pipeline(str(trained_folder), dev, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_thresholds_come_behind_lists_that_boost(trained_folder, dev, tmp_path: Path) -> None:
    nlp = spacy.load(trained_folder)
    config = {"mode": "boost", "confidence": 0.9}
    nlp.add_pipe("bioner_gazetteer", config=config).add_terms([Term("Naloxone", "Chemical")])
    nlp.add_pipe("bioner_overlaps")
    nlp.to_disk(tmp_path / "boosted")
    calibrate_pipeline(str(tmp_path / "boosted"), dev, tmp_path / "out")
    assert spacy.load(tmp_path / "out").pipe_names == [
        "bioner",
        "bioner_gazetteer",
        "bioner_confidence",
        "bioner_overlaps",
    ]
