import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.mention_checks import claim_fits, join_pieces, settle_claim
from spacy_bioner.records import Mention

TEXT = "Acute renal (and hepatic) failure, TNF-α + IL-1"


def mention_of(pieces, claim):
    fragments = join_pieces(pieces)
    whole = (fragments[0][0], fragments[-1][1])
    return Mention(*whole, "X", claim, fragments=fragments if len(fragments) > 1 else ())


@st.composite
def pieces(draw):
    """Stretches of the text that hold a letter, in any order; some overlap or touch."""
    found = draw(
        st.lists(
            st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT))).map(sorted).map(tuple),
            min_size=1,
            max_size=6,
        )
    )
    return [pair for pair in found if any(map(str.isalnum, TEXT[slice(*pair)]))] or [(0, 5)]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(pieces=pieces(), joint=st.sampled_from(["", " ", " ... "]))
def test_what_the_pieces_say_fits_in_their_order(pieces, joint):
    claim = joint.join(TEXT[start:end] for start, end in pieces)
    mention = settle_claim(mention_of(pieces, claim), pieces, TEXT)
    assert claim_fits(mention, TEXT)


@pytest.mark.parametrize(
    ("pieces", "claim", "fits"),
    [
        ([(26, 33), (0, 5)], "failure Acute", True),
        ([(26, 33), (0, 5)], "Acute failure", True),
        ([(26, 33), (0, 5)], "failure, acute", True),
        ([(26, 33), (0, 5)], "fail Acute ure", False),
        ([(26, 33), (0, 5)], "failure failure", False),
        ([(26, 33), (0, 5)], "failure", False),
        ([(0, 5), (6, 11), (26, 33)], "renal Acute failure", True),
        ([(0, 5), (6, 11), (26, 33)], "renal Acute failures", False),
        ([(35, 40), (41, 42)], "+ TNF-α", True),
    ],
)
def test_claims_of_fragments_fit_in_any_order(pieces, claim, fits):
    assert claim_fits(mention_of(pieces, claim), TEXT) == fits


def test_many_pieces_are_compared_in_two_orders_only():
    text = "a" * 200
    pieces = [(2 * i, 2 * i + 1) for i in range(60)]
    assert claim_fits(mention_of(pieces, "a" * 60), text)
    assert not claim_fits(mention_of(pieces, "a" * 59 + "b"), text)
    words = [chr(ord("a") + i) for i in range(12)]
    many = [(2 * i, 2 * i + 1) for i in range(12)]
    assert not claim_fits(mention_of(many, " ".join(reversed(words))), " ".join(words))
    assert claim_fits(
        settle_claim(mention_of(many, " ".join(reversed(words))), many[::-1], " ".join(words)),
        " ".join(words),
    )


def test_pieces_that_touch_or_overlap_are_one():
    assert join_pieces([(5, 9), (0, 5), (20, 30), (22, 25)]) == ((0, 9), (20, 30))
