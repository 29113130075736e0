import json

import numpy
import pytest

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.statistics.corpus import CorpusTally, describe_corpus
from spacy_bioner.corpora.statistics.lengths import LengthTally, Outlier
from spacy_bioner.corpora.statistics.mention_counts import Ambiguity, MentionInventory, spell
from spacy_bioner.corpora.statistics.nesting import count_nesting
from spacy_bioner.records import Mention, Record

#       0         1         2         3
#       0123456789012345678901234567890123456789
TEXT = "Aspirin and aspirin. Lung cancer, ASPIRIN"


def make_record(mentions=(), *, id="1", text=TEXT, **rest):
    return Record(id, text, tuple(mentions), **rest)


def mention(start, end, label="Chemical", *ids, **rest):
    return Mention(start, end, label, TEXT[start:end], tuple(ids), **rest)


ASPIRINS = (mention(0, 7, "Chemical", "D1"), mention(12, 19, "Chemical", "D1"))
CANCER = mention(21, 32, "Disease", "D2")
LAST = mention(34, 41, "Disease", "D1")


def measure(lengths):
    tally = LengthTally("words", "documents")
    for number, length in enumerate(lengths):
        tally.add(length, str(number))
    return tally.lengths()


def test_sizes_are_counted_by_the_stated_rules():
    found = describe_corpus([make_record(), make_record(id="2", text="")], "train")
    assert (found.name, found.documents, found.sentences, found.words) == ("train", 2, 2, 8)
    assert found.characters == 41
    assert (found.own_words, found.own_sentences) == (0, 0)


def test_the_corpus_own_words_and_sentences_come_first():
    record = make_record(words=((0, 7), (8, 19), (19, 41)), sentence_starts=(0, 8, 19))
    found = describe_corpus([record])
    assert (found.words, found.sentences, found.own_words, found.own_sentences) == (3, 3, 1, 1)


def test_sentences_without_a_word_do_not_count():
    found = describe_corpus([make_record(text="One.  ", sentence_starts=(0, 4, 5))])
    assert found.sentence_words.histogram == ((2, 1),)


def test_tags_are_counted_with_those_outside():
    found = describe_corpus([make_record([*ASPIRINS, CANCER])])
    assert found.tags == (
        ("O", 4),
        ("B-Chemical", 2),
        ("I-Chemical", 0),
        ("B-Disease", 1),
        ("I-Disease", 1),
    )
    assert found.outside_share == 0.5


def test_tags_are_those_of_the_longest_mentions_and_of_split_ones_where_there_is_room():
    split = Mention(0, 19, "Split", "", (), ((0, 7), (12, 19)))
    nested = mention(21, 25, "Organ")
    found = describe_corpus([make_record([split, nested, CANCER])])
    assert dict(found.tags) == {
        "O": 3,
        "B-Disease": 1,
        "I-Disease": 1,
        "B-Organ": 0,
        "I-Organ": 0,
        "B-Split": 1,
        "I-Split": 2,
    }


def test_a_split_mention_is_as_long_as_its_fragments():
    split = Mention(0, 19, "Split", "", (), ((0, 7), (12, 19)))
    found = describe_corpus([make_record([split])])
    assert found.mention_words.histogram == ((2, 1),)
    assert found.mention_characters.histogram == ((14, 1),)
    assert found.labels[0].top == (("Aspirin aspirin", 1),)


def test_labels_are_summed_up():
    found = describe_corpus([make_record([*ASPIRINS, CANCER, mention(34, 41)])])
    assert found.mentions == 4
    chemical, disease = found.labels
    assert (chemical.label, chemical.mentions, chemical.surfaces) == ("Chemical", 3, 1)
    assert (chemical.singletons, chemical.concepts, chemical.without_concept) == (0, 1, 1)
    assert (disease.label, disease.mentions, disease.singletons, disease.documents) == (
        *("Disease", 1, 1, 1),
    )
    assert disease.words.histogram == ((2, 1),)
    assert (found.surfaces, found.singletons, found.concepts) == (2, 1, 2)


def test_imbalance_of_labels():
    found = describe_corpus([make_record([*ASPIRINS, mention(34, 41), CANCER])])
    assert found.imbalance == 3.0
    assert found.entropy == pytest.approx(0.811278, abs=1e-6)
    assert found.effective_labels == pytest.approx(1.754765, abs=1e-6)


