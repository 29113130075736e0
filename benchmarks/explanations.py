"""Do the words that an explanation names first matter to the entity more than others do?

    python benchmarks/explanations.py MODEL CORPUS.spacy [--entities 200] [--words 1 2 3]
        [--draws 10] [--seed 0] [--steps 50] [--threads 1]

Draws entities that a trained pipeline finds in the corpus' texts, one a sentence at most, and
explains them by integrated gradients and by occlusion. Then words of the sentence are covered by
the encoder's mask: those that the explanation names first, or as many random ones, and what the
entity's probability loses is averaged. "Any word" takes them from the whole sentence, "context"
leaves out the entity's own words: the harder question. Covering one word is what occlusion itself
looks at, so its first rows are right by definition; gradients never saw a covered word. Prints
one Markdown table.
"""

import argparse
import random
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import numpy as np
from _common import add_data, missing_extra, note, show, use_threads
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.entity_confidence import (
    Target,
    find_occluder,
    find_tagger,
    make_score,
    make_target,
)
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.components.tag_probabilities import read_tag_probabilities
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.explanation.occlusion import (
    Deletion,
    Score,
    compare_deletions,
    occlude,
)

METHODS = ("integrated gradients", "occlusion")
HEADER = ("words by", "from", "covered", "n", "probability", "lost by the first ones",
          "lost by random ones", "first ones cost more")  # fmt: skip
Key = Tuple[str, str, int]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("model", help="pipeline with a trained bioner on an encoder of ours")
    parser.add_argument("corpus", type=Path, help="a .spacy file; its gold plays no part")
    parser.add_argument("--entities", type=int, default=200)
    parser.add_argument("--words", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if missing := missing_extra("captum"):
        parser.error(missing)
    use_threads(args.threads)
    nlp = load_pipeline(args.model)
    tagger = find_tagger(nlp)
    if tagger is None:
        parser.error(f"{args.model}: no trained bioner")
    texts = [doc.text for doc in read_docbin(args.corpus, nlp.vocab)]
    found: Dict[Key, List[Deletion]] = defaultdict(list)
    n_entities = 0
    for target in draw_targets(nlp, tagger, texts, args.seed):
        if n_entities == args.entities:
            break
        n_entities += 1
        if n_entities % 20 == 0:
            note(f"{n_entities} entities")
        measure(nlp, tagger, target, args, found)
    rows = [make_row(key, deletions) for key, deletions in sorted(found.items())]
    show(
        [HEADER, *rows],
        left=2,
        n=f"{n_entities} entities of {args.corpus.name}",
        draws=args.draws,
        seed=args.seed,
        steps=args.steps,
        threads=args.threads,
    )


def draw_targets(nlp: Language, tagger: Any, texts: List[str], seed: int) -> Iterator[Target]:
    """Go through texts in random order; of each, one entity that the tagger itself has found."""
    generator = random.Random(seed)
    for text in generator.sample(texts, len(texts)):
        doc: Doc = nlp(text)
        probabilities = read_tag_probabilities(tagger, [doc])[0]
        seen: Set[int] = set()
        own = [span for span in doc.spans.get(tagger.name, ()) if span.label_ in tagger.labels]
        for span in generator.sample(own, len(own)):
            target = make_target(tagger, probabilities, span)
            if target.offset in seen:
                continue
            seen.add(target.offset)
            yield target
            break


def measure(
    nlp: Language,
    tagger: Any,
    target: Target,
    args: argparse.Namespace,
    found: Dict[Key, List[Deletion]],
) -> None:
    """Explain one entity in both ways and cover words."""
    from spacy_bioner.architectures.attribution import integrate_gradients

    score: Score = make_score(nlp, tagger, target)
    occluder = find_occluder(tagger)
    values: Dict[str, np.ndarray] = {
        METHODS[0]: integrate_gradients(
            tagger.model, target.doc, [target.tags], n_steps=args.steps
        )[0].values,
        METHODS[1]: occlude(target.doc, score, occluder, sent_starts=target.sent_starts),
    }
    every = range(len(target.doc))
    context = [place for place in every if not target.start <= place < target.end]
    for method, row in values.items():
        for name, among in (("any word", every), ("context", context)):
            for n_words in args.words:
                deletion = compare_deletions(
                    target.doc,
                    row,
                    score,
                    occluder,
                    n_words=n_words,
                    among=among,
                    n_draws=args.draws,
                    seed=args.seed,
                    sent_starts=target.sent_starts,
                )
                if deletion is not None:
                    found[method, name, n_words].append(deletion)


def make_row(key: Key, deletions: List[Deletion]) -> Tuple[str, ...]:
    """Average over entities."""
    method, among, n_words = key
    whole, top, drawn = (
        np.array([getattr(item, name) for item in deletions]) for name in ("whole", "top", "drawn")
    )
    return (
        method,
        among,
        str(n_words),
        f"{len(deletions):,}",
        f"{whole.mean():.3f}",
        f"{(whole - top).mean():.3f}",
        f"{(whole - drawn).mean():.3f}",
        f"{100 * (top < drawn).mean():.0f} %",
    )


if __name__ == "__main__":
    main()
