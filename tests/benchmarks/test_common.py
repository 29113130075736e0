import sys
from importlib import import_module

import pytest

from spacy_bioner.extras import install_command


@pytest.fixture
def common():
    return import_module("_common")


def test_runs_take_turns(common, capsys):
    order = []
    runs = {name: lambda name=name: order.append(name) for name in ("ours", "theirs")}
    seconds = common.time_in_turns(runs, 2)
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert {name: len(values) for name, values in seconds.items()} == {"ours": 2, "theirs": 2}


def test_progress_stays_out_of_the_output(common, capsys):
    common.time_in_turns({"ours": lambda: None}, 1)
    assert capsys.readouterr().out == ""


def test_the_table_stands_under_its_command(common, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/x/benchmarks/speed.py", "--docs", "4"])
    common.show([("system", "words/s"), ("ours", "7")], n="4 documents", seed=0)
    first, blank, *table = capsys.readouterr().out.splitlines()
    assert first.startswith("`python benchmarks/speed.py --docs 4` (n: 4 documents; seed: 0; ")
    assert blank == ""
    assert table == ["| system | words/s |", "| --- | ---: |", "| ours | 7 |"]


def test_a_missing_extra_is_named(common, monkeypatch):
    monkeypatch.setattr(common.importlib.util, "find_spec", lambda module: None)
    assert common.missing_extra("spacy_transformers") == (
        f"spacy_transformers is not installed: {install_command('trf')}"
    )


def test_a_random_bert_loads_as_an_encoder(common, tmp_path):
    pytest.importorskip("torch")
    from spacy_bioner.architectures.encoder_source import load_encoder

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    folder = common.write_random_bert(
        tmp_path / "bert", ["Naloxone reverses it."] * 3, pieces=60, seed=0, **size
    )
    files = load_encoder(str(folder))
    assert (files.config["hidden_size"], files.max_length) == (8, 512)
    assert files.tokenizer.encode("Naloxone").tokens[0] != "[UNK]"


def test_an_epoch_is_the_loop_of_spacy_train(common, bioner_nlp, make_example):
    from spacy.util import registry

    example = make_example("Naloxone reverses clonidine.", [(0, 8, "Chemical")])
    bioner_nlp.initialize(lambda: [example])
    training = {
        "batcher": registry.batchers.get("spacy.batch_by_sequence.v1")(2),
        "optimizer": registry.optimizers.get("Adam.v1")(),
        "dropout": 0.1,
        "eval_frequency": 10,
        "accumulate_gradient": 1,
        "frozen_components": [],
        "annotating_components": [],
        "before_update": None,
    }
    trainee = common.Trainee(bioner_nlp, training, [example] * 5)
    n_tokens = len(example.predicted)
    assert common.run_epoch(trainee, seed=0) == (3, 5 * n_tokens)
    assert common.run_epoch(trainee, seed=0, steps=2) == (2, 4 * n_tokens)
