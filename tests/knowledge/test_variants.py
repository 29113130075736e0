import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.variants import MAX_VARIANTS, RULES, choose_rules, make_variants


def vary(name, *rules):
    return [variant for _, variant in make_variants(name, rules)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Neoplasms, Lung", ["Lung Neoplasms"]),
        ("Leukemia, Myeloid, Acute", ["Acute Myeloid Leukemia"]),
        ("Lung Neoplasms", []),
        ("Tooth Agenesis, Selective, 6", []),
        ("Diabetes Mellitus, Type 2", []),
        ("Cholera, unspecified", []),
        ("Fever, with rash", []),
        ("1,2-dichloroethane", []),
        ("Lungs, ", []),
        ("a, b, c, d, e", []),
    ],
)
def test_what_stands_behind_commas_comes_first(name, expected):
    assert vary(name, "comma") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IFN-gamma", ["IFN-γ"]),
        ("β-catenin", ["beta-catenin"]),
        ("Alpha 1 beta", ["α 1 β"]),
        ("TNFα", ["TNFalpha"]),
        ("PI-3 kinase", []),
        ("metagamma", []),
        ("alphabet", []),
    ],
)
def test_greek_letters_and_their_names_stand_for_each_other(name, expected):
    assert vary(name, "greek") == expected


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("Anaemia", "Anemia"),
        ("hyperlipidaemia", "hyperlipidemia"),
        ("haemorrhage, haematoma", "hemorrhage, hematoma"),
        ("Oedema of the oesophagus", "Edema of the esophagus"),
        ("tumour", "tumor"),
        ("DIARRHOEA", "DIARRHEA"),
        ("foetal tumours", "fetal tumors"),
        ("copper sulphate", "copper sulfate"),
        ("hospitalisation", "hospitalization"),
    ],
)
def test_british_and_american_spellings_stand_for_each_other(british, american):
    assert vary(british, "british") == [american]
    assert vary(american, "british") == [british]


@pytest.mark.parametrize("name", ["academia", "hemisphere", "systemic", "fetch", "aspirin"])
def test_other_words_are_spelled_one_way(name):
    assert vary(name, "british") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IL-2", ["IL 2", "IL2"]),
        ("IL2", ["IL-2", "IL 2"]),
        ("beta blocker", ["beta-blocker"]),
        ("non-small-cell lung cancer", ["non small cell lung cancer"]),
        ("Cl-", []),
        ("2,4-6,8", []),
        ("lung cell cancer", []),
        ("Fever, blue", []),
    ],
)
def test_hyphens_and_spaces_stand_for_each_other(name, expected):
    assert vary(name, "hyphen") == expected


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("lung tumor", "lung tumors"),
        ("biopsy", "biopsies"),
        ("metastasis", "metastases"),
        ("thrombosis", "thromboses"),
        ("virus", "viruses"),
        ("abscess", "abscesses"),
        ("carcinoma of the lung", "carcinomas of the lung"),
        ("heart disease", "heart diseases"),
        ("Assay", "Assays"),
    ],
)
def test_singular_and_plural_stand_for_each_other(singular, plural):
    assert vary(singular, "plural") == [plural]
    assert vary(plural, "singular") == [singular]
    assert vary(plural, "plural") == []


@pytest.mark.parametrize(
    "name", ["diabetes", "series", "IL-2", "mRNA", "Neoplasms, Lung", "IFN-gamma", "B12", "of it"]
)
def test_what_is_no_countable_noun_stays(name):
    assert vary(name, "plural", "singular") == []


def test_a_rule_takes_what_those_before_it_made():
    assert list(make_variants("Tumour, Lung", ["plural", "comma", "british"])) == [
        ("comma", "Lung Tumour"),
        ("british", "Tumor, Lung"),
        ("british", "Lung Tumor"),
        ("plural", "Lung Tumours"),
        ("plural", "Lung Tumors"),
    ]


def test_the_number_of_variants_of_a_name_is_limited():
    name = "Tumour-like alpha disease, Haemorrhagic"
    found = vary(name, *RULES)
    assert len(found) == len(set(found)) == MAX_VARIANTS
    assert name not in found


def test_no_rule_makes_no_variant():
    assert vary("Tumours, Lung") == []


def test_rules_are_chosen_by_their_names():
    known = ["one", "two", "three"]
    assert choose_rules(["three,one"], known, what="x") == ["one", "three"]
    assert choose_rules(["two", "one"], known, what="x") == ["one", "two"]
    assert choose_rules(["all"], known, what="x") == known
    assert choose_rules(["none"], known, what="x") == []
    with pytest.raises(ConfigError, match="found x 'four'; expected all, none or some of one, two"):
        choose_rules(["four"], known, what="x")
    with pytest.raises(ConfigError, match="found x 'none' beside others; leave one of them out"):
        choose_rules(["none", "one"], known, what="x")
