import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.back_translation import BackTranslation
from tests.transforms.augmentation.strategies import QUICK, assert_labels_kept, records

RNG = random.Random(0)
TEXT = "Aspirin caused acute renal failure. It was not treated."
RECORD = Record(
    "1",
    TEXT,
    (Mention(0, 7, "Chemical", "Aspirin", ("C2",)), Mention(15, 34, "Disease", "", ("C1",))),
)


def answering(*answers):
    """A translator that gives these texts."""
    return lambda texts: list(answers)


def translate(record, answer, **settings):
    return BackTranslation(answering(answer), unit="document", **settings)(record, RNG)


def marked(record):
    return [record.text[m.start_char : m.end_char] for m in record.mentions]


def test_mentions_are_found_in_other_words():
    variant = translate(RECORD, "Because of aspirin, acute renal-failure was seen. No treatment.")
    assert variant.text == "Because of aspirin, acute renal-failure was seen. No treatment."
    assert variant.mentions == (
        Mention(11, 18, "Chemical", "aspirin", ("C2",)),
        Mention(20, 39, "Disease", "", ("C1",)),
    )


@pytest.mark.parametrize(
    "answer",
    [
        "Aspirin caused acute kidney failure.",
        "Acute renal failure was caused by aspirin.",
        "Aspirin, aspirin caused acute renal failure.",
        "Aspirins caused acute renal failure.",
        "",
    ],
)
def test_document_with_a_mention_missing_moved_or_twice_is_not_used(answer):
    back_translation = BackTranslation(answering(answer), unit="document")
    assert back_translation(RECORD, RNG) is None
    assert back_translation.count == {"refused": 1}


def test_text_that_was_not_marked_everywhere_is_ambiguous():
    record = Record("1", "Lead may lead to gout", (Mention(0, 4, "C"), Mention(17, 21, "D")))
    assert marked(translate(record, "Lead can lead to gout")) == ["Lead", "gout"]
    assert translate(record, "lead can cause gout") is None
    record = Record("1", "lead or lead", (Mention(0, 4, "C"),))
    assert translate(record, "lead and lead") is None


def test_shorter_mentions_are_not_looked_for_in_longer_ones():
    text = "acute renal failure is renal failure"
    record = Record("1", text, (Mention(0, 19, "A"), Mention(23, 36, "B")))
    variant = translate(record, "acute renal failure means renal failure")
    assert marked(variant) == ["acute renal failure", "renal failure"]
    assert translate(record, "a renal failure means acute renal failure") is None


def test_overlapping_mentions_come_back_only_as_they_were():
    text = "of lung cancer cells"
    record = Record("1", text, (Mention(3, 14, "D"), Mention(3, 7, "A")))
    variant = translate(record, "cells of the lung cancer")
    assert variant.mentions == (Mention(13, 24, "D"), Mention(13, 17, "A"))
    assert translate(record, "cells of the Lung cancer") is None


def test_mention_text_that_turns_up_elsewhere_is_refused():
    text = "Gout is rare. It is painful."
    record = Record("1", text, (Mention(0, 4, "D"),))
    back_translation = BackTranslation(answering("Gout is seldom.", "Gout is painful."))
    variant = back_translation(record, RNG)
    assert variant.text == "Gout is seldom. It is painful."
    assert back_translation.count == {"projected": 1, "refused": 1}


def test_sentences_that_cannot_be_used_stay():
    back_translation = BackTranslation(answering("Aspirin hurts.", "Nobody treated it."))
    variant = back_translation(RECORD, RNG)
    assert variant.text == "Aspirin caused acute renal failure. Nobody treated it."
    assert variant.mentions == RECORD.mentions
    assert back_translation.count == {"refused": 1, "projected": 1}


def test_placeholders_stand_for_mentions():
    seen = []

    def translator(texts):
        seen.extend(texts)
        return ["Due to NER0 there was NER1.", "No treatment."]

    variant = BackTranslation(translator, placeholder="NER{}")(RECORD, RNG)
    assert seen == ["NER0 caused NER1.", "It was not treated."]
    assert variant.text == "Due to Aspirin there was acute renal failure. No treatment."
    assert marked(variant) == ["Aspirin", "acute renal failure"]


