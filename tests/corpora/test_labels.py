import pytest

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.labels import (
    GROUPS,
    LabelMap,
    list_label_maps,
    load_label_map,
    parse_label_map,
)
from spacy_bioner.errors import LabelError

IN_GROUPS = (
    "biored_groups",
    "gnormplus_groups",
    "i2b2_2010",
    "jnlpba_groups",
    "maccrobat",
    "medmentions",
    "nlm_gene_groups",
)


def write(tmp_path, text):
    path = tmp_path / "map.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_map_that_ships_can_be_read():
    names = list_label_maps()
    assert len(names) == 15
    assert set(IN_GROUPS) < set(names)
    for name in names:
        label_map = load_label_map(name)
        assert (label_map.name, bool(label_map.source)) == (name, True)


@pytest.mark.parametrize("name", IN_GROUPS)
def test_maps_to_the_groups_lead_to_nothing_else(name):
    label_map = load_label_map(name)
    assert set(label_map.labels.values()) <= set(GROUPS)
    assert label_map.default in ("keep", "Other")


def test_sub_types_of_ncbi_disease_become_one():
    label_map = load_label_map("ncbi_disease")
    old = ("SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention")
    assert [label_map.rename(label) for label in old] == ["Disease"] * 4


@pytest.mark.parametrize("end", ["", "_groups"])
def test_biored_has_six_types(end):
    old = (
        "DiseaseOrPhenotypicFeature",
        "ChemicalEntity",
        "GeneOrGeneProduct",
        "OrganismTaxon",
        "CellLine",
        "SequenceVariant",
    )
    last = ["CellLine", "Variant"] if not end else ["Anatomy", "Other"]
    label_map = load_label_map("biored" + end)
    assert [label_map.rename(label) for label in old] == (
        ["Disease", "Chemical", "Gene", "Species", *last]
    )


def test_medmentions_names_the_types_of_st21pv():
    codes = "005 007 017 022 031 033 037 038 058 062 074 082 091 092 097 098 103 168 170 201 204"
    label_map = load_label_map("medmentions")
    assert all(label_map.covers(f"T{code}") for code in codes.split())
    assert label_map.rename("UnknownType") == "Other"


def test_a_list_of_types_takes_the_first_group_that_is_not_other():
    label_map = load_label_map("medmentions")
    assert label_map.rename("T047,T191") == "Disease"
    assert label_map.rename("T170, T116,T121") == "Gene"
    assert label_map.rename("T121,T116") == "Chemical"
    assert label_map.rename("T062,T170") == "Other"


def test_dropped_parts_have_no_say_unless_there_is_nothing_else():
    label_map = LabelMap("x", {"A": "One"}, frozenset("BC"))
    assert label_map.rename("B,A") == "One"
    assert label_map.rename("B,C") is None
    assert label_map.rename("D,E") == "D,E"


@pytest.mark.parametrize(("default", "new"), [("keep", "New"), ("drop", None), ("Other", "Other")])
def test_default_decides_on_labels_not_named(default, new):
    assert LabelMap("x", {"A": "B"}, default=default).rename("New") == new


