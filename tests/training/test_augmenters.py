from itertools import islice
from typing import get_type_hints

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example
from spacy.util import registry
from thinc.api import Config

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import ConfigError, CorpusError, TermTableError
from spacy_bioner.gold import gold_mentions
from spacy_bioner.records import Mention, Record
from spacy_bioner.training import augmenters
from spacy_bioner.training.corpus import make_corpus

NAMES = {
    "spacy_bioner.SynonymReplacement.v1": augmenters.make_synonym_replacement,
    "spacy_bioner.MentionReplacement.v1": augmenters.make_mention_replacement,
    "spacy_bioner.MentionShuffling.v1": augmenters.make_mention_shuffling,
    "spacy_bioner.CharacterNoise.v1": augmenters.make_character_noise,
    "spacy_bioner.WordNoise.v1": augmenters.make_word_noise,
    "spacy_bioner.BackTranslation.v1": augmenters.make_back_translation,
    "spacy_bioner.ChainedAugmenters.v1": augmenters.make_chained_augmenters,
}
RECORDS = (
    Record(
        "1",
        "Renal failure followed aspirin. Renal failure is rare.",
        (
            Mention(0, 13, "Disease", "", ("D1",)),
            Mention(23, 30, "Chemical", "", ("MESH:D2",)),
            Mention(32, 45, "Disease", "", ("D9",)),
        ),
    ),
    Record("2", "Nothing was found in the patients."),
    Record("3", "It was gout.", (Mention(7, 11, "Disease", "", ("D3",)),)),
)


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def corpus(nlp, tmp_path):
    path = tmp_path / "corpus.spacy"
    write_docbin((align(record, nlp.make_doc).doc for record in RECORDS), path)
    return path


@pytest.fixture
def terms(tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text(
        "id\tname\tkind\nMESH:D1\tKidney Failure\tsynonym\nD2\tacetylsalicylic acid\tname\n",
        encoding="utf-8",
    )
    return path


def read(nlp, corpus, augmenter):
    return [e.reference.text for e in make_corpus(corpus, augmenter=augmenter)(nlp)]


def test_synonyms_come_from_a_term_table_with_or_without_prefix(nlp, corpus, terms):
    augmenter = augmenters.make_synonym_replacement(terms, rate=1, keep_original=False)
    assert read(nlp, corpus, augmenter) == [
        "Kidney failure followed acetylsalicylic acid. Renal failure is rare.",
        RECORDS[1].text,
        RECORDS[2].text,
    ]
    assert augmenter.count == {"examples": 3, "variants": 1, "unchanged": 2}


def test_term_table_is_read_at_the_first_document(nlp, corpus, tmp_path):
    augmenter = augmenters.make_synonym_replacement(tmp_path / "absent.tsv", rate=1)
    with pytest.raises(TermTableError, match=r"absent\.tsv: found no such file"):
        read(nlp, corpus, augmenter)


def test_mentions_come_from_a_corpus_with_their_ids(nlp, corpus):
    augmenter = augmenters.make_mention_replacement(corpus, rate=1, keep_original=False)
    examples = list(make_corpus(corpus, augmenter=augmenter)(nlp))
    assert examples[2].reference.text == "It was renal failure."
    assert gold_mentions(examples[2].reference)[0].concept_ids in (("D1",), ("D9",))


def test_mentions_come_from_a_mapping_without_ids(nlp, corpus):
    augmenter = augmenters.make_mention_replacement(
        mentions={"Disease": ["asthma"]}, rate=1, keep_original=False
    )
    examples = list(make_corpus(corpus, augmenter=augmenter)(nlp))
    assert [example.reference.text for example in examples] == [
        "Asthma followed aspirin. Asthma is rare.",
        RECORDS[1].text,
        "It was asthma.",
    ]
    assert [ent.kb_id_ for ent in examples[0].reference.ents] == ["", "MESH:D2", ""]


def test_corpus_of_mentions_is_read_at_the_first_document(nlp, corpus, tmp_path):
    augmenter = augmenters.make_mention_replacement(tmp_path / "absent.spacy", rate=1)
    with pytest.raises(CorpusError, match=r"absent\.spacy"):
        read(nlp, corpus, augmenter)


def test_mentions_need_one_source(corpus):
    with pytest.raises(ConfigError, match="found both path and mentions, or neither"):
        augmenters.make_mention_replacement()
    with pytest.raises(ConfigError, match="found both path and mentions, or neither"):
        augmenters.make_mention_replacement(corpus, mentions={})


def test_mentions_are_shuffled(nlp, corpus):
    record = Record("4", "gout, flu", (Mention(0, 4, "D"), Mention(6, 9, "D")))
    write_docbin([align(record, nlp.make_doc).doc], corpus)
    assert read(nlp, corpus, augmenters.make_mention_shuffling()) == ["gout, flu", "flu, gout"]


def test_character_noise_changes_mentions(nlp, corpus):
    augmenter = augmenters.make_character_noise(
        {"case": 1.0}, per="mention", where="mentions", keep_original=False
    )
    examples = list(make_corpus(corpus, augmenter=augmenter)(nlp))
    ents = [ent.text for ent in examples[0].reference.ents]
    assert [text.lower() for text in ents] == ["renal failure", "aspirin", "renal failure"]
    assert "Renal failure" not in ents
    assert "aspirin" not in ents


def test_word_noise_leaves_mentions(nlp, corpus):
    augmenter = augmenters.make_word_noise(delete=1, insert=0, substitute=0, keep_original=False)
    assert read(nlp, corpus, augmenter) == [
        "Renal failure aspirin. Renal failure rare.",
        "Nothing patients.",
        "It gout.",
    ]


def test_back_translation_uses_the_translator(nlp, corpus):
    augmenter = augmenters.make_back_translation(
        lambda texts: [text.replace("is rare", "is seldom") for text in texts], keep_original=False
    )
    assert read(nlp, corpus, augmenter)[0] == (
        "Renal failure followed aspirin. Renal failure is seldom."
    )
    assert augmenter.augment.count == {"projected": 1, "unchanged": 3}


def test_documents_that_cannot_be_projected_are_counted(nlp, corpus):
    augmenter = augmenters.make_back_translation(
        lambda texts: ["Lost in translation." for _ in texts], unit="document"
    )
    assert read(nlp, corpus, augmenter) == [
        RECORDS[0].text,
        RECORDS[1].text,
        "Lost in translation.",
        RECORDS[2].text,
    ]
    assert augmenter.count == {"examples": 3, "variants": 1, "refused": 2}


def test_chained_augmenters_resolve_from_a_config_in_order(nlp, corpus, terms):
    _register()
    config = Config().from_str(
        f"""
        [corpus]
        @readers = "spacy_bioner.Corpus.v1"
        path = "{corpus}"

        [corpus.augmenter]
        @augmenters = "spacy_bioner.ChainedAugmenters.v1"

        [corpus.augmenter.*.words]
        @augmenters = "spacy_bioner.WordNoise.v1"
        delete = 1.0
        insert = 0
        substitute = 0
        keep_original = false

        [corpus.augmenter.*.names]
        @augmenters = "spacy_bioner.SynonymReplacement.v1"
        path = "{terms}"
        rate = 1.0
        keep_original = false
        """
    )
    # What spaCy writes and reads again keeps the order too.
    config = Config().from_str(config.to_str())
    assert list(config["corpus"]["augmenter"]["*"]) == ["words", "names"]
    reader = registry.resolve(config)["corpus"]
    texts = [example.reference.text for example in reader(nlp)]
    assert texts[0] == "Kidney failure acetylsalicylic acid. Renal failure rare."


def test_back_translation_takes_its_translator_from_misc(nlp, corpus):
    _register()

    @registry.misc("test_shout.v1")
    def make_shout():
        return lambda texts: [text.upper() for text in texts]

    block = {
        "@augmenters": "spacy_bioner.BackTranslation.v1",
        "translator": {"@misc": "test_shout.v1"},
        "keep_original": False,
    }
    augmenter = registry.resolve({"augmenter": block})["augmenter"]
    assert read(nlp, corpus, augmenter)[2] == "IT WAS GOUT."


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MentionShuffling", {"copies": "many"}),
        ("SynonymReplacement", {}),
        ("CharacterNoise", {"rates": {"typo": "often"}}),
        ("WordNoise", {"rate": 0.1}),
    ],
)
def test_configs_are_validated(name, settings):
    _register()
    block = {"@augmenters": f"spacy_bioner.{name}.v1", **settings}
    with pytest.raises(ValueError, match=r"Config.* error"):
        registry.resolve({"augmenter": block})


