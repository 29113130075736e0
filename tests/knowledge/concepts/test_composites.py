import pytest

from spacy_bioner.knowledge.concepts.composites import split_composite


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("breast and ovarian cancer", ("breast cancer", "ovarian cancer")),
        ("breast and/or ovarian cancer", ("breast cancer", "ovarian cancer")),
        ("brain, breast, and lung cancer", ("brain cancer", "breast cancer", "lung cancer")),
        ("ataxias 1 and 2", ("ataxias 1", "ataxias 2")),
        ("seizures/fever", ("seizures", "fever")),
        ("both seizures as well as fever", ("seizures", "fever")),
    ],
)
def test_readings(text, reading):
    assert reading in list(split_composite(text))


@pytest.mark.parametrize("text", ["fever", "and fever", "", "a, b, c, d, e, f, g fever"])
def test_what_joins_nothing_has_no_reading(text):
    assert list(split_composite(text)) == []
