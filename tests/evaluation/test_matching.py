import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.matching import Comparison, compare_docs, count_matches, score_mentions
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import list_gold_mentions, list_predicted

A, B, C = (0, 7, "Chemical"), (10, 18, "Disease"), (20, 25, "Disease")

HAND_WORKED = {
    "both empty": ([], [], {}),
    "empty gold": ([], [A], {"Chemical": Counts(fp=1)}),
    "empty prediction": ([A, B], [], {"Chemical": Counts(fn=1), "Disease": Counts(fn=1)}),
    "all right": ([A, B], [B, A], {"Chemical": Counts(tp=1), "Disease": Counts(tp=1)}),
    "equal counts in two labels": (
        [A, B],
        [A, B, (30, 32, "Chemical"), (40, 42, "Disease")],
        {"Chemical": Counts(tp=1, fp=1), "Disease": Counts(tp=1, fp=1)},
    ),
    "end one character short": ([A], [(0, 6, "Chemical")], {"Chemical": Counts(fp=1, fn=1)}),
    "start one character late": ([A], [(1, 7, "Chemical")], {"Chemical": Counts(fp=1, fn=1)}),
    "right offsets, wrong label": (
        [A],
        [(0, 7, "Disease")],
        {"Chemical": Counts(fn=1), "Disease": Counts(fp=1)},
    ),
    "gold twice counts once": ([A, A], [A], {"Chemical": Counts(tp=1)}),
    "gold twice, missed once": ([A, A], [], {"Chemical": Counts(fn=1)}),
    "prediction twice is wrong once": ([A], [A, A], {"Chemical": Counts(tp=1, fp=1)}),
    "same offsets, two gold labels": (
        [A, (0, 7, "Gene")],
        [A],
        {"Chemical": Counts(tp=1), "Gene": Counts(fn=1)},
    ),
    "nested gold, flat prediction": (
        [(0, 18, "Disease"), B],
        [(0, 18, "Disease")],
        {"Disease": Counts(tp=1, fn=1)},
    ),
    "nested gold, nested prediction": (
        [(0, 18, "Disease"), B],
        [B, (0, 18, "Disease")],
        {"Disease": Counts(tp=2)},
    ),
    "end one character long": ([A], [(0, 8, "Chemical")], {"Chemical": Counts(fp=1, fn=1)}),
    "start one character early": (
        [(1, 7, "Chemical")],
        [A],
        {"Chemical": Counts(fp=1, fn=1)},
    ),
    "borders that cross": ([(0, 9, "Gene")], [(4, 12, "Gene")], {"Gene": Counts(fp=1, fn=1)}),
    "one prediction over two mentions": (
        [(0, 4, "Gene"), (5, 9, "Gene")],
        [(0, 9, "Gene")],
        {"Gene": Counts(fp=1, fn=2)},
    ),
    "two predictions in one mention": (
        [(0, 9, "Gene")],
        [(0, 4, "Gene"), (5, 9, "Gene")],
        {"Gene": Counts(fp=2, fn=1)},
    ),
    "mentions that touch": (
        [(0, 4, "Gene"), (4, 9, "Gene")],
        [(0, 4, "Gene"), (4, 9, "Gene")],
        {"Gene": Counts(tp=2)},
    ),
    "inner found, outer missed": (
        [(0, 18, "Disease"), (0, 5, "Disease")],
        [(0, 5, "Disease")],
        {"Disease": Counts(tp=1, fn=1)},
    ),
    "nested labels, both predicted": (
        [(0, 18, "Disease"), (0, 5, "Anatomy")],
        [(0, 5, "Anatomy"), (0, 18, "Disease")],
        {"Disease": Counts(tp=1), "Anatomy": Counts(tp=1)},
    ),
    "nested labels, exchanged": (
        [(0, 18, "Disease"), (0, 5, "Anatomy")],
        [(0, 18, "Anatomy"), (0, 5, "Disease")],
        {"Disease": Counts(fp=1, fn=1), "Anatomy": Counts(fp=1, fn=1)},
    ),
    "two gold labels, both predicted": (
        [A, (0, 7, "Gene")],
        [(0, 7, "Gene"), A],
        {"Chemical": Counts(tp=1), "Gene": Counts(tp=1)},
    ),
    "one mention, two predicted labels": (
        [A],
        [A, (0, 7, "Gene")],
        {"Chemical": Counts(tp=1), "Gene": Counts(fp=1)},
    ),
    "prediction three times": ([A], [A, A, A], {"Chemical": Counts(tp=1, fp=2)}),
    "gold and prediction twice": ([A, A], [A, A], {"Chemical": Counts(tp=1, fp=1)}),
    "a label that gold has not": (
        [A],
        [(0, 7, "Virus")],
        {"Chemical": Counts(fn=1), "Virus": Counts(fp=1)},
    ),
    "labels that differ in case": (
        [A],
        [(0, 7, "chemical")],
        {"Chemical": Counts(fn=1), "chemical": Counts(fp=1)},
    ),
    "mentions without a label": ([(0, 3, "")], [(0, 3, "")], {"": Counts(tp=1)}),
    "wrong border and wrong label": (
        [A],
        [(0, 6, "Disease")],
        {"Chemical": Counts(fn=1), "Disease": Counts(fp=1)},
    ),
    "spurious everywhere": ([], [A, B, C], {"Chemical": Counts(fp=1), "Disease": Counts(fp=2)}),
    "one of each": (
        [A, B, C],
        [A, (10, 17, "Disease"), C],
        {"Chemical": Counts(tp=1), "Disease": Counts(tp=1, fp=1, fn=1)},
    ),
}


