"""Any bytes give records or a CorpusError with file and line: CoNLL, CoNLL-U, tables, PubTator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.mention_table import read_standoff
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout, read_conll
from spacy_bioner.corpora.formats.tagged.conllu import read_conllu
from spacy_bioner.corpora.formats.tagged.iob_lines import read_iob
from spacy_bioner.corpora.formats.tagged.tables import TableLayout, read_table
from tests.corpora.strategies import FUZZ, mutated, read_all, read_both_ways

CONLL = (
    b"-DOCSTART-\tO\n\nrenal\tB-D\nfailure\tI-D\n.\tO\n\nNaCl\tB-C\n\n",
    "# doc_id = 7\nNaCl NN S-C\nM\u00e9ni\u00e8re NN B-D\ndisease NN E-D\n\n".encode(),
    b"###MEDLINE:8\n# text = x\nx NN O\n\n-DOCSTART- (9)\n",
    b"\xef\xbb\xbfa\tI-X\nb\tI-X\nc\tB-X\r\n\r\nd\tU-Y\n",
)
TABLES = (
    b'Sentence #,Word,POS,Tag\nSentence: 1,renal,JJ,B-D\n,failure,NN,I-D\n,""","",",O\n',
    b'doc_id;sent;token;label\n1;1;NaCl;C\n1;1;now;O\n1;2;x;O\n2;1;"a;b";C\n',
    'NaCl\tB-C\n"\tO\n\n\nM\u00e9ni\u00e8re\tB-D\r\ndisease\tI-D\n'.encode("cp1252"),
    b'word|tag|note\na|O|"two\nlines"\nb|B-X|\n||\nc|I-X|"\n',
)
PUBTATOR = (
    b"1|t|Naloxone reverses\n1|a|clonidine.\n1\t0\t8\tNaloxone\tChemical\tD009270\n"
    b"1\tCID\tD1\tD2\n\n2|t|x y\n2|a|\n2\t0\t3\tx y\tDisease\tD1|D2\tx|y\n",
)
CONLLU = (
    b"# newdoc id = 7\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n"
    b"1\tde\t_\t_\t_\t_\t_\t_\t_\tNE=O\n2\tle\t_\t_\t_\t_\t_\t_\t_\tNE=B-D\n"
    b"2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n3\tcoeur\t_\t_\t_\t_\t_\t_\t_\tNE=I-D|a=b\n\n",
    b"# global.columns = ID FORM NER\n1\ta\tB-X\n2\tb\tI-X\n\n1\tc\tO\n",
)
IOB = (
    b"-DOCSTART- O\nrenal|JJ|B-D failure|NN|I-D\n.|.|O ||SYM|O\n",
    "M\u00e9ni\u00e8re|B-D disease|I-D\n".encode(),
)
STANDOFF = (
    b"doc_id\tsentence\tstart\tend\tmention\tlabel\n1\tWe gave aspirin.\t8\t15\taspirin\tC\n",
    b'text,spans,type\n"a b, c","0-1;2-3",X\n"d\ne",[(0; 1)],Y\n',
)
READERS = {
    "conll": (lambda path, **lenient: read_conll(path, **lenient), CONLL),
    "conll columns": (
        lambda path, **lenient: read_conll(path, ConllLayout(1, 0, "BIO", "X"), **lenient),
        CONLL,
    ),
    "table": (lambda path, **lenient: read_table(path, **lenient), TABLES),
    "table columns": (
        lambda path, **lenient: read_table(path, TableLayout(word=1, tag=0, label="X"), **lenient),
        TABLES,
    ),
    "table named encoding": (
        lambda path, **lenient: read_table(path, encoding="shift_jis", **lenient),
        TABLES,
    ),
    "conllu": (lambda path, **lenient: read_conllu(path, **lenient), CONLLU),
    "iob": (lambda path, **lenient: read_iob(path, **lenient), IOB),
    "standoff": (lambda path, **lenient: read_standoff(path, **lenient), STANDOFF),
    "pubtator": (lambda path, **lenient: read_pubtator(path, **lenient), PUBTATOR),
}
PIECES = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"\n", b"\r\n", b"\t", b" ", b",", b";", b"|", b'"', b"\0", b"\xe9", b"-"]),
    st.sampled_from([b"O", b"B-", b"E-D", b"U-X", b"# a = b\n", b"\xef\xbb\xbf", b"9" * 5000]),
)


def check(name, data, folder):
    path = folder / "fuzz.txt"
    path.write_bytes(data)
    for record in read_both_ways(READERS[name][0], path):
        assert all(record.text[start:end].strip() for start, end in record.words)
        assert record.id or not record.words


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", sorted(READERS))
def test_reader_takes_any_bytes(name, folder):
    @FUZZ
    @given(st.binary(max_size=400))
    def run(data):
        check(name, data, folder)

    run()


@pytest.mark.parametrize("name", sorted(READERS))
def test_reader_takes_damaged_samples(name, folder):
    @FUZZ
    @given(mutated(READERS[name][1], PIECES))
    def run(data):
        check(name, data, folder)

    run()


@pytest.mark.parametrize("name", sorted(READERS))
def test_reader_refuses_every_cut_of_nothing_but_white_space(name, folder):
    for data in (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" \t \n"):
        (folder / "blank.txt").write_bytes(data)
        assert read_all(READERS[name][0], folder / "blank.txt") is None
        assert read_all(READERS[name][0], folder / "blank.txt", ReadErrors()) is None