def test_one_mention_is_a_corpus():
    found = describe_corpus([make_record([CANCER])])
    assert (found.imbalance, found.entropy, found.effective_labels) == (1.0, 0.0, 1.0)


def test_figures_of_nothing_are_none():
    for found in (describe_corpus([]), describe_corpus([make_record(text="")])):
        assert (found.outside_share, found.imbalance) == (None, None)
        assert (found.entropy, found.effective_labels) == (None, None)
        assert found.mention_words.median is None
        assert found.tags == (("O", 0),)
        assert json.loads(json.dumps(found.to_json()))["imbalance"] is None
    assert describe_corpus([]).document_words.count == 0


def test_documents_without_mentions_are_named():
    records = [make_record(id=str(number)) for number in range(30)]
    found = describe_corpus([make_record([CANCER], id="x"), *records])
    assert found.n_documents_without_mentions == 30
    assert found.documents_without_mentions == tuple(map(str, range(20)))


def test_mentions_that_do_not_fit_the_text_count_but_have_no_length():
    beyond = Mention(40, 50, "Chemical", "aspirin")
    other = Mention(0, 7, "Chemical", "heparin")
    found = describe_corpus([make_record([beyond, other, CANCER])])
    assert (found.mentions, found.unusable, found.mention_words.count) == (3, 2, 1)
    assert dict(found.tags)["B-Chemical"] == 0
    assert found.labels[0].words.count == 0


def test_ambiguous_surfaces_are_listed_with_their_readings():
    found = describe_corpus([make_record([*ASPIRINS, CANCER, LAST])])
    readings = (("Chemical", 2), ("Disease", 1))
    assert found.label_ambiguity == (Ambiguity("ASPIRIN", 3, readings),)
    assert (found.n_label_ambiguity, found.n_concept_ambiguity) == (1, 0)


def test_ambiguity_of_concepts_leaves_out_mentions_without_one():
    inventory = MentionInventory()
    for ids in (("D1",), ("D1",), ("D3", "D2"), ("D2", "D3"), ("D2", "D3"), ()):
        inventory.add("Disease", "AD", ids)
    assert inventory.find_concept_ambiguity() == [Ambiguity("AD", 5, (("D2|D3", 3), ("D1", 2)))]
    assert inventory.count_concepts() == {"D1": 2, "D2": 3, "D3": 3}


def test_surfaces_go_by_their_most_frequent_spelling():
    inventory = MentionInventory()
    for spelling in ("Aspirin", "aspirin", "aspirin", "ASPIRIN", "Zinc"):
        inventory.add("Chemical", spelling)
    assert inventory.count_surfaces() == {"aspirin": 4, "Zinc": 1}


@pytest.mark.parametrize(
    ("item", "text", "spelling"),
    [
        (Mention(0, 4, "X", "other"), "a\n b.", "a b"),
        (Mention(0, 9, "X", "claimed  text"), "short", "claimed text"),
        (Mention(-2, 2, "X", "claim"), "short", "claim"),
        (Mention(0, 5, "X", "", (), ((0, 1), (3, 5))), "short", "s rt"),
    ],
)
def test_a_mention_is_spelled_as_in_the_text_or_as_it_claims(item, text, spelling):
    assert spell(item, text) == spelling


def test_quantiles_are_those_of_numpy():
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
    found = measure(values)
    expected = numpy.quantile(values, [0.25, 0.5, 0.75, 0.95])
    quantiles = (found.lower_quartile, found.median, found.upper_quartile, found.percentile_95)
    assert quantiles == pytest.approx(tuple(expected))
    assert (found.count, found.total, found.minimum, found.maximum) == (11, 44, 1, 9)
    assert found.mean == 4.0
    assert found.histogram == ((1, 2), (2, 1), (3, 2), (4, 1), (5, 3), (6, 1), (9, 1))


def test_outliers_are_named_beyond_the_far_fences():
    found = measure([50] * 5 + [52] * 5 + [80, 58, 59, 43])
    assert found.fences == (44.0, 58.0)
    assert [item.length for item in found.outliers] == [80, 59, 43]
    assert found.outliers[0] == Outlier(80, "10")
    assert found.n_outliers == 3


