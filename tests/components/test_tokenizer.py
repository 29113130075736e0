"""The biomedical tokenizer."""

import pickle
from typing import Any, List, Set

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.training import Example

from spacy_bioner.components.tokenizer import BiomedicalTokenizer, make_tokenizer
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import TextError

TEXT = (
    "CYP2D6-induced (3.5 mg/kg) beta-catenin. METHODS: We saw Parkinson's disease, e.g. p53.\n\n"
    "S. aureus bound α-tocopherol."
)


def make_nlp(**settings: Any) -> Language:
    tokenizer = {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1", **settings}
    return spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})


@pytest.fixture(scope="module")
def nlp() -> Language:
    return make_nlp()


def texts(nlp: Language, text: str) -> List[str]:
    return [token.text for token in nlp.make_doc(text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("beta-catenin", "beta - catenin"),
        ("CYP2D6*4", "CYP2D6 * 4"),
        ("IL-2/IL-4", "IL - 2 / IL - 4"),
        ("(3.5 mg/kg)", "( 3.5 mg / kg )"),
        ("1,200 patients, 1,2-dichloroethane", "1,200 patients , 1 , 2 - dichloroethane"),
        ("chromosome 17q21.3.", "chromosome 17q21.3 ."),
        ("Parkinson's disease", "Parkinson 's disease"),
        ("Alzheimer’s, patients'", "Alzheimer ’s , patients '"),
        ("TNFα and α-tocopherol", "TNFα and α - tocopherol"),
        ("CD4+ T-cells", "CD4 + T - cells"),
        ("p53+/- and p53-/-", "p53 +/- and p53 - / -"),
        ("37±0.5°C", "37 ± 0.5 ° C"),
        ("P<0.001;n=12", "P < 0.001 ; n = 12"),
        ("10×5·2", "10 × 5 · 2"),
        ("50%", "50 %"),
        ("e.g. i.v.,U.S.", "e.g. i.v. , U.S."),
        ("S. aureus", "S . aureus"),
        ("hepatitis B.", "hepatitis B ."),
        ("[5-HT]6", "[ 5 - HT ] 6"),
        ("N-methyl-D-aspartate", "N - methyl - D - aspartate"),
        ("rtM204I/L180M", "rt M204I / L180M"),
        ("KrasG12D CCR5delta32 CCR5Δ32", "Kras G12D CCR5 delta32 CCR5 Δ32"),
        ("ARKO mice, STAT6KO", "AR KO mice , STAT6 KO"),
        ("D11S1234 CYP2D6 H3K27me3", "D11S1234 CYP2D6 H3K27me3"),
        ("cells--possibly ... not", "cells -- possibly ... not"),
        ("see https://a.org/b?c=1.", "see https://a.org/b?c=1 ."),
        ("cant id ca dont", "cant id ca dont"),
        ("BRCA1_HUMAN", "BRCA1 _ HUMAN"),
        ("disease.The", "disease . The"),
        ('"so-called"', '" so - called "'),
        ("Ménière Me\u0301nie\u0300re", "Ménière Me\u0301nie\u0300re"),
    ],
)
def test_tokenizer_splits_exactly(nlp: Language, text: str, tokens: str) -> None:
    assert texts(nlp, text) == tokens.split(" ")


def test_tokenizer_keeps_a_run_of_white_space_whole(nlp: Language) -> None:
    assert texts(nlp, "a \n\n  b") == ["a", "\n\n  ", "b"]


@given(st.text(max_size=120))
def test_tokenizer_is_non_destructive(text: str) -> None:
    assert SHARED(text).text == text


@given(st.text(alphabet="aBK2O.,-+/'’ \n_αé\u0301(e.g)", max_size=60))
def test_tokenizer_gives_the_same_tokens_with_and_without_cache(text: str) -> None:
    assert [token.text for token in SHARED(text)] == [token.text for token in UNCACHED(text)]


def test_tokenizer_explains_its_tokens(nlp: Language) -> None:
    explained = [text for _, text in nlp.tokenizer.explain(TEXT)]
    assert explained == [token.text for token in nlp(TEXT) if not token.is_space]


def test_tokenizer_takes_special_cases() -> None:
    nlp = make_nlp()
    nlp.tokenizer.add_special_case("IL-2", [{"ORTH": "IL-2"}])
    assert texts(nlp, "IL-2 (IL-2)") == ["IL-2", "(", "IL-2", ")"]


def test_tokenizer_marks_sentences(nlp: Language) -> None:
    assert [sentence.text_with_ws for sentence in nlp(TEXT).sents] == [
        "CYP2D6-induced (3.5 mg/kg) beta-catenin. ",
        "METHODS: We saw Parkinson's disease, e.g. p53.\n\n",
        "S. aureus bound α-tocopherol.",
    ]


def test_tokenizer_decides_on_every_token(nlp: Language) -> None:
    assert nlp(TEXT).has_annotation("SENT_START", require_complete=True)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("   ", 1), ("\n", 1), ("a", 1)])
def test_tokenizer_takes_texts_without_words(nlp: Language, text: str, tokens: int) -> None:
    doc = nlp(text)
    assert (len(doc), len(list(doc.sents)), doc.text) == (tokens, tokens, text)


def test_tokenizer_without_sentences_marks_none() -> None:
    assert not make_nlp(sentences=False)(TEXT).has_annotation("SENT_START")


