import sqlite3

from spacy_bioner.knowledge.concepts.edits import read_edits


def test_words_that_keep_the_concept_are_learned(store_path):
    db = sqlite3.connect(store_path)
    # Breast, ovarian and colonic cancers are neoplasms; no pair of names speaks against it.
    assert read_edits(db, 1, "cancer") == [("neoplasm", 0.75)]
    assert read_edits(db, 1, "neoplasm") == [("cancer", 0.75)]
    # One case is none.
    assert read_edits(db, 1, "breast") == []
    db.close()
