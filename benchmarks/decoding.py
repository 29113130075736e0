"""How much memory and time does the decoding of tags take?

    python benchmarks/decoding.py [--tags 5 83] [--long 5000] [--tokens 1000 2000 … 32000]
        [--repeats 3] [--seed 0]

Makes up scores of BIO tags, as float32, and the transitions of a CRF: 64 documents as long as
abstracts are, the same with one much longer document among them, and single documents of growing
length. Finds the best tags, the confidences of the spans in them, and the marginals of all tags.
Memory is the peak that numpy and Python allocate meanwhile, results included (`tracemalloc`),
beside the scores' own size. "Padded" is the plain way, for comparison: all documents of a batch
in one array of float64 as long as the longest. Seconds are those of the processor, one thread,
taken in turns. Training rows are the loss of a CRF and its gradient for 16 such documents, by
what the resident memory of a process of its own grows. Prints one Markdown table.
"""

import argparse
import multiprocessing
import resource
import tracemalloc
from dataclasses import dataclass
from time import process_time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
from _common import median, missing_extra, note, show

from spacy_bioner.architectures.decoding import (
    TagGrammar,
    decode_tags,
    log_softmax,
    make_grammar,
    span_confidences,
    tag_log_marginals,
)
from spacy_bioner.tags import tag_set, tags_to_spans

HEADER = ("case", "what", "documents", "longest", "tokens", "tags", "scores MB")
HEADER += ("peak MB", "× scores", "CPU s", "µs a token")
TRAINED = 16


