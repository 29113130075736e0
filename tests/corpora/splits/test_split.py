import os
import subprocess
import sys
from random import Random

import pytest

from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.corpora.splits.split import k_folds, split_records
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.records import Mention, Record


def make_record(identifier, labels="", **meta):
    """One mention for each character of `labels`, of that label."""
    mentions = tuple(Mention(i, i + 1, label) for i, label in enumerate(labels))
    return Record(identifier, "x" * len(labels), mentions, meta=meta)


def make_corpus(number):
    return [make_record(str(i)) for i in range(number)]


def sizes(splits):
    return [len(part.ids) for part in splits.parts]


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((80, 10, 10), [80, 10, 10]),
        ((70, 15, 15), [70, 15, 15]),
        ((90, 10), [90, 10]),
        ((0.8, 0.1, 0.1), [80, 10, 10]),
        ((1, 1, 1), [34, 33, 33]),
    ],
)
def test_parts_have_their_share_of_the_documents(ratios, expected):
    assert sizes(split_records(make_corpus(100), ratios, seed=0)) == expected


def test_shares_are_rounded_to_the_nearest_sum():
    assert sizes(split_records(make_corpus(7), (80, 10, 10), seed=0)) == [5, 1, 1]
    # 13.6, 1.7 and 1.7: the largest remainders go up.
    assert sizes(split_records(make_corpus(17), (80, 10, 10), seed=0)) == [13, 2, 2]
    assert sizes(split_records(make_corpus(30), (0.1, 0.9), seed=0)) == [3, 27]


def test_no_part_is_empty():
    assert sizes(split_records(make_corpus(3), (98, 1, 1), seed=0)) == [1, 1, 1]


def test_each_document_is_in_one_part():
    splits = split_records(make_corpus(100), seed=3)
    assert sorted(i for part in splits.parts for i in part.ids) == sorted(map(str, range(100)))


def test_parts_are_named():
    named = split_records(make_corpus(4), (1, 1, 1, 1), seed=0, names=["a", "b", "c", "d"])
    assert [part.name for part in named.parts] == ["a", "b", "c", "d"]
    assert [part.name for part in split_records(make_corpus(4), (3, 1), seed=0).parts] == [
        "train",
        "test",
    ]


@pytest.mark.parametrize(
    ("ratios", "names", "message"),
    [
        ((1,), None, "found the ratios 1, expected two positive numbers or more"),
        ((80, -10, 30), None, "found the ratios 80/-10/30"),
        ((1, float("nan")), None, "found the ratios 1/nan"),
        ((1, 1, 1, 1), None, r"found the names \(none\) for 4 parts"),
        ((1, 1), ("a", "a"), "found the names a, a for 2 parts, expected as many different"),
    ],
)
def test_ratios_and_names_that_cannot_be_used_are_errors(ratios, names, message):
    with pytest.raises(ConfigError, match=message):
        split_records(make_corpus(9), ratios, seed=0, names=names)