@pytest.mark.parametrize("name", NAMES)
def test_annotations_can_be_read_at_run_time(name):
    assert "return" in get_type_hints(NAMES[name])


EVERY = (
    augmenters.make_mention_shuffling(),
    augmenters.make_mention_replacement(mentions={"Disease": ["COPD", "lung fibrosis"]}, rate=1),
    augmenters.make_character_noise(
        {"typo": 0.1, "ocr": 0.1, "case": 0.1, "hyphen": 0.5, "greek": 0.5}
    ),
    augmenters.make_word_noise(delete=0.1, insert=0.1, substitute=0.1),
)
PARTS = ("Gout", "and IL-2", "of TNFalpha", "beta-blocker", "x.", "5 mg", "(flu)", "-")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=8), st.data())
def test_every_variant_has_the_mentions_in_its_entities(nlp, parts, data):
    text = " ".join(parts)
    doc = nlp.make_doc(text)
    chosen = data.draw(st.sets(st.integers(0, len(doc) - 1), max_size=4)) if len(doc) else ()
    mentions = [Mention(doc[i].idx, doc[i].idx + len(doc[i]), "Disease") for i in sorted(chosen)]
    reference = align(Record("1", text, tuple(mentions)), nlp.make_doc).doc
    chain = augmenters.make_chained_augmenters(*EVERY)
    for example in chain(nlp, Example(doc, reference)):
        ents = [(ent.start_char, ent.end_char, ent.label_) for ent in example.reference.ents]
        gold = gold_mentions(example.reference)
        assert ents == sorted((m.start_char, m.end_char, m.label) for m in gold)
        assert len(ents) == len(mentions)
        assert example.predicted.text == example.reference.text


def test_real_documents_keep_every_mention(nlp, data_dir):
    source = data_dir / "corpora" / "bc5cdr" / "train.pubtator.txt"
    chain = augmenters.make_chained_augmenters(*EVERY, mode="each")
    for record in islice(read_pubtator(source), 20):
        reference = align(record, nlp.make_doc).doc
        gold = [mention.label for mention in gold_mentions(reference)]
        for example in chain(nlp, Example(nlp.make_doc(record.text), reference)):
            kept = gold_mentions(example.reference)
            assert [mention.label for mention in kept] == gold
            assert len(example.reference.ents) == len(reference.ents)
            assert all(example.text[m.start_char : m.end_char].strip() for m in kept)


def _register():
    """Register the names as setup.cfg's entry points do."""
    for name, function in NAMES.items():
        if name not in registry.augmenters:
            registry.augmenters.register(name, func=function)
