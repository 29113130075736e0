import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import registry

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import CorpusError, TrainingDataError
from spacy_bioner.records import Mention, Record
from spacy_bioner.training.corpus import make_corpus


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


DISEASE = (Mention(6, 19, "Disease"),)


def make_doc(nlp, name, text="Acute renal failure.", mentions=DISEASE):
    return align(Record(name, text, tuple(mentions)), nlp.tokenizer).doc


def names(examples):
    return [example.reference.user_data["bioner_id"] for example in examples]


@pytest.fixture
def corpus(nlp, tmp_path):
    path = tmp_path / "corpus.spacy"
    plain = {"text": "Nothing here.", "mentions": ()}
    docs = [make_doc(nlp, "plain", **plain), make_doc(nlp, "first"), make_doc(nlp, "second")]
    write_docbin([*docs, make_doc(nlp, "empty", text="", mentions=())], path)
    return path


def test_corpus_gives_every_document_in_order(nlp, corpus):
    examples = list(make_corpus(corpus)(nlp))
    assert names(examples) == ["plain", "first", "second", "empty"]
    assert [ent.label_ for ent in examples[1].reference.ents] == ["Disease"]
    assert examples[1].predicted.ents == ()
    assert all(example.predicted.text == example.reference.text for example in examples)


def test_corpus_tokenizes_text_with_the_pipeline(corpus):
    other = spacy.blank("en")
    other.tokenizer.infix_finditer = None
    other.tokenizer.suffix_search = None
    example = list(make_corpus(corpus)(other))[1]
    assert [token.text for token in example.predicted] == ["Acute", "renal", "failure."]
    assert [token.text for token in example.reference] == ["Acute", "renal", "failure", "."]


def test_corpus_can_be_read_again(nlp, corpus):
    reader = make_corpus(corpus)
    assert names(reader(nlp)) == names(reader(nlp))


def test_corpus_reads_folder_by_file_names(nlp, tmp_path):
    (tmp_path / "sub").mkdir()
    write_docbin([make_doc(nlp, "2")], tmp_path / "sub" / "b.spacy")
    write_docbin([make_doc(nlp, "1")], tmp_path / "a.spacy")
    assert names(make_corpus(tmp_path)(nlp)) == ["1", "2"]


def test_corpus_limit_counts_documents(nlp, corpus):
    assert names(make_corpus(corpus, limit=2)(nlp)) == ["plain", "first"]


def test_corpus_shuffle_keeps_every_document(nlp, corpus):
    assert sorted(names(make_corpus(corpus, shuffle=True)(nlp))) == sorted(
        names(make_corpus(corpus)(nlp))
    )


def test_corpus_augmenter_replaces_examples(nlp, corpus):
    def twice(nlp, example):
        yield example
        yield example

    assert names(make_corpus(corpus, augmenter=twice, limit=2)(nlp)) == [
        "plain",
        "plain",
        "first",
        "first",
    ]


def test_corpus_keeps_long_documents(nlp, tmp_path):
    text = "word " * 30000
    path = tmp_path / "long.spacy"
    write_docbin([make_doc(nlp, "long", text, [Mention(0, 4, "A")])], path)
    (example,) = make_corpus(path)(nlp)
    assert len(example.predicted) == len(example.reference) == 30000


def test_corpus_with_unknown_spacing_uses_the_tokens_given(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["a.b", "c"], ents=["B-X", "O"])
    doc.has_unknown_spaces = True
    write_docbin([doc], tmp_path / "x.spacy")
    (example,) = make_corpus(tmp_path)(nlp)
    assert [token.text for token in example.predicted] == ["a.b", "c"]


def test_corpus_without_entities_is_refused_before_the_first_example(nlp, tmp_path):
    path = tmp_path / "none.spacy"
    write_docbin([make_doc(nlp, str(i), mentions=()) for i in range(3)], path)
    with pytest.raises(TrainingDataError, match=r"none\.spacy: found no entity in 3 documents"):
        next(iter(make_corpus(path)(nlp)))


def test_corpus_without_documents_is_refused(nlp, tmp_path):
    path = tmp_path / "none.spacy"
    write_docbin([], path)
    with pytest.raises(TrainingDataError, match=r"none\.spacy: found no document"):
        list(make_corpus(path)(nlp))


def test_corpus_path_must_lead_to_docbins(nlp, tmp_path):
    with pytest.raises(TrainingDataError, match=r"the folder has no \.spacy file"):
        list(make_corpus(tmp_path)(nlp))
    with pytest.raises(TrainingDataError, match="no such file or folder"):
        list(make_corpus(tmp_path / "absent.spacy")(nlp))
    with pytest.raises(TrainingDataError, match=r"set paths\.train and paths\.dev"):
        make_corpus(None)


def test_corpus_refuses_files_that_are_no_docbins(nlp, tmp_path):
    path = tmp_path / "text.spacy"
    path.write_text("1|t|Title\n")
    with pytest.raises(CorpusError, match="found no DocBin"):
        list(make_corpus(path)(nlp))


def test_corpus_refuses_negative_limit(corpus):
    with pytest.raises(TrainingDataError, match="found limit -1, expected 0 or more"):
        make_corpus(corpus, limit=-1)


def test_corpus_resolves_from_config_with_validation(nlp, corpus):
    block = {"@readers": "spacy_bioner.Corpus.v1", "path": str(corpus), "limit": 2}
    reader = registry.resolve({"corpus": block})["corpus"]
    assert len(list(reader(nlp))) == 2
    with pytest.raises(ValueError, match="limit"):
        registry.resolve({"corpus": {**block, "limit": "many"}})
