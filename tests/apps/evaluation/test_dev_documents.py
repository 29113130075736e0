from types import SimpleNamespace

import pytest
import spacy

from spacy_bioner.apps.evaluation.dev_documents import DevDocument, annotate_dev, read_dev
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import ANNOTATED_KEY, DATASET_KEY


@pytest.fixture
def folder(tmp_path, make_example, monkeypatch):
    example = make_example("clonidine in rats", [(0, 9, "Chemical"), (13, 17, "Species")])
    for name in ("drugs", "animals"):
        write_docbin([example.reference], tmp_path / f"{name}.spacy")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def set_reader(config, **reader):
    """Make a pipeline whose config names development documents."""
    nlp = spacy.blank("en", config=config)
    changed = nlp.config
    changed["corpora"]["dev"] = reader
    nlp.config = changed
    return nlp


def test_documents_of_a_file_have_its_labels_and_rules(folder, blank_nlp):
    (plain,) = read_dev(blank_nlp, folder / "drugs.spacy")
    assert plain.dataset == ""
    assert ANNOTATED_KEY not in plain.gold.user_data
    (own,) = read_dev(blank_nlp, folder / "drugs.spacy", labels=["Species"], dataset="drugs")
    assert (own.gold.user_data[ANNOTATED_KEY], own.dataset) == (["Species"], "drugs")


def test_documents_of_a_config_have_those_of_their_corpora(folder, bioner_config):
    corpora = {
        "drugs": {"path": "drugs.spacy", "labels": ["Chemical"]},
        "animals": {"path": "animals.spacy", "labels": ["Species"]},
    }
    reader = {"@readers": "spacy_bioner.MultiCorpus.v1", "seed": 0, "corpora": corpora}
    nlp = set_reader(bioner_config, **reader)
    found = {own.dataset: own.gold.user_data[ANNOTATED_KEY] for own in read_dev(nlp)}
    assert found == {"drugs": ["Chemical"], "animals": ["Species"]}


def test_documents_that_are_not_there_are_named(folder, bioner_config):
    nlp = set_reader(bioner_config, **{"@readers": "spacy_bioner.Corpus.v1", "path": "none.spacy"})
    with pytest.raises(ConfigError, match=r"config names cannot be read \(.*none\.spacy"):
        read_dev(nlp)
    write_docbin([], folder / "none.spacy")
    with pytest.raises(ConfigError, match=r"cannot be read \(none\.spacy: found no document"):
        read_dev(nlp)


def test_pipeline_is_told_by_whose_rules_each_document_is_read(blank_nlp):
    documents = [DevDocument(blank_nlp("one"), "drugs"), DevDocument(blank_nlp("two"))]
    seen = []

    def pipe(docs):
        for doc in docs:
            seen.append((doc.text, doc.user_data.get(DATASET_KEY)))
            yield doc

    nlp = SimpleNamespace(make_doc=blank_nlp.make_doc, pipe=pipe)
    assert [doc.text for doc in annotate_dev(nlp, documents)] == ["one", "two"]
    assert seen == [("one", "drugs"), ("two", None)]
