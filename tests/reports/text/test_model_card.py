import re
from dataclasses import replace

import pytest

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.knowledge.gaz import SourceInfo
from spacy_bioner.reports.text.model_card import render_model_card
from spacy_bioner.training.results.model_facts import (
    CorpusFacts,
    EncoderFacts,
    ModelCard,
    ScoredCorpus,
    TermFacts,
)


@pytest.fixture
def card() -> ModelCard:
    scores = Scores(by_type={"Chemical": Counts(90, 10, 10), "Disease": Counts(0, 0, 5)}, n_docs=50)
    return ModelCard(
        package="en_bioner_biobert",
        version="0.1.0",
        description="Chemicals and diseases.",
        licence="MIT",
        components={"bioner": "bioner", "bioner_overlaps": "bioner_overlaps"},
        labels=("Chemical", "Disease"),
        requirements=("spacy-bioner[torch]>=0.1.0,<0.2.0",),
        corpus=CorpusFacts("BC5CDR", "public domain", 500, {"Chemical": 5203, "Disease": 4182}),
        encoder=EncoderFacts("dmis-lab/biobert-base-cased-v1.2", "Apache-2.0"),
        tests=[ScoredCorpus("corpus/test.spacy", {"Full pipeline": scores})],
        settings=(("seed", "0"), ("steps at most", "2400")),
    )


