import re
import sys
import time

import numpy as np
import pytest

from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.corpora.splits.leakage import Leak, LeakCount, find_leaks
from spacy_bioner.corpora.splits.near_duplicates import (
    find_near_pairs,
    jaccard,
    make_shingles,
)
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.extras import install_command
from spacy_bioner.records import Record

pytest.importorskip("datasketch")
WORDS = [f"word{n}" for n in range(100)]
TEXT = " ".join(WORDS)
# 100 words have 96 5-grams; a new word in the middle replaces 5 of them: 91 of 101 are common.
NEAR = " ".join([*WORDS[:50], "other", *WORDS[51:]])
FAR = " ".join(reversed(WORDS))


def find(**corpora):
    return find_leaks(
        {name: [Record(i, text) for i, text in rows] for name, rows in corpora.items()}
    )


def test_same_id_text_and_near_text_are_found():
    report = find(
        train=[("1", TEXT), ("2", FAR), ("3", "A quite different text of its own.")],
        test=[("1", NEAR), ("9", FAR.upper().replace(" ", "\n ")), ("8", "Nothing like it.")],
    )
    assert report.leaks == (
        Leak("train", "1", 0, "test", "1", 0, ("id", "near"), 0.901),
        Leak("train", "2", 1, "test", "9", 1, ("text",), 1.0),
    )
    assert report.between() == [LeakCount("train", "test", 1, 1, 1, 2, 2)]
    assert report.within() == [
        LeakCount("train", "train", 0, 0, 0, 0, 0),
        LeakCount("test", "test", 0, 0, 0, 0, 0),
    ]
    assert report.leaking("train") == {0, 1}
    assert report.leaking("test") == {0, 1}


def test_repetitions_within_a_corpus_are_counted_apart():
    report = find(train=[("1", TEXT), ("2", TEXT), ("1", NEAR)], test=[("9", "else")])
    assert report.within()[0] == LeakCount("train", "train", 1, 1, 1, 2, 2)
    assert report.leaking("train") == frozenset()


def test_every_copy_is_found_without_all_pairs_of_them():
    report = find(
        train=[(f"a{n}", TEXT) for n in range(30)],
        test=[(f"b{n}", TEXT) for n in range(20)],
    )
    assert report.between() == [LeakCount("train", "test", 0, 30, 0, 30, 20)]
    assert [count.documents for count in report.within()] == [29, 19]
    assert len(report.leaks) == 30 + 19 + 29 + 19


def test_every_copy_of_a_near_text_is_found():
    report = find(a=[("1", TEXT), ("2", TEXT)], b=[("3", NEAR)], c=[("4", NEAR), ("5", NEAR)])
    assert [(count.left, count.right, count.near) for count in report.between()] == [
        ("a", "b", 2),
        ("a", "c", 2),
        ("b", "c", 0),
    ]
    assert report.leaking("c") == {0, 1}


def test_ids_that_are_running_numbers_do_not_count():
    a = [(str(n), f"Text number {n} of the first corpus, on topic {n * n}.") for n in range(9)]
    b = [(str(n), f"What the second says about matter {n + 7} is new.") for n in range(8)]
    report = find(a=a, b=[*b, ("8", a[8][1])])
    assert report.running_ids == (("a", "b"),)
    assert [(leak.left_id, leak.kinds) for leak in report.leaks] == [("8", ("text",))]


def test_an_id_with_another_text_counts_where_most_are_alike():
    report = find(a=[("1", TEXT), ("2", FAR)], b=[("1", TEXT), ("2", "A title only.")])
    assert [leak.kinds for leak in report.leaks] == [("id", "text"), ("id",)]


def test_ids_can_be_left_out_of_account():
    corpora = {"a": [Record("1", "One text here.")], "b": [Record("1", "Something else there.")]}
    assert find_leaks(corpora, ids=False).leaks == ()


def test_texts_without_words_are_not_the_same():
    assert find(a=[("1", ""), ("2", " .")], b=[("3", ""), ("4", ".")]).leaks == ()


@pytest.mark.parametrize("threshold", [0.0, 1.5, float("nan")])
def test_a_threshold_out_of_range_is_an_error(threshold):
    with pytest.raises(ConfigError, match="expected a number above 0 and up to 1"):
        find_leaks({}, threshold=threshold)


def test_the_library_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(CorpusError, match=re.escape(install_command("corpora"))):
        find_leaks({"a": [], "b": []})


