"""Sentence borders: text in, offsets out."""

import time
from itertools import pairwise
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.sentences import sentence_flags, sentence_starts


def split(text: str) -> List[str]:
    """Cut the text at the sentence starts; "|" marks a border in the cases below."""
    starts = [*sentence_starts(text), len(text)]
    return [text[start:end] for start, end in pairwise(starts)]


@pytest.mark.parametrize(
    "marked",
    [
        "Naloxone reverses clonidine. |In rats the effect was small.",
        "Drugs (e.g. aspirin, i.e. ASA) were given vs. placebo.",
        "See Fig. 2 and Figs. 3, ref. 4 and cf. Table 1.",
        "Smith et al. (2003) and Jones et al. Nature 1999 agree.",
        "It was shown by Smith et al. |The reason is unknown.",
        "S. aureus and E. coli were grown. |P. aeruginosa was not.",
        "Growth of E. Coli and of C. Albicans stopped.",
        "She had hepatitis B. |Interferon was given.",
        "Dr. J. Smith and M. A. Jones wrote it.",
        "Rats got 5 mg/kg i.v. |Somewhat fewer died.",
        "Rats got 5 mg/kg i.p. and s.c. injections.",
        "A dose of 125 mg i.v. MP was given b.i.d. |Follow-up was short.",
        "The U.S. Food and Drug Administration met in the U.S. |This was late.",
        "Sample No. 5 and case no. 7 died. |No. 3 lived.",
        "The mean was 3.5 mg (P = 0. 05). |5-HT rose.",
        "We studied Anabaena sp. PCC 7120 and A. lactea sp. nov. from soil.",
        "It is lost. |p53 binds DNA. |mRNA rose. |c-Myc fell. |α-Synuclein did not.",
        "We did it. |METHODS: We saw it. |RESULTS AND DISCUSSION: It worked.",
        "Toxicity of lithium in rats |OBJECTIVE: To measure it.",
        "We did it. |MAIN RESULTS: None. |MATERIALS AND METHODS: Some.",
        "The effect on webs. |1. Predators spin. |2. The prey does not.",
        "The cause of the reaction.|A week later it was gone.",
        "Where? |When? |Why! |p53 knows? yes.",
        'A so-called "meth mouth." |Although rare, it hurts.',
        "Values (mean +/- s.d.) Normalized to one.",
        "Title of a paper\n\n|abstract without capital",
        "Title\r\n \r\n|Text of\none sentence.",
        "The variant p. Glu104X was found at 17q21. 3 in 1985. |12 patients had it.",
        "This targets CA. |PF74 binds it at ca. 30 sites.",
        "Treated with vit. K and vit. C daily. |Vit. A deficiency and vits. B1 to B6 are rare.",
        "See vol. 12, pp. 3-5, p. 7 and ch. 3 (Vol. 2, para. 4, suppl. 1, 4th ed. London).",
        "A 45-y.o. Man came. |She is 30 y.o. Woman of 45 y/o. Type, 3 yo. Boys came.",
        "He is 45 y.o. |The patient is well.",
        "It was given p.o. |The patient slept. |It was given b.i.d. |She woke.",
        "Eqs. 3 and eqn. 4, refs. 5-7, Chap. 8, FIG. 2 and Vol. 9 say so, approx. 30 times.",
        "USUAL CARE VS. MLP and Roe v. Wade, Mt. Sinai, Drs. Smith and Jones, c. 1900.",
        "S. enterica subsp. Enterica str. LT2 and P. syringae pv. Tomato resp. Xanthomonas.",
        "Pt. Smith, hx. Diabetes, dx. Crohn's disease, max. 40 mg, avg. 30, no. 5, nos. 6-8.",
        "Drugs, e. g. Aspirin, i. e. The best one, weigh wt. 70 and ht. 170, est. 50.",
        "The max. |However, it fell. |It was seen by Smith et al. |We saw it, too.",
        "A rate of 3.2 mg/mL. |Therapy went on. |In the 1940s. |Therapy was new.",
        "Ann. Nutr. Metab. 72 and J. Hosp. Immunol. 3 and Int. J. Oncol. |The end.",
    ],
)
def test_sentence_starts_finds_exactly_the_marked_borders(marked: str) -> None:
    assert split(marked.replace("|", "")) == marked.split("|")


def test_sentence_starts_of_empty_text_is_empty() -> None:
    assert sentence_starts("") == []


@pytest.mark.parametrize("text", [" ", "\n\n\n", "word", ". . .", "\n\nword."])
def test_sentence_starts_begins_with_zero(text: str) -> None:
    assert sentence_starts(text)[0] == 0


def test_sentence_starts_gives_white_space_to_the_sentence_before() -> None:
    assert split("One.  \n Two.  ") == ["One.  \n ", "Two.  "]


@given(st.text(alphabet="aA1.?\n )]([\"'-:METHODS", max_size=80))
def test_sentence_starts_ascend_within_the_text(text: str) -> None:
    starts = sentence_starts(text)
    assert starts == sorted(set(starts))
    assert all(0 <= start < len(text) for start in starts)


@pytest.mark.parametrize("unit", [". ", ".)", "\n \t", "! (", "METHODS AND ", "a.", "word. Word "])
def test_sentence_starts_is_linear_in_the_text(unit: str) -> None:
    began = time.process_time()
    sentence_starts(unit * (2_000_000 // len(unit)))
    assert time.process_time() - began < 20


def test_sentence_flags_marks_the_token_at_each_start() -> None:
    assert sentence_flags([0, 3, 5, 9], [0, 5]) == [True, False, True, False]


def test_sentence_flags_moves_a_start_within_a_token_to_the_next() -> None:
    assert sentence_flags([0, 3, 9], [0, 5]) == [True, False, True]


def test_sentence_flags_always_marks_the_first_token() -> None:
    assert sentence_flags([2, 4], []) == [True, False]
    assert sentence_flags([], [0]) == []


@pytest.mark.parametrize("corpus", ["bc5cdr", "ncbi_disease", "biored"])
def test_sentence_starts_cut_no_gold_mention(data_dir, corpus: str) -> None:
    cut = []
    for record in read_pubtator(data_dir / "corpora" / corpus / "dev.pubtator.txt"):
        starts = sentence_starts(record.text)
        cut += [m for m in record.mentions if any(m.start_char < s < m.end_char for s in starts)]
    assert cut == []


WRAPPED = (
    "Naloxone reverses it. In rats, e.g. these, MAIN RESULTS: none of E. Coli or hepatitis B. "
    "Interferon rose by 3.5 to p < 0. 05. AIMS AND METHODS: (mean +/- s.d.) Values. p53 fell."
)


@pytest.mark.parametrize(
    "gap", ["\n", "\r\n", "\n    ", "\t", "\u00a0", "\u2028", "\u200b ", " \x00 "]
)
def test_a_line_break_alone_makes_no_border_and_hides_none(gap):
    borders = [WRAPPED[start:] for start in sentence_starts(WRAPPED)]
    text = WRAPPED.replace(" ", gap)
    assert [text[start:].replace(gap, " ") for start in sentence_starts(text)] == borders
    assert len(borders) == 5


def test_a_blank_line_is_a_border_whatever_stands_around_it():
    assert sentence_starts("Naloxone\r\n \r\nIn rats\nit rose") == [0, 13]


def test_names_of_genes_are_no_months():
    text = "Expression of c-fos and c-jun. Dephosphorylation followed on 12-jan. Values rose."
    assert sentence_starts(text) == [0, text.index("Dephos")]
