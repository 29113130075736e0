"""Tokenizers side by side: how much of a corpus can spans of their tokens express?"""

from typing import Any, Dict, Iterable, List, Mapping, Sequence

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.alignment_counts import OUTCOMES
from spacy_bioner.corpora.conversion import AuditLog
from spacy_bioner.corpora.tokenizers import TokenizeRecord, build_tokenizer, list_tokenizers
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Record


def parse_outcomes(names: str) -> List[str]:
    """Read a list of outcomes, separated by commas.

    RAISES (CorpusError): For a name that is none.
    """
    outcomes = [name.strip() for name in names.split(",") if name.strip()]
    for name in outcomes:
        if name not in OUTCOMES:
            message = f"found the outcome {name!r} to list, expected some of {', '.join(OUTCOMES)}"
            raise CorpusError(message)
    return outcomes


def compare_tokenizers(records: Iterable[Record], names: Sequence[str] = ()) -> Dict[str, AuditLog]:
    """Align every record with each tokenizer, in one pass over the records.

    names (Sequence[str]): Of `corpora.tokenizers.TITLES`; empty takes those that are installed and
        work on any text.
    RETURNS (Dict[str, AuditLog]): The account of each tokenizer.
    RAISES (CorpusError): An unknown tokenizer.
    """
    tokenizers: Mapping[str, TokenizeRecord] = (
        {name: build_tokenizer(name) for name in names} if names else list_tokenizers()
    )
    logs = {name: AuditLog() for name in tokenizers}
    for record in records:
        for name, tokenize in tokenizers.items():
            alignment = align(record, lambda _, r=record, t=tokenize: t(r))  # type: ignore[misc]
            logs[name].add(record, alignment.mentions, alignment.doc)
    return logs


def ceilings_to_json(logs: Mapping[str, AuditLog]) -> Dict[str, Any]:
    """Return the account of each tokenizer as plain data."""
    return {name: log.count().to_json() for name, log in logs.items()}
