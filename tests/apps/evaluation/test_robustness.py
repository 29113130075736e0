"""`bioner robustness`, on pipelines that know two texts by heart."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.robustness import measure_robustness, text_attacks
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.errors import BionerError, ConfigError, CorpusError, TermTableError
from spacy_bioner.gold import GOLD_KEY


@pytest.fixture
def corpus(trained_nlp, tmp_path: Path) -> Path:
    docs = []
    for text, rows in (
        (
            "Naloxone reverses the effect of clonidine.",
            [[0, 8, "Chemical", ["X:1"]], [32, 41, "Chemical", ["X:2"]]],
        ),
        ("hypertension in rats", [[0, 12, "Disease", []]]),
    ):
        doc: Doc = trained_nlp.make_doc(text)
        doc.user_data[GOLD_KEY] = rows
        doc.set_ents([doc.char_span(start, end, label=label) for start, end, label, _ in rows])
        docs.append(doc)
    path = tmp_path / "gold.spacy"
    write_docbin(docs, path)
    return path


def test_pipelines_are_compared_under_every_attack(trained_folder, corpus, tmp_path) -> None:
    terms = tmp_path / "terms.tsv"
    terms.write_text("id\tname\nX:1\tNaloxone\nX:1\tmorphinone\n", encoding="utf-8")
    models = [f"first={trained_folder}", f"second={trained_folder}"]
    command = ["robustness", str(corpus), str(tmp_path / "out"), *models, "--synonyms", str(terms)]
    settings = ["--epsilon", "0.5", "--epsilon", "1e6", "--noise", "1", "--points", "0"]
    result = CliRunner().invoke(app, [*command, *settings], catch_exceptions=False)
    assert result.exit_code == 0
    assert "| none " in result.stdout
    assert "| fgsm (L2), ε = 0.5 " in result.stdout
    written = json.loads((tmp_path / "out" / "robustness.json").read_text(encoding="utf-8"))
    first, second = written["models"]
    assert first["clean"]["f_score"] == 1.0
    assert {**first, "name": ""} == {**second, "name": ""}
    names = [item["attack"] for item in first["text"]]
    assert names[0] == "typos (100 % of letters)"
    assert names[-1] == "synonyms"
    changed = {item["attack"].split(" ")[0]: item["n_changed"] for item in first["text"]}
    assert (changed["typos"], changed["synonyms"]) == (2, 1)
    assert all(item["tp"] + item["fn"] == 3 for item in (*first["text"], *first["curve"]))
    assert first["curve"][-1]["f_score"] < 1.0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "robustness.json", "robustness.md", "robustness.png", "robustness.svg"
    }  # fmt: skip


def test_the_epsilon_that_costs_the_points_joins_the_others(
    trained_folder, corpus, tmp_path
) -> None:
    [result] = measure_robustness(
        [("first", str(trained_folder))], corpus, tmp_path, attacks={}, epsilons=[0.1], points=10
    )
    critical = [outcome for outcome in result.curve if outcome.strength != 0.1]
    assert len(critical) == 1
    assert critical[0].counts.f_score <= 0.9


def test_attacks_on_text_are_the_same_each_time(trained_folder, corpus, tmp_path) -> None:
    def measure(seed: int):
        [result] = measure_robustness(
            [("first", str(trained_folder))], corpus, tmp_path,
            attacks=text_attacks(noise=0.3), epsilons=[], seed=seed,
        )  # fmt: skip
        return result.text

    first, again, other = measure(1), measure(1), measure(2)
    assert first == again
    assert first[0].n_changed == 2
    assert [outcome.counts for outcome in first] != [outcome.counts for outcome in other]


def test_labels_that_a_pipeline_does_not_know_are_named_at_once(
    trained_folder, corpus, tmp_path
) -> None:
    [first, *_] = docs = list(read_docbin(corpus, spacy.blank("en").vocab))
    first.user_data[GOLD_KEY] = [[0, 8, "Species", []]]
    write_docbin(docs, corpus)
    with pytest.raises(CorpusError, match=r"mentions labeled Species, which .* does not know"):
        measure_robustness([("x", str(trained_folder))], corpus, tmp_path, attacks={})


def test_the_sign_attack_moves_every_coordinate(trained_folder, corpus, tmp_path) -> None:
    results = {
        norm: measure_robustness(
            [("x", str(trained_folder))],
            corpus,
            tmp_path / norm,
            attacks={},
            norm=norm,
            epsilons=[0.5],
            points=0.0,
        )[0].curve[0]
        for norm in ("l2", "linf")
    }
    assert [item.attack for item in results.values()] == ["fgsm (L2)", "fgsm (L∞)"]
    # Half a unit in each coordinate is far more than half a unit in all of them together.
    assert results["linf"].counts.f_score < results["l2"].counts.f_score


def test_a_pipeline_without_the_component_is_refused(corpus, tmp_path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(BionerError, match="found the components none, expected 'bioner'"):
        measure_robustness([("x", str(tmp_path / "blank"))], corpus, tmp_path, attacks={})


def test_an_exported_pipeline_is_refused(exported_folder, corpus, tmp_path) -> None:
    with pytest.raises(BionerError, match="no gradients to attack by: name the one that it was"):
        measure_robustness([("a", str(exported_folder))], corpus, tmp_path / "out", attacks={})


def test_a_wrong_table_of_synonyms_is_refused_before_any_attack(trained_folder, corpus, tmp_path):
    terms = tmp_path / "terms.tsv"
    terms.write_text("word\nNaloxone\n", encoding="utf-8")
    words = ["robustness", str(corpus), str(tmp_path / "out"), str(trained_folder)]
    with pytest.raises(TermTableError, match=r"terms\.tsv"):
        CliRunner().invoke(app, [*words, "--synonyms", str(terms)], catch_exceptions=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "vat"}, "found method 'vat', expected fgsm or pgd"),
        ({"norm": "l1"}, "found norm 'l1', expected l2 or linf"),
        ({"epsilons": [float("nan")]}, "found epsilon nan, expected a number above 0"),
        ({"epsilons": [0.0]}, "found epsilon 0, expected a number above 0"),
    ],
)
def test_wrong_settings_are_refused(corpus, tmp_path, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        measure_robustness([("x", "y")], corpus, tmp_path, attacks={}, **settings)


def test_equal_names_are_refused(corpus, tmp_path) -> None:
    with pytest.raises(ConfigError, match="expected different names"):
        measure_robustness([("x", "y"), ("x", "z")], corpus, tmp_path, attacks={})
