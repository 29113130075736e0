HEADER = (
    "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tchromosome\tmap_location\tdescription\t"
    "type_of_gene\tSymbol_from_nomenclature_authority\tFull_name_from_nomenclature_authority\t"
    "Nomenclature_status\tOther_designations\tModification_date\tFeature_type\n"
)
GENE = (
    "9606\t7001\tBLU1\t-\tBL1|BLUE\t-\t1\t-\tblue kinase 1\tprotein-coding\tBLU1\tblue kinase one\t"
    "O\tblue kinase|kinase of the blues\t20240501\t-\n"
)


def test_symbols_names_and_designations_are_rows(read_source, skipped):
    entry = GENE.replace("\tBLU1\t-", "\tNEWENTRY\t-").replace("7001", "7002")
    later = GENE.replace("7001", "7003").replace("20240501", "20240612").replace("BL1|BLUE", "-")
    source, rows = read_source(HEADER + GENE + entry + "9606\t7004\n" + later)
    names = [
        ("BLU1", "symbol"),
        ("BL1", "synonym"),
        ("BLUE", "synonym"),
        ("blue kinase one", "label"),
        ("blue kinase 1", "description"),
        ("blue kinase", "designation"),
        ("kinase of the blues", "designation"),
    ]
    assert rows == [
        *(("7001", name, "Gene", kind) for name, kind in names),
        *(("7003", name, "Gene", kind) for name, kind in names if kind != "synonym"),
    ]
    assert (source.kind.name, source.file.version) == ("ncbi_gene", "20240612")
    assert skipped(source) == {
        "placeholders": (1, 3, entry[:59] + "…"),
        "rows of less than 16 columns": (1, 4, "9606\t7004"),
    }
