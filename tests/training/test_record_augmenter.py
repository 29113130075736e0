import random

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.corpora.alignment import align
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import gold_mentions
from spacy_bioner.records import Mention, Record
from spacy_bioner.training.record_augmenter import RecordAugmenter, chain_augmenters
from spacy_bioner.transforms.augmentation.editing import edit_record
from spacy_bioner.transforms.augmentation.shuffling import shuffle_mentions
from spacy_bioner.transforms.offsets import Edit

TEXT = "Gout and asthma, flu or mumps."
SPANS = ((0, 4), (9, 15), (17, 20), (24, 29))
RECORD = Record("1", TEXT, tuple(Mention(a, b, "Disease", "", (f"C{a}",)) for a, b in SPANS))


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def example(nlp):
    return make_example(nlp, RECORD)


def make_example(nlp, record):
    return Example(nlp.make_doc(record.text), align(record, nlp.make_doc).doc)


def texts(examples):
    return [example.reference.text for example in examples]


def replace_last(new):
    """An augmentation that writes something in place of "mumps"."""
    return lambda record, rng: edit_record(record, [Edit(24, 29, new)])


def test_example_comes_first_and_variants_follow(nlp, example):
    augmenter = RecordAugmenter(shuffle_mentions, copies=3)
    examples = list(augmenter(nlp, example))
    assert examples[0] is example
    assert len(set(texts(examples))) == 4
    assert augmenter.count == {"examples": 1, "variants": 3}


def test_variant_has_its_gold_everywhere(nlp, example):
    example.reference.cats = {"case report": 1.0}
    (variant,) = RecordAugmenter(replace_last("sore throat"), keep_original=False)(nlp, example)
    reference = variant.reference
    assert variant.predicted.text == reference.text == "Gout and asthma, flu or sore throat."
    assert not variant.predicted.ents
    assert [(e.text, e.label_, e.kb_id_) for e in reference.ents] == [
        ("Gout", "Disease", "C0"),
        ("asthma", "Disease", "C9"),
        ("flu", "Disease", "C17"),
        ("sore throat", "Disease", "C24"),
    ]
    assert [span.text for span in reference.spans["gold"]] == [e.text for e in reference.ents]
    assert gold_mentions(reference)[3] == Mention(24, 35, "Disease", "", ("C24",))
    assert reference.user_data["bioner_id"] == "1"
    assert reference.cats == {"case report": 1.0}


def test_nested_and_discontinuous_mentions_come_through(nlp):
    record = Record(
        "1",
        "lung cancer of mice and gout",
        (
            Mention(0, 19, "D", "lung mice", (), ((0, 4), (15, 19))),
            Mention(5, 11, "D"),
            Mention(24, 28, "D"),
        ),
    )
    augmenter = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(20, 23, "with")]))
    variant = list(augmenter(nlp, make_example(nlp, record)))[1].reference
    assert [span.text for span in variant.spans["gold"]] == [
        "lung cancer of mice",
        "cancer",
        "gout",
    ]
    assert variant.user_data["bioner_record"]["fragments"] == [[0, [[0, 4], [15, 19]]]]


def test_same_seed_gives_the_same_variants_in_any_order(nlp):
    records = [RECORD, Record("2", TEXT, RECORD.mentions), Record("3", TEXT, RECORD.mentions)]
    examples = [make_example(nlp, record) for record in records]

    def run(order, seed):
        augmenter = RecordAugmenter(shuffle_mentions, copies=2, seed=seed)
        made = {}
        for index in order:
            made[index] = texts(augmenter(nlp, examples[index]))
        return made

    assert run([0, 1, 2], seed=1) == run([2, 0, 1], seed=1)
    assert run([0, 1, 2], seed=1) != run([0, 1, 2], seed=2)


def test_next_reading_gives_other_variants(nlp, example):
    augmenter = RecordAugmenter(shuffle_mentions, copies=1, keep_original=False)
    assert len({tuple(texts(augmenter(nlp, example))) for _ in range(4)}) > 1


def test_global_randomness_is_left_alone(nlp, example):
    random.seed(5)
    list(RecordAugmenter(shuffle_mentions)(nlp, example))
    drawn = random.random()
    random.seed(5)
    assert random.random() == drawn


def test_level_is_the_share_of_documents(nlp):
    augmenter = RecordAugmenter(shuffle_mentions, level=0.3)
    for number in range(200):
        list(augmenter(nlp, make_example(nlp, Record(str(number), TEXT, RECORD.mentions))))
    assert augmenter.count["examples"] == 200
    assert 40 <= augmenter.count["variants"] <= 80


