"""`bioner explain` on trained pipelines, rules and both."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("jinja2")

import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.entity_confidence import find_occluder, find_tagger, make_target
from spacy_bioner.apps.evaluation.explain import explain
from spacy_bioner.architectures.pieces.windows import lay_out
from spacy_bioner.components.tag_probabilities import read_tag_probabilities
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.explanation.occlusion import cover
from spacy_bioner.evaluation.explanation.results import Reading
from spacy_bioner.reports.text.explanation import describe_error, describe_readings
from tests.reports.browser import needs_browser, open_page

KNOWN = "Naloxone reverses the effect of clonidine."


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
    return result.stdout


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_a_name_learnt_by_heart_is_its_own_best_reason(trained_nlp, method) -> None:
    pytest.importorskip("captum")
    found = explain(trained_nlp, KNOWN, method=method)
    assert [(item.text, item.label) for item in found.entities] == [
        ("Naloxone", "Chemical"), ("clonidine", "Chemical")
    ]  # fmt: skip
    for item in found.entities:
        assert item.method == method
        assert [word.text for word in item.words] == [t.text for t in trained_nlp.make_doc(KNOWN)]
        for word in item.words:
            assert KNOWN[word.start_char : word.end_char] == word.text
        assert item.sources[0].name == "bioner"
        assert item.confidence == item.sources[0].confidence > 0.5
    assert (found.entities[0].error is None) == (method == "occlusion")


def test_the_sentence_is_enough_where_the_rest_changes_nothing(trained_nlp) -> None:
    text = f"hypertension in rats. {KNOWN}"
    found = explain(trained_nlp, text, method="occlusion")
    last = found.entities[-1]
    assert text[last.start_char : last.end_char] == last.text
    assert all(word.start_char >= text.index("Naloxone") for word in last.words)
    for word in last.words:
        assert text[word.start_char : word.end_char] == word.text


def test_a_masked_word_is_a_mask_to_the_encoder(trained_nlp) -> None:
    tagger = find_tagger(trained_nlp)
    assert find_occluder(tagger) == "[MASK]"
    encoder = tagger.model.get_ref("encoder")
    covered = cover(trained_nlp.make_doc("the effect of"), [1], "[MASK]")
    ids = lay_out(encoder, [covered]).pieces[0].ids.tolist()
    assert ids.count(encoder.shims[0].tokenizer.token_to_id("[MASK]")) == 1


def test_a_target_within_its_sentence_keeps_its_columns(trained_nlp) -> None:
    doc = trained_nlp(f"hypertension in rats. {KNOWN}")
    tagger = find_tagger(trained_nlp)
    probabilities = read_tag_probabilities(tagger, [doc])[0]
    target = make_target(tagger, probabilities, doc.ents[-1])
    assert target.doc[target.start : target.end].text == doc.ents[-1].text
    assert [tagger.tags[column] for _, column in target.tags] == ["B-Chemical"]
    assert target.offset == doc.text.index("Naloxone")


def test_rules_are_explained_by_occlusion(blank_nlp, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(
        [{"label": "Chemical", "pattern": [{"LOWER": "aspirin"}, {"LOWER": "acid"}]}]
    )
    found = explain(nlp, "She took aspirin acid daily.")
    (entity,) = found.entities
    assert entity.method == "occlusion"
    assert [source.name for source in entity.sources] == ["entity_ruler"]
    assert {word.text: word.value for word in entity.words} == {
        "She": 0, "took": 0, "aspirin": 1, "acid": 1, "daily": 0, ".": 0
    }  # fmt: skip
    with pytest.raises(ConfigError, match="has no trained 'bioner' with tag probabilities"):
        explain(nlp, "x", method="gradients")
    with pytest.raises(ConfigError, match="found 1 steps, expected 2 or more"):
        explain(nlp, "x", n_steps=1)
    with pytest.raises(ConfigError, match="found -1 other readings, expected 0 or more"):
        explain(nlp, "x", n_readings=-1)
    with pytest.raises(ConfigError, match="found method 'magic'"):
        explain(nlp, "x", method="magic")


def test_other_readings_and_what_was_left_out_are_named(trained_nlp) -> None:
    trained_nlp.add_pipe("bioner_abbreviations")
    trained_nlp.add_pipe("bioner_overlaps")
    found = explain(trained_nlp, KNOWN, method="none", n_readings=2)
    assert all(len(item.readings) <= 2 and not item.words for item in found.entities)
    chosen = {(item.start_char, item.end_char, item.label) for item in found.entities}
    assert not chosen & {(p.start_char, p.end_char, p.label) for p in found.left_out}


@pytest.mark.parametrize("text", ["", " ", "nothing here"])
def test_texts_without_entities_are_said_to_have_none(trained_folder, text) -> None:
    nlp = spacy.load(trained_folder)
    if explain(nlp, text).entities:
        pytest.skip("the tiny model takes this for an entity")
    assert f"no entities in {len(text)} characters" in run("explain", trained_folder, "-t", text)


def test_the_command_prints_and_writes(trained_folder, tmp_path) -> None:
    page, data = tmp_path / "page.html", tmp_path / "data.json"
    said = run("explain", trained_folder, "-t", KNOWN, "--html", page, "--output", data)
    assert "found by   bioner" in said
    assert "Naloxone +" in said
    stored = json.loads(data.read_text(encoding="utf-8"))
    assert [item["text"] for item in stored["entities"]] == ["Naloxone", "clonidine"]
    html = page.read_text(encoding="utf-8")
    assert 'class="for"' in html
    assert not re.search(r"(?:src|href)=", html)


def test_hostile_text_stays_text(trained_folder, tmp_path) -> None:
    page = tmp_path / "page.html"
    text = f"<script>alert(1)</script> {KNOWN} [bold]x[/bold]"
    said = run("explain", trained_folder, "-t", text, "--html", page, "--method", "occlusion")
    assert "Naloxone" in said
    assert "<script>" not in page.read_text(encoding="utf-8")


def test_calibrated_confidences_stand_beside_the_taggers_own(trained_nlp) -> None:
    trained_nlp.add_pipe("bioner_confidence", config={"temperature": 3.0})
    item = explain(trained_nlp, KNOWN, method="none").entities[0]
    assert item.belief is not None
    assert item.confidence < item.belief
    shown = describe_readings(replace(item, readings=(Reading("x", "", 0.1),)))
    assert f"by the tagger itself, which gives this reading {item.belief:.3f}" in shown


def test_values_that_miss_much_are_said_to(trained_nlp) -> None:
    pytest.importorskip("captum")
    item = explain(trained_nlp, KNOWN, method="gradients").entities[0]
    assert sum(word.value for word in item.words) + item.error == pytest.approx(item.change)
    assert describe_error(replace(item, error=0.0)) == ""
    assert "together they miss 2.00 of a change of +4.00" in describe_error(
        replace(item, error=-2.0, change=4.0)
    )


@needs_browser
def test_a_browser_shows_the_page(trained_folder, tmp_path) -> None:
    page = tmp_path / "page.html"
    run("explain", trained_folder, "-t", KNOWN, "--html", page)
    with open_page(page) as tab:
        assert tab.run("document.querySelectorAll('.card').length") == 2
        color = "getComputedStyle(document.querySelector('.for')).backgroundColor"
        assert tab.run(color) not in ("", "rgba(0, 0, 0, 0)")
        assert tab.complaints == []


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
@pytest.mark.parametrize("joint", ["\u00ad", "\u200b", "\x00"])
def test_a_word_that_an_invisible_character_cuts_is_one(trained_nlp, method, joint) -> None:
    pytest.importorskip("captum")
    text = KNOWN.replace("Naloxone", f"Nalo{joint}xone")
    whole = explain(trained_nlp, KNOWN, method=method)
    cut = explain(trained_nlp, text, method=method)
    assert [item.label for item in cut.entities] == ["Chemical", "Chemical"]
    for before, after in zip(whole.entities, cut.entities):
        assert [word.text for word in after.words] == [word.text for word in before.words]
        assert text[after.words[0].start_char : after.words[0].end_char] == f"Nalo{joint}xone"
        for word, same in zip(after.words, before.words):
            assert word.value == pytest.approx(same.value, abs=1e-3)


def test_an_exported_pipeline_is_explained_without_torch(trained_nlp, exported_folder) -> None:
    code = (
        "import sys, spacy\n"
        # thinc imports torch where it is installed.
        "for name in ('torch', 'transformers', 'captum', 'onnx'): sys.modules[name] = None\n"
        "from spacy_bioner import explain\n"
        f"found = explain(spacy.load({str(exported_folder)!r}), {KNOWN!r})\n"
        "for item in found.entities:\n"
        "    best = max(item.words, key=lambda word: word.value)\n"
        "    print(item.text, item.method, best.text)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "Naloxone occlusion Naloxone",
        "clonidine occlusion clonidine",
    ]
    tagger = find_tagger(spacy.load(exported_folder))
    assert find_occluder(tagger) == find_occluder(find_tagger(trained_nlp)) == "[MASK]"
