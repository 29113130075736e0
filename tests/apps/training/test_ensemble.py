"""`bioner ensemble`: what it writes, what it says, and what it refuses."""

import json

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from spacy_bioner.apps.cli.main import run  # noqa: E402
from spacy_bioner.apps.evaluation.evaluate import evaluate  # noqa: E402
from spacy_bioner.apps.training.ensemble import EnsembleSettings, make_ensemble  # noqa: E402
from spacy_bioner.apps.training.ensemble_members import load_members  # noqa: E402
from spacy_bioner.errors import BionerError, ConfigError  # noqa: E402
from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores  # noqa: E402
from spacy_bioner.evaluation.scores import Counts, Scores  # noqa: E402
from spacy_bioner.reports.text.ensemble import render_ensemble  # noqa: E402
from spacy_bioner.training.results.ensemble import EnsembleOutcome, JudgedSystem  # noqa: E402
from tests.conftest import entities_of, learn_by_heart, make_bioner_nlp  # noqa: E402

KNOWN = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
]
TWO_FOLDS = EnsembleSettings(folds=2)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weak_folder(tiny_bert, make_example, tmp_path_factory):
    """A second seed that has learned next to nothing."""
    torch.manual_seed(1)
    nlp = make_bioner_nlp(str(tiny_bert))
    learn_by_heart(nlp, [make_example(text, entities) for text, entities in KNOWN], steps=1)
    folder = tmp_path_factory.mktemp("weak") / "seed-1" / "model-best"
    folder.parent.mkdir()
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def dev(make_example, tmp_path_factory):
    path = tmp_path_factory.mktemp("dev") / "dev.spacy"
    docs = [make_example(text, entities).reference for text, entities in KNOWN]
    DocBin(docs=[*docs, *docs]).to_disk(path)
    return path


@pytest.fixture
def other_folder(trained_folder, tmp_path):
    """Builds a copy of the trained pipeline with another `cfg`."""

    def build(**changes):
        nlp = spacy.load(trained_folder)
        nlp.get_pipe("bioner").cfg.update(changes)
        nlp.to_disk(tmp_path / "other")
        return tmp_path / "other"

    return build


def _refused(capsys, *arguments):
    """Run the command, expect one line of error, and give it."""
    with pytest.raises(SystemExit) as raised:
        run(["ensemble", *(str(argument) for argument in arguments)])
    captured = capsys.readouterr()
    assert raised.value.code == 1
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("error: ").strip()


def _judged(name, tp, fp, fn):
    counts = Counts(tp, fp, fn)
    return JudgedSystem(name, Scores({"X": counts}, n_docs=1), bootstrap_scores([counts]), 0.5)


def _outcome(member, average, stacked, chosen="average"):
    return EnsembleOutcome(
        sources=("a", "b"),
        tags=("O", "B-X", "I-X"),
        members=(_judged("1 a", 1, 9, 9), _judged("2 b", *member)),
        average=_judged("average", *average),
        stacked=_judged("stacked, in sample", 10, 0, 0),
        cross_fitted=_judged("stacked, cross-fitted", *stacked),
        chosen=chosen,
        weights={"average": np.full((2, 3), 0.5), "stacked": np.array([[0.2] * 3, [0.8] * 3])},
        settings={"folds": 5},
    )


def test_ensemble_of_two_is_written_and_scored(trained_folder, weak_folder, dev, tmp_path):
    out = tmp_path / "out"
    outcome = make_ensemble([str(trained_folder), str(weak_folder)], dev, out, TWO_FOLDS)
    nlp = spacy.load(out)
    assert entities_of(nlp(KNOWN[0][0])) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]
    assert nlp.pipe_names == ["bioner"]
    assert outcome.members[0].scores.micro == Counts(6, 0, 0)
    assert outcome.members[1].scores.micro.tp < 6
    assert outcome.weights["stacked"][0, 0] > 0.9
    account = json.loads((out / "ensemble.json").read_text(encoding="utf-8"))
    assert account["stacked"]["cross_fitted"]["scores"]["micro"]["gold"] == 6
    assert [row["source"] for row in account["members"]] == [str(trained_folder), str(weak_folder)]
    assert (account["dev"]["documents"], account["below_best_member"]) == (4, False)
    assert nlp.meta["ensemble"]["verdict"] == account["verdict"]


@pytest.mark.parametrize("method", ["average", "stacked"])
def test_what_is_written_scores_on_dev_as_the_table_says(
    method, trained_folder, weak_folder, dev, tmp_path
):
    settings = EnsembleSettings(method, folds=2)
    out = tmp_path / "out"
    outcome = make_ensemble([str(trained_folder), str(weak_folder)], dev, out, settings)
    said = outcome.average if method == "average" else outcome.stacked
    assert outcome.chosen == method
    assert evaluate(str(out), dev).evaluation.scores["pipeline"].micro == said.scores.micro


