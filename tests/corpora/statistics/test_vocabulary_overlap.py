import json

import pytest

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.statistics.corpus import CorpusTally
from spacy_bioner.corpora.statistics.mention_counts import MentionInventory
from spacy_bioner.corpora.statistics.vocabulary_overlap import SeenShare, measure_overlap


def make_inventory(*entries):
    inventory = MentionInventory()
    for label, spelling, *ids in entries:
        inventory.add(label, spelling, tuple(ids))
    return inventory


TRAIN = make_inventory(
    ("Chemical", "Aspirin", "D1"), ("Disease", "cancer", "D2"), ("Disease", "stroke", "D4")
)
TEST = make_inventory(
    ("Chemical", "aspirin", "D1"),
    ("Chemical", "ASPIRIN", "D1"),
    ("Chemical", "cancer"),
    ("Disease", "tumour", "D2"),
    ("Disease", "stroke and flu", "D4", "D5"),
)


def test_overlap_counts_mentions_and_different_ones():
    overlap = measure_overlap(TRAIN, TEST)
    assert (overlap.train, overlap.other) == ("train", "test")
    assert overlap.of_label() == (
        SeenShare("", "surface", 3, 5, 2, 4),
        SeenShare("", "surface and label", 2, 5, 1, 4),
        SeenShare("", "concept", 3, 4, 3, 4),
    )


def test_overlap_is_counted_by_label_the_most_frequent_first():
    overlap = measure_overlap(TRAIN, TEST)
    labels = list(dict.fromkeys(share.label for share in overlap.shares))
    assert labels == ["", "Chemical", "Disease"]
    assert overlap.of_label("Chemical") == (
        SeenShare("Chemical", "surface", 3, 3, 2, 2),
        SeenShare("Chemical", "surface and label", 2, 3, 1, 2),
        SeenShare("Chemical", "concept", 2, 2, 1, 1),
    )


def test_a_mention_of_several_concepts_was_seen_when_all_were():
    train = make_inventory(("Disease", "a", "D1"), ("Disease", "b", "D2"))
    test = make_inventory(("Disease", "a and b", "D2", "D1"))
    assert measure_overlap(train, test).of_label()[2].mention_share == 1.0


@pytest.mark.parametrize(
    ("train", "test", "shares"),
    [
        (MentionInventory(), TEST, (0.0, 0.0)),
        (TRAIN, MentionInventory(), (None, None)),
        (MentionInventory(), MentionInventory(), (None, None)),
    ],
)
def test_a_share_of_nothing_is_none(train, test, shares):
    for share in measure_overlap(train, test).of_label():
        assert (share.mention_share, share.distinct_share) == shares


def test_a_mention_without_label_has_no_row_of_its_own():
    overlap = measure_overlap(TRAIN, make_inventory(("", "aspirin"), ("Chemical", "zinc")))
    assert [share.label for share in overlap.shares] == [""] * 3 + ["Chemical"] * 3
    assert overlap.of_label()[0] == SeenShare("", "surface", 1, 2, 1, 2)


def test_overlap_becomes_json():
    data = json.loads(json.dumps(measure_overlap(TRAIN, TEST, names=("a", "b")).to_json()))
    assert (data["train"], data["other"], len(data["shares"])) == ("a", "b", 9)
    assert data["shares"][0]["mention_share"] == 0.6


def test_overlap_on_a_real_corpus_is_that_of_plain_sets(data_dir):
    folder = data_dir / "corpora" / "bc5cdr"
    records = {
        split: list(read_pubtator(folder / f"{split}.pubtator.txt")) for split in ("train", "dev")
    }
    inventories = {}
    for split in records:
        tally = CorpusTally(split)
        for record in records[split]:
            tally.add(record)
        inventories[split] = tally.inventory
    known = {m.text.casefold() for record in records["train"] for m in record.mentions}
    looked_up = [m.text.casefold() in known for record in records["dev"] for m in record.mentions]
    share = measure_overlap(inventories["train"], inventories["dev"]).of_label()[0]
    assert (share.mentions_seen, share.mentions) == (sum(looked_up), 9591)


def test_a_mention_of_which_one_concept_is_new_was_not_seen():
    train = make_inventory(("Disease", "a", "D1"))
    shares = measure_overlap(train, make_inventory(("Disease", "a and b", "D1", "D2")))
    assert shares.of_label()[2] == SeenShare("", "concept", 0, 1, 1, 2)
