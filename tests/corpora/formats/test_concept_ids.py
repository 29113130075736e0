from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.capabilities import CONCEPT_IDS
from spacy_bioner.corpora.formats.concept_ids import (
    join_concept_ids,
    split_concept_ids,
    split_kb_id,
)
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests import paths

CASES = paths.CASES / "corpora"
FUZZ = settings(max_examples=400, deadline=None, derandomize=True)
VARIANTS = (
    "c||IVS10+4|G",
    "c||-251|G",
    "r|g|2209|a",
    "p|S,A|290,291||FS",
    "p|SUB|V|600|E",
    "tmVar:p|SUB|V|600|E",
    "c|DEL|35_36|",
    "m|SUB|A|3243|G",
    "|INS|118_119|A",
    "||IVS10+4|G",
    "g|DUP|1,2|A,C|",
)
# Marks that mean something in the column, and letters that may stand beside them.
COLUMNS = st.lists(
    st.sampled_from(
        [*"|;,-+: ()", *"cpgD1S", "-1", "(Tax:9606)", "(tax:1)", ";Gene:1", "RS#:2", "tmVar:"]
    )
    | st.sampled_from(VARIANTS),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("one", VARIANTS)
def test_a_variant_is_one_identifier(one):
    assert split_concept_ids(one) == (one,)
    assert split_concept_ids(f" {one};VariantGroup:0;CorrespondingGene:673 ") == (one,)
    assert split_concept_ids(f"{one};rs123;{one}") == (one, "rs123", one)
    assert split_kb_id(one) == (one,)


@pytest.mark.parametrize(
    ("ids", "column"),
    [
        ((), ""),
        (("D1", "D2"), "D1|D2"),
        (("p|SUB|V|600|E", "rs1"), "p|SUB|V|600|E;rs1"),
        (("c", "X"), "c;X"),
        (("c", "Gene:1"), "-1,c;-1,Gene:1"),
        (("A|b",), None),
        (("a,b",), None),
        (("a;b",), None),
        (("-1",), None),
        (("",), None),
        (("9606(tax:1)",), None),
    ],
)
def test_join_concept_ids_gives_what_is_read_as_the_same(ids, column):
    assert join_concept_ids(ids) == column


@FUZZ
@given(column=COLUMNS)
def test_what_was_split_can_be_joined(column):
    ids = split_concept_ids(column)
    joined = join_concept_ids(ids)
    assert joined is not None
    assert split_concept_ids(joined) == ids


def test_kb_ids_are_split_at_bars_only():
    assert split_kb_id("D1|CHEBI:1,2") == ("D1", "CHEBI:1,2")
    assert split_kb_id("") == ()


@pytest.mark.parametrize(
    "name",
    sorted(n for n, item in FORMATS.items() if item.writer and CONCEPT_IDS in item.carried),
)
def test_identifiers_of_variants_come_back_from_every_format(tmp_path, name):
    text = "V600E in BRAF"
    mentions = [Mention(0, 5, "Variant", "V600E", (one,)) for one in VARIANTS]
    mentions = [replace(m, label=f"V{i}") for i, m in enumerate(mentions)]
    mentions.append(Mention(9, 13, "Gene", "BRAF", ("673", "c", "p|SUB|V|600|E")))
    path = tmp_path / f"out{FORMATS[name].file_ending}"
    write_records([Record("1", text, tuple(mentions))], path, name)
    (record,) = read_records(path, name)
    assert [m.concept_ids for m in record.mentions] == [m.concept_ids for m in mentions]


def test_a_strangers_variants_are_read_and_written(tmp_path):
    path = CASES / "tmvar_two_residues.txt"
    (record,) = read_records(path)
    ids = [("p|SUB|V|600|E",), ("p|S,A|290,291||FS",)]
    assert [m.concept_ids for m in record.mentions] == ids
    write_records([record], tmp_path / "x.pubtator")
    assert (tmp_path / "x.pubtator").read_text().split() == path.read_text().split()
    # Also without what the reader kept of the columns.
    bare = replace(record, reading_notes={})
    write_records([bare], tmp_path / "y.pubtator")
    (again,) = read_records(tmp_path / "y.pubtator")
    assert [m.concept_ids for m in again.mentions] == ids


def test_identifiers_that_pubtator_cannot_hold_are_named(tmp_path):
    record = Record("1", "BRAF", (Mention(0, 4, "Gene", "BRAF", ("A|b",)),))
    with pytest.raises(CorpusError, match=r"found concept ids 'A\|b', expected ids without sep"):
        write_records([record], tmp_path / "x.pubtator")
