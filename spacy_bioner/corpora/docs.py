"""Record → Doc: one alignment policy, with an account of every gold mention.

The policy. White space at the ends of a mention is dropped; then the mention grows to the tokens
that it touches. All aligned mentions are in `doc.spans["gold"]`, with label and concept ids
(`kb_id_`, joined by "|"); `doc.ents` holds a flat selection of them, in which the longest mention
wins, then the earlier one, then the first in the file, and a discontinuous mention only fills gaps.
The offsets as the corpus gives them stay in `doc.user_data["bioner_gold"]`, as rows of start_char,
end_char, label and list of concept ids (the lists come back from a DocBin as tuples).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, Iterator, List, Set, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.conservation import ConservationCount, MentionIssue
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from spacy_bioner.sentences import sentence_flags
from spacy_bioner.spans import select_flat

GOLD_KEY = "bioner_gold"
ID_KEY = "bioner_id"
SPANS_KEY = "gold"

MakeDoc = Callable[[str], Doc]


@dataclass(frozen=True)
class AlignedMention:
    """What became of one gold mention.

    mention (Mention): As the corpus gives it.
    outcome (str): One of `conservation.OUTCOMES`.
    start (int): First token; 0 when the mention is lost.
    end (int): Behind the last token; 0 when the mention is lost.
    reason (str): Why the mention is lost; empty otherwise.
    """

    mention: Mention
    outcome: str
    start: int = 0
    end: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Alignment:
    """A Doc with the gold mentions of a Record, and the account of them.

    doc (Doc): Tokenised text with `ents`, `spans["gold"]` and the gold offsets in `user_data`.
    mentions (Tuple[AlignedMention, ...]): One for each mention of the record, in its order.
    count (ConservationCount): The same as numbers; its total is the number of mentions.
    issues (Tuple[MentionIssue, ...]): Lost mentions, and those whose text is not what stands there.
    """

    doc: Doc
    mentions: Tuple[AlignedMention, ...]
    count: ConservationCount
    issues: Tuple[MentionIssue, ...]


def align(record: Record, make_doc: MakeDoc) -> Alignment:
    """Tokenise a record and put its gold mentions on the Doc.

    make_doc (Callable[[str], Doc]): A tokenizer, or `nlp.make_doc`.
    RAISES (CorpusError): When the tokens do not add up to the record's text.
    """
    doc = make_doc(record.text)
    if doc.text != record.text:
        raise CorpusError(
            f"document {record.id}: the tokenizer changed the text "
            f"({len(doc.text)} characters found, {len(record.text)} expected)"
        )
    aligned = _place_mentions(record, doc)
    in_gold = [item for item in aligned if item.outcome not in ("lost", "duplicate")]
    entities = _select_entities(in_gold)
    chosen = {id(item) for item in entities}
    doc.spans[SPANS_KEY] = [_make_span(doc, item) for item in in_gold]
    doc.set_ents([_make_span(doc, item) for item in entities], default="outside")
    _set_sentence_starts(doc, record.sentence_starts)
    doc.user_data[ID_KEY] = record.id
    doc.user_data[GOLD_KEY] = [
        [m.start_char, m.end_char, m.label, list(m.concept_ids)]
        for m in (item.mention for item in in_gold)
    ]
    final = tuple(_settle(item, id(item) in chosen) for item in aligned)
    outcomes = [(item.mention.label, item.outcome, item.reason) for item in final]
    issues = tuple(_find_issues(record, final))
    mismatches = [issue.label for issue in issues if issue.kind == "text mismatch"]
    count = ConservationCount.of(outcomes, mismatches)
    return Alignment(doc, final, count, issues)


def make_words_doc(record: Record, vocab: Vocab) -> Doc:
    """Make a Doc of the corpus' own tokens.

    RAISES (CorpusError): When the record has none, or leaves out more than single spaces between.
    """
    text, borders = record.text, list(record.words)
    if text and not borders:
        message = f"document {record.id}: the corpus has no tokens of its own; choose a tokenizer"
        raise CorpusError(message)
    nexts = [start for start, _ in borders[1:]] + [len(text)]
    gaps = [text[end:start] for (_, end), start in zip(borders, nexts, strict=True)]
    if set(gaps) - {"", " "} or (borders and borders[0][0] > 0):
        message = f"document {record.id}: found text between the corpus' tokens, expected one space"
        raise CorpusError(message)
    words = [text[start:end] for start, end in borders]
    return Doc(vocab, words=words, spaces=[gap == " " for gap in gaps])


def gold_mentions(doc: Doc) -> Tuple[Mention, ...]:
    """Give the gold mentions with the corpus' own character offsets, without duplicates and lost.

    Reads plain data, so it works on Docs that came through bytes or a DocBin.
    RETURNS (Tuple[Mention, ...]): Empty when the Doc was not made by `align`.
    """
    return tuple(
        Mention(start_char=start, end_char=end, label=label, concept_ids=tuple(ids))
        for start, end, label, ids in doc.user_data.get(GOLD_KEY, ())
    )


def _place_mentions(record: Record, doc: Doc) -> List[AlignedMention]:
    starts = [token.idx for token in doc]
    ends = [token.idx + len(token) for token in doc]
    seen: Set[Tuple[object, ...]] = set()
    placed: List[AlignedMention] = []
    for mention in record.mentions:
        reason = _why_lost(mention, record.text)
        key = (mention.start_char, mention.end_char, mention.label, mention.fragments)
        if reason:
            placed.append(AlignedMention(mention, "lost", reason=reason))
            continue
        item = _place_mention(mention, record.text, starts, ends)
        if key in seen:
            item = AlignedMention(mention, "duplicate", item.start, item.end)
        seen.add(key)
        placed.append(item)
    return placed


def _why_lost(mention: Mention, text: str) -> str:
    if not mention.label:
        return "label missing"
    if mention.start_char < 0 or mention.end_char > len(text):
        return "beyond the text"
    if not text[mention.start_char : mention.end_char].strip():
        return "empty"
    return ""


def _place_mention(
    mention: Mention, text: str, starts: List[int], ends: List[int]
) -> AlignedMention:
    surface = text[mention.start_char : mention.end_char]
    start_char = mention.end_char - len(surface.lstrip())
    end_char = mention.start_char + len(surface.rstrip())
    first = bisect_right(starts, start_char) - 1
    last = bisect_left(ends, end_char)
    outcome = "exact"
    if mention.fragments:
        outcome = "discontinuous"
    elif (starts[first], ends[last]) != (start_char, end_char):
        outcome = "widened"
    elif (start_char, end_char) != (mention.start_char, mention.end_char):
        outcome = "narrowed"
    return AlignedMention(mention, outcome, first, last + 1)


def _select_entities(items: List[AlignedMention]) -> List[AlignedMention]:
    whole = [item for item in items if item.outcome != "discontinuous"]
    split = [item for item in items if item.outcome == "discontinuous"]
    chosen, _ = select_flat(whole, interval=_interval)
    taken = {token for item in chosen for token in range(item.start, item.end)}
    fitting = [item for item in split if taken.isdisjoint(range(item.start, item.end))]
    return chosen + select_flat(fitting, interval=_interval)[0]


def _interval(item: AlignedMention) -> Tuple[int, int]:
    return (item.start, item.end)


def _make_span(doc: Doc, item: AlignedMention) -> Span:
    concept = "|".join(item.mention.concept_ids)
    return Span(doc, item.start, item.end, label=item.mention.label, kb_id=concept)


def _settle(item: AlignedMention, chosen: bool) -> AlignedMention:
    if chosen or item.outcome in ("lost", "duplicate", "discontinuous"):
        return item
    return AlignedMention(item.mention, "nested", item.start, item.end)


def _set_sentence_starts(doc: Doc, offsets: Tuple[int, ...]) -> None:
    if not offsets:
        return
    flags = sentence_flags([token.idx for token in doc], offsets)
    for token, flag in zip(doc, flags, strict=True):
        token.is_sent_start = flag


def _find_issues(record: Record, items: Iterable[AlignedMention]) -> Iterator[MentionIssue]:
    for item in items:
        mention = item.mention
        found = record.text[max(0, mention.start_char) : max(0, mention.end_char)]
        kinds: Dict[str, str] = {}
        if item.outcome == "lost":
            kinds["lost"] = item.reason
        # A discontinuous mention's text joins its fragments, which its cover cannot equal.
        if mention.text and mention.text != found and not mention.fragments:
            kinds["text mismatch"] = "text differs from what stands at the offsets"
        for kind, reason in kinds.items():
            yield MentionIssue(
                record_id=record.id,
                line=mention.line,
                start_char=mention.start_char,
                end_char=mention.end_char,
                label=mention.label,
                kind=kind,
                reason=reason,
                expected=mention.text,
                found=found,
            )
