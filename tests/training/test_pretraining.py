import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from spacy_bioner.architectures.encoder_source import load_encoder  # noqa: E402
from spacy_bioner.errors import ConfigError, TrainingDataError  # noqa: E402
from spacy_bioner.layers.masked_lm import MaskedLM  # noqa: E402
from spacy_bioner.training.packing import Packed, PackedStream, Packer, make_vocabulary  # noqa: E402
from spacy_bioner.training.pretraining import (  # noqa: E402
    MaskedLMTask,
    count_sequences,
    hold_out,
    require_held_out,
)
from spacy_bioner.training.text_stream import TextStream  # noqa: E402

TEXT = "Naloxone reverses the effect of clonidine in rats\nhypertension in the rats of clonidine\n"
EMPTY = Packed(np.zeros((0, 1), np.int32), np.zeros((0, 1), np.int32))


@pytest.fixture
def make_task(tiny_bert, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)

    opened = []

    def build(**settings):
        torch.manual_seed(0)
        files = load_encoder(str(tiny_bert))
        vocabulary = make_vocabulary(files.tokenizer)
        packer = Packer(files.tokenizer, vocabulary, length=16)
        opened.append(TextStream([tmp_path / "a.txt"]))
        stream = PackedStream(opened[-1], packer, seed=0, buffer=8)
        held_out = hold_out(TEXT.split("\n") * 3, packer, n_sequences=2)
        packer.rest_ids, packer.rest_words = packer.rest_ids[:0], packer.rest_words[:0]
        model = MaskedLM(files.module)
        return MaskedLMTask(model, stream, vocabulary, held_out=held_out, n_sequences=4, **settings)

    yield build
    for texts in opened:
        texts.close()


def _weights(task):
    return torch.cat([p.detach().flatten() for p in task.model.parameters()])


def test_learning_lowers_the_held_out_loss(make_task):
    task = make_task()
    before = task.evaluate()["loss"]
    for step in range(60):
        task.learn(step, 3e-3)
    assert task.evaluate()["loss"] < before / 2


def test_a_batch_in_parts_has_the_same_gradient(make_task):
    whole, split = make_task(), make_task()
    split.n_parts = 4
    for task in (whole, split):
        for module in task.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        task.model.transformer.config.attention_probs_dropout_prob = 0.0
        for layer in task.model.transformer.encoder.layer:
            layer.attention.self.dropout_prob = 0.0
    first, second = whole.learn(0, 0.0), split.learn(0, 0.0)
    assert second["loss"] == pytest.approx(first["loss"], rel=1e-5)
    assert second["norm"] == pytest.approx(first["norm"], rel=1e-4)
    assert (first["parts"], second["parts"]) == (1, 4)


def test_a_step_that_does_not_fit_is_split_and_counted(make_task, monkeypatch):
    task = make_task()
    forward = task._forward

    def limited(part):
        if len(part.ids) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return forward(part)

    monkeypatch.setattr(task, "_forward", limited)
    entries = [task.learn(step, 1e-3) for step in range(2)]
    assert [(e["parts"], e["split_again"]) for e in entries] == [(2, True), (2, False)]


def test_a_loss_that_is_no_number_leaves_the_weights(make_task):
    task = make_task()
    with torch.no_grad():
        task.model.head.bias[0] = float("nan")
    before = _weights(task)
    assert not np.isfinite(task.learn(0, 1e-3)["loss"])
    assert torch.equal(before.nan_to_num(), _weights(task).nan_to_num())


def test_evaluation_draws_no_random_number(make_task):
    task = make_task()
    before = torch.get_rng_state()
    assert task.evaluate() == task.evaluate()
    assert torch.equal(before, torch.get_rng_state())


def test_hold_out_takes_few_sequences_of_each_document(tiny_bert):
    tokenizer = load_encoder(str(tiny_bert)).tokenizer
    packer = Packer(tokenizer, make_vocabulary(tokenizer), length=6)
    packed = hold_out([TEXT * 20, "rats in rats in rats"], packer, n_sequences=9, per_document=4)
    assert len(packed) == 5


def test_nothing_held_out_is_an_error():
    assert require_held_out(EMPTY, 0.0) is EMPTY
    with pytest.raises(TrainingDataError, match=r"share of 0\.01"):
        require_held_out(EMPTY, 0.01)


def test_a_batch_below_one_sequence_is_an_error():
    assert count_sequences(300, 128) == 2
    with pytest.raises(ConfigError, match="at least the length of a sequence, 128"):
        count_sequences(100, 128)
