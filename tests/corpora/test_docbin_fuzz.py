"""Any bytes give Records or a CorpusError with file and line: DocBins."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.formats.docbin import read_docbin_records
from spacy_bioner.corpora.tokenizers import build_tokenizer
from spacy_bioner.records import Mention, Record
from tests.corpora.strategies import damaged, reads_well

FUZZ = settings(max_examples=150, deadline=None, derandomize=True)
RECORD = Record("1", "Acute renal failure.", (Mention(6, 19, "Disease", "renal failure", ("D1",)),))


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "x.spacy"
    tokenize = build_tokenizer("blank")
    write_docbin([align(RECORD, lambda _: tokenize(RECORD)).doc] * 2, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "fuzz.spacy"


def check(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert reads_well(read_docbin_records(path), path)


@FUZZ
@given(data=st.binary(max_size=200))
def test_any_bytes(target, data):
    check(target, data)


@FUZZ
@given(data=st.data())
def test_damaged_files(target, sample, data):
    check(target, data.draw(damaged(sample)))


@FUZZ
@given(data=st.data())
def test_damaged_contents(target, sample, data):
    check(target, zlib.compress(data.draw(damaged(zlib.decompress(sample)))))
