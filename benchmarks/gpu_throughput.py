"""How many words a second does `nlp.pipe` tag on a GPU with an encoder of BERT-base size?

    python benchmarks/gpu_throughput.py [--docs 500] [--repeats 5] [--gpu-id 0]

Prints one Markdown table: float32, bfloat16 and float16, sentences and document windows. The
weights are random, as speed does not depend on them; the vocabulary is learned from the texts and
kept small, so that a word has about as many pieces as with BioBERT. Texts are the BC5CDR test
abstracts where a data folder is there, else those of the demo corpus, repeated until there are
enough. Words are counted at white space. The settings run in turns after a first, untimed pass;
ratios are of medians. "Share of the bare encoder" is beside the same batches, laid out before, with
nothing done but the encoder's pass. Where spacy-transformers is installed, it and `ner` tag the
same texts with the same encoder. Needs the CUDA build of torch and cupy.
"""

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import spacy
from _common import (
    ROOT,
    add_data,
    cores,
    median,
    missing_extra,
    note,
    require,
    show,
    time_in_turns,
    use_threads,
    write_random_bert,
)
from spacy.language import Language
from spacy.util import minibatch

from spacy_bioner.apps.loading import use_device
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import DeviceError

LABELS = ["Chemical", "Disease"]
COLUMNS = (
    *("precision", "unit", "words/s", "range", "× float32", "× spacy-transformers"),
    *("share of the bare encoder", "windows", "pieces"),
)
BARE, TRF = "bare", "spacy-transformers"
BIOMEDICAL = {"tokenizer": {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}}


