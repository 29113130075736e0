import pytest
import spacy
from spacy.tokens import Span

from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.training.span_corpus import make_span_corpus


@pytest.fixture
def nested(make_example, tmp_path):
    """A DocBin of one Doc with a mention inside of another."""
    doc = make_example("lung cancer", [(0, 11, "Disease")]).reference
    doc.spans["gold"] = [Span(doc, 0, 2, label="Disease"), Span(doc, 0, 1, label="Anatomy")]
    write_docbin([doc], tmp_path / "nested.spacy")
    return tmp_path / "nested.spacy"


def test_reference_has_all_gold_mentions_under_the_name(nested, blank_nlp):
    (example,) = make_span_corpus(nested, spans_key="spancat")(blank_nlp)
    found = [(span.text, span.label_) for span in example.reference.spans["spancat"]]
    assert found == [("lung cancer", "Disease"), ("lung", "Anatomy")]


def test_predicted_doc_has_no_span_group(nested, blank_nlp):
    (example,) = make_span_corpus(nested, spans_key="spancat")(blank_nlp)
    assert list(example.predicted.spans) == []


def test_doc_without_gold_group_gives_its_entities(make_example, blank_nlp, tmp_path):
    doc = make_example("hypertension in rats", [(0, 12, "Disease")]).reference
    write_docbin([doc], tmp_path / "plain.spacy")
    (example,) = make_span_corpus(tmp_path / "plain.spacy", spans_key="spancat")(blank_nlp)
    assert [span.text for span in example.reference.spans["spancat"]] == ["hypertension"]


def test_limit_is_kept(nested, blank_nlp):
    assert len(list(make_span_corpus(nested, spans_key="s", limit=1)(blank_nlp))) == 1


@pytest.mark.parametrize("name", ["gold", ""])
def test_group_of_gold_mentions_is_refused(nested, name):
    with pytest.raises(ConfigError, match="'gold' is for gold mentions"):
        make_span_corpus(nested, spans_key=name)


def test_reader_is_registered(nested):
    reader = spacy.registry.readers.get("spacy_bioner.SpanCorpus.v1")
    assert reader is make_span_corpus
