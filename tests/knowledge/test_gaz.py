import json
import struct
import subprocess
import sys

import numpy as np
import pytest

from spacy_bioner.errors import BionerError, OutputError, TermTableError
from spacy_bioner.knowledge.gaz import GazInfo, SourceInfo, describe_table, read_gaz, write_gaz
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.packing import pack, unpack
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term

TERMS = [
    Term("aspirin", "Chemical", "D1"),
    Term("Cl-", "Ion", "\u00e9"),
    Term("\u00e9\U0001f600", "X", ""),
    Term(TOKEN_SEPARATOR.join(["il", "2"]), "Gene", "3", "ignore", tokens=True),
    Term("a" * 100, "X", "4", "exact"),
    Term("\ud800", "X"),
]
SOURCES = (
    SourceInfo("MeSH", "2026", "see https://www.nlm.nih.gov", "https://nlm.nih.gov/mesh", 4),
    SourceInfo("\u00c9", n_rows=1),
)
RULES = {"plural": True, "drop": ["common_words"], "min_length": 2}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "terms.gaz"
    write_gaz(TERMS, path, sources=SOURCES, rules=RULES)
    return path


def find(matcher, text):
    starts, ends, place = [], [], 0
    for word in text.split(" "):
        starts.append(place)
        ends.append(place + len(word))
        place += len(word) + 1
    return [match.term_index for match in matcher.find(text, np.array(starts), np.array(ends))]


def test_gaz_round_trip_keeps_terms_sources_and_rules(path):
    matcher = read_gaz(path)
    assert list(matcher.table) == TERMS
    assert matcher.table.sources == SOURCES
    assert matcher.table.rules == RULES
    assert find(matcher, f"Aspirin Cl- IL 2 {'a' * 100} {'A' * 100} \u00e9\U0001f600") == [
        0,
        1,
        3,
        4,
        2,
    ]


def test_gaz_info_says_what_was_written(tmp_path):
    path = tmp_path / "terms.gaz"
    info = write_gaz(iter([*TERMS, TERMS[0]]), path, sources=SOURCES, rules=RULES)
    labels = ("Chemical", "Gene", "Ion", "X")
    assert info == GazInfo(6, labels, SOURCES, RULES, path.stat().st_size, 3)
    assert describe_table(read_gaz(path).table, info.size) == info


def test_gaz_of_one_table_is_the_same_file_again(path, tmp_path):
    write_gaz(TERMS, tmp_path / "again.gaz", sources=SOURCES, rules=RULES)
    assert (tmp_path / "again.gaz").read_bytes() == path.read_bytes()
    assert read_gaz(path).to_bytes() == path.read_bytes()


def test_gaz_of_no_terms(tmp_path):
    info = write_gaz([], tmp_path / "none.gaz")
    assert (info.n_terms, info.labels, info.sources, info.rules) == (0, (), (), {})
    assert find(read_gaz(tmp_path / "none.gaz"), "aspirin") == []


def test_gaz_with_variants(tmp_path):
    write_gaz([Term("IL-2", "Gene")], tmp_path / "terms.gaz")
    assert find(read_gaz(tmp_path / "terms.gaz"), "IL 2") == []
    assert find(read_gaz(tmp_path / "terms.gaz", variants=True), "IL 2") == [0]


def test_gaz_reads_bytes_of_a_matcher_from_a_file(tmp_path):
    (tmp_path / "terms.bin").write_bytes(TermMatcher(TERMS).to_bytes())
    assert list(read_gaz(tmp_path / "terms.bin").table) == TERMS


def test_gaz_that_is_replaced_goes_on_as_it_was(path):
    matcher = read_gaz(path)
    write_gaz([Term("x", "X")], path)
    assert list(matcher.table) == TERMS
    assert len(read_gaz(path)) == 1