def test_equal_variants_are_given_once(nlp, example):
    augmenter = RecordAugmenter(replace_last("cold"), copies=3)
    assert len(list(augmenter(nlp, example))) == 2
    assert augmenter.count == {"examples": 1, "variants": 1, "unchanged": 2}


@pytest.mark.parametrize(
    ("augment", "outcome"),
    [(lambda record, rng: record, "unchanged"), (lambda record, rng: None, "refused")],
)
def test_document_without_a_variant_is_kept(nlp, example, augment, outcome):
    augmenter = RecordAugmenter(augment, keep_original=False)
    assert list(augmenter(nlp, example)) == [example]
    assert augmenter.count == {"examples": 1, "variants": 0, outcome: 1}


def test_variant_that_tokens_cannot_express_is_not_used(nlp):
    record = Record("1", "drug - induced", (Mention(0, 4, "C"),))
    augmenter = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(4, 7, "")]))
    assert texts(augmenter(nlp, make_example(nlp, record))) == ["drug - induced"]
    assert augmenter.count == {"examples": 1, "variants": 0, "misaligned": 1}


def test_mention_that_tokens_never_could_express_does_not_matter(nlp):
    record = Record("1", "proinsulin gout", (Mention(3, 10, "G"), Mention(11, 15, "D")))
    augmenter = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(11, 15, "flu")]))
    assert texts(augmenter(nlp, make_example(nlp, record))) == ["proinsulin gout", "proinsulin flu"]


def test_docs_of_other_makers_are_augmented(nlp):
    reference = Doc(nlp.vocab, words=["Gout", "hurts"], ents=["B-Disease", "O"])
    example = Example(nlp.make_doc(reference.text), reference)
    augment = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(0, 4, "Flu")]))
    variant = list(augment(nlp, example))[1]
    assert [(ent.text, ent.label_) for ent in variant.reference.ents] == [("Flu", "Disease")]


def test_missing_entities_and_foreign_spans_are_not_made_up(nlp):
    partial = Doc(nlp.vocab, words=["Gout", "hurts"])
    partial.set_ents([Span(partial, 0, 1, "Disease")], default="missing")
    spans = align(RECORD, nlp.make_doc).doc
    spans.spans["sc"] = [spans[0:1]]
    augmenter = RecordAugmenter(shuffle_mentions)
    for reference in (partial, spans):
        example = Example(nlp.make_doc(reference.text), reference)
        assert list(augmenter(nlp, example)) == [example]
    assert augmenter.count == {"examples": 2, "variants": 0, "unsupported": 2}


def test_text_with_unknown_spacing_is_split_at_spaces(nlp):
    reference = Doc(nlp.vocab, words=["a.b", "gout", "x-y"], ents=["O", "B-D", "O"])
    reference.has_unknown_spaces = True
    example = Example(reference.copy(), reference)
    augment = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(4, 8, "the flu")]))
    variant = list(augment(nlp, example))[1]
    assert [token.text for token in variant.predicted] == ["a.b", "the", "flu", "x-y"]
    assert variant.reference.has_unknown_spaces
    assert [ent.text for ent in variant.reference.ents] == ["the flu"]


def test_chain_in_sequence_adds_changes_up(nlp, example):
    first = RecordAugmenter(replace_last("cold"), keep_original=False)
    second = RecordAugmenter(lambda record, rng: edit_record(record, [Edit(0, 4, "Flu")]))
    assert texts(chain_augmenters(first, second)(nlp, example)) == [
        "Gout and asthma, flu or cold.",
        "Flu and asthma, flu or cold.",
    ]


def test_chain_of_each_gives_the_example_once(nlp, example):
    augmenters = [RecordAugmenter(replace_last(new)) for new in ("cold", "rash")]
    assert texts(chain_augmenters(*augmenters, mode="each")(nlp, example)) == [
        TEXT,
        TEXT.replace("mumps", "cold"),
        TEXT.replace("mumps", "rash"),
    ]


def test_chain_of_nothing_gives_the_example(nlp, example):
    for mode in ("sequence", "each"):
        assert list(chain_augmenters(mode=mode)(nlp, example)) == [example]


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="found level 2, expected a number from 0 to 1"):
        RecordAugmenter(shuffle_mentions, level=2)
    with pytest.raises(ConfigError, match="found copies 0, expected 1 or more"):
        RecordAugmenter(shuffle_mentions, copies=0)
    with pytest.raises(ConfigError, match="found mode 'all', expected one of sequence, each"):
        chain_augmenters(mode="all")
