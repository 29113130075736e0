"""Valid Records and damaged files, drawn by Hypothesis, and how readers take them."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
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


@st.composite
def mutated(draw, samples, pieces):
    """Valid samples with pieces cut out, put in, doubled or exchanged."""
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 6))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        end = min(end, start + draw(st.sampled_from([1, 8, 1000])))
        other = draw(st.sampled_from(samples))
        new = draw(
            st.one_of(
                st.just(b""),
                pieces,
                st.just(data[start:end] * 2),
                st.just(other[start:end]),
                st.just(data[start:end][::-1]),
            )
        )
        data = data[:start] + new + data[end:]
    return data


def read_all(read, path, problems=None):
    """Read a file or folder. RETURNS: None when it is refused, as it should be: with file and line.

    read (Callable): Takes the path, and `problems` where it is to be lenient.
    """
    lenient = {} if problems is None else {"problems": problems}
    try:
        return list(read(path, **lenient))
    except CorpusError as error:
        known = {str(path), *map(str, path.iterdir() if path.is_dir() else ())}
        place = (error.path in known, bool(error.line))
    assert place == (True, True)
    return None


def read_both_ways(read, path):
    """Read strictly and leniently, which may differ only in what is counted as left out.

    RETURNS: All records.
    """
    strict = read_all(read, path)
    problems = ReadErrors()
    lenient = read_all(read, path, problems)
    if strict is None:
        assert lenient is None or sum(problems.skipped.values())
    else:
        assert (lenient, sum(problems.skipped.values())) == (strict, 0)
    records = [*(strict or ()), *(lenient or ())]
    for record in records:
        record.text.encode("utf-8")
    return records


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
