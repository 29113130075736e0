"""Several corpora as one: labels, weights, exclusions, and what a model learns from them."""

import json
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable, Dict, List, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.util import fix_random_seed, registry
from thinc.api import Config

from spacy_bioner.components.gold_tags import allowed_tags
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.errors import LabelError, TrainingDataError
from spacy_bioner.gold import ANNOTATED_KEY, DATASET_KEY, GOLD_KEY, ID_KEY
from spacy_bioner.training.multi_corpus import make_multi_corpus
from tests.conftest import TOKENIZER, entities_of

CHEMICALS = [
    ("1", "Naloxone in hypertension", [(0, 8, "Drug")]),
    ("2", "clonidine in rats", [(0, 9, "Drug"), (13, 17, "Organism")]),
]
DISEASES = [("3", "hypertension in rats", [(0, 12, "Disease")])]


@pytest.fixture
def write(tmp_path: Path, make_example: Callable) -> Callable[..., Path]:
    def build(name: str, rows: List[Tuple[str, str, list]]) -> Path:
        docs = []
        for identifier, text, entities in rows:
            doc = make_example(text, entities).reference
            doc.user_data[ID_KEY] = identifier
            docs.append(doc)
        path = tmp_path / f"{name}.spacy"
        write_docbin(docs, path)
        return path

    return build


@pytest.fixture
def settings(write: Callable[..., Path]) -> Dict[str, Dict[str, Any]]:
    return {
        "drugs": {
            "path": write("drugs", CHEMICALS),
            "labels": ["Chemical"],
            "label_map": {"Drug": "Chemical"},
        },
        "diseases": {"path": write("diseases", DISEASES), "labels": ["Disease"]},
    }


def by_id(examples: Any) -> Dict[str, Any]:
    return {example.reference.user_data[ID_KEY]: example for example in examples}


def test_documents_say_where_they_are_from_and_what_is_annotated(settings, blank_nlp) -> None:
    found = by_id(make_multi_corpus(settings)(blank_nlp))
    assert sorted(found) == ["1", "2", "3"]
    assert entities_of(found["1"].reference) == [("Naloxone", "Chemical")]
    assert found["1"].reference.user_data[ANNOTATED_KEY] == ["Chemical"]
    assert found["3"].predicted.user_data[DATASET_KEY] == "diseases"


def test_what_is_neither_mapped_nor_listed_is_unknown(settings, blank_nlp) -> None:
    example = by_id(make_multi_corpus(settings)(blank_nlp))["2"]
    assert entities_of(example.reference) == [("clonidine", "Chemical")]
    assert [token.ent_iob_ for token in example.reference] == ["B", "O", ""]
    tags = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")
    assert allowed_tags(example, tags, "BIO").sum(axis=1).tolist() == [1, 3, 5]


def test_what_was_unknown_stays_unknown(settings, blank_nlp) -> None:
    [doc] = read_docbin(settings["diseases"]["path"], blank_nlp.vocab)
    doc.set_ents(list(doc.ents), default="missing")
    write_docbin([doc], settings["diseases"]["path"])
    example = by_id(make_multi_corpus(settings)(blank_nlp))["3"]
    assert [token.ent_iob_ for token in example.reference] == ["B", "", ""]


def test_the_offsets_of_the_corpus_are_relabeled_too(settings, write, blank_nlp) -> None:
    [doc] = read_docbin(settings["diseases"]["path"], blank_nlp.vocab)
    doc.user_data[GOLD_KEY] = [[0, 12, "Illness", ["MESH:D006973"]]]
    write_docbin([doc], settings["diseases"]["path"])
    settings["diseases"]["label_map"] = {"Illness": "Disease"}
    example = by_id(make_multi_corpus(settings)(blank_nlp))["3"]
    [(*mention, ids)] = example.reference.user_data[GOLD_KEY]
    assert (mention, list(ids)) == ([0, 12, "Disease"], ["MESH:D006973"])


