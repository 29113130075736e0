"""`spacy_bioner.OnnxEncoder.v1`: a trained encoder as `bioner export` wrote it, run by onnxruntime.

It needs neither torch nor transformers, and cannot be trained. A document's states do not depend,
to the last bit, on which others go through the model with it, on padding or on threads: activations
are quantized at scales that were fixed when the graph was made.
"""

import hashlib
import os
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, cast

import numpy as np
import srsly
from spacy.tokens import Doc
from thinc.api import Model
from thinc.shims import Shim
from thinc.types import Floats2d

from spacy_bioner.architectures.exported.sessions import GraphRunner, making
from spacy_bioner.architectures.pieces.batches import WindowBatch, make_batches
from spacy_bioner.architectures.pieces.reader import PieceReader
from spacy_bioner.architectures.pieces.windows import check_layout, lay_out
from spacy_bioner.errors import EncoderError
from spacy_bioner.extras import require

Spec = Dict[str, Any]
# Of what a shim is saved as; a later form is refused.
VERSION = 2
# Graphs of form 1 have masks of padding.
READABLE_VERSIONS = (1, VERSION)
EMBEDDINGS, MASK, STATES = "embeddings", "mask", "states"


def build_onnx_encoder(
    unit: str = "sentence",
    pooling: str = "mean",
    window: int = 512,
    overlap: int = 128,
    batch_pieces: int = 512,
    truncate: bool = False,
    dataset: str = "",
    threads: int = 0,
    name: str = "",
) -> Model[List[Doc], List[Floats2d]]:
    """Build an encoder with one row of `nO` float32 values per token.

    unit, pooling, window, overlap, truncate, dataset: As the settings of
        `spacy_bioner.TransformerEncoder.v1` that it was exported from.
    batch_pieces (int): The most pieces that go through the graph at once. What lies between its
        products fits into the cache of a core then; a GPU's batches, or those of torch, are larger.
    threads (int): How many batches are computed at a time, or share the products of a single one;
        0 takes OMP_NUM_THREADS, or else one for each core that the process may use, and a single
        one in the processes of `nlp.pipe(n_process=…)`.
    name (str): The checkpoint that it was trained from, for cards; nothing is read from it.
    RAISES (EncoderError): For settings that name no known choice; on loading for a damaged
        encoder; with the first text for a graph that the installed onnxruntime cannot run.
    RAISES (MissingExtraError): On loading without onnxruntime or tokenizers.
    """
    check_layout(unit, pooling, window, overlap, truncate=truncate)
    if threads < 0:
        raise EncoderError(f"encoder setting threads = {threads}: expected 0 or more")
    settings = {
        "unit": unit,
        "pooling": pooling,
        "window": window,
        "overlap": overlap,
        "batch_pieces": batch_pieces,
        "truncate": truncate,
        "dataset": dataset,
        "threads": threads,
        "name": name,
    }
    shim = OnnxShim()
    model: Model = Model(
        "onnx_encoder", forward, init=init, dims={"nO": None}, attrs=settings, shims=[shim]
    )
    shim.follow(model.attrs)
    model.attrs["every_piece"] = False
    return model


