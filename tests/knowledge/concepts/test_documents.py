from spacy_bioner.knowledge.concepts.documents import read_mentions
from spacy_bioner.knowledge.definitions import find_definitions


def test_short_forms_are_spelled_out():
    text = "Breast cancer (BC) is common. BC patients, BCs and non-BC controls."
    definitions = find_definitions(text, 0, 29)
    places = [text.index("BC patients"), text.index("BCs"), text.index("controls"), 0]
    spans = [
        (places[0], places[0] + 11, "Disease"),
        (places[1], places[1] + 3, "Disease"),
        (places[2], places[2] + 8, "Disease"),
        (0, 18, "Disease"),
    ]
    found = read_mentions(text, spans, definitions)
    assert [mention.text for mention in found] == [
        "BC patients",
        "BCs",
        "controls",
        "Breast cancer (BC)",
    ]
    assert [mention.long_text for mention in found] == [
        "Breast cancer patients",
        "Breast cancer",
        "",
        "Breast cancer (Breast cancer)",
    ]