@pytest.mark.parametrize("stratify", [False, True])
def test_the_seed_decides_and_the_order_does_not(stratify):
    corpus = [make_record(str(i), "A" * (i % 5) + "B" * (i % 3)) for i in range(60)]
    first = split_records(corpus, seed=1, stratify=stratify)
    shuffled = Random(0).sample(corpus, len(corpus))
    assert split_records(shuffled, seed=1, stratify=stratify).parts == first.parts
    assert split_records(corpus, seed=2, stratify=stratify).parts != first.parts


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_pythons_hashes_play_no_part(hash_seed):
    code = (
        "from spacy_bioner.corpora.splits.split import split_records\n"
        "from spacy_bioner.records import Mention, Record\n"
        "mentions = [tuple(Mention(0, 1, label) for label in ('ABCD' * i)[: i % 7])"
        " for i in range(40)]\n"
        "records = [Record(str(i), '', m) for i, m in enumerate(mentions)]\n"
        "print(split_records(records, seed=0, stratify=True).parts[2].ids)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "('10', '27', '7', '9')\n"


def test_equal_ids_stay_together():
    corpus = [make_record(str(i % 10)) for i in range(20)]
    for part in split_records(corpus, (1, 1), seed=0).parts:
        assert all(part.ids.count(identifier) == 2 for identifier in part.ids)
        assert (len(part.ids), part.groups) == (10, 5)


def test_documents_of_a_group_stay_together():
    corpus = [make_record(str(i), patient=str(i // 4)) for i in range(40)]
    splits = split_records(corpus, (1, 1), seed=0, group_by="patient")
    patients = [{int(identifier) // 4 for identifier in part.ids} for part in splits.parts]
    assert patients[0].isdisjoint(patients[1])
    assert sizes(splits) == [20, 20]


def test_groups_that_share_an_id_are_one():
    corpus = [
        make_record("1", patient="a"),
        make_record("2", patient="a"),
        make_record("2", patient="b"),
        make_record("3", patient="b"),
        make_record("4", patient="c"),
    ]
    splits = split_records(corpus, (1, 1), seed=0, group_by="patient")
    assert sorted(part.ids for part in splits.parts) == [("1", "2", "2", "3"), ("4",)]


def test_groups_can_be_given_by_a_function():
    def is_high(record):
        return str(record.id[-1] > "4")

    splits = split_records(make_corpus(20), (1, 1), seed=0, group_by=is_high)
    assert sizes(splits) == [10, 10]


def test_a_document_without_the_key_is_an_error():
    corpus = [make_record("1", patient="a"), make_record("2", ward="w", patient="")]
    with pytest.raises(CorpusError, match="found no 'patient' in the metadata of document 2"):
        split_records(corpus, (1, 1), seed=0, group_by="patient")


def test_fewer_groups_than_parts_is_an_error():
    with pytest.raises(CorpusError, match="found 2 documents that may be separated for 3 parts"):
        split_records(make_corpus(2), seed=0)
    corpus = [make_record(str(i), patient="a") for i in range(9)]
    with pytest.raises(CorpusError, match="found 1 groups that may be separated for 5 parts"):
        k_folds(corpus, 5, seed=0, group_by="patient")


def test_folds_are_equal_and_disjoint():
    splits = k_folds(make_corpus(11), 5, seed=0)
    assert [part.name for part in splits.parts] == [f"fold-{n}" for n in range(1, 6)]
    assert sizes(splits) == [3, 2, 2, 2, 2]
    assert len({identifier for part in splits.parts for identifier in part.ids}) == 11


def test_one_fold_is_an_error():
    with pytest.raises(ConfigError, match="found 1 folds"):
        k_folds(make_corpus(9), 1, seed=0)


def test_stratified_parts_have_their_share_of_a_rare_label():
    corpus = [make_record(str(i), "AAAA" + "B" * (i % 20 == 0)) for i in range(200)]
    for seed in range(5):
        splits = split_records(corpus, (80, 10, 10), seed=seed, stratify=True)
        assert sizes(splits) == [160, 20, 20]
        assert [part.labels for part in splits.parts] == [
            {"A": 640, "B": 8},
            {"A": 80, "B": 1},
            {"A": 80, "B": 1},
        ]


def test_stratified_groups_are_shared_out():
    corpus = [make_record(str(i), "AB"[i // 4 % 2] * 3, patient=str(i // 4)) for i in range(80)]
    splits = k_folds(corpus, 5, seed=0, group_by="patient", stratify=True)
    assert [part.labels for part in splits.parts] == [{"A": 24, "B": 24}] * 5
    assert sizes(splits) == [16] * 5


def test_selecting_streams_the_documents_of_a_part_in_their_order():
    corpus = make_corpus(10)
    splits = split_records(corpus, (1, 1), seed=0)
    chosen = [record.id for record in splits.select(corpus, "test")]
    assert chosen == sorted(splits.parts[1].ids, key=int)
    assert len(list(splits.select(corpus, "train", "test"))) == 10


def test_selecting_refuses_a_document_that_is_new():
    splits = split_records(make_corpus(10), (1, 1), seed=0)
    with pytest.raises(CorpusError, match="found document '10', which was not there before"):
        list(splits.select(make_corpus(11), "train"))


def test_splits_are_plain_data_in_json():
    corpus = [make_record("1", "A"), make_record("2", "BA"), make_record("2", "A")]
    data = split_records(corpus, (2, 1), seed=5, stratify=True).to_json()
    assert (data["seed"], data["group_by"], data["stratified"]) == (5, "id", True)
    assert data["parts"]["train"] == {
        "share": 2 / 3,
        "documents": 2,
        "groups": 1,
        "mentions": 3,
        "labels": {"A": 2, "B": 1},
        "ids": ["2", "2"],
    }


def test_real_labels_are_shared_out_within_a_point(data_dir):
    corpus = [
        record
        for name in ("train", "dev")
        for record in read_records(data_dir / "corpora" / "biored" / f"{name}.pubtator.txt")
    ]
    splits = split_records(corpus, (80, 10, 10), seed=0, stratify=True)
    assert sizes(splits) == [400, 50, 50]
    labels = {mention.label for record in corpus for mention in record.mentions}
    for label in labels:
        numbers = [part.labels[label] for part in splits.parts]
        shares = [number / sum(numbers) for number in numbers]
        assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.015)


def test_the_pmid_that_stands_twice_is_in_one_part(data_dir):
    path = data_dir / "corpora" / "ncbi_disease" / "train.pubtator.txt"
    splits = k_folds(read_records(path), 10, seed=0)
    assert [part.ids.count("8528200") for part in splits.parts].count(2) == 1


def test_a_part_that_got_nothing_gets_the_smallest_group():
    corpus = [make_record(str(i), patient="aaaaaabbbc"[i]) for i in range(10)]
    splits = split_records(corpus, (98, 1), seed=0, group_by="patient")
    assert sizes(splits) == [9, 1]
    assert splits.parts[1].ids == ("9",)
