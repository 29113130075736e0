import lzma

import pytest

from spacy_bioner.apps.terms.diff import compare_tables
from spacy_bioner.errors import ConfigError, CorpusError, TermTableError

TEXTS = "Gout and asthma.\nNo gout, but a rash.\n"


@pytest.fixture
def tables(make_gaz):
    rash = ("D3", "rash", "Disease")
    before = make_gaz("before", ("D1", "gout", "Disease"), rash)
    return before, make_gaz("after", ("D2", "asthma", "Disease"), ("D4", "rash", "Disease"))


def test_diff_prints_what_comes_goes_and_changes(bioner, tables, tmp_path):
    texts = tmp_path / "texts.txt.xz"
    texts.write_bytes(lzma.compress(TEXTS.encode()))
    assert bioner("diff", *tables, "--on", texts, "--from", "lines").splitlines() == [
        "2 terms, then 2, on 2 documents: 0 entities are the same, 2 go, 1 come, 1 get other ids",
        "",
        "  go    label    times",
        "  ────  ───────  ─────",
        "  Gout  Disease      1",
        "  gout  Disease      1",
        "",
        "  come    label    times",
        "  ──────  ───────  ─────",
        "  asthma  Disease      1",
        "",
        "  get other ids  label    ids  then  times",
        "  ─────────────  ───────  ───  ────  ─────",
        "  rash           Disease  D3   D4        1",
    ]


def test_a_table_changes_nothing_against_itself(tables, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text(TEXTS)
    changes = compare_tables(tables[0], tables[0], texts, input_format="lines")
    assert (changes.same, changes.documents, changes.n_terms) == (3, 2, (2, 2))
    assert (changes.gone, changes.new, changes.other_ids) == ({}, {}, {})


def test_corpora_are_texts_as_well(tables, tmp_path):
    corpus = tmp_path / "corpus.pubtator"
    corpus.write_text("1|t|Gout.\n1|a|A rash.\n\n")
    assert compare_tables(*tables, corpus).gone == {("Gout", "Disease"): 1}


def test_missing_tables_and_texts_are_refused(tables, tmp_path):
    texts = tmp_path / "texts.txt"
    with pytest.raises(CorpusError, match=r"texts\.txt"):
        compare_tables(*tables, texts)
    texts.write_text("")
    with pytest.raises((ConfigError, CorpusError), match=r"texts\.txt"):
        compare_tables(*tables, texts, input_format="lines")
    with pytest.raises(TermTableError, match=r"none\.gaz: found no such file"):
        compare_tables(tables[0], tmp_path / "none.gaz", texts)
