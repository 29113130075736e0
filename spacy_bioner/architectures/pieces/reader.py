"""What the shims of encoders share: a tokenizer, the config's settings, a count of what was cut."""

import logging
from typing import Any, Dict

from spacy_bioner.architectures.pieces.alignment import STRETCH
from spacy_bioner.architectures.pieces.control_pieces import read_as_text
from spacy_bioner.architectures.pieces.windows import WindowLayout

logger = logging.getLogger(__name__)


class PieceReader:
    """Part of a shim: what `lay_out` asks of it, besides its `spec`.

    tokenizer (Tokenizer): Knows the control pieces; None before there are weights.
    reader (Tokenizer): Cuts texts.
    n_unseen (int): Tokens that `truncate` has left out, over all passes.
    """

    tokenizer: Any = None
    reader: Any = None
    n_unseen = 0

    def __getstate__(self) -> Dict[str, Any]:
        # A tokenizer loses on its way that control pieces are to be read as text.
        return {**self.__dict__, "reader": None}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.tokenizer is not None:
            self.reader = read_as_text(self.tokenizer)

    @property
    def stretch(self) -> float:
        """How many times as long as the shortest the longest window of a batch may be."""
        return STRETCH

    def follow(self, attrs: Dict[str, Any]) -> None:
        """Remember the config's settings: loading overwrites a thinc model's attributes by what
        was saved, so `spacy.load(…, config=…)` would change nothing."""
        self._attrs, self._settings = attrs, dict(attrs)

    def keep_settings(self) -> None:
        """Let the settings of the config win over saved ones, after loading."""
        self._attrs.update(self._settings)

    def set_tokenizer(self, written: str) -> None:
        """Take over a tokenizer, as JSON."""
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_str(written)
        self.reader = read_as_text(self.tokenizer)

    def count_unseen(self, layout: WindowLayout) -> None:
        """Add up the tokens that were cut off; says so at the first and at each power of ten."""
        found = sum(int(rows.unseen.sum()) for rows in layout.rows)
        before, self.n_unseen = self.n_unseen, self.n_unseen + found
        if gains_a_digit(before, self.n_unseen):
            logger.warning(
                "encoder setting truncate: %d tokens so far, over all passes, lie behind the first "
                "%d pieces of their unit (window = %d) and are not seen; %d of %d in this batch",
                self.n_unseen,
                layout.capacity,
                self._attrs["window"],
                found,
                sum(rows.n_tokens for rows in layout.rows),
            )


def gains_a_digit(before: int, now: int) -> bool:
    """Say whether a count has come to 1 or passed a power of ten: then it is worth a line."""
    return len(str(now or "")) > len(str(before or ""))
