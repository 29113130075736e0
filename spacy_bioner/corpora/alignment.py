"""Record → Doc: one alignment policy, with an account of every gold mention.

The policy. White space at the ends of a mention is dropped; then the mention grows to the tokens
that it touches. All aligned mentions are in `doc.spans["gold"]`, with label and concept ids
(`kb_id_`, joined by "|"); `doc.ents` holds a flat selection of them, in which the longest mention
wins, then the earlier one, then the first in the file, and a discontinuous mention, represented by
the span that covers its fragments, only fills gaps. A mention that cannot be used (beyond the
text, or claiming another text than stands at its offsets) is on the Doc nowhere.

The offsets as the corpus gives them stay on the Doc: see `gold`. `doc.user_data["bioner_record"]`
keeps the rest of the record: see `formats.docbin`.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Sequence, Set, Tuple

import numpy
from spacy.attrs import IDX, LENGTH, SENT_START
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment_counts import AlignedMention, AlignmentCounts, Tally
from spacy_bioner.corpora.mention_checks import is_respelled, why_lost
from spacy_bioner.doc_ents import replace_ents
from spacy_bioner.errors import CorpusError
from spacy_bioner.gold import ID_KEY, RECORD_KEY, SPANS_KEY, write_gold
from spacy_bioner.records import Mention, Record
from spacy_bioner.sentences import sentence_flags
from spacy_bioner.spans import overlaps, select_flat

IN_ENTS = "covering span in doc.ents"
IN_SPANS = "covering span in doc.spans only"

MakeDoc = Callable[[str], Doc]


@dataclass(frozen=True)
class Alignment:
    """A Doc with the gold mentions of a Record, and the account of them.

    doc (Doc): Tokenized text with `ents`, `spans["gold"]` and the gold offsets in `user_data`.
    mentions (Tuple[AlignedMention, ...]): One for each mention of the record, in its order.
    """

    doc: Doc
    mentions: Tuple[AlignedMention, ...]

    @property
    def count(self) -> AlignmentCounts:
        """The account as numbers; its total is the number of mentions."""
        tally = Tally()
        tally.add(self.mentions)
        return tally.count()


def align(record: Record, make_doc: MakeDoc, *, check_text: bool = True) -> Alignment:
    """Tokenize a record and put its gold mentions on the Doc.

    make_doc (Callable[[str], Doc]): A tokenizer, or `nlp.make_doc`.
    check_text (bool): Make sure that the tokens add up to the text; not needed with tokenizers
        that are known to keep it.
    RAISES (CorpusError): When the tokens do not add up to the record's text.
    """
    doc = make_doc(record.text)
    starts, ends = _borders(doc)
    if check_text and doc.text != record.text:
        raise CorpusError(
            f"document {record.id}: the tokenizer changed the text "
            f"({len(doc.text)} characters found, {len(record.text)} expected)"
        )
    placed = _place_mentions(record, starts, ends)
    in_gold = [item for item in placed if item.outcome not in ("lost", "duplicate")]
    entities = _select_entities(in_gold)
    if in_gold:
        doc.spans[SPANS_KEY] = [_make_span(doc, item) for item in in_gold]
    else:
        doc.spans[SPANS_KEY] = []
    replace_ents(doc, [_make_span(doc, item) for item in entities])
    if record.sentence_starts and len(doc):
        set_sentence_starts(doc, sentence_flags(starts, record.sentence_starts))
    doc.user_data[ID_KEY] = record.id
    mentions = [item.mention for item in in_gold]
    write_gold(doc, mentions)
    rest = _remember(record, mentions)
    if record.words and _same_words(record, doc, starts, ends):
        rest["own_words"] = True
    if rest:
        doc.user_data[RECORD_KEY] = rest
    chosen = {id(item) for item in entities}
    return Alignment(doc, tuple(_settle(item, id(item) in chosen, entities) for item in placed))


def make_words_doc(record: Record, vocab: Vocab) -> Doc:
    """Make a Doc of the corpus' own tokens; more than one space between them becomes a token.

    RAISES (CorpusError): When the record has no tokens, or they leave out more than white space.
    """
    text, borders = record.text, list(record.words)
    if text.strip() and not borders:
        message = f"document {record.id}: the corpus has no tokens of its own; choose a tokenizer"
        raise CorpusError(message)
    words = [text[start:end] for start, end in borders]
    if " ".join(words) == text:
        return Doc(vocab, words=words, spaces=[True] * (len(words) - 1) + [False] * bool(words))
    words, spaces = _add_spaces(record, borders)
    return Doc(vocab, words=words, spaces=spaces)


def words_add_up(record: Record) -> bool:
    """Tell whether the corpus' own tokens are all of the text but white space, in its order."""
    position, text = 0, record.text
    for start, end in record.words:
        if start < position or end <= start or text[position:start].strip():
            return False
        position = end
    return position <= len(text) and not text[position:].strip()


def set_sentence_starts(doc: Doc, flags: Sequence[bool]) -> None:
    """Say of every token whether a sentence starts with it."""
    # The array is unsigned: -1, which means "no border here", wraps around in it.
    column = numpy.where(numpy.asarray(flags), 1, -1).astype("uint64")
    doc.from_array([SENT_START], column)  # type: ignore[arg-type]


