"""Does a document get the same entities in a batch as alone?

    python benchmarks/batching.py MODEL [--data FOLDER] [--docs 60] [--batch-sizes 8 64]

Annotates BC5CDR test abstracts with the component `bioner` of a trained pipeline, one by one and in
batches, in float32 and bfloat16, and prints one Markdown table: documents with the same entities,
entities that only one of both has, and by how much the confidence of the others differs.
"""

import argparse
from typing import Dict, List, Sequence, Tuple

import numpy as np
from _common import add_data, cores, corpus_file, note, require, show, use_threads

Entities = Dict[Tuple[int, int, str], float]
PRECISIONS = ("float32", "bfloat16")
HEADER = ("precision", "batch size", "documents", "with the same entities", "entities")
HEADER += (
    "in one of both only",
    "greatest difference in confidence",
    "99 % below",
    "no difference",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("model", help="a trained pipeline with a `bioner`")
    parser.add_argument("--docs", type=int, default=60)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--threads", type=int, default=cores())
    args = parser.parse_args()
    require(parser, "torch", "transformers")
    from spacy_bioner.corpora.read_write import read_records

    records = read_records(corpus_file(parser, args.data, "bc5cdr", "test"))
    texts = [record.text for record, _ in zip(records, range(args.docs))]
    use_threads(args.threads)
    rows: List[Tuple[str, ...]] = [HEADER]
    for precision in PRECISIONS:
        annotated = annotate(args.model, precision, texts, [1, *args.batch_sizes])
        for size, found in zip(args.batch_sizes, annotated[1:]):
            rows.append((precision, str(size), *compare(annotated[0], found)))
    show(rows, threads=args.threads)


def annotate(
    model: str, precision: str, texts: Sequence[str], batch_sizes: Sequence[int]
) -> List[List[Entities]]:
    """Return the entities of each text with their confidences, for each batch size."""
    import spacy

    encoder = {"precision": precision}
    components = {"bioner": {"model": {"encoder": encoder}}}
    nlp = spacy.load(model, config={"components": components})
    # What other components add depends on the text alone.
    others = [name for name in nlp.pipe_names if name != "bioner"]
    found = []
    with nlp.select_pipes(disable=others):
        for size in batch_sizes:
            note(f"{precision}, batch size {size}")
            docs = nlp.pipe(texts, batch_size=size)
            found.append([list_entities(doc.ents) for doc in docs])
    return found


def list_entities(spans: Sequence) -> Entities:
    return {(span.start_char, span.end_char, span.label_): span._.confidence for span in spans}


def compare(alone: Sequence[Entities], together: Sequence[Entities]) -> Tuple[str, ...]:
    """Return the cells of a row for what single calls and batches found."""
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