@dataclass(frozen=True)
class Case:
    """A batch: its name in the table, the scores, the tags and how they follow each other."""

    name: str
    scores: List[np.ndarray]
    tags: Sequence[str]
    grammar: TagGrammar

    @property
    def n_bytes(self) -> int:
        return sum(rows.nbytes for rows in self.scores)

    @property
    def n_tokens(self) -> int:
        return sum(len(rows) for rows in self.scores)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tags", type=int, nargs="+", default=[5, 83], help="odd: O, B-…, I-…")
    parser.add_argument("--long", type=int, default=5000, help="tokens of the long document")
    parser.add_argument(
        "--tokens", type=int, nargs="*", default=[1000 * 2**power for power in range(6)]
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    trained: List[Tuple[str, ...]] = []
    if missing := missing_extra("torch"):
        note(f"no training rows: {missing}")
    else:
        # First: the greatest resident memory of a process counts for those that it starts as well.
        trained += measure_training(args)
    rows: List[Tuple[str, ...]] = [HEADER]
    for case in make_cases(args):
        rows += measure(case, args.repeats)
    show([*rows, *trained], left=2, seed=args.seed, median_of=args.repeats)


def make_cases(args: argparse.Namespace) -> Iterator[Case]:
    random = np.random.default_rng(args.seed)
    lengths = draw_lengths(random, 64)
    for n_tags in args.tags:
        yield make_case("abstracts", lengths, n_tags, random)
        yield make_case("one of them long", [*lengths[1:], args.long], n_tags, random)
    for n_tokens in args.tokens:
        yield make_case("one alone", [n_tokens], min(args.tags), random)


def draw_lengths(random: np.random.Generator, n: int) -> List[int]:
    """Draw lengths as abstracts have them: about 250 tokens."""
    return [int(length) for length in np.clip(random.normal(250, 80, n), 60, 500)]


def make_case(name: str, lengths: List[int], n_tags: int, random: np.random.Generator) -> Case:
    """Make scores of which six in seven tokens are clearly outside of all entities."""
    tags = tag_set([f"L{number}" for number in range(n_tags // 2)], "BIO")
    weights = tuple(random.normal(size=shape) for shape in ((n_tags, n_tags), n_tags, n_tags))
    scores = []
    for length in lengths:
        rows = random.normal(size=(length, n_tags))
        rows[random.random(length) < 6 / 7, 0] += 8
        scores.append(log_softmax(2 * rows).astype(np.float32))
    return Case(name, scores, tags, make_grammar(tags, "BIO", weights))  # type: ignore[arg-type]


def measure(case: Case, repeats: int) -> List[Tuple[str, ...]]:
    scores, grammar = case.scores, case.grammar
    paths = decode_tags(scores, grammar)
    named = [tags_to_spans([case.tags[index] for index in path]) for path in paths]
    spans = [[span[:2] for span in found] for found in named]
    runs: Dict[str, Callable[[], Any]] = {
        "tags": lambda: decode_tags(scores, grammar),
        "confidences": lambda: span_confidences(scores, paths, spans, grammar),
        "marginals": lambda: tag_log_marginals(scores, grammar),
    }
    if len(scores) > 1:
        runs["tags, padded"] = lambda: decode_padded(scores, grammar)
        runs["marginals, padded"] = lambda: sum_padded(scores, grammar)
    note(f"{case.name}: {len(case.tags)} tags")
    peaks = {name: peak_of(run) for name, run in runs.items()}
    seconds = time_runs(runs, repeats)
    return [render(case, name, peaks[name], seconds[name]) for name in runs]


def peak_of(run: Callable[[], Any]) -> int:
    """Return the most bytes that a run allocates, results included."""
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def time_runs(runs: Mapping[str, Callable[[], Any]], repeats: int) -> Dict[str, float]:
    """Return the median seconds of the processor, all runs in turns: small steps suffer most where
    others use the machine as well."""
    seconds: Dict[str, List[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            began = process_time()
            run()
            seconds[name].append(process_time() - began)
    return {name: median(values) for name, values in seconds.items()}


def measure_training(args: argparse.Namespace) -> Iterator[Tuple[str, ...]]:
    """Yield the rows of training, each measured in a process of its own."""
    random = np.random.default_rng(args.seed)
    lengths = draw_lengths(random, TRAINED)
    for name, chosen in (("abstracts", lengths), ("one of them long", [*lengths[1:], args.long])):
        case = make_case(name, chosen, max(args.tags), random)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak, seconds = pool.apply(train_crf, (case, args.repeats))
        yield render(case, "training", peak, seconds)


def train_crf(case: Case, repeats: int) -> Tuple[int, float]:
    """Compute loss and gradient; gives what they take, in bytes and seconds."""
    import torch

    from spacy_bioner.layers.crf import LinearChainCRF, Weights

    torch.set_num_threads(1)
    crf = LinearChainCRF(len(case.tags))
    grammar = case.grammar.chain
    legal = Weights(*(torch.from_numpy(np.isfinite(weights)) for weights in grammar))
    lengths = [len(rows) for rows in case.scores]

    def learn(rows: torch.Tensor, known: torch.Tensor) -> None:
        crf.total_loss(rows.split(lengths), known.split(lengths), legal).backward()

    rows = torch.from_numpy(np.concatenate(case.scores)).requires_grad_()
    known = torch.zeros(rows.shape, dtype=torch.bool)
    known[:, 0] = True
    # What torch itself loads at the first call is not counted.
    crf.total_loss(rows[:2].split(1), known[:2].split(1), legal).backward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time_runs({"training": lambda: learn(rows, known)}, repeats)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux gives kilobytes.
    return 1024 * (after - before), seconds["training"]


def render(case: Case, what: str, peak: int, seconds: float) -> Tuple[str, ...]:
    return (
        case.name,
        what,
        str(len(case.scores)),
        f"{max(map(len, case.scores)):,}",
        f"{case.n_tokens:,}",
        str(len(case.tags)),
        f"{case.n_bytes / 1e6:.2f}",
        f"{peak / 1e6:,.2f}",
        f"{peak / case.n_bytes:.1f}",
        f"{seconds:.3f}",
        f"{seconds / case.n_tokens * 1e6:.1f}",
    )


def pad(scores: Sequence[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(rows) for rows in scores])
    batch = np.zeros((len(scores), lengths.max(), scores[0].shape[1]))
    for row, rows in zip(batch, scores):
        row[: len(rows)] = rows
    return batch, lengths


def decode_padded(scores: Sequence[np.ndarray], grammar: TagGrammar) -> List[np.ndarray]:
    """Viterbi over one padded array."""
    batch, lengths = pad(scores)
    best, back = batch[:, 0] + grammar.starts, np.zeros(batch.shape, dtype=np.int64)
    for step in range(1, batch.shape[1]):
        going = np.flatnonzero(lengths > step)
        candidates = best[going, :, None] + grammar.transitions
        back[going, step] = candidates.argmax(axis=1)
        best[going] = candidates.max(axis=1) + batch[going, step]
    paths = np.zeros(batch.shape[:2], dtype=np.int64)
    tags, documents = (best + grammar.ends).argmax(axis=1), np.arange(len(scores))
    for step in range(batch.shape[1] - 1, -1, -1):
        paths[:, step] = tags
        tags = np.where((step > 0) & (step < lengths), back[documents, step, tags], tags)
    return [path[:length] for path, length in zip(paths, lengths)]


def sum_padded(scores: Sequence[np.ndarray], grammar: TagGrammar) -> List[np.ndarray]:
    """Forward-backward over one padded array."""
    batch, lengths = pad(scores)
    weights = np.exp(np.maximum(batch - batch.max(axis=2, keepdims=True), -300.0))
    follow, ends = np.exp(grammar.transitions), np.exp(grammar.ends)
    alpha, beta = np.zeros_like(batch), np.zeros_like(batch)
    state = np.exp(grammar.starts)[None]
    for step in range(batch.shape[1]):
        state = (state @ follow if step else state) * weights[:, step]
        alpha[:, step] = state = state / state.sum(axis=1, keepdims=True)
    for step in range(batch.shape[1] - 1, -1, -1):
        if step < batch.shape[1] - 1:
            state = (beta[:, step + 1] * weights[:, step + 1]) @ follow.T
        state = np.where((lengths - 1 == step)[:, None], ends, state)
        beta[:, step] = state / state.sum(axis=1, keepdims=True)
    found = []
    for row, length in enumerate(lengths):
        both = alpha[row, :length] * beta[row, :length]
        with np.errstate(divide="ignore"):
            found.append(np.log(both / both.sum(axis=1, keepdims=True)))
    return found


if __name__ == "__main__":
    main()
