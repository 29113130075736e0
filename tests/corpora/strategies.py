"""Hypothesis strategies: valid Records, and damaged copies of valid files."""

from hypothesis import strategies as st

from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6)


@st.composite
def mentions(draw, text):
    """A mention with characters of its own in it."""
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, len(text)))
    fragments = ()
    if end - start > 2 and draw(st.booleans()):
        middle = draw(st.integers(start + 1, end - 2))
        fragments = ((start, middle), (middle + 1, end))
    return Mention(
        start,
        end,
        draw(NAMES),
        text[start:end],
        tuple(draw(st.lists(NAMES, max_size=2))),
        fragments,
        attributes=tuple(draw(st.lists(st.tuples(NAMES, NAMES), max_size=2))),
    )


@st.composite
def records(draw):
    """A record with everything that a corpus can say."""
    text = draw(TEXTS)
    found = draw(st.lists(mentions(text), max_size=4)) if text else []
    cut = draw(st.integers(0, len(text)))
    return Record(
        draw(NAMES),
        text,
        tuple(found),
        sections=((draw(NAMES), 0, cut), (draw(NAMES), cut, len(text))),
        sentence_starts=tuple(sorted(draw(st.sets(st.integers(0, len(text)), max_size=3)))),
        meta=draw(st.dictionaries(NAMES, NAMES)),
    )


_EDITS = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(("cut", "set", "double", "end")),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


def damaged(*samples):
    """Bytes of valid files with pieces cut, changed, doubled, or the end missing."""
    return st.builds(_damage, st.sampled_from(samples), _EDITS)


def reads_well(items, path):
    """Read to the end. RETURNS: False after a CorpusError that does not name file and line."""
    try:
        for item in items:
            if isinstance(item, Record):
                item.text.encode("utf-8")
    except CorpusError as error:
        place = (error.path, error.line is not None)
    else:
        return True
    return place == (str(path), True)


def _damage(data, edits):
    for place, kind, byte in edits:
        at = place % (len(data) + 1)
        if kind == "cut":
            data = data[:at] + data[at + 1 + byte % 7 :]
        elif kind == "set":
            data = data[:at] + bytes([byte]) + data[at + 1 :]
        elif kind == "double":
            data = data[:at] + data[at : at + 1 + byte % 7] + data[at:]
        else:
            data = data[:at]
    return data
