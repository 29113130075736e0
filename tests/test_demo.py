import importlib.util
import sys

import pytest

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import CorpusError
from tests import paths

FOLDER = paths.ROOT / "assets" / "demo"
GOOD = """\
== d1 | abstract | train
[[Iron|Chemical|MESH:D007501]] in [[mice|Species|NCBITaxon:10090]].
No [[IL-6|Gene|NCBIGene:16193]] in [[serum|Anatomy|]] (P < 0.05). Second sentence.

== d2 | case | dev
[[Nausea|Disease|MESH:D009325]].
A man.

== d3 | case | test
Title.
Body.
"""


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("demo_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_build"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["demo_build"]


def build(demo, tmp_path, text):
    source = tmp_path / "source"
    source.mkdir()
    (source / "part.txt").write_text(text, encoding="utf-8")
    return demo.build(source, tmp_path / "out")


def test_build_writes_offsets_of_the_text_without_marks(demo, tmp_path):
    build(demo, tmp_path, GOOD)
    assert (tmp_path / "out" / "train.pubtator.txt").read_text() == (
        "d1|t|Iron in mice.\n"
        "d1|a|No IL-6 in serum (P < 0.05). Second sentence.\n"
        "d1\t0\t4\tIron\tChemical\tMESH:D007501\n"
        "d1\t8\t12\tmice\tSpecies\tNCBITaxon:10090\n"
        "d1\t17\t21\tIL-6\tGene\tNCBIGene:16193\n"
        "d1\t25\t30\tserum\tAnatomy\n\n"
    )


def test_render_table_counts_by_split_and_label(demo, tmp_path):
    table = demo.render_table(build(demo, tmp_path, GOOD))
    rows = [line.split() for line in table.splitlines()]
    head = "split documents cases sentences mentions Disease Chemical Gene Species Anatomy"
    assert rows == [
        head.split(),
        ["train", "1", "0", "3", "4", "0", "1", "1", "1", "1"],
        ["dev", "1", "1", "2", "1", "1", "0", "0", "0", "0"],
        ["test", "1", "1", "2", "0", "0", "0", "0", "0", "0"],
        ["all", "3", "2", "7", "5", "1", "1", "1", "1", "1"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("== d1 |", "= d1 |", 1, "expected `== id . kind . split`"),
        ("| abstract |", "| letter |", 1, "found 'letter', expected one of abstract, case"),
        ("| train", "| valid", 1, "found 'valid', expected one of train, dev, test"),
        ("A man.\n", "", 5, "found 1 lines of text in d2, expected a title and a body"),
        ("A man.\n", "A man.\nMore.\n", 5, "found 3 lines of text in d2"),
        ("|Chemical|", "|Drug|", 2, "expected a label of Disease, Chemical"),
        ("MESH:D007501", "D007501", 2, "expected an id of the form"),
        ("NCBIGene:16193", "MESH:D015850", 3, "expected an id of the form"),
        ("[[mice|", "[[mice |", 2, "expected a surface without blanks"),
        ("[[mice|", "[mice|", 2, "expected text and marks of the form"),
        ("No [[", "No | [[", 3, "expected text and marks of the form"),
        ("Title.", "Title. ", 10, "expected text and marks of the form"),
        ("== d3", "== d1", 9, "found id d1 again, expected a new one"),
    ],
)
def test_build_names_malformed_line_and_writes_nothing(demo, tmp_path, old, new, line, message):
    with pytest.raises(CorpusError, match=message) as caught:
        build(demo, tmp_path, GOOD.replace(old, new))
    assert f"part.txt:{line}: " in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_build_needs_documents_of_every_split(demo, tmp_path):
    with pytest.raises(CorpusError, match="found no test document"):
        build(demo, tmp_path, GOOD.replace("| test", "| dev"))


def test_build_needs_a_source(demo, tmp_path):
    with pytest.raises(CorpusError, match=r"found no \.txt file"):
        demo.build(tmp_path, tmp_path)


def test_demo_corpus_is_as_large_as_promised(demo, tmp_path):
    by_split = demo.build(FOLDER / "source", tmp_path)
    records = [
        record for split in by_split for record in read_pubtator(tmp_path / f"{split}.pubtator.txt")
    ]
    mentions = [(record, mention) for record in records for mention in record.mentions]
    assert len(records) >= 100
    assert len(mentions) >= 2000
    assert {mention.label for _, mention in mentions} == set(demo.ID_FORMS)
    assert all(r.text[m.start_char : m.end_char] == m.text for r, m in mentions)
    assert sum(demo._count_sentences(record) for record in records) >= 600


def test_demo_splits_share_no_text(demo):
    documents = demo.read_sources(FOLDER / "source")
    assert len({document.record.text for document in documents}) == len(documents)
