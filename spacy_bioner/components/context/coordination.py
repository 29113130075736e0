"""`bioner_coordination`: the mentions that an entity names together, some of them in fragments."""

from typing import Any, Dict, Iterator, Optional, Tuple

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.gold import read_spans
from spacy_bioner.knowledge.coordination import CoordinatedMention, find_coordinated
from spacy_bioner.ledger import COORDINATION_KEY, list_coordination, register_extensions
from spacy_bioner.records import Mention

DEFAULT_CONFIG: Dict[str, Any] = {"spans_key": None}


@Language.factory(
    "bioner_coordination",
    default_config=DEFAULT_CONFIG,
    requires=["doc.ents"],
    assigns=["doc.spans", "doc._.bioner_coordination"],
)
def make_coordination(nlp: Language, name: str, spans_key: Optional[str]) -> "CoordinationResolver":
    """Make the component; it has no state besides its settings."""
    return CoordinationResolver(name, spans_key=spans_key)


class CoordinationResolver(Pipe):
    """Takes entities apart that name several things: "renal and hepatic dysfunction".

    Each mention is a span in `doc.spans[name]`, from its first to its last word, with the label of
    the entity; `span._.fragments` has its stretches of text. `doc._.bioner_coordination` lists them
    as plain data, with what stands there, the entity and the rule. `doc.ents` stays as it is.

    name (str): Name of the component and of its span group.
    spans_key (Optional[str]): Look at this span group; None looks at `doc.ents`.
    """

    def __init__(
        self, name: str = "bioner_coordination", *, spans_key: Optional[str] = None
    ) -> None:
        register_extensions()
        self.name = name
        self.spans_key = spans_key

    def __call__(self, doc: Doc) -> Doc:
        """Find the mentions of a Doc, in place of those that were found before."""
        found: Dict[Tuple[Any, ...], Dict[str, Any]] = {}
        spans = []
        text = doc.text
        for entity, mention, span in self._find(doc, text):
            row = _make_row(text, entity, mention)
            key = (span.label_, *mention.fragments)
            if key not in found:
                found[key] = row
                spans.append(span)
        doc.user_data[COORDINATION_KEY] = list(found.values())
        doc.spans[self.name] = spans
        return doc

    def _find(self, doc: Doc, text: str) -> Iterator[Tuple[Span, CoordinatedMention, Span]]:
        """Yield the mentions whose ends are ends of tokens, with their entities."""
        for entity in list(read_spans(doc, self.spans_key)):
            for mention in find_coordinated(text, entity.start_char, entity.end_char):
                start, end = mention.fragments[0][0], mention.fragments[-1][1]
                span = doc.char_span(start, end, label=entity.label)
                if span is not None:
                    yield entity, mention, span


def read_coordination(doc: Doc) -> Tuple[Mention, ...]:
    """Return the mentions that were found in a Doc.

    `doc._.bioner_coordination` has them as a list of dicts, with rule and entity.
    """
    mentions = []
    for row in list_coordination(doc):
        parts = tuple((start, end) for start, end in row["fragments"])
        place = (row["start_char"], row["end_char"], row["label"], row["text"])
        mentions.append(Mention(*place, fragments=parts if len(parts) > 1 else ()))
    return tuple(mentions)


def _make_row(text: str, entity: Span, mention: CoordinatedMention) -> Dict[str, Any]:
    return {
        "start_char": mention.fragments[0][0],
        "end_char": mention.fragments[-1][1],
        "label": entity.label_,
        "text": " ".join(text[start:end] for start, end in mention.fragments),
        "fragments": [list(fragment) for fragment in mention.fragments],
        "entity_start": entity.start_char,
        "entity_end": entity.end_char,
        "rule": mention.rule,
    }
