"""Any bytes give records or a CorpusError with file and line: brat, i2b2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.brat import read_brat
from spacy_bioner.corpora.formats.standoff.brat_writer import write_brat
from spacy_bioner.corpora.formats.standoff.i2b2 import FORMAT, read_i2b2, write_i2b2
from spacy_bioner.errors import CorpusError
from tests.corpora.strategies import FUZZ, damaged, mutated, read_all, read_both_ways

TEXT = "Acute renal failure.\r\nNo pain in \u03b1 and \U0001f400 rats\n\nAspirin was given .\n"
BRAT = {
    ".txt": TEXT,
    ".ann": """\
T1\tSign_symptom 0 5;12 19\tAcute failure
E1\tSign_symptom:T1 Where:T2
T2\tAnatomy 6 11\trenal
A1\tNegation T2
A2\tTrend E1 DOWN
N1\tReference T2 UBERON:0002113\tkidney
R1\tMODIFY Arg1:T2 Arg2:E1
*\tOVERLAP E1 T2
#1\tAnnotatorNotes T1\ta note
A3\tHedged R1
""",
}
I2B2 = {
    ".txt": TEXT,
    ".con": """\
c="acute renal failure." 1:0 1:2||t="problem"
c="no "pain"" 2:0 2:1||t="problem"
c="\U0001f400 rats aspirin" 2:5 4:0||t="treatment"
""",
    ".ast": 'c="acute renal failure." 1:0 1:2||t="problem"||a="present"\n',
    ".rel": 'c="aspirin" 4:0 4:0||r="TrAP"||c="pain" 2:1 2:1\n',
}
FORMATS = {"brat": (read_brat, write_brat, BRAT), "i2b2": (read_i2b2, write_i2b2, I2B2)}
PLACES = [(name, ending) for name, (_, _, files) in FORMATS.items() for ending in files]
PIECES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"\n", b"\r\n", b"\r", b"\t", b" ", b";", b":", b'"', b"||", b"\0", b"\xe9"]),
    st.sampled_from([b"9" * 30, b"-1", b"0", b"T1", b"E1", b"R1", b"\xd9\xa3", b"\xe2\x80\xa8"]),
    st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04"]),
)


def check(name, ending, data, folder):
    read, _, files = FORMATS[name]
    for end, content in files.items():
        (folder / f"7{end}").write_bytes(data if end == ending else content.encode())
    for record in read_both_ways(read, folder):
        assert all(0 <= m.start_char <= m.end_char and m.label for m in record.mentions)
        assert all(record.text[start:end].strip() for start, end in record.words)


@pytest.mark.parametrize(("name", "ending"), PLACES)
def test_reader_takes_any_bytes(name, ending, tmp_path):
    @FUZZ
    @given(st.binary(max_size=200))
    def run(data):
        check(name, ending, data, tmp_path)

    run()


@pytest.mark.parametrize(("name", "ending"), PLACES)
def test_reader_takes_damaged_files(name, ending, tmp_path):
    sample = FORMATS[name][2][ending].encode()

    @FUZZ
    @given(mutated([sample], PIECES) | damaged(sample))
    def run(data):
        check(name, ending, data, tmp_path)

    run()


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"\xef\xbb\xbf", b" \t\n"])
@pytest.mark.parametrize(("name", "ending"), [("brat", ".ann"), ("i2b2", ".con")])
def test_a_document_without_annotations_has_no_mentions(name, ending, data, tmp_path):
    (tmp_path / "7.txt").write_text(TEXT)
    (tmp_path / f"7{ending}").write_bytes(data)
    assert [(r.id, r.mentions) for r in FORMATS[name][0](tmp_path)] == [("7", ())]


@pytest.mark.parametrize("name", FORMATS)
def test_what_damaged_files_give_is_refused_or_comes_back(name, tmp_path_factory):
    read, write, files = FORMATS[name]
    ending = {"brat": ".ann", "i2b2": ".con"}[name]

    @FUZZ
    @given(mutated([files[ending].encode()], PIECES))
    def run(data):
        folder = tmp_path_factory.mktemp("pairs")
        (folder / "7.txt").write_bytes(files[".txt"].encode())
        (folder / f"7{ending}").write_bytes(data)
        found = read_all(read, folder, ReadErrors())
        try:
            write(found or (), folder / "copy")
        except CorpusError:
            return
        # Without a claim, fragments are written in brat's way, which `reduce_record` does not know.
        silent = any(m.fragments and not m.text for record in found or () for m in record.mentions)
        if found and not silent:
            kept = FEATURES if name == "brat" else FORMAT.carried
            back = [reduce_record(record, kept) for record in read(folder / "copy")]
            assert back == [reduce_record(record, kept) for record in found]

    run()