def _rows(text: str) -> list:
    """All rows of all Markdown tables, cells without padding."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_model_card_begins_with_package_and_description(card):
    assert render_model_card(card).startswith("# en_bioner_biobert\n\nChemicals and diseases.\n")


@pytest.mark.parametrize(
    "row",
    [
        ["labels", "Chemical, Disease"],
        ["pipeline", "`tokenizer` → `bioner` → `bioner_overlaps`"],
        ["encoder", "`dmis-lab/biobert-base-cased-v1.2`"],
        ["licence of the encoder", "Apache-2.0"],
        ["licence of the corpus", "public domain"],
        ["documents", "500"],
        ["mentions", "9,385 (Chemical 5,203, Disease 4,182)"],
        ["seed", "0"],
        ["Chemical", "100", "90.00", "90.00", "90.00"],
        ["Disease", "5", "–", "0.00", "0.00"],
        ["**all types**", "105", "90.00", "85.71", "87.80"],
    ],
    ids=lambda row: row[0],
)
def test_model_card_states(card, row):
    assert row in _rows(render_model_card(card))


def test_model_card_says_what_is_not_known():
    text = render_model_card(ModelCard("en_bioner_rules", "1.0", "Rules."))
    rows = _rows(text)
    assert ["encoder", "none"] in rows
    assert ["trained on", "not recorded"] in rows
    assert ["licence of this package", "not stated"] in rows
    assert ["documents", "not recorded"] in rows
    assert "This pipeline was packaged without scores." in text


def test_model_card_names_the_table_of_terms_and_its_sources(card):
    sources = (SourceInfo("MeSH (XML)", "2025", "name|NLM"), SourceInfo("own"))
    terms = TermFacts("mesh.gaz", 134112, sources)
    rows = _rows(render_model_card(replace(card, terms=terms)))
    assert ["term table", "`mesh.gaz`, 134,112 terms"] in rows
    assert ["licence of the terms", "MeSH (XML) 2025: name\\", "NLM; own: not recorded"] in rows
    without = _rows(render_model_card(replace(card, terms=TermFacts("own.tsv", 3))))
    assert ["licence of the terms", "not recorded"] in without
    assert "term table" not in render_model_card(card)


def test_model_card_names_the_table_of_terms_that_are_features(card):
    features = TermFacts("mesh.gaz", 12, (SourceInfo("own", licence="CC0"),))
    rows = _rows(render_model_card(replace(card, features=features)))
    assert ["terms as features", "`mesh.gaz`, 12 terms"] in rows
    assert ["licence of the terms", "own: CC0"] in rows
    assert "terms as features" not in render_model_card(card)


def test_model_card_code_is_python_that_loads_the_package(card):
    code = re.search(r"```python\n(.*?)```", render_model_card(card), re.DOTALL).group(1)
    compile(code, "README.md", "exec")
    assert 'spacy.load("en_bioner_biobert")' in code
    assert "ent._.confidence" in code


def test_model_card_of_other_components_shows_no_evidence():
    card = ModelCard("en_bioner_rules", "1.0", "Rules.", components={"ruler": "entity_ruler"})
    assert "ent._." not in render_model_card(card)


def test_model_card_warns_of_a_small_training_corpus(card):
    small = ModelCard("en_bioner_minilm", "1.0", "Demo.", corpus=CorpusFacts("Demo", n_docs=70))
    assert "- Trained on 70 documents only" in render_model_card(small)
    assert "documents only" not in render_model_card(card)


def test_model_card_explains_its_figures(card):
    scores = Scores(by_type={"Gene": Counts(2, 0, 2)}, n_docs=1, n_unreachable=1)
    test = ScoredCorpus("x.spacy", {"Full pipeline": scores})
    text = render_model_card(ModelCard("en_bioner_x", "1.0", "X.", tests=[test]))
    assert "Measured on `x.spacy`. " in text
    assert "- 1 gold mention of 4 cannot be found without overlapping entities" in text


def test_labels_and_names_cannot_change_the_card(card):
    label = "A|B `x` <script>\nC"
    hostile = replace(
        card,
        labels=(label,),
        components={label: "ner"},
        corpus=CorpusFacts(label, label, 3, {label: 1}),
        encoder=EncoderFacts("x`|y", label),
        tests=[
            ScoredCorpus("a`b.spacy", {"x": Scores(by_type={label: Counts(1, 0, 0)}, n_docs=1)})
        ],
    )
    text = render_model_card(hostile)
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    markup = parser.render(text)
    assert "<script" not in markup
    rows = [row.count("<td") for row in markup.split("</tr>") if "<td" in row]
    assert rows == [2] * 8 + [5] * 2 + [2] * 5
    assert "<td>A|B `x` &lt;script&gt;\\nC</td>" in markup
    assert "<code>x`|y</code>" in markup


def test_scores_on_several_corpora_name_them(card):
    scores = card.tests[0].scores
    tests = [ScoredCorpus("a/test.spacy", scores, "a"), ScoredCorpus("b/test.spacy", scores)]
    text = render_model_card(replace(card, tests=tests))
    assert "Measured on `a/test.spacy`, `b/test.spacy` of BC5CDR." in text
    assert "### `a/test.spacy`: Full pipeline (50 documents, by the rules of a)" in text
    assert "### `b/test.spacy`: Full pipeline (50 documents)" in text


def test_intervals_and_what_else_was_measured_stand_with_the_whole_pipeline(card):
    scores = Scores(by_type={"Disease": Counts(8, 2, 2)}, n_docs=9)
    alone = Scores(by_type={"Disease": Counts(7, 2, 3)}, n_docs=9)
    tested = ScoredCorpus(
        "test.spacy",
        {"Full pipeline": scores, "Component alone": alone},
        intervals={None: Interval(0.8, 0.7, 0.9), "Disease": Interval(0.8, 0.71, 0.9)},
        novelty=[("seen in training", 5, 6), ("unseen concept", 3, 4)],
        calibration_error=0.0417,
    )
    text = render_model_card(replace(card, tests=[tested]))
    rows = _rows(text)
    assert ["Disease", "10", "80.00", "80.00", "80.00 [71.0, 90.0]"] in rows
    assert ["**all types**", "10", "80.00", "80.00", "80.00 [70.0, 90.0]"] in rows
    assert ["Disease", "10", "77.78", "70.00", "73.68"] in rows
    assert "seen in training 83.33 (n = 6), unseen concept 75.00 (n = 4)" in text
    assert text.count("expected calibration error of confidences: 0.042") == 1
    assert "Brackets hold 95 % intervals" in text
    assert "Brackets hold" not in render_model_card(card)


def test_limits_say_whether_confidences_were_calibrated(card):
    assert "the model's own probability, not a calibrated one" in render_model_card(card)
    components = {**card.components, "sure": "bioner_confidence"}
    text = render_model_card(replace(card, components=components))
    assert "not a calibrated one" not in text
    assert "Confidences were calibrated on text of the training corpora" in text


def test_digests_and_commands_tell_what_it_was_made_of_and_how(card):
    corpus = replace(card.corpus, digests={"bc5cdr/train": "ab" * 32})
    text = render_model_card(replace(card, corpus=corpus, commands="bioner train corpus out\n"))
    assert ["SHA-256 of bc5cdr/train", "ab" * 32] in _rows(text)
    assert "## How it was made\n\n```sh\nbioner train corpus out\n```" in text
    assert "How it was made" not in render_model_card(card)
