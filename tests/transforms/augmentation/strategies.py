"""Random records with mentions of all sorts, and what has to hold for every variant of one."""

from hypothesis import settings
from hypothesis import strategies as st

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.editing import find_context, find_groups

QUICK = settings(max_examples=150, derandomize=True, deadline=None)
TEXT = (
    "acute renal failure Patients with IL-2 IL2 TNFalpha α-synuclein beta-blocker ALL lead to "
    "aspirin. The MDS was in 5 mg (Na+) β Ω-3 TGF-b rn cl Dß İ treated ACUTE DISEASE"
)
WORDS = [*TEXT.split(), "", "x\ny"]
NAMES = {"C1": ("kidney failure", "Renal Insufficiency", "ARF"), "C2": ("acetylsalicylic acid",)}


@st.composite
def records(draw):
    """Mentions may overlap, touch, start within words, be discontinuous, or not fit the text."""
    text = " ".join(draw(st.lists(st.sampled_from(WORDS), max_size=16)))
    offsets = st.integers(0, len(text) + draw(st.sampled_from([0, 0, 0, 3])))
    mentions = []
    for _ in range(draw(st.integers(0, 5)) if text else 0):
        start, end = sorted((draw(offsets), draw(offsets)))
        fragments = ()
        if end - start > 4 and draw(st.integers(0, 3)) == 0:
            fragments = ((start, start + 2), (end - 2, end))
        claimed = draw(st.sampled_from(["", text[start:end], text[start:end], "other"]))
        ids = draw(st.sampled_from([(), ("C1",), ("C2",), ("C1", "C2")]))
        label = draw(st.sampled_from(["A", "B"]))
        mentions.append(Mention(start, end, label, claimed, ids, fragments))
    for word in draw(st.lists(st.sampled_from(["renal failure", "IL-2", "aspirin"]), max_size=3)):
        start = text.find(word)
        if start >= 0:
            mentions.append(Mention(start, start + len(word), "A", word, ("C1",)))
    starts = tuple(sorted(draw(st.sets(st.integers(0, max(0, len(text) - 1)), max_size=2))))
    return Record("r", text, tuple(mentions), sentence_starts=starts if text else ())


def surfaces(record):
    """The text of each mention, part by part; empty for what is not in the text."""
    pieces = [m.fragments or ((m.start_char, m.end_char),) for m in record.mentions]
    return [tuple(record.text[start:end] for start, end in parts) for parts in pieces]


def contexts(record):
    return [record.text[start:end] for start, end in find_context(record)]


def assert_labels_kept(record, variant):
    """Mentions are as many, as labeled, and not gone; those that may not be edited are as were."""
    assert [m.label for m in variant.mentions] == [m.label for m in record.mentions]
    before, after = surfaces(record), surfaces(variant)
    assert [list(map(bool, map(str.strip, parts))) for parts in before] == [
        list(map(bool, map(str.strip, parts))) for parts in after
    ]
    free = {group.members[0] for group in find_groups(record) if group.is_free}
    for index, mention in enumerate(record.mentions):
        if index not in free and mention.end_char <= len(record.text):
            assert after[index] == before[index]
            assert variant.mentions[index].concept_ids == mention.concept_ids
        elif index in free and mention.text:
            assert variant.mentions[index].text == after[index][0]
