"""What share of the processor's int8 matrix rate does an exported encoder reach, and what takes the
rest of its time?

    python benchmarks/int8_limit.py MODEL [--data FOLDER] [--docs 100] [--repeats 3]

MODEL is a pipeline that `bioner export` wrote in int8. One thread, one core. First the limit: the
most operations a second of products alone, 8-bit rows by 7-bit weights as in the graph, of several
sizes. Then the encoder over the BC5CDR test abstracts, on batches as the pipeline makes them; an
operation is a multiplication or an addition of the products with weights, padding not counted.
Prints two Markdown tables: the share, and the time of each kind of node as onnxruntime profiles
it.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import spacy
from _common import add_data, corpus_file, median, require, show
from _tagging import list_batches

from spacy_bioner.architectures.exported.onnx_encoder import EMBEDDINGS, MASK, STATES
from spacy_bioner.architectures.exported.sessions import make_options, open_session
from spacy_bioner.corpora.formats.pubtator import read_pubtator

# Rows, columns of the rows, columns of the weights.
SIZES = [(1024, 384, 1536), (1024, 1536, 384), (1024, 1024, 1024), (2048, 1024, 4096)]
SECONDS = 1.0
PRODUCT = "MatMulIntegerToFloat"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    add_data(parser)
    parser.add_argument("--docs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    require(parser, "onnx", "onnxruntime")
    nlp = spacy.load(args.model)
    encoder: Any = nlp.get_pipe("bioner").model.get_ref("encoder")
    path = corpus_file(parser, args.data, "bc5cdr", "test")
    texts = [record.text for record in read_pubtator(path)][: args.docs]
    batches = list_batches(nlp, encoder, texts)
    n_pieces = sum(int(batch.mask.sum()) for batch in batches)
    n_words = sum(len(text.split()) for text in texts)
    per_piece = count_operations(encoder.shims[0].graph)
    limits = {size: measure_limit(*size) for size in SIZES}
    seconds, kinds = measure_encoder(encoder, batches, args.repeats)
    reached = n_pieces * per_piece / seconds
    best = max(limits.values())
    rows: List[Tuple[str, str]] = [("", "G operations/s")]
    rows += [(f"product {n} × {k} × {m}", f"{v / 1e9:,.0f}") for (n, k, m), v in limits.items()]
    rows.append(("encoder", f"{reached / 1e9:,.0f}"))
    rows.append(("share of the best product", f"{reached / best:.2f}"))
    rows.append(("operations a word, million", f"{n_pieces * per_piece / n_words / 1e6:.1f}"))
    rows.append(("words/s, the encoder alone", f"{n_words / seconds:,.0f}"))
    show(rows, left=1, n=f"{len(texts)} documents, {n_pieces:,} pieces", median_of=args.repeats)
    total = sum(kinds.values())
    print()
    show(
        [("node", "share of the time")]
        + [(kind, f"{value / total:.3f}") for kind, value in kinds.most_common(10)],
        left=1,
    )


def count_operations(graph: bytes) -> int:
    """Count the operations of a piece in products with weights."""
    import onnx

    model = onnx.load_from_string(graph)
    shapes = {own.name: tuple(own.dims) for own in model.graph.initializer}
    n_numbers = 0
    for node in model.graph.node:
        sizes = [shapes[name] for name in node.input if len(shapes.get(name, ())) == 2]
        if node.op_type in (PRODUCT, "MatMul", "Gemm", "Attention", "QAttention"):
            n_numbers += sum(rows * columns for rows, columns in sizes)
    return 2 * n_numbers


def measure_limit(n_rows: int, width: int, n_columns: int) -> float:
    """Return the operations a second of one product."""
    from onnx import TensorProto, helper, numpy_helper

    drawn = np.random.default_rng(0)
    weights = drawn.integers(-63, 64, (width, n_columns)).astype(np.int8)
    scale, zero = np.float32(0.01), np.uint8(128)
    given = [("scale", scale), ("zero", zero), ("weights", weights)]
    scales = np.full(n_columns, 0.01, dtype=np.float32)
    given += [("scales", scales), ("zeros", np.zeros(n_columns, dtype=np.int8))]
    node = helper.make_node(
        PRODUCT,
        ["rows", "weights", "scale", "scales", "zero", "zeros"],
        ["out"],
        domain="com.microsoft",
    )
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("rows", TensorProto.UINT8, [n_rows, width])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [n_rows, n_columns])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in given],
    )
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=9)
    session = open_session(model.SerializeToString(), 1)
    rows = {"rows": drawn.integers(0, 256, (n_rows, width)).astype(np.uint8)}
    for _ in range(3):
        session.run(None, rows)
    n_runs, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        session.run(None, rows)
        n_runs += 1
    return 2 * n_rows * width * n_columns * n_runs / (time.perf_counter() - start)


def measure_encoder(encoder: Any, batches: List[Any], repeats: int) -> Tuple[float, "Counter[str]"]:
    """Return the seconds of all batches, and those of each kind of node in a profiled pass."""
    shim = encoder.shims[0]
    given = [{EMBEDDINGS: shim.embed(batch), MASK: batch.mask} for batch in batches]
    session = open_session(shim.graph, 1)
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        for inputs in given:
            session.run([STATES], inputs)
        seconds.append(time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        profiled = open_profiled(shim.graph, str(Path(folder) / "profile"))
        for inputs in given:
            profiled.run([STATES], inputs)
        events: List[Dict[str, Any]] = json.loads(Path(profiled.end_profiling()).read_text("utf8"))
    kinds: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kinds[event["args"]["op_name"]] += event["dur"]
    # The first pass warms up.
    return median(seconds[1:]), kinds


def open_profiled(graph: bytes, profile: str) -> Any:
    """Open a session as `open_session` does, for one thread, that writes down what takes its time.

    profile (str): How the name of its file begins.
    """
    import onnxruntime

    options = make_options(1)
    options.enable_profiling = True
    options.profile_file_prefix = profile
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