@pytest.mark.parametrize("answer", ["NER1 by NER0", "NER0", "NER0 NER1 NER1", "NER0 NER10"])
def test_placeholders_have_to_come_back_once_and_in_order(answer):
    assert translate(RECORD, answer, placeholder="NER{}") is None


def test_translation_that_is_the_same_gives_the_record():
    assert BackTranslation(list)(RECORD, RNG) is RECORD


def test_sections_and_sentences_are_translated_apart_and_follow():
    sections = (("t", 0, 4), ("a", 5, 9))
    record = Record("1", "Gout Pain", (Mention(0, 4, "D"),), sections, sentence_starts=(0, 5))
    variant = BackTranslation(lambda texts: [f"A {text}!" for text in texts])(record, RNG)
    assert variant.text == "A Gout! A Pain!"
    assert variant.sections == (("t", 0, 7), ("a", 8, 15))
    assert variant.sentence_starts == (0, 8)


def test_sentences_of_signs_alone_keep_their_place():
    record = Record("1", "Gout.  5. Pain.", sentence_starts=(0, 5, 7, 10))
    variant = BackTranslation(lambda texts: [f"A {text}" for text in texts])(record, RNG)
    assert variant.text == "A Gout.  5. A Pain."
    assert variant.sentence_starts == (0, 7, 9, 12)


def test_sentences_within_a_translated_document_are_not_known():
    record = Record("1", "Gout. Pain.", sentence_starts=(0, 6))
    assert translate(record, "Gout! Pain!").sentence_starts == ()


def test_pieces_without_space_between_may_both_grow():
    mentions = (Mention(0, 4, "D"), Mention(4, 8, "D"))
    record = Record("1", "GoutPain", mentions, (("t", 0, 4), ("a", 4, 8)))
    variant = BackTranslation(lambda texts: [f"A {text}." for text in texts])(record, RNG)
    assert marked(variant) == ["Gout", "Pain"]
    assert variant.text == "A Gout.A Pain."


@pytest.mark.parametrize("answers", [["one"], ["one", 2], ["one", "two", "three"]])
def test_translator_has_to_answer_each_text(answers):
    with pytest.raises(ConfigError, match="expected 2 strings"):
        BackTranslation(answering(*answers))(RECORD, RNG)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "word"}, "found unit 'word', expected one of sentence, document"),
        ({"placeholder": "NER"}, "found placeholder 'NER'"),
        ({"placeholder": "<{}>"}, "found placeholder '<{}>'"),
    ],
)
def test_back_translation_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        BackTranslation(list, **settings)


def _garble(seed):
    rng = random.Random(seed)

    def translator(texts):
        changes = (
            lambda t: t.replace(" ", "  "),
            lambda t: re.sub(r"\b(with|lead|was)\b", "had", t),
            lambda t: f"So {t} ",
            str.lower,
            lambda t: t.replace("-", " "),
            lambda t: " ".join(reversed(t.split())),
            lambda t: t[: len(t) // 2],
        )
        return [rng.choice(changes)(rng.choice(changes)(text)) for text in texts]

    return translator


@QUICK
@given(
    records(),
    st.integers(0, 99),
    st.sampled_from(["sentence", "document"]),
    st.sampled_from([None, "NER{}"]),
)
def test_back_translation_keeps_labels_or_gives_nothing(record, seed, unit, placeholder):
    back_translation = BackTranslation(_garble(seed), unit=unit, placeholder=placeholder)
    variant = back_translation(record, RNG)
    if variant is not None:
        assert_labels_kept(record, variant)
        assert [_loosely(text) for text in marked(variant)] == [
            _loosely(text) for text in marked(record)
        ]


def _loosely(text):
    return re.sub(r"[\s-]", "", text).lower()
