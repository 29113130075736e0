"""From a trained torch encoder to an ONNX graph, with attention and normalization as single nodes.

The graph begins behind the embeddings of pieces: these are looked up by numpy, where a table of
int8 has a scale for each row and the vector of a corpus is added.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from spacy_bioner.extras import require

require("onnx", "onnxruntime", extra="train", who="an export")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

from spacy_bioner.architectures._torch import nn, torch  # noqa: E402
from spacy_bioner.architectures.encoder_source import build_transformer  # noqa: E402
from spacy_bioner.architectures.exported.onnx_encoder import EMBEDDINGS, MASK, STATES  # noqa: E402
from spacy_bioner.architectures.exported.relative_attention import ExportedLayers  # noqa: E402
from spacy_bioner.architectures.exported.sessions import open_session  # noqa: E402
from spacy_bioner.errors import EncoderError  # noqa: E402
from spacy_bioner.layers.pooled_encoder import PooledEncoder  # noqa: E402
from spacy_bioner.layers.relative_encoder import RelativeEncoder  # noqa: E402

OPSET = 17
CONTRIB = "com.microsoft"
# How far a state of the graph may be from torch's, as a share of the states' own size.
TOLERANCE = 1e-3
# Which input of attention is its mask.
MASK_PLACES = {"Attention": 3, "QAttention": 5, "MultiHeadAttention": 4}


class _Traced(nn.Module):
    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, embeddings: Any, mask: Any) -> Any:
        output = self.transformer(inputs_embeds=embeddings, attention_mask=mask)
        return output.last_hidden_state


class _TracedRelative(nn.Module):
    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.embeddings = transformer.embeddings
        self.layers = ExportedLayers(transformer.encoder)

    def forward(self, embeddings: Any, mask: Any) -> Any:
        return self.layers(self.embeddings(inputs_embeds=embeddings), mask)


def trace_encoder(module: PooledEncoder, config: Dict[str, Any]) -> onnx.ModelProto:
    """Write a transformer as a graph in float32, with what onnxruntime has nodes for fused.

    module (PooledEncoder): The encoder.
    config (Dict[str, Any]): Its configuration, as the encoder's spec has it.
    RAISES (EncoderError): For a family that cannot be traced, or whose graph gives other states.
    """
    twin = build_transformer(config, attention="eager", drawn=False)
    twin.load_state_dict(module.transformer.state_dict())
    reference = _Traced(twin).eval()
    is_relative = isinstance(getattr(twin, "encoder", None), RelativeEncoder)
    traced = _TracedRelative(twin).eval() if is_relative else reference
    width = int(module.transformer.get_input_embeddings().embedding_dim)
    example = _draw_inputs(width, lengths=(9, 5))
    axes = {0: "windows", 1: "length"}
    try:
        # It warns of its age, and of checks of shapes in transformers that hold for all of them.
        with (
            warnings.catch_warnings(),
            torch.no_grad(),
            tempfile.TemporaryDirectory() as folder,
        ):
            warnings.simplefilter("ignore")
            path = Path(folder) / "encoder.onnx"
            torch.onnx.export(
                traced,
                tuple(torch.from_numpy(array) for array in example.values()),
                str(path),
                input_names=[EMBEDDINGS, MASK],
                output_names=[STATES],
                dynamic_axes={EMBEDDINGS: axes, MASK: axes, STATES: axes},
                opset_version=OPSET,
                dynamo=False,
            )
            exported = onnx.load(path)
    except (RuntimeError, TypeError, ValueError) as error:
        raise EncoderError(
            f"the family '{config['model_type']}' cannot be exported: {str(error).splitlines()[0]}"
        ) from error
    graph = _fuse(exported, config)
    _compare(graph, reference, config, width)
    return graph


def _fuse(graph: onnx.ModelProto, config: Dict[str, Any]) -> onnx.ModelProto:
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_by_fusion

    n_heads = int(config.get("num_attention_heads") or config.get("n_heads") or 0)
    width = int(config.get("hidden_size") or config.get("dim") or 0)
    options = FusionOptions("bert")
    # The node for both takes four times as long as an addition and a normalization.
    options.enable_skip_layer_norm = False
    fused = optimize_by_fusion(graph, "bert", n_heads, width, options).model
    if CONTRIB not in {item.domain for item in fused.opset_import}:
        fused.opset_import.append(onnx.helper.make_opsetid(CONTRIB, 1))
    return fused


def _compare(
    graph: onnx.ModelProto, reference: nn.Module, config: Dict[str, Any], width: int
) -> None:
    """Make sure that the graph is right for other windows than those that it was traced with."""
    session = open_session(graph.SerializeToString())
    for lengths in ((3,), (17, 16, 4), (40,) * 5):
        given = _draw_inputs(width, lengths)
        with torch.no_grad():
            expected = reference(*(torch.from_numpy(array) for array in given.values())).numpy()
        kept = given[MASK].astype(bool)
        expected, found = expected[kept], session.run([STATES], given)[0][kept]
        difference = float(np.abs(found - expected).max() / np.abs(expected).max())
        if not difference <= TOLERANCE:
            raise EncoderError(
                f"the family '{config['model_type']}' cannot be exported: states of the graph "
                f"differ from torch's by {difference:.2g} of their size"
            )


def drop_masks(graph: onnx.ModelProto) -> Optional[onnx.ModelProto]:
    """Copy a graph for windows without padding: their attention needs no mask, which saves a pass
    over the scores of all pairs of pieces.

    RETURNS (Optional[onnx.ModelProto]): None where something else than attention reads the mask, or
        may read it: a node that has a graph of its own.
    """
    if any(item.HasField("g") for node in graph.graph.node for item in node.attribute):
        return None
    bare = onnx.ModelProto()
    bare.CopyFrom(graph)
    for node in bare.graph.node:
        if node.op_type in MASK_PLACES:
            node.input[MASK_PLACES[node.op_type]] = ""
    wanted = {item.name for item in bare.graph.output}
    kept: List[onnx.NodeProto] = []
    for node in reversed(bare.graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    if MASK in wanted:
        return None
    del bare.graph.node[:]
    bare.graph.node.extend(reversed(kept))
    drop_unused(bare)
    return bare


def drop_unused(graph: onnx.ModelProto) -> None:
    """Drop constants that no node reads, of which onnxruntime would warn; in place."""
    used = {name for node in graph.graph.node for name in node.input}
    left = [item for item in graph.graph.initializer if item.name in used]
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(left)


def _draw_inputs(width: int, lengths: Sequence[int]) -> Dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    shape = (len(lengths), max(lengths))
    mask = (np.arange(shape[1]) < np.array(lengths)[:, None]).astype(np.int64)
    embeddings = 0.1 * generator.standard_normal((*shape, width))
    return {EMBEDDINGS: embeddings.astype(np.float32), MASK: mask}


def list_runtime() -> List[str]:
    """Name what the graph was made with, for the pipeline's meta."""
    return [f"onnx {onnx.__version__}", f"onnxruntime {onnxruntime.__version__}"]