def main() -> None:
    args = parse_args()
    try:
        use_device(args.gpu_id)
    except DeviceError as error:
        sys.exit(f"gpu_throughput: {error}")
    use_threads(args.threads)
    source, texts = read_texts(args)
    runs: Dict[str, Any] = {}
    inputs: Dict[str, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        encoder = make_encoder(args, Path(folder), texts)
        for unit, precision in itertools.product(args.unit, args.precision):
            nlp = make_pipeline(encoder, unit, precision, args)
            inputs[f"{precision} {unit}"] = count_windows(nlp, texts)
            runs[f"{precision} {unit}"] = lambda nlp=nlp: sum(1 for _ in nlp.pipe(texts))
            runs[f"{BARE} {precision} {unit}"] = make_bare(nlp, texts)
        if missing_extra("spacy_transformers"):
            note("spacy-transformers is not installed: left out")
        else:
            rival = make_rival(encoder, args)
            runs[TRF] = lambda: sum(1 for _ in rival.pipe(texts))
        for run in runs.values():
            run()
        seconds = time_in_turns(runs, args.repeats)
    words = sum(len(text.split()) for text in texts)
    show(
        render(seconds, inputs, words),
        left=2,
        n=f"{len(texts)} documents of {source}, {words:,} words",
        seed=args.seed,
        median_of=args.repeats,
        encoder=f"BERT, {args.layers} layers, {args.width} wide, random weights",
        device=device_name(args.gpu_id),
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--docs", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--gpu-id", type=int, default=0, help="-1 tries the script on the CPU")
    parser.add_argument("--unit", nargs="+", default=["sentence", "document"])
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16", "float16"])
    parser.add_argument("--batch-size", type=int, default=256, help="documents; nlp.batch_size")
    parser.add_argument("--batch-pieces", type=int, default=32768, help="the encoder's setting")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--pieces", type=int, default=5000, help="size of the vocabulary")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    require(parser, "torch", "transformers")
    return args


def read_texts(args: argparse.Namespace) -> tuple[str, List[str]]:
    """Return as many texts as were asked for, and where they come from."""
    path, source = args.data / "corpora" / "bc5cdr" / "test.pubtator.txt", "BC5CDR test"
    if not path.is_file():
        path, source = ROOT / "assets" / "demo" / "train.pubtator.txt", "the demo corpus"
    if not path.is_file():
        sys.exit(f"gpu_throughput: found no {path}; build it by `python assets/demo/build.py`")
    texts = [record.text for record in read_pubtator(path)]
    return source, list(itertools.islice(itertools.cycle(texts), args.docs))


def make_encoder(args: argparse.Namespace, folder: Path, texts: Sequence[str]) -> str:
    size = {
        "hidden_size": args.width,
        "num_hidden_layers": args.layers,
        "num_attention_heads": max(args.width // 64, 1),
        "intermediate_size": 4 * args.width,
    }
    return str(write_random_bert(folder, texts, pieces=args.pieces, seed=args.seed, **size))


def make_pipeline(encoder: str, unit: str, precision: str, args: argparse.Namespace) -> Language:
    """Make an untrained pipeline; its head prefers no entity, as a trained one does."""
    nlp = spacy.blank("en", config={"nlp": {**BIOMEDICAL, "batch_size": args.batch_size}})
    settings = {"name": encoder, "unit": unit, "precision": precision}
    model = {"encoder": {**settings, "batch_pieces": args.batch_pieces}}
    component: Any = nlp.add_pipe("bioner", config={"model": model})
    for label in LABELS:
        component.add_label(label)
    component.model.set_dim("nO", len(component.tags))
    component.model.initialize(X=[nlp.make_doc("Aspirin eases headache.")])
    head = component.model.get_ref("output_layer").shims[0].module.output
    head.bias.data[0] = 1.0
    return nlp


def make_rival(encoder: str, args: argparse.Namespace) -> Language:
    """Make spacy-transformers and `ner`, untrained, on strided spans."""
    nlp = spacy.blank("en", config={"nlp": {**BIOMEDICAL, "batch_size": args.batch_size}})
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": encoder}
    spans = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 128, "stride": 96}
    model |= {"get_spans": spans, "tokenizer_config": {"use_fast": True}}
    nlp.add_pipe("transformer", config={"model": model, "max_batch_items": args.batch_pieces})
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1"}
    listener |= {"pooling": {"@layers": "reduce_mean.v1"}, "grad_factor": 1.0}
    tagger: Any = nlp.add_pipe("ner", config={"model": {"tok2vec": listener}})
    for label in LABELS:
        tagger.add_label(label)
    nlp.initialize()
    return nlp


def make_bare(nlp: Language, texts: Sequence[str]) -> Callable[[], None]:
    """Make the encoder's pass over the batches that the pipeline makes, laid out before."""
    import torch

    from spacy_bioner.architectures.encoders import prepare_batches

    component: Any = nlp.get_pipe("bioner")
    encoder = component.model.get_ref("encoder")
    module = encoder.shims[0].module.eval()
    docs = (nlp.make_doc(text) for text in texts)
    prepared = [prepare_batches(encoder, group) for group in minibatch(docs, nlp.batch_size)]

    def run() -> None:
        with torch.no_grad():
            for batches, weights in prepared:
                # To the CPU, so that the clock waits for the GPU.
                module(batches, weights).cpu()

    return run


def count_windows(nlp: Language, texts: Sequence[str]) -> tuple[int, int]:
    from spacy_bioner.architectures.encoders import prepare_batches

    component: Any = nlp.get_pipe("bioner")
    windows = pieces = 0
    for docs in minibatch((nlp.make_doc(text) for text in texts), nlp.batch_size):
        batches, _ = prepare_batches(component.model.get_ref("encoder"), docs)
        windows += sum(len(batch.ids) for batch in batches)
        pieces += sum(len(batch.source.unique()) for batch in batches)
    return windows, pieces


def render(
    seconds: Dict[str, List[float]], inputs: Dict[str, tuple[int, int]], words: int
) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [COLUMNS]
    rival = seconds.get(TRF)
    for name, values in seconds.items():
        if name == TRF:
            rows.append((TRF, "strided spans", *describe(values, words), "", "1.00", "", "", ""))
        if name not in inputs:
            continue
        precision, unit = name.split()
        base = seconds.get(f"float32 {unit}")
        bases = (base, rival, seconds.get(f"{BARE} {name}"))
        ratios = [f"{median(one) / median(values):.2f}" if one else "" for one in bases]
        sizes = [f"{number:,}" for number in inputs[name]]
        rows.append((precision, unit, *describe(values, words), *ratios, *sizes))
    return rows


def describe(seconds: List[float], words: int) -> tuple[str, str]:
    """Render the median of words a second, and their range."""
    extent = f"{words / max(seconds):,.0f}–{words / min(seconds):,.0f}"
    return f"{words / median(seconds):,.0f}", extent


def device_name(gpu_id: int) -> str:
    import torch

    return "CPU" if gpu_id < 0 else torch.cuda.get_device_name(gpu_id)


if __name__ == "__main__":
    main()
