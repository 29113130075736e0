"""Text that spells a control piece is text: "[MASK]" in a de-identified note, "<s>" in a page.

Tokenizers cut such words out before anything else and give them the id of the control piece, so
that a text could end its own sentence for the encoder or ask it to fill a gap. Only what this
package puts around pieces itself is one.
"""

import json
from typing import TYPE_CHECKING, Any, Dict, Set

import numpy as np

from spacy_bioner.architectures.pieces.alignment import Pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>")
MASKS = ("[MASK]", "<mask>")
# What stands for a word that says nothing, the best first.
UNKNOWN = ("[UNK]", "<unk>")
STAND_INS = (*MASKS, *UNKNOWN)
# No character: it stands in no text.
_HIDDEN = "\ufdd0"


def read_as_text(tokenizer: "Tokenizer") -> "Tokenizer":
    """Copy a tokenizer so that control pieces which stand in a text are read as any other text.

    Where they are in reach of the tokenizer's model as well (SentencePiece vocabularies list them
    as words), the copy does not know them any more.
    """
    from tokenizers import Tokenizer

    written = tokenizer.to_str()
    controls = list_controls(tokenizer)
    reader = Tokenizer.from_str(written)
    reader.encode_special_tokens = True
    if any(_is_read(reader, piece, number) for piece, number in controls.items()):
        reader = Tokenizer.from_str(json.dumps(_hide(json.loads(written), set(controls))))
        reader.encode_special_tokens = True
    return reader


def list_controls(tokenizer: "Tokenizer") -> Dict[str, int]:
    """List the pieces that are no text, and their ids: those called special, and the usual ones."""
    added = tokenizer.get_added_tokens_decoder()
    controls = {token.content: number for number, token in added.items() if token.special}
    usual = {name: tokenizer.token_to_id(name) for name in NAMES}
    return {**controls, **{name: number for name, number in usual.items() if number is not None}}


def find_stand_in(tokenizer: "Tokenizer") -> str:
    """Return the piece that stands for any word in a vocabulary; "" where none does."""
    return next((name for name in STAND_INS if tokenizer.token_to_id(name) is not None), "")


def find_unknown(tokenizer: "Tokenizer") -> int:
    """Return the id of what stands for text that no piece is made of; -1 where there is none."""
    numbers = (tokenizer.token_to_id(name) for name in UNKNOWN)
    return next((number for number in numbers if number is not None), -1)


def put_mask(pieces: Pieces, starts: np.ndarray, ends: np.ndarray, mask_id: int) -> Pieces:
    """Replace what stands for some words by one mask each.

    pieces (Pieces): Those of a text.
    starts (np.ndarray): Where the words start in it, ascending.
    ends (np.ndarray): Where they end.
    """
    ids, first = pieces.ids.copy(), pieces.starts.copy()
    last = pieces.ends.copy()
    kept = np.ones(len(ids), dtype=bool)
    for start, end in zip(starts.tolist(), ends.tolist()):
        inside = np.flatnonzero((pieces.starts < end) & (pieces.ends > start))
        if len(inside):
            kept[inside[1:]] = False
            ids[inside[0]], first[inside[0]], last[inside[0]] = mask_id, start, end
    return Pieces(ids[kept], first[kept], last[kept])


def _is_read(tokenizer: "Tokenizer", piece: str, number: int) -> bool:
    """Tell whether a text that spells a control piece still becomes it."""
    for text in (piece, f"a{piece}b", f"a {piece} b"):
        encoding = tokenizer.encode(text, add_special_tokens=False)
        for found, (start, end) in zip(encoding.ids, encoding.offsets):
            # The unknown piece may stand for a part.
            if found == number and text[start:end].strip() == piece:
                return True
    return False


def _hide(state: Dict[str, Any], controls: Set[str]) -> Dict[str, Any]:
    """Take control pieces out of a tokenizer's reach; the ids of all others stay."""
    state["added_tokens"] = [
        token for token in state["added_tokens"] if token["content"] not in controls
    ]
    model = state["model"]
    if model["type"] == "BPE" and not model.get("ignore_merges"):
        # Its merges do not build them.
        return state
    if isinstance(model["vocab"], dict):
        model["vocab"] = {_rename(name, controls): n for name, n in model["vocab"].items()}
        model["unk_token"] = _rename(model.get("unk_token"), controls)
    else:
        model["vocab"] = [[_rename(name, controls), score] for name, score in model["vocab"]]
    return state


def _rename(name: Any, controls: Set[str]) -> Any:
    return _HIDDEN + name if name in controls else name