def test_json_has_all_numbers():
    data = find(a=[("1", TEXT)], b=[("1", TEXT)]).to_json()
    assert data["documents"] == {"a": 1, "b": 1}
    assert data["between"][0]["same_text"] == 1
    assert data["leaks"][0]["kinds"] == ("id", "text")


def test_shingles_are_five_words_without_case_and_punctuation():
    assert len(make_shingles("One two three, four five six.")) == 2
    left, right = make_shingles("One two-three four five"), make_shingles("one TWO three four five")
    assert jaccard(left, right) == 1.0
    assert len(make_shingles("Two words")) == 1
    assert len(make_shingles(" - ")) == 0


def test_shingles_do_not_change_from_run_to_run():
    assert make_shingles("a").tolist() == [3405396810240292928]


def test_similarity_of_word_sets():
    left, right = (np.array(numbers, dtype=np.uint64) for numbers in ([1, 2, 3], [2, 3, 4, 5]))
    assert jaccard(left, right) == 2 / 5
    assert jaccard(left[:0], right[:0]) == 0.0


def test_near_pairs_have_their_exact_similarity():
    texts = [make_shingles(text) for text in (TEXT, FAR, NEAR)]
    assert list(find_near_pairs(texts, threshold=0.5)) == [(0, 2, 91 / 101)]
    assert list(find_near_pairs(texts, threshold=0.95)) == []


@pytest.fixture(scope="module")
def real_report(data_dir):
    sources = {
        f"{corpus}/{path.name.split('.')[0]}": path
        for corpus in ("bc5cdr", "ncbi_disease", "biored", "gnormplus", "nlm_gene", "s800")
        for path in sorted((data_dir / "corpora" / corpus).glob("*.pubtator.txt"))
    }
    began = time.process_time()
    report = find_leaks({name: read_records(path) for name, path in sources.items()})
    # About 3 s on two cores for 4,936 documents.
    assert time.process_time() - began < 20
    return report


def count_of(report, left, right):
    return next(c for c in report.between() if (c.left, c.right) == (left, right))


def test_known_leaks_of_real_corpora_are_found(real_report):
    with_biored = [
        count_of(real_report, "bc5cdr/test", f"biored/{split}")
        for split in ("train", "dev", "test")
    ]
    assert [count.same_id for count in with_biored] == [53, 16, 13]
    assert [count.same_text for count in with_biored] == [53, 16, 13]
    assert count_of(real_report, "ncbi_disease/test", "biored/train").same_id == 1
    within = {count.left: count.documents for count in real_report.within()}
    assert within.pop("ncbi_disease/train") == 1
    assert set(within.values()) == {0}


def test_near_duplicates_of_real_corpora_are_versions_of_one_abstract(real_report):
    near = [leak for leak in real_report.leaks if "near" in leak.kinds]
    assert len(near) == 5
    assert all(leak.left_id == leak.right_id for leak in near)
    assert min(leak.similarity for leak in near) == 0.8365


def test_texts_of_just_the_threshold_are_near():
    texts = [make_shingles(TEXT), make_shingles(NEAR)]
    assert list(find_near_pairs(texts, threshold=91 / 101)) == [(0, 1, 91 / 101)]


def test_ids_count_where_half_of_the_texts_are_alike():
    report = find(a=[("1", TEXT), ("2", FAR)], b=[("1", NEAR), ("2", "Nothing like it at all.")])
    assert report.running_ids == ()
    assert [(leak.left_id, leak.kinds) for leak in report.leaks] == [
        ("1", ("id", "near")),
        ("2", ("id",)),
    ]


def replace_words(number):
    """Of 96 5-grams each word that is far from the others replaces 5."""
    return " ".join(
        "other" if n % 6 == 5 and n < 6 * number else word for n, word in enumerate(WORDS)
    )


def test_texts_of_which_half_is_the_same_are_near_by_default():
    # 66 of 126 and 61 of 131 5-grams are common.
    near = find(a=[("1", TEXT)], b=[("2", replace_words(6)), ("3", replace_words(7))])
    assert [(leak.right_id, leak.similarity) for leak in near.leaks if leak.left == "a"] == [
        ("2", round(66 / 126, 4))
    ]
    assert near.threshold == 0.5


def test_an_id_counts_where_a_tenth_of_the_text_is_the_same():
    # 21 of 171 and 16 of 176 5-grams are common.
    found = [find(a=[("1", TEXT)], b=[("1", replace_words(n))]) for n in (15, 16)]
    assert [leak.similarity for leak in found[0].leaks] == [round(21 / 171, 4)]
    assert [report.running_ids for report in found] == [(), (("a", "b"),)]
