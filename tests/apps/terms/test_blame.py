import pytest

from spacy_bioner.apps.terms.blame import blame_terms
from spacy_bioner.apps.terms.terms import ImportSettings, import_terms
from spacy_bioner.errors import ConfigError, OutputError
from spacy_bioner.knowledge.gaz import read_gaz

CORPUS = """1|t|Gout, a rash and a rash.
1|a|A cold rash, and aspirin for gout.
1\t0\t4\tGout\tDisease\tD1
1\t26\t37\tA cold rash\tDisease\tD3

"""
ROWS = [
    ("D1", "gout", "Disease"),
    ("D3", "rash", "Disease"),
    ("C1", "aspirin", "Chemical"),
]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "dev.pubtator"
    path.write_text(CORPUS)
    return path


def test_blame_prints_the_worst_terms_and_writes_what_to_leave_out(
    bioner, make_gaz, corpus, tmp_path
):
    out = tmp_path / "suppress.tsv"
    shown = bioner("blame", make_gaz("table", *ROWS), corpus, "--output", out)
    assert shown.splitlines() == [
        "1 documents: 1 of 5 entities are right (precision 0.200), of 2 mentions (recall 0.500)",
        "not judged, as the corpus does not annotate it: Chemical 1",
        "",
        "  term  label    right  boundary  other label  nowhere  such as",
        f"  ────  ───────  ─────  ────────  ───────────  ───────  {'─' * 44}",
        "  rash  Disease      0         1            0        2  "
        "1: Gout, a rash and a rash. A cold rash, and",
        "  gout  Disease      1         0            0        1  "
        "1: A cold rash, and aspirin for gout.",
        "",
        f"wrote {out}: 1 terms to leave out: 3 wrong, 0 right",
    ]
    assert out.read_text().splitlines()[:2] == [
        "# Terms of table.gaz that are wrong on dev.pubtator. Remove those to keep.",
        "name\tlabel\tright\twrong\texample",
    ]
    assert out.read_text().splitlines()[2].split("\t")[:4] == ["rash", "Disease", "0", "3"]


def test_what_was_blamed_is_left_out_by_the_next_import(make_gaz, corpus, tmp_path):
    out = tmp_path / "suppress.tsv"
    blame = blame_terms(make_gaz("table", *ROWS), corpus, output=out)
    assert [counts.name for counts in blame.suppressed] == ["rash"]
    source, gaz = str(tmp_path / "table.tsv"), tmp_path / "new.gaz"
    account = import_terms([source], gaz, ImportSettings(suppress=out))
    assert account.dropped["suppressed"] == 1
    assert [term.name for term in read_gaz(gaz).table] == ["gout", "aspirin"]
    again = blame_terms(gaz, corpus)
    assert (again.right, again.found, again.gold, again.suppressed) == (1, 2, 2, [])


def test_bounds_decide_what_is_proposed(make_gaz, corpus):
    gaz = make_gaz("table", *ROWS)

    def propose(**bounds):
        return [counts.name for counts in blame_terms(gaz, corpus, **bounds).suppressed]

    assert propose(min_wrong=1) == ["rash"]
    assert propose(min_wrong=1, max_precision=0.51) == ["rash", "gout"]
    assert propose(min_wrong=4) == []


def test_labels_of_the_corpus_can_be_renamed(make_gaz, corpus):
    gaz = make_gaz("table", ("D1", "gout", "Ill"))
    message = "found mentions of Disease; expected some of Ill, which the table has; see --label"
    with pytest.raises(ConfigError, match=message):
        blame_terms(gaz, corpus)
    blame = blame_terms(gaz, corpus, label_map={"Disease": "Ill"})
    assert (blame.right, blame.found, blame.gold) == (1, 2, 2)


def test_the_list_does_not_replace_the_corpus(make_gaz, corpus):
    with pytest.raises(OutputError):
        blame_terms(make_gaz("table", *ROWS), corpus, output=corpus)
    assert corpus.read_text() == CORPUS


def test_names_that_are_right_can_be_kept_alone(bioner, make_gaz, corpus, tmp_path):
    keep, gaz = tmp_path / "keep.tsv", tmp_path / "new.gaz"
    shown = bioner("blame", make_gaz("table", *ROWS), corpus, "--proved", keep)
    assert shown.splitlines()[-2:] == [
        "proposed: 1 terms to leave out: 3 wrong, 0 right",
        f"wrote {keep}: 1 terms to keep: 1 wrong, 1 right",
    ]
    assert keep.read_text().splitlines()[:2] == [
        "# Terms of table.gaz that are right on dev.pubtator. Remove those to leave out.",
        "name\tlabel\tright\twrong\texample",
    ]
    bioner("import", tmp_path / "table.tsv", gaz, "--only", keep)
    assert [term.name for term in read_gaz(gaz).table] == ["gout"]