def test_members_are_scored_as_evaluate_scores_them(trained_folder, weak_folder, dev, tmp_path):
    sources = [str(trained_folder), str(weak_folder)]
    outcome = make_ensemble(sources, dev, tmp_path / "out", TWO_FOLDS)
    for source, judged in zip(sources, outcome.members):
        assert evaluate(source, dev).evaluation.scores["pipeline"].micro == judged.scores.micro


def test_ensembles_can_be_members(trained_folder, weak_folder, dev, tmp_path):
    sources = [str(trained_folder), str(weak_folder)]
    make_ensemble(sources, dev, tmp_path / "inner", TWO_FOLDS)
    outer = [str(tmp_path / "inner"), str(weak_folder)]
    make_ensemble(outer, dev, tmp_path / "outer", TWO_FOLDS)
    assert entities_of(spacy.load(tmp_path / "outer")(KNOWN[1][0])) == [("hypertension", "Disease")]


def test_what_stands_behind_bioner_is_left_out(trained_folder, weak_folder, dev, tmp_path):
    nlp = spacy.load(trained_folder)
    nlp.add_pipe("bioner_overlaps")
    nlp.to_disk(tmp_path / "assembled")
    sources = [str(tmp_path / "assembled"), str(weak_folder)]
    make_ensemble(sources, dev, tmp_path / "out", TWO_FOLDS)
    assert spacy.load(tmp_path / "out").pipe_names == ["bioner"]


def test_command_prints_table_and_verdict(trained_folder, weak_folder, dev, tmp_path, capsys):
    arguments = [trained_folder, weak_folder, "--dev", dev, "-o", tmp_path / "out", "--folds", 2]
    with pytest.raises(SystemExit) as raised:
        run(["ensemble", *map(str, arguments)])
    printed = capsys.readouterr().out
    assert raised.value.code == 0
    rows = [
        line.split("  ")[1] for line in printed.splitlines() if line.endswith(tuple("0123456789"))
    ]
    assert "1 model" in rows
    assert "2 seed-1/model-best" in rows
    assert "stacked, cross-fitted" in rows
    assert "beside the best member, 1 model" in printed


def test_below_the_best_member_is_said_and_recommended():
    outcome = _outcome((8, 2, 2), (7, 3, 3), (7, 3, 3))
    assert outcome.is_below
    expected = (
        "BELOW ITS BEST MEMBER: average: F1 70.00 on dev, 10.00 points less than member 2 b "
        "(80.00); use that member instead: b"
    )
    assert outcome.verdict == expected
    assert render_ensemble(outcome).endswith(expected)
    data = outcome.to_json()
    assert (data["below_best_member"], data["best_member"], data["verdict"]) == (
        True,
        "b",
        expected,
    )


def test_stacked_counts_by_its_cross_fitted_score():
    outcome = _outcome((8, 2, 2), (7, 3, 3), (7, 3, 3), "stacked")
    assert outcome.stacked.f_score == 1.0
    assert outcome.is_below


def test_equal_to_the_best_member_is_not_below():
    outcome = _outcome((8, 2, 2), (8, 2, 2), (7, 3, 3))
    assert not outcome.is_below
    assert outcome.verdict == "average: F1 80.00 on dev, +0.00 points beside the best member, 2 b"


def test_ensemble_below_its_best_member_is_written_and_says_so(
    trained_folder, weak_folder, dev, tmp_path, monkeypatch
):
    monkeypatch.setattr(EnsembleOutcome, "is_below", True)
    sources = [str(trained_folder), str(weak_folder)]
    make_ensemble(sources, dev, tmp_path / "out", TWO_FOLDS)
    meta = json.loads((tmp_path / "out" / "meta.json").read_text(encoding="utf-8"))
    assert meta["ensemble"]["below_best_member"] is True
    assert meta["ensemble"]["verdict"].startswith("BELOW ITS BEST MEMBER: ")


def test_one_member_is_refused(trained_folder, dev, tmp_path, capsys):
    message = _refused(capsys, trained_folder, "--dev", dev, "-o", tmp_path / "out")
    assert message.startswith("an ensemble has two or more members, found 1 member")


def test_the_same_member_twice_is_refused(trained_folder, dev, tmp_path, capsys):
    message = _refused(capsys, trained_folder, trained_folder, "--dev", dev, "-o", tmp_path / "out")
    assert message == f"found the member {trained_folder} twice, expected different pipelines"