def test_there_are_thirty_cases():
    assert len(HAND_WORKED) >= 30


@pytest.mark.parametrize("case", HAND_WORKED)
def test_count_matches_equals_hand_worked_table(case):
    gold, predicted, expected = HAND_WORKED[case]
    assert count_matches(gold, predicted) == expected


@pytest.fixture
def doc() -> Doc:
    words = ["Aspirin", "eases", "colon", "cancer", "pain", "."]
    return Doc(Vocab(), words=words, spaces=[True, True, True, True, False, False])


def test_compare_docs_refuses_different_texts(doc):
    other = Doc(Vocab(), words=["Ibuprofen"])
    with pytest.raises(CorpusError, match="differ in their text"):
        compare_docs(doc, other)


def test_compare_docs_matches_across_tokenizers(doc):
    doc.ents = [Span(doc, 2, 4, label="Disease")]
    pieces = ["Aspirin", "eases", "colon", "can", "cer", "pain", "."]
    spaces = [True, True, True, False, True, False, False]
    predicted = Doc(Vocab(), words=pieces, spaces=spaces)
    predicted.ents = [Span(predicted, 2, 5, label="Disease")]
    assert score_mentions([compare_docs(doc, predicted)]).micro == Counts(tp=1)


def test_labels_that_the_corpus_does_not_annotate_are_not_scored(doc):
    doc.ents = [Span(doc, 0, 1, label="Chemical"), Span(doc, 2, 4, label="Disease")]
    predicted = doc.copy()
    predicted.ents = [Span(predicted, 0, 1, label="Gene"), Span(predicted, 4, 5, label="Disease")]
    doc.user_data["bioner_annotated"] = ["Disease"]
    comparison = compare_docs(doc, predicted)
    assert comparison.gold == [(14, 26, "Disease")]
    assert comparison.predicted == [(27, 31, "Disease")]


def test_score_mentions_sums_over_documents():
    documents = [Comparison([A, B], [A], 30), Comparison([B], [B, C], 30), Comparison([], [], 0)]
    scores = score_mentions(documents)
    assert scores.by_type == {"Chemical": Counts(tp=1), "Disease": Counts(tp=1, fp=1, fn=1)}
    assert scores.n_docs == 3


def test_score_mentions_leaves_unannotated_documents_out():
    scores = score_mentions([Comparison(None, [A], 30), Comparison([B], [B], 30)])
    assert (scores.micro, scores.n_docs, scores.n_unannotated) == (Counts(tp=1), 1, 1)


def test_score_mentions_counts_duplicated_gold():
    assert score_mentions([Comparison([A, A, A, B], [], 30)]).n_duplicates == 2


