import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.sources.registry import TermSource

NAMES = (
    "1\t|\troot\t|\t\t|\tscientific name\t|\n"
    "70\t|\tCaeruleus\t|\t\t|\tscientific name\t|\n"
    "71\t|\tCaeruleus albus\t|\t\t|\tscientific name\t|\n"
    "71\t|\tpale blue\t|\tpale blue <bird>\t|\tgenbank common name\t|\n"
    "71\t|\tCaeruleus albus Miller, 1801\t|\t\t|\tauthority\t|\n"
    "broken\n"
)
NODES = "1\t|\t1\t|\tno rank\t|\n70\t|\t1\t|\tsubgenus\t|\t\t|\n71\t|\t70\t|\tspecies\t|\n"


def test_names_alone_are_all_species(read_source, skipped):
    source, rows = read_source(NAMES, "names.dmp")
    assert rows == [
        ("1", "root", "Species", "label"),
        ("70", "Caeruleus", "Species", "label"),
        ("71", "Caeruleus albus", "Species", "label"),
        ("71", "pale blue", "Species", "genbank common name"),
    ]
    assert source.kind.name == "ncbi_taxonomy"
    assert skipped(source) == {
        "names of the class 'authority'": (1, 5, "Caeruleus albus Miller, 1801"),
        "malformed rows": (1, 6, "broken"),
    }


def test_ranks_above_the_species_are_told_by_the_nodes_beside(tmp_path):
    (tmp_path / "names.dmp").write_text(NAMES)
    (tmp_path / "nodes.dmp").write_text(NODES)
    labels = {row.name: row.label for row in TermSource.of_path(tmp_path).read()}
    assert labels == {
        "root": "Species",
        "Caeruleus": "Taxon",
        "Caeruleus albus": "Species",
        "pale blue": "Species",
    }


def test_a_malformed_node_is_refused_with_its_line(tmp_path):
    (tmp_path / "names.dmp").write_text(NAMES)
    (tmp_path / "nodes.dmp").write_text(NODES + "72\t|\n")
    with pytest.raises(TermTableError, match=r"nodes\.dmp:4: found '72.*expected id, parent and"):
        list(TermSource.of_path(tmp_path).read())