def test_a_file_of_ones_own_is_read(tmp_path):
    path = write(tmp_path, "source: mine\nlabels: {A: B, No: 'Yes'}\ndrop: [C]\ndefault: drop\n")
    assert load_label_map(path) == LabelMap(
        str(path), {"A": "B", "No": "Yes"}, frozenset("C"), "drop", "mine"
    )


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(LabelError, match="found label map 'bc5', expected one of bc2gm, bc5cdr"):
        load_label_map("bc5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels:\n  A: B\n  A: C\n", r"map\.yaml:3: found key 'A' twice, expected once"),
        ("labels: {A: B}\nlabels: {C: D}\n", r"map\.yaml:2: found key 'labels' twice"),
        ("labels: {A: B}\nmap: x\n", r"map\.yaml: found key 'map', expected source, labels"),
        ("- A\n", r"map\.yaml: found list, expected keys source, labels, drop, default"),
        ("", r"map\.yaml: found nothing, expected keys"),
        ("source: x\n", r"key 'labels': found nothing, expected OLD: NEW pairs"),
        ("labels: [A, B]\n", r"key 'labels': found list, expected OLD: NEW pairs"),
        ("labels: {A: 1}\n", r"key 'labels\.A': found 1 \(int\), expected a text; put it in"),
        ("labels: {A: }\n", r"key 'labels\.A': found None \(nothing\), expected a text"),
        ("labels: {1: A}\n", r"key 'labels': found 1 \(int\), expected a text"),
        ("labels: {A: drop}\n", r"key 'labels\.A': found 'drop'.*stand under 'drop'"),
        ("labels: {A: B}\ndrop: C\n", r"key 'drop': found str, expected a list of labels"),
        ("labels: {A: B}\ndrop: [2020-01-01]\n", r"key 'drop': found datetime.*\(date\)"),
        ("labels: {A: B}\ndrop: [A]\n", r"key 'drop': found 'A', which 'labels' names as well"),
        ("labels: {A: B}\ndefault: []\n", r"key 'default': found \[\] \(list\), expected a text"),
        ("labels: {A: B\n", r"map\.yaml: no YAML: Invalid YAML: while parsing a flow mapping"),
        (b"labels: {A: \xff}\n", r"map\.yaml: no YAML"),
    ],
)
def test_a_malformed_file_is_named_with_its_key(tmp_path, text, message):
    with pytest.raises(LabelError, match=message):
        load_label_map(write(tmp_path, text))


def test_a_missing_file_is_a_label_error(tmp_path):
    with pytest.raises(LabelError, match=r"none\.yml: cannot be read"):
        load_label_map(tmp_path / "none.yml")


def columns_labels(path):
    tags = {line.split("\t")[-1] for line in path.read_text(encoding="utf-8").splitlines()}
    return {tag[2:] for tag in tags if tag[:2] in ("B-", "I-")}


def brat_labels(folder):
    rows = (line for path in folder.glob("*.ann") for line in path.read_text("utf-8").splitlines())
    return {row.split("\t")[1].split()[0] for row in rows if row.startswith("T")}


@pytest.mark.parametrize(
    ("corpus", "number"),
    [
        ("ncbi_disease", 4),
        ("bc5cdr", 2),
        ("biored", 6),
        ("gnormplus", 3),
        ("nlm_gene", 5),
        ("s800", 1),
    ],
)
def test_every_label_of_a_pubtator_corpus_is_covered(data_dir, corpus, number):
    paths = sorted((data_dir / "corpora" / corpus).glob("*.pubtator.txt"))
    labels = {m.label for path in paths for r in read_pubtator(path) for m in r.mentions}
    assert len(labels) == number
    for name in {corpus, f"{corpus}_groups"} & set(list_label_maps()):
        assert {label for label in labels if not load_label_map(name).covers(label)} == set()


@pytest.mark.parametrize(
    ("corpus", "number"), [("ncbi_disease", 1), ("bc5cdr", 2), ("jnlpba", 5), ("bc2gm", 1)]
)
def test_every_label_of_a_corpus_in_columns_is_covered(data_dir, corpus, number):
    paths = sorted((data_dir / "corpora" / corpus).glob("*.conll.tsv"))
    labels = set().union(*(columns_labels(path) for path in paths))
    assert len(labels) == number
    for name in {corpus, f"{corpus}_groups"} & set(list_label_maps()):
        assert {label for label in labels if not load_label_map(name).covers(label)} == set()


def test_every_label_of_maccrobat_is_covered(data_dir):
    labels = brat_labels(data_dir / "corpora/maccrobat2020")
    assert labels == set(load_label_map("maccrobat").labels)


def test_parse_label_map():
    pairs = ["Modifier=Disease", " DiseaseClass = Disease ", "A=B=C"]
    expected = {"Modifier": "Disease", "DiseaseClass": "Disease", "A": "B=C"}
    assert parse_label_map(pairs) == expected
    assert parse_label_map(["Modifier=Disease, DiseaseClass=Disease", "", "A=B=C"]) == expected


@pytest.mark.parametrize("pairs", [["Modifier"], ["=Disease"], ["Modifier="], ["A=B", "A=C"]])
def test_parse_label_map_refuses_unclear_pairs(pairs):
    with pytest.raises(LabelError, match="expected"):
        parse_label_map(pairs)
