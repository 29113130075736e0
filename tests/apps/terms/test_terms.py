import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from spacy_bioner.apps.terms.terms import ImportSettings, import_terms, look_up, read_listed
from spacy_bioner.errors import ConfigError, OutputError, TermTableError
from spacy_bioner.knowledge.gaz import SourceInfo, read_gaz
from spacy_bioner.knowledge.sources.rows import Skipped
from spacy_bioner.knowledge.terms import Term

OBO = """format-version: 1.2
data-version: 2024-05-01
ontology: blues
property_value: http://purl.org/dc/terms/license http://creativecommons.org/licenses/by/4.0/

[Term]
id: BL:1
name: blue fever
synonym: "fever, pale" EXACT []
"""
HOLD = """
import sys
from spacy_bioner.files.outputs import claiming
with claiming(sys.argv[1]):
    print("held", flush=True)
    input()
"""
TABLE = "id\tname\tkind\nD1\tAnaemia\tlabel\nD1\tall\tsynonym\n\tno id\tlabel\nD1\tAnaemia\tlabel\n"


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "blues.obo.gz").write_bytes(gzip.compress(OBO.encode()))
    (tmp_path / "table.tsv").write_text(TABLE)
    return [f"Fever={tmp_path / 'blues.obo.gz'}", str(tmp_path / "table.tsv")]


def test_import_writes_a_table_and_accounts_for_every_row(sources, tmp_path):
    settings = ImportSettings(
        labels=["Disease"], variants=["comma", "british"], licences=["table.tsv=CC0 1.0"]
    )
    account = import_terms(sources, tmp_path / "out.gaz", settings)
    licence = "http://creativecommons.org/licenses/by/4.0/"
    infos = (
        SourceInfo("blues.obo", "2024-05-01", licence, "", 2),
        SourceInfo("table", "", "CC0 1.0", "", 3),
    )
    assert tuple(source.info for source in account.sources) == infos
    assert [source.skipped for source in account.sources] == [
        {},
        {"rows without an id": Skipped(1, 4, "no id")},
    ]
    assert account.left_out == {
        "names that stand there already": 1,
        "variants that stand there already as a name": 0,
    }
    assert account.variants == {"comma": 1, "british": 1}
    assert account.dropped == {"one_letter": 0, "numbers": 0, "stop_words": 1}
    assert (account.n_terms, account.labels) == (5, {"Fever": 3, "Disease": 2})
    table = read_gaz(tmp_path / "out.gaz").table
    assert list(table) == [
        Term("blue fever", "Fever", "BL:1"),
        Term("fever, pale", "Fever", "BL:1"),
        Term("Anaemia", "Disease", "D1"),
        Term("pale fever", "Fever", "BL:1"),
        Term("Anemia", "Disease", "D1"),
    ]
    assert table.sources == infos
    assert table.rules == {
        "variants": {"comma": 1, "british": 1},
        "dropped": {"one_letter": 0, "numbers": 0, "stop_words": 1},
        "left_out": dict(account.left_out),
    }


def test_import_prints_sources_and_counts(bioner, sources, tmp_path):
    out = tmp_path / "out.gaz"
    shown = bioner("import", *sources, out, "--label", "Disease", "--drop", "none")
    assert shown.splitlines() == [
        "  source     version     rows  terms of use",
        "  ─────────  ──────────  ────  ───────────────────────────────────────────",
        "  blues.obo  2024-05-01     2  http://creativecommons.org/licenses/by/4.0/",
        "  table      –              3  unknown",
        f"{tmp_path}/table.tsv: rows without an id: 1, the first in line 4: no id",
        "left out, names that stand there already: 1",
        f"wrote {out}: 4 terms (Fever 2, Disease 2)",
    ]


def test_names_that_are_suppressed_stay_out(sources, tmp_path):
    listed = tmp_path / "suppress.tsv"
    listed.write_text(
        "# reviewed\nname\tlabel\tright\nANAEMIA\tDisease\t1\nblue fever\tOther\t0\nfever, pale\n"
    )
    settings = ImportSettings(labels=["Disease"], drop=["none"], suppress=listed)
    account = import_terms(sources, tmp_path / "out.gaz", settings)
    assert account.dropped == {"suppressed": 2}
    names = [term.name for term in read_gaz(tmp_path / "out.gaz").table]
    assert names == ["blue fever", "all"]


def test_a_listed_name_may_look_like_a_remark_or_a_header(tmp_path):
    path = tmp_path / "list.tsv"
    path.write_text("# Of own.gaz.\nname\tlabel\tright\n#1 syndrome\tD\t3\nname\tlabel\t2\ngout\n")
    assert read_listed(path) == {("#1 syndrome", "D"), ("name", "label"), ("gout", "")}
    path.write_text("# Mine.\ngout\n# Seen.\nrats\n")
    assert read_listed(path) == {("gout", ""), ("rats", "")}