@pytest.mark.parametrize("unit", ["(", "a.", "IL-2 bound p53, e.g. at 3.5 mg. "])
def test_tokenizer_takes_two_million_characters(unit: str) -> None:
    nlp = make_nlp()
    text = unit * (2_000_000 // len(unit))
    nlp.max_length = len(text)
    assert nlp(text).text == text


@pytest.mark.parametrize("sentences", [True, False])
def test_tokenizer_survives_bytes(sentences: bool) -> None:
    saved = make_nlp(sentences=sentences)
    loaded = make_nlp(sentences=not sentences).from_bytes(saved.to_bytes())
    assert loaded.tokenizer.sentences is sentences
    assert loaded(TEXT).to_bytes() == saved(TEXT).to_bytes()


@pytest.mark.parametrize("sentences", [True, False])
def test_tokenizer_survives_disk_and_load(tmp_path, sentences: bool) -> None:
    saved = make_nlp(sentences=sentences)
    saved.tokenizer.add_special_case("IL-2", [{"ORTH": "IL-2"}])
    saved.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert isinstance(loaded.tokenizer, BiomedicalTokenizer)
    assert loaded.config["nlp"]["tokenizer"]["sentences"] is sentences
    assert loaded(TEXT + " IL-2").to_bytes() == saved(TEXT + " IL-2").to_bytes()


def test_tokenizer_keeps_the_rules_it_was_saved_with(tmp_path) -> None:
    saved = make_nlp()
    saved.tokenizer.infix_finditer = spacy.util.compile_infix_regex(["-"]).finditer
    saved.to_disk(tmp_path)
    assert texts(spacy.load(tmp_path), "a-b/c") == ["a", "-", "b/c"]


def test_tokenizer_reads_the_bytes_of_a_plain_tokenizer() -> None:
    nlp = make_nlp()
    nlp.tokenizer.from_bytes(Tokenizer(nlp.vocab).to_bytes())
    assert nlp.tokenizer.sentences is True
    assert texts(nlp, "beta-catenin") == ["beta-catenin"]


def test_tokenizer_survives_pickle() -> None:
    tokenizer = make_nlp(sentences=False).tokenizer
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.sentences is False
    assert copy(TEXT).to_bytes() == tokenizer(TEXT).to_bytes()


def test_tokenizer_gives_the_same_docs_in_two_processes(nlp: Language) -> None:
    many = [TEXT, "", "  ", "One. Two."]
    docs = list(nlp.pipe(many, n_process=2, batch_size=2))
    assert [doc.to_bytes() for doc in docs] == [nlp(text).to_bytes() for text in many]


def test_tokenizer_borders_stay_when_a_sentencizer_follows() -> None:
    nlp = make_nlp()
    nlp.add_pipe("sentencizer")
    assert [s.text for s in nlp("It grew S. aureus. We saw.").sents] == [
        "It grew S. aureus.",
        "We saw.",
    ]


def test_tokenizer_borders_give_way_to_a_sentencizer_that_overwrites() -> None:
    nlp = make_nlp()
    nlp.add_pipe("sentencizer", config={"overwrite": True})
    assert len(list(nlp("It grew S. aureus. We saw.").sents)) == 3


@pytest.mark.parametrize("gold_starts", [{0}, {0, 4}, {0, 5}])
def test_tokenizer_borders_let_a_parser_train(gold_starts: Set[int]) -> None:
    nlp = make_nlp()
    doc = nlp.make_doc("We saw p53. Then it left.")
    heads = [max(start for start in gold_starts if start <= i) for i in range(len(doc))]
    deps = ["ROOT" if i in gold_starts else "dep" for i in range(len(doc))]
    example = Example.from_dict(doc, {"heads": heads, "deps": deps})
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    nlp.initialize(lambda: [example])
    losses = nlp.update([example])
    assert losses["parser"] > 0
    assert [sentence.start for sentence in nlp(doc.text).sents] == [0, 4]


@pytest.mark.parametrize(
    ("corpus", "mentions", "exact"),
    [("bc5cdr", 9591, 9581), ("ncbi_disease", 787, 787), ("biored", 3533, 3530)],
)
def test_tokenizer_expresses_gold_mentions(
    data_dir, nlp: Language, corpus: str, mentions: int, exact: int
) -> None:
    spans = []
    for record in read_pubtator(data_dir / "corpora" / corpus / "dev.pubtator.txt"):
        doc = nlp.make_doc(record.text)
        spans += [doc.char_span(m.start_char, m.end_char) for m in record.mentions]
    assert len(spans) == mentions
    assert sum(span is not None for span in spans) == exact


SHARED = make_tokenizer()(spacy.blank("en"))
UNCACHED = BiomedicalTokenizer(SHARED.vocab, infix_finditer=SHARED.infix_finditer, max_cache_size=0)


def test_tokenizer_raises_max_length_and_keeps_it_through_loading(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    assert spacy.load(tmp_path / "model").max_length == 20_000_000


@pytest.mark.parametrize("half", ["\ud800", "\udc80x", "\udead\ud800"])
def test_half_a_character_is_refused_with_its_place(nlp: Language, half: str) -> None:
    text = f"Aspirin \U0001f600 eases{half} pain"
    message = rf"half a character \(U\+{ord(half[0]):04X}\) at offset 15 of a text that begins 'Asp"
    with pytest.raises(TextError, match=message):
        nlp(text)
    with pytest.raises(TextError, match=message):
        list(nlp.pipe(["Aspirin.", text]))
    assert nlp("Aspirin \U0001f600").text == "Aspirin \U0001f600"