def test_a_spread_below_one_counts_as_one():
    found = measure([1] * 50 + [2, 4, 5])
    assert found.fences == (-2.0, 4.0)
    assert [item.length for item in found.outliers] == [5]


def test_twenty_outliers_are_named_and_all_are_counted():
    found = measure([1] * 100 + list(range(10, 40)))
    assert found.n_outliers == 30
    assert [item.length for item in found.outliers] == list(range(39, 19, -1))


def test_of_equal_outliers_the_first_are_named():
    found = measure([1] * 100 + [9] * 25)
    assert [item.document for item in found.outliers] == [str(n) for n in range(100, 120)]


def test_outliers_say_where_they_are():
    words = " ".join(["Word"] * 60)
    text = "One two. " * 30 + words + "."
    (outlier,) = describe_corpus([make_record(text=text)]).sentence_words.outliers
    assert (outlier.length, outlier.document, outlier.start_char) == (61, "1", 270)
    assert outlier.text == words[:79] + "…"


def place(start, end, label="A", fragments=()):
    return Mention(start, end, label, "", (), fragments)


@pytest.mark.parametrize(
    ("mentions", "expected"),
    [
        ([], {}),
        ([place(0, 4), place(4, 8)], {}),
        ([place(0, 8), place(0, 4), place(4, 8)], {"nested": 2}),
        ([place(0, 8), place(2, 6), place(3, 4)], {"nested": 2}),
        ([place(0, 5), place(3, 8)], {"crossing": 2}),
        ([place(0, 5), place(3, 8), place(3, 5)], {"crossing": 2, "nested": 1}),
        ([place(0, 5), place(0, 8), place(4, 9)], {"crossing": 3, "nested": 1}),
        ([place(0, 5), place(0, 5, "B")], {"several labels on one place": 1}),
        ([place(0, 5), place(0, 5), place(0, 5)], {"duplicate": 2}),
        ([place(0, 9, "A", ((0, 2), (7, 9))), place(3, 5)], {"discontinuous": 1, "nested": 1}),
    ],
)
def test_mentions_are_counted_by_how_they_lie(mentions, expected):
    found = count_nesting(mentions)
    assert {kind: number for kind, number in found.items() if number} == expected


def test_many_crossing_mentions_take_no_square_time():
    found = count_nesting([place(start, start + 20_000) for start in range(10_000)])
    assert (found["crossing"], found["nested"]) == (10_000, 0)


def test_memory_grows_with_different_mentions_only():
    tally = CorpusTally()
    for _ in range(200):
        tally.add(make_record([*ASPIRINS, CANCER, LAST]))
    assert len(tally.inventory.entries) == 4
    assert tally.statistics().mentions == 800


@pytest.mark.parametrize(
    ("corpus", "split", "documents", "mentions"),
    [
        ("bc5cdr", "train", 500, 9385),
        ("ncbi_disease", "train", 593, 5145),
        ("ncbi_disease", "dev", 100, 787),
    ],
)
def test_real_corpora_have_their_published_numbers(data_dir, corpus, split, documents, mentions):
    path = data_dir / "corpora" / corpus / f"{split}.pubtator.txt"
    found = describe_corpus(read_pubtator(path))
    assert (found.documents, found.mentions, found.unusable) == (documents, mentions, 0)
    assert sum(label.mentions for label in found.labels) == mentions
    assert sum(number for _, number in found.tags) == found.words


def test_a_mention_has_no_word_that_it_only_borders():
    # Words: "(", "Aspirin", ")", "and", ".".
    record = make_record([Mention(1, 8, "Chemical"), Mention(9, 12, "Word")], text="(Aspirin)and.")
    found = describe_corpus([record])
    assert (found.words, found.mention_words.histogram) == (5, ((1, 2),))
    assert found.outside_share == 3 / 5


def test_a_document_with_two_mentions_of_a_label_counts_once():
    found = describe_corpus([make_record(ASPIRINS), make_record([LAST, CANCER], id="2")])
    rows = [(row.label, row.mentions, row.documents) for row in found.labels]
    assert rows == [("Chemical", 2, 1), ("Disease", 2, 1)]
