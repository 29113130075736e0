"""Does a document get the same entities in a batch, in a process of its own and with more threads?

    python benchmarks/batching.py MODEL [--data FOLDER] [--docs 60] [--batch-sizes 8 64]
                                  [--passages] [--processes 2] [--more-threads 2]

Annotates BC5CDR test abstracts, or passages of the same length of full texts (pmc_rct_open), with
the component `bioner` of a pipeline, one by one, in batches, in several processes and with another
number of threads; a trained pipeline in float32 and bfloat16, an exported one as it is. Prints one
Markdown table: documents with the same entities as single calls, entities that only one of both
has, and by how much the confidence of the others differs.
"""

import argparse
from itertools import islice
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
from _common import add_data, cores, corpus_file, note, require, show, use_threads
from annotation_memory import cut_passages

Entities = Dict[Tuple[int, int, str], float]
PRECISIONS = ("float32", "bfloat16")
HEADER = ("precision", "batch size", "processes", "threads", "documents")
HEADER += ("with the same entities", "entities", "in one of both only")
HEADER += ("greatest difference in confidence", "99 % below", "no difference")


class Way(NamedTuple):
    """How texts are run through a pipeline."""

    batch_size: int
    processes: int
    threads: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("model", help="a trained or exported pipeline with a `bioner`")
    parser.add_argument("--docs", type=int, default=60)
    parser.add_argument("--passages", action="store_true", help="of full texts, not abstracts")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--more-threads", type=int, default=0)
    args = parser.parse_args()
    texts = list(islice(read_texts(parser, args), args.docs))
    sizes = args.batch_sizes
    ways = [Way(size, 1, args.threads) for size in (1, *sizes)]
    ways += [Way(sizes[-1], args.processes, args.threads)] if args.processes > 1 else []
    ways += [Way(sizes[-1], 1, args.more_threads)] if args.more_threads else []
    rows: List[Tuple[str, ...]] = [HEADER]
    for precision in list_precisions(args.model):
        if precision in PRECISIONS and not rows[1:]:
            require(parser, "torch", "transformers")
        annotated = annotate(args.model, precision, texts, ways)
        for way, found in zip(ways[1:], annotated[1:]):
            rows.append((precision, *map(str, way), *compare(annotated[0], found)))
    show(rows, threads=args.threads)


def read_texts(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Iterator[str]:
    if args.passages:
        return cut_passages(args.data / "text" / "pmc_rct_open.txt.xz")
    from spacy_bioner.corpora.read_write import read_records

    path = corpus_file(parser, args.data, "bc5cdr", "test")
    return (record.text for record in read_records(path))


def list_precisions(model: str) -> Sequence[str]:
    """Say in which precisions a pipeline can be run: an exported one in its own."""
    import spacy

    encoder = spacy.load(model).get_pipe("bioner").model.get_ref("encoder")
    own = encoder.shims[0].spec.get("precision")
    return [own] if own else PRECISIONS


def annotate(
    model: str, precision: str, texts: Sequence[str], ways: Sequence[Way]
) -> List[List[Entities]]:
    """Return the entities of each text with their confidences, for each way to run them."""
    import spacy

    found = []
    for way in ways:
        note(f"{precision}, {way}")
        own = {"threads": way.threads} if precision not in PRECISIONS else {"precision": precision}
        components = {"bioner": {"model": {"encoder": own}}}
        use_threads(way.threads)
        nlp = spacy.load(model, config={"components": components})
        # What other components add depends on the text alone.
        others = [name for name in nlp.pipe_names if name != "bioner"]
        with nlp.select_pipes(disable=others):
            docs = nlp.pipe(texts, batch_size=way.batch_size, n_process=way.processes)
            found.append([list_entities(doc.ents) for doc in docs])
    return found


def list_entities(spans: Sequence) -> Entities:
    return {(span.start_char, span.end_char, span.label_): span._.confidence for span in spans}


def compare(alone: Sequence[Entities], together: Sequence[Entities]) -> Tuple[str, ...]:
    """Return the cells of a row for what single calls and another way found."""
    pairs = list(zip(alone, together))
    gaps = [abs(one[key] - other[key]) for one, other in pairs for key in one.keys() & other.keys()]
    return (
        str(len(pairs)),
        str(sum(one.keys() == other.keys() for one, other in pairs)),
        f"{sum(map(len, alone)):,}",
        str(sum(len(one.keys() ^ other.keys()) for one, other in pairs)),
        f"{max(gaps, default=0.0):.1e}",
        f"{np.percentile(gaps, 99) if gaps else 0.0:.1e}",
        f"{np.mean(np.equal(gaps, 0.0)) if gaps else 1.0:.1%}",
    )


if __name__ == "__main__":
    main()