def test_a_member_without_bioner_is_refused(trained_folder, dev, tmp_path, capsys):
    spacy.blank("en").to_disk(tmp_path / "blank")
    message = _refused(
        capsys, trained_folder, tmp_path / "blank", "--dev", dev, "-o", tmp_path / "out"
    )
    assert message.startswith(
        f"{tmp_path / 'blank'}: found the components none, expected a trained `bioner`"
    )


def test_a_member_that_was_not_trained_is_refused(
    trained_folder, bioner_nlp, dev, tmp_path, capsys
):
    bioner_nlp.to_disk(tmp_path / "new")
    sources = (trained_folder, tmp_path / "new")
    message = _refused(capsys, *sources, "--dev", dev, "-o", tmp_path / "out")
    assert message == f"{tmp_path / 'new'}: its `bioner` knows no label: it was not trained"


def test_a_member_with_other_labels_is_refused(trained_folder, other_folder, dev, tmp_path, capsys):
    other = other_folder(labels=["Chemical", "Gene"])
    message = _refused(capsys, trained_folder, other, "--dev", dev, "-o", tmp_path / "out")
    assert message == (
        f"{other}: found the labels Chemical, Gene, expected Chemical, Disease as in "
        f"{trained_folder}; combine pipelines of the same ones"
    )
    assert not (tmp_path / "out").exists()


def test_a_member_with_other_word_vectors_is_refused(trained_folder, tmp_path):
    nlp = spacy.load(trained_folder)
    nlp.vocab.set_vector("Naloxone", np.ones(4, dtype="float32"))
    nlp.to_disk(tmp_path / "vectors")
    with pytest.raises(ConfigError, match="found other word vectors than in"):
        load_members([str(trained_folder), str(tmp_path / "vectors")])


def test_a_member_with_another_scheme_is_refused(
    trained_folder, other_folder, dev, tmp_path, capsys
):
    other = other_folder(scheme="BIOES")
    message = _refused(capsys, trained_folder, other, "--dev", dev, "-o", tmp_path / "out")
    assert f"{other}: found the tag scheme BIOES, expected IOB2" in message


def test_a_member_with_another_tokenizer_is_refused(trained_folder, tmp_path, dev, capsys):
    nlp = spacy.load(trained_folder)
    nlp.tokenizer = spacy.blank("en").tokenizer
    nlp.tokenizer.infix_finditer = None
    nlp.tokenizer.suffix_search = None
    nlp.config["nlp"]["tokenizer"] = {"@tokenizers": "spacy.Tokenizer.v1"}
    nlp.to_disk(tmp_path / "other")
    sources, folds = (trained_folder, tmp_path / "other"), ("--folds", 2)
    message = _refused(capsys, *sources, "--dev", dev, "-o", tmp_path / "out", *folds)
    assert "its tokenizer gives 'clonidine.' where that of" in message


def test_dev_without_entities_is_refused(trained_folder, weak_folder, blank_nlp, tmp_path, capsys):
    path = tmp_path / "empty.spacy"
    DocBin(docs=[blank_nlp("hypertension in rats")]).to_disk(path)
    message = _refused(capsys, trained_folder, weak_folder, "--dev", path, "-o", tmp_path / "out")
    assert message.startswith(f"{path}: found no entity in it")


def test_more_folds_than_documents_are_refused(trained_folder, weak_folder, dev, tmp_path, capsys):
    message = _refused(capsys, trained_folder, weak_folder, "--dev", dev, "-o", tmp_path / "out")
    assert message.startswith(f"{dev}: found 4 documents for 5 folds; name fewer with --folds")


def test_a_missing_member_is_refused(trained_folder, dev, tmp_path, capsys):
    message = _refused(capsys, trained_folder, "gone", "--dev", dev, "-o", tmp_path / "out")
    assert message.startswith("gone: neither a folder nor an installed package")


def test_output_must_not_be_a_member(trained_folder, weak_folder, dev):
    with pytest.raises(ConfigError, match="is one of the members"):
        make_ensemble([str(trained_folder), str(weak_folder)], dev, weak_folder, TWO_FOLDS)


def test_output_must_not_hold_other_things(trained_folder, weak_folder, dev, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="found a folder with other content"):
        make_ensemble([str(trained_folder), str(weak_folder)], dev, tmp_path, TWO_FOLDS)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "settings",
    [{"method": "vote"}, {"folds": 1}, {"l2": -1.0}, {"l2": float("nan")}],
)
def test_settings_outside_their_range_are_refused(settings, tmp_path):
    with pytest.raises(BionerError, match="found"):
        EnsembleSettings(**settings).check()