@pytest.mark.parametrize(
    ("gold", "unreachable"),
    [
        ([A, B, C], 0),
        ([A, (0, 7, "Gene")], 1),
        ([(0, 25, "Disease"), A, B, C], 1),
        ([(0, 8, "X"), (5, 12, "X"), (10, 20, "X")], 1),
        ([(0, 10, "X"), (10, 20, "X")], 0),
        ([A, (20, 30, "Disease")], 0),
        ([A, (20, 31, "Disease")], 1),
        ([A, (8, 8, "Disease")], 1),
    ],
    ids=[
        "flat",
        "two labels",
        "outer",
        "chain",
        "touching",
        "to the end of the text",
        "outside of the text",
        "empty",
    ],
)
def test_score_mentions_counts_what_a_flat_system_must_miss(gold, unreachable):
    assert score_mentions([Comparison(gold, [], 30)]).n_unreachable == unreachable


def test_score_mentions_names_labels_that_one_side_lacks():
    scores = score_mentions([Comparison([A, B], [(0, 7, "Drug"), B], 30)], model_labels=["Drug"])
    assert scores.labels_unknown_to_model == ("Chemical",)
    assert scores.labels_unknown_to_gold == ("Drug",)


def test_score_mentions_trusts_predictions_over_the_list_of_labels():
    scores = score_mentions([Comparison([A, B], [B], 30)], model_labels=[])
    assert scores.labels_unknown_to_model == ("Chemical",)


def test_documents_without_a_mistake_are_counted() -> None:
    right = Comparison([(0, 4, "A"), (0, 4, "A")], [(0, 4, "A")], 9)
    documents = [
        right,
        Comparison([], [], 9),
        Comparison([], [(0, 4, "A")], 9),
        Comparison([(0, 4, "A")], [], 9),
        Comparison(None, [], 9),
    ]
    scores = score_mentions(documents)
    assert (scores.n_exact, scores.n_docs) == (2, 4)


def test_offsets_of_words_whose_spacing_is_not_known_count_the_other_characters() -> None:
    words = ["IL", "-", "2", "causes", "fever"]
    gold = Doc(Vocab(), words=words)
    gold.ents = [Span(gold, 0, 3, label="Gene"), Span(gold, 4, 5, label="Disease")]
    predicted = Doc(Vocab(), words=words, spaces=[False, False, True, True, False])
    predicted.ents = [Span(predicted, 0, 3, label="Gene"), Span(predicted, 4, 5, label="Disease")]
    assert (gold.text, predicted.text) == ("IL - 2 causes fever ", "IL-2 causes fever")
    comparison = compare_docs(gold, predicted)
    assert comparison.gold == [(0, 4, "Gene"), (10, 15, "Disease")]
    assert comparison.predicted == [(0, 4, "Gene"), (10, 15, "Disease")]
    assert comparison.n_chars == 15


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\ufeff", "\u00ad", "\x00", "\t"])
def test_borders_that_show_nothing_are_no_part_of_a_mention(blank):
    text = f"We gave{blank}aspirin{blank} to rats."
    start = text.index("aspirin")
    gold = Doc(Vocab(), words=[text], spaces=[False])
    predicted = Doc(Vocab(), words=["We", " gave", blank, "aspirin", blank, " to", " rats."],
                    spaces=[False] * 7)  # fmt: skip
    predicted.ents = [Span(predicted, 3, 4, label="Drug")]
    assert (gold.text, predicted.text) == (text, text)
    key = (start, start + 7, "Drug")
    for first, last in ((-1, 7), (0, 8), (-1, 8), (0, 7)):
        gold.user_data["bioner_gold"] = [[start + first, start + last, "Drug", ["D1"]]]
        compared = compare_docs(gold, predicted)
        assert (compared.gold, compared.predicted) == ([key], [key])
        assert list_gold_mentions(gold)[0].surface == "aspirin"
    predicted.ents = [Span(predicted, 2, 5, label="Drug")]
    assert list_predicted(predicted) == [key]


def test_texts_that_differ_in_what_shows_nothing_are_compared():
    gold = Doc(Vocab(), words=["a\u200b", "drug"], spaces=[True, False])
    gold.user_data["bioner_gold"] = [[3, 7, "Drug", []]]
    predicted = Doc(Vocab(), words=["a", "drug"], spaces=[True, False])
    predicted.ents = [Span(predicted, 1, 2, label="Drug")]
    compared = compare_docs(gold, predicted)
    assert (compared.gold, compared.predicted, compared.n_chars) == (
        [(1, 5, "Drug")], [(1, 5, "Drug")], 5
    )  # fmt: skip