def test_gaz_is_not_written_where_a_term_is_refused(path):
    before = path.read_bytes()
    with pytest.raises(TermTableError, match=r"found the term .*name='-'.* leave it out"):
        write_gaz([Term("x", "X"), Term("-", "X")], path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_gaz_is_not_written_into_a_folder(tmp_path):
    with pytest.raises(OutputError, match="folder"):
        write_gaz(TERMS, tmp_path)


@pytest.mark.parametrize("place", [*range(12, 32), 40, 200, -70, -1])
def test_a_changed_byte_is_found(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    with pytest.raises(TermTableError, match=r"wrong checksum; .* copy or build") as caught:
        read_gaz(path)
    assert str(caught.value).startswith(f"{path}: found ")


@pytest.mark.parametrize("size", [1, 8, 31, 32, 100, -1])
def test_a_file_that_was_cut_short_is_found(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(TermTableError, match=r"wrong checksum; .* copy or build"):
        read_gaz(path)


def test_a_file_with_more_behind_its_end_is_found(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(TermTableError, match=r"found [\d,]+ of [\d,]+ bytes"):
        read_gaz(path)


def test_an_empty_file_is_found(path):
    path.write_bytes(b"")
    with pytest.raises(TermTableError, match="found an empty file; expected a whole gazetteer"):
        read_gaz(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TermTableError, match=r"absent\.gaz: found no such file"):
        read_gaz(tmp_path / "absent.gaz")


def test_another_file_is_no_gazetteer(path):
    path.write_text("D1\taspirin\tChemical\n" * 10, encoding="utf-8")
    with pytest.raises(TermTableError, match=r"found text; .* `bioner terms import` makes one"):
        read_gaz(path)
    path.write_bytes(b"\x89PNG" + bytes(200))
    with pytest.raises(TermTableError, match="wrong checksum"):
        read_gaz(path)


@pytest.mark.parametrize(("version", "advice"), [(4, "update spacy-bioner, or "), (2, "")])
def test_another_version_is_refused(path, version, advice):
    data = path.read_bytes()
    data = data[:8] + struct.pack("<I", version) + data[12:]
    message = f"found format version {version}; expected 3 or older; {advice}build the gazetteer"
    path.write_bytes(data)
    with pytest.raises(TermTableError, match=message):
        read_gaz(path)
    with pytest.raises(BionerError, match=f"gazetteer data: {message}"):
        TermMatcher.from_bytes(data)


def test_pack_aligns_arrays_and_keeps_their_types():
    content = {
        "none": np.array([], dtype="<u8"),
        "small": np.arange(3, dtype=np.uint8),
        "big": np.arange(5, dtype=">i4"),
        "values": {"a": [1, None, "\u00e9"]},
    }
    data = b"".join(pack(content))
    assert len(data) % 64 == 0
    size = struct.unpack_from("<I", data, 12)[0]
    header = json.loads(data[32 : 32 + size])
    assert header["arrays"] == [
        ["none", "<u8", 0, 0],
        ["small", "|u1", 0, 3],
        ["big", "<i4", 64, 5],
    ]
    again = unpack(data)
    assert again.keys() == content.keys()
    assert again["values"] == content["values"]
    assert again["none"].tolist() == []
    assert again["small"].tolist() == [0, 1, 2]
    assert again["big"].tolist() == [0, 1, 2, 3, 4]


WRITER = """
import sys, time
from spacy_bioner.knowledge.gaz import write_gaz
from spacy_bioner.knowledge.terms import Term
write_gaz((Term(f"{sys.argv[2]} {i}", "X") for i in range(2_000)), sys.argv[1])
"""


def test_two_writers_leave_the_whole_file_of_one(tmp_path):
    path = tmp_path / "terms.gaz"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stderr=subprocess.PIPE, text=True
        )
        for name in ("one", "other")
    ]
    errors = [writer.communicate()[1] for writer in writers]
    codes = [writer.returncode for writer in writers]
    assert 0 in codes
    assert all("OutputError" in error for error, code in zip(errors, codes, strict=True) if code)
    names = {term.name.split()[0] for term in read_gaz(path).table}
    assert len(names) == 1
    assert len(read_gaz(path)) == 2_000
