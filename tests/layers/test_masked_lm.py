import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from spacy_bioner.layers.masked_lm import MaskedLM, head_names, load_head  # noqa: E402


@pytest.fixture
def transformer():
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=8,
    )
    return transformers.BertModel(config, add_pooling_layer=False).eval()


IDS = torch.tensor([[2, 5, 4, 3], [2, 4, 7, 3]])
POSITIONS = torch.tensor([2, 5])
TARGETS = torch.tensor([6, 9])


def test_loss_is_that_of_transformers_on_masked_positions_only(transformer):
    theirs = transformers.BertForMaskedLM(transformer.config).eval()
    theirs.bert = transformer
    theirs.tie_weights()
    ours = MaskedLM(transformer).eval()
    assert load_head(ours.head, theirs.state_dict(), "bert")
    labels = torch.full_like(IDS, -100)
    labels.view(-1)[POSITIONS] = TARGETS
    expected = theirs(input_ids=IDS, labels=labels).loss * 2
    assert torch.allclose(ours(IDS, POSITIONS, TARGETS), expected, atol=1e-6)


def test_output_matrix_is_the_input_embeddings(transformer):
    model = MaskedLM(transformer)
    names = {name for name, _ in model.head.named_parameters()}
    assert names == {"dense.weight", "dense.bias", "norm.weight", "norm.bias", "bias"}
    model(IDS, POSITIONS, TARGETS).backward()
    # Piece 19 stands in no input: its row has a gradient as an output only.
    assert transformer.get_input_embeddings().weight.grad[19].abs().sum() > 0


def test_load_head_reads_names_of_tensorflow_checkpoints(transformer):
    model = MaskedLM(transformer)
    weights = {
        theirs.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): torch.full_like(model.head.state_dict()[ours], 0.5)
        for ours, theirs in head_names("bert").items()
    }
    assert load_head(model.head, weights, "bert")
    assert model.head.norm.weight.tolist() == [0.5] * 8


def test_load_head_leaves_the_head_where_a_tensor_is_missing(transformer):
    model = MaskedLM(transformer)
    before = model.head.dense.weight.clone()
    weights = {theirs: model.head.state_dict()[ours] for ours, theirs in head_names("bert").items()}
    del weights["cls.predictions.bias"]
    assert not load_head(model.head, weights, "bert")
    assert torch.equal(model.head.dense.weight, before)