def test_a_list_to_suppress_may_name_no_label(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("Gout\n\nrash\tSign\n")
    assert read_listed(path) == {("gout", ""), ("rash", "Sign")}
    path.write_text("gout\n\tSign\n")
    with pytest.raises(TermTableError, match=r"x\.tsv:2: found '\\tSign'; expected name and label"):
        read_listed(path)


def test_a_fault_leaves_an_earlier_table_as_it_was(sources, tmp_path):
    out = tmp_path / "out.gaz"
    out.write_bytes(b"earlier")
    circle = tmp_path / "circle.obo"
    circle.write_text(OBO + "is_a: BL:1\n")
    with pytest.raises(TermTableError, match=r"circle\.obo:6: found terms that are their own"):
        import_terms([*sources, str(circle)], out, ImportSettings(labels=["Disease"]))
    with pytest.raises(TermTableError, match=r"table\.tsv:2: found no label for 'Anaemia'"):
        import_terms(sources, out)
    with pytest.raises(ConfigError, match=r"found no term to write to .*out\.gaz \(left out: "):
        import_terms(sources[1:], out, ImportSettings(labels=["C=Disease"]))
    assert out.read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "blues.obo.gz",
        "circle.obo",
        "out.gaz",
        "table.tsv",
    ]


def test_two_writers_of_one_table_are_kept_apart(sources, tmp_path):
    out = tmp_path / "out.gaz"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {other.pid} is writing there; wait"):
            import_terms(sources, out, ImportSettings(labels=["Disease"]))
        other.communicate(b"\n")
    assert import_terms(sources, out, ImportSettings(labels=["Disease"])).n_terms == 3


def test_the_output_is_no_source(sources, tmp_path):
    with pytest.raises(OutputError):
        import_terms(sources, tmp_path / "table.tsv", ImportSettings(labels=["Disease"]))
    assert (tmp_path / "table.tsv").read_text() == TABLE


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variants": ["greeks"]}, "found the variants 'greeks'; expected all, none or some of"),
        ({"drop": ["common"]}, "found the drop rule 'common'; expected all, none or some of"),
        ({"licences": ["x=CC0"]}, r"found the licence 'x=CC0'; expected NAME=TERMS with the name"),
    ],
)
def test_settings_that_are_not_known_are_refused(sources, tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        import_terms(sources, tmp_path / "out.gaz", ImportSettings(labels=["X"], **settings))


def test_a_file_with_an_equals_sign_needs_no_label(tmp_path):
    path = tmp_path / "a=b.tsv"
    path.write_text("D1\tgout\tDisease\n")
    assert import_terms([str(path)], tmp_path / "out.gaz").labels == {"Disease": 1}


def test_names_are_looked_up_as_they_are_found_in_text(make_gaz):
    rows = [("D1", "IFN-β", "Gene"), ("D2", "Gout", "Disease"), ("D2", "podagra", "Disease")]
    gaz = make_gaz("table", *rows)
    info, terms = look_up(gaz, "gout")
    assert terms == [Term("Gout", "Disease", "D2")]
    assert (info.n_terms, info.labels) == (3, ("Disease", "Gene"))
    assert look_up(gaz, "IFN–β")[1] == [Term("IFN-β", "Gene", "D1")]
    assert [term.name for term in look_up(gaz, "D2")[1]] == ["Gout", "podagra"]


def test_lookup_prints_terms_and_sources(bioner, make_gaz):
    gaz = make_gaz("table", ("D2", "Gout", "Disease"))
    assert bioner("lookup", gaz, "GOUT").splitlines() == [
        "  name  label    id  case",
        "  ────  ───────  ──  ────",
        "  Gout  Disease  D2  auto",
        "",
        "  source  version  rows  terms of use",
        "  ──────  ───────  ────  ────────────",
        "  table   –           1  unknown",
    ]


def test_what_is_not_in_a_table_is_refused(make_gaz, tmp_path):
    gaz = make_gaz("table", ("D2", "Gout", "Disease"))
    with pytest.raises(TermTableError, match="found neither a term nor an id 'rash' among 1 terms"):
        look_up(gaz, "rash")
    with pytest.raises(TermTableError, match=r"none\.gaz: found no such file"):
        look_up(Path(tmp_path / "none.gaz"), "rash")


def test_the_group_lists_its_commands(bioner):
    shown = bioner("--help")
    assert [line.split()[0] for line in shown.split("Commands:\n")[1].splitlines()] == [
        "import",
        "store",
        "lookup",
        "diff",
        "blame",
    ]


def test_a_list_of_names_to_keep_leaves_out_all_others(sources, tmp_path):
    only = tmp_path / "keep.tsv"
    only.write_text("name\tlabel\nblue fever\tFever\nfever, pale\n", encoding="utf-8")
    suppress = tmp_path / "suppress.tsv"
    suppress.write_text("fever, pale\n", encoding="utf-8")
    settings = ImportSettings(only=only, suppress=suppress)
    account = import_terms(sources[:1], tmp_path / "out.gaz", settings)
    assert [term.name for term in read_gaz(tmp_path / "out.gaz").table] == ["blue fever"]
    assert (account.dropped["suppressed"], account.dropped["not listed"]) == (1, 0)
    account = import_terms(sources[:1], tmp_path / "out.gaz", ImportSettings(only=suppress))
    assert [term.name for term in read_gaz(tmp_path / "out.gaz").table] == ["fever, pale"]
    assert account.dropped["not listed"] == 1