def test_a_label_to_rename_that_a_corpus_does_not_have_is_an_error(settings, blank_nlp) -> None:
    settings["drugs"]["label_map"] = {"Drug": "Chemical", "Drugs": "Chemical"}
    message = "the label Drugs, which label_map of corpus 'drugs' renames; .* did you mean Drug?"
    with pytest.raises(LabelError, match=message):
        list(make_multi_corpus(settings)(blank_nlp))


def test_a_corpus_without_labels_is_text_of_which_nothing_is_known(
    settings, write, blank_nlp
) -> None:
    rows = [("9", "clonidine in rats", [])]
    settings["text"] = {"path": write("text", rows), "labels": []}
    example = by_id(make_multi_corpus(settings)(blank_nlp))["9"]
    tags = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")
    assert allowed_tags(example, tags, "BIO").all()


def test_weights_say_how_often_documents_are_seen(settings, blank_nlp) -> None:
    settings["diseases"]["weight"] = 3
    settings["drugs"]["weight"] = 0.5
    reader = make_multi_corpus(settings, seed=1)
    seen = Counter(eg.reference.user_data[ID_KEY] for _ in range(200) for eg in reader(blank_nlp))
    assert seen["3"] == 600
    assert 70 < seen["1"] < 130


def test_a_seed_gives_the_same_order(settings, blank_nlp) -> None:
    orders = [
        [eg.reference.user_data[ID_KEY] for eg in make_multi_corpus(settings, seed=3)(blank_nlp)]
        for _ in range(2)
    ]
    assert orders[0] == orders[1]


def test_documents_of_other_splits_are_left_out(settings, write, blank_nlp) -> None:
    test_split = write("test", [("1", "Naloxone", [(0, 8, "Drug")])])
    found = by_id(make_multi_corpus(settings, exclude=[test_split])(blank_nlp))
    assert sorted(found) == ["2", "3"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, "corpus 'drugs' lacks labels"),
        ({"lables": ["X"]}, "corpus 'drugs' has lables"),
        ({"labels": "Disease"}, "found labels 'Disease', expected a list of names"),
        ({"labels": [""]}, "expected a list of names"),
        ({"weight": 0}, r"found weight 0\.0, expected more than 0"),
    ],
)
def test_wrong_settings_are_refused(settings, change, message) -> None:
    settings["drugs"].update(change)
    with pytest.raises(TrainingDataError, match=message):
        make_multi_corpus(settings)


def test_a_corpus_without_its_labels_is_refused(settings, blank_nlp) -> None:
    settings["drugs"]["label_map"] = {}
    with pytest.raises(TrainingDataError, match=r"found no entity labeled Chemical; check labels"):
        list(make_multi_corpus(settings)(blank_nlp))


@pytest.mark.parametrize("crf", [False, True])
def test_one_model_learns_the_labels_of_both(settings, write, tiny_bert, crf: bool) -> None:
    # The same text in both corpora: to each, what the other one marks is outside.
    rows = [*DISEASES, ("4", "Naloxone in hypertension", [(12, 24, "Disease")])]
    settings["diseases"]["path"] = write("both", rows)
    fix_random_seed(0)
    nlp: Language = spacy.blank("en", config=TOKENIZER)
    encoder = {"name": str(tiny_bert), "precision": "float32"}
    # The rate below is high for an encoder already, so the transitions share it.
    model = {"encoder": encoder, "crf": crf, "crf_lr_scale": 1.0}
    nlp.add_pipe("bioner", config={"model": model})
    examples = list(make_multi_corpus(settings)(nlp))
    nlp.initialize(lambda: examples)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, drop=0.0)
    assert entities_of(nlp("Naloxone in hypertension")) == [
        ("Naloxone", "Chemical"),
        ("hypertension", "Disease"),
    ]


def test_the_reader_is_made_from_a_config(settings, blank_nlp) -> None:
    path = settings["diseases"]["path"]
    text = f"""
    [reader]
    @readers = "spacy_bioner.MultiCorpus.v1"
    exclude = null
    seed = 0

    [reader.corpora]

    [reader.corpora.diseases]
    path = {json.dumps(str(path))}
    labels = ["Disease"]
    weight = 2.0
    """
    reader = registry.resolve(Config().from_str(dedent(text)))["reader"]
    assert len(list(reader(blank_nlp))) == 2