def _add_spaces(record: Record, borders: List[Tuple[int, int]]) -> Tuple[List[str], List[bool]]:
    words: List[str] = []
    spaces: List[bool] = []
    position, length = 0, len(record.text)
    for start, end in (*borders, (length, length)):
        gap = record.text[position:start]
        if gap.strip():
            message = (
                f"document {record.id}: found text {gap.strip()[:20]!r} between the corpus' "
                "tokens, expected white space; choose a tokenizer"
            )
            raise CorpusError(message)
        if words and gap.startswith(" "):
            spaces[-1], gap = True, gap[1:]
        for piece in (gap, record.text[start:end]):
            if piece:
                words.append(piece)
                spaces.append(False)
        position = end
    return words, spaces


def _borders(doc: Doc) -> Tuple[List[int], List[int]]:
    """Return the offsets at which tokens start and end."""
    columns = doc.to_array([IDX, LENGTH]).reshape(len(doc), 2).astype("int64")
    return columns[:, 0].tolist(), columns.sum(axis=1).tolist()


def _place_mentions(record: Record, starts: List[int], ends: List[int]) -> List[AlignedMention]:
    seen: Set[Tuple[object, ...]] = set()
    placed: List[AlignedMention] = []
    for mention in record.mentions:
        reason = why_lost(mention, record.text)
        if reason:
            placed.append(AlignedMention(mention, "lost", reason=reason))
            continue
        item = _place_mention(mention, record.text, starts, ends)
        if mention.key in seen:
            item = AlignedMention(mention, "duplicate", item.start, item.end)
        seen.add(mention.key)
        placed.append(item)
    return placed


def _place_mention(
    mention: Mention, text: str, starts: List[int], ends: List[int]
) -> AlignedMention:
    surface = text[mention.start_char : mention.end_char]
    start_char = mention.end_char - len(surface.lstrip())
    end_char = mention.start_char + len(surface.rstrip())
    first = bisect_right(starts, start_char) - 1
    last = bisect_left(ends, end_char)
    on_borders = (starts[first], ends[last]) == (mention.start_char, mention.end_char)
    outcome = "exact"
    if mention.fragments:
        outcome = "discontinuous"
        on_borders = all(_on_borders(piece, starts, ends) for piece in mention.fragments)
    elif (starts[first], ends[last]) != (start_char, end_char):
        outcome = "widened"
    elif not on_borders:
        outcome = "narrowed"
    respelled = is_respelled(mention, text)
    return AlignedMention(mention, outcome, first, last + 1, "", on_borders, respelled)


def _on_borders(piece: Tuple[int, int], starts: List[int], ends: List[int]) -> bool:
    first, last = bisect_right(starts, piece[0]) - 1, bisect_left(ends, piece[1])
    return last < len(ends) and (starts[first], ends[last]) == piece


def _select_entities(items: List[AlignedMention]) -> List[AlignedMention]:
    whole = [item for item in items if item.outcome != "discontinuous"]
    chosen, _ = select_flat(whole, interval=_interval)
    if len(whole) == len(items):
        return chosen
    split = [item for item in items if item.outcome == "discontinuous"]
    taken = {token for item in chosen for token in range(item.start, item.end)}
    fitting = [item for item in split if taken.isdisjoint(range(item.start, item.end))]
    return chosen + select_flat(fitting, interval=_interval)[0]


def _interval(item: AlignedMention) -> Tuple[int, int]:
    return (item.start, item.end)


def _make_span(doc: Doc, item: AlignedMention) -> Span:
    concept = "|".join(item.mention.concept_ids)
    return Span(doc, item.start, item.end, label=item.mention.label, kb_id=concept)


def _settle(item: AlignedMention, chosen: bool, entities: List[AlignedMention]) -> AlignedMention:
    if item.outcome in ("lost", "duplicate") or (chosen and item.outcome != "discontinuous"):
        return item
    outcome, reason = "nested", ""
    if item.outcome == "discontinuous":
        outcome, reason = "discontinuous", IN_ENTS if chosen else IN_SPANS
    else:
        other = next(e for e in entities if overlaps(_interval(e), _interval(item)))
        place = f"{other.mention.start_char}-{other.mention.end_char}"
        reason = f"overlaps {other.mention.label} {place}"
    return AlignedMention(
        item.mention, outcome, item.start, item.end, reason, item.on_borders, item.respelled
    )


def _remember(record: Record, mentions: List[Mention]) -> Dict[str, Any]:
    """Collect what neither tokens nor gold rows hold; numbers are positions among the mentions."""
    rest: Dict[str, Any] = {
        "sections": [list(section) for section in record.sections],
        "meta": dict(record.meta),
        "sentence_starts": list(record.sentence_starts),
        "fragments": [
            [i, [list(piece) for piece in m.fragments]]
            for i, m in enumerate(mentions)
            if m.fragments
        ],
        "attributes": [
            [i, [list(pair) for pair in m.attributes]]
            for i, m in enumerate(mentions)
            if m.attributes
        ],
        "texts": [
            [i, m.text]
            for i, m in enumerate(mentions)
            if m.text and m.text != record.text[m.start_char : m.end_char]
        ],
    }
    return {key: value for key, value in rest.items() if value}


def _same_words(record: Record, doc: Doc, starts: List[int], ends: List[int]) -> bool:
    borders = list(zip(starts, ends, strict=True))
    if len(borders) != len(record.words):
        flags = (token.text.isspace() for token in doc)
        borders = [border for border, space in zip(borders, flags, strict=True) if not space]
    return borders == list(record.words)