class OnnxShim(PieceReader, Shim):
    """Graph, embeddings and tokenizer of an exported encoder, and what runs them.

    spec (Spec): Plain data: "tokenizer" (JSON), "before" and "after" (special ids), "max_length",
        "pad_id", "width", "precision", "config" (the checkpoint's, for `bioner restore`; earlier
        exports lack it), "datasets" (names, where there are several corpora).
    graph (bytes): ONNX, from embeddings, float32 (windows, length, width), and mask, int64
        (windows, length), to states; few graphs of form 2 read the mask.
    arrays (Dict[str, np.ndarray]): "table", the embeddings of pieces, float32 or int8, shape
        (pieces, width); with int8 "scales", float32, shape (pieces, 1); where there are several
        corpora "datasets", float32, shape (corpora + 1, width), the last for none in particular.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.spec: Spec = {}
        self.graph = b""
        self.arrays: Dict[str, np.ndarray] = {}
        self._runner: Optional[GraphRunner] = None

    @property
    def stretch(self) -> float:
        """How many times as long as the shortest the longest window of a batch may be: windows of
        one length need neither padding nor, in graphs of form 2, masks."""
        return 1.0

    @property
    def is_ready(self) -> bool:
        """Whether there is a graph."""
        return bool(self.graph)

    def set_graph(self, spec: Spec, graph: bytes, arrays: Dict[str, np.ndarray]) -> None:
        """Take over what `bioner export` made."""
        self.spec, self.graph, self.arrays = spec, graph, arrays
        self._runner = None
        self.set_tokenizer(spec["tokenizer"])

    def run_each(
        self, batches: Sequence[WindowBatch], take: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Run batches, several at a time.

        take (Callable[[np.ndarray], np.ndarray]): What is made of the states of pieces that are
            wanted, float32, shape (pieces, width), before the next batch runs.
        YIELDS (np.ndarray): That, in the order of the batches.
        """

        def run(session: Any, batch: WindowBatch) -> np.ndarray:
            states = session.run([STATES], {EMBEDDINGS: self.embed(batch), MASK: batch.mask})[0]
            return take(states.reshape(-1, states.shape[-1])[batch.source])

        return self.runner.run_each(run, batches)

    @property
    def runner(self) -> GraphRunner:
        """The graph, ready to run in this process with the config's threads."""
        with making():
            found = self._runner
            if found is None or found.process != os.getpid():
                found = self._runner = GraphRunner(self.graph, self._attrs["threads"])
            return found

    def embed(self, batch: WindowBatch) -> np.ndarray:
        """Look up the embeddings of a batch; float32, shape (windows, length, width)."""
        rows = self.arrays["table"][batch.ids]
        if "scales" in self.arrays:
            rows = rows * self.arrays["scales"][batch.ids]
        if batch.datasets is not None:
            rows = rows + self.arrays["datasets"][batch.datasets][:, None]
        return rows

    def to_bytes(self) -> bytes:
        """Serialize; before anything was loaded, what is empty."""
        arrays = {
            name: {"dtype": str(array.dtype), "shape": list(array.shape), "data": array.tobytes()}
            for name, array in self.arrays.items()
        }
        content = {"spec": self.spec, "arrays": arrays, "graph": self.graph}
        packed = srsly.msgpack_dumps(content)
        digest = hashlib.sha256(packed).hexdigest()
        return srsly.msgpack_dumps({"version": VERSION, "sha256": digest, "content": packed})

    def from_bytes(self, data: bytes) -> "OnnxShim":
        """Load; the settings of the config win over saved ones.

        RAISES (EncoderError): For a form of a later version, and for damaged content.
        """
        message = srsly.msgpack_loads(data)
        found = message.get("version") if isinstance(message, dict) else None
        if found not in READABLE_VERSIONS:
            raise EncoderError(
                f"exported encoder: found form {found}, expected {VERSION}; it was written by "
                "another version of spacy-bioner: install that one, or export the pipeline again"
            )
        packed = message.get("content", b"")
        if hashlib.sha256(packed).hexdigest() != message.get("sha256"):
            raise EncoderError(
                "exported encoder: it is damaged (its checksum differs); copy or install the "
                "pipeline again"
            )
        content = srsly.msgpack_loads(packed)
        if content["graph"]:
            require("onnxruntime", "tokenizers", extra="runtime", who="an exported pipeline")
            arrays = {
                name: np.frombuffer(own["data"], dtype=own["dtype"]).reshape(own["shape"])
                for name, own in content["arrays"].items()
            }
            self.set_graph(content["spec"], content["graph"], arrays)
        self.keep_settings()
        return self

    def to_device(self, device_type: str, device_id: int) -> None:
        """Stay on the CPU."""

    def finish_update(self, optimizer: Any) -> None:
        """Do nothing: there is nothing to learn."""

    def __getstate__(self) -> Dict[str, Any]:
        return {**super().__getstate__(), "_runner": None}


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Refuse to start from nothing; an encoder that was exported is left as it is."""
    if not cast(OnnxShim, model.shims[0]).is_ready:
        raise EncoderError(
            "spacy_bioner.OnnxEncoder.v1 has no weights of its own: train a pipeline with "
            "spacy_bioner.TransformerEncoder.v1, then `bioner export MODEL OUT`"
        )


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[Any], Any]]:
    """Encode Docs; see `build_onnx_encoder`. RAISES (EncoderError): In training."""
    if is_train:
        refuse_training()
    width = model.get_dim("nO")
    return pool_pieces(model, docs, width, lambda states: states), refuse_training


def pool_pieces(
    model: Model, docs: List[Doc], width: int, score: Callable[[np.ndarray], np.ndarray]
) -> List[Floats2d]:
    """Encode Docs and pool what a linear function makes of the states of pieces.

    The mean of what it makes of a word's pieces is what it makes of their mean, and takes less
    memory: states of few batches are held at a time.

    width (int): Columns of what it makes.
    score (Callable[[np.ndarray], np.ndarray]): The function, of rows of states.
    RETURNS (List[Floats2d]): float32, shape (tokens, width), per Doc.
    """
    shim = cast(OnnxShim, model.shims[0])
    if not shim.is_ready:
        init(model)
    layout = lay_out(model, docs)
    shim.count_unseen(layout)
    batches, weights = make_batches(
        layout, budget=model.attrs["batch_pieces"], pad_id=shim.spec["pad_id"]
    )
    pooled = np.zeros((layout.n_rows, width), dtype=np.float32)
    for batch, rows in zip(batches, shim.run_each(batches, score)):
        add_rows(pooled, batch.target, rows)
    pooled *= weights
    borders = np.cumsum([len(rows) for rows in layout.rows])[:-1].tolist()
    return cast(List[Floats2d], np.split(pooled, borders))


def add_rows(pooled: np.ndarray, target: np.ndarray, rows: np.ndarray) -> None:
    """Add each row to the one of `pooled` that `target` names, in order; in place.

    target (np.ndarray): int64, shape (rows,).
    """
    order = np.argsort(target, kind="stable")
    _, first = np.unique(target[order], return_index=True)
    place = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    # As many rounds as the most that one row gets: most words have one or two pieces.
    for number in range(int(place.max(initial=-1)) + 1):
        chosen = order[place == number]
        pooled[target[chosen]] += rows[chosen]


def is_exported(model: Model) -> bool:
    """Tell whether any part of a model was exported: it has no gradients."""
    return any(isinstance(shim, OnnxShim) for node in model.walk() for shim in node.shims)


def refuse_training(gradient: Any = None) -> Any:
    """RAISES (EncoderError): Always: what was exported has no gradients."""
    raise EncoderError(
        "an exported pipeline cannot be trained: train the one that it was exported from, or what "
        "`bioner restore` makes of it, then `bioner export` it again"
    )
