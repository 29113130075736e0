"""How close does `spacy train` come to a bare PyTorch loop?

    python benchmarks/training_loop.py [--data FOLDER] [--docs 50] [--repeats 3] [--threads 2]

Prints one Markdown table. configs/transformer.cfg is trained on documents of BC5CDR train through
the loop inside `spacy train`, evaluation apart. The rivals are plain loops over the very same
batches, with the same weights, dropout, number format, clipping, learning rate and fused AdamW:
`AutoModelForTokenClassification` of transformers on the sentences' pieces, which were tokenized
and labeled beforehand. "One rectangle" pads each batch to its longest sentence; "grouped" passes
sentences of like length together, as ours does. In turns, an epoch each; the ratio is of medians.
"""

import argparse
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import torch
from _common import (
    ENCODER,
    ROOT,
    Trainee,
    add_data,
    cores,
    corpus_file,
    median,
    quiet,
    require_encoder,
    run_epoch,
    show,
    start_training,
    time_in_turns,
    use_threads,
)
from spacy.tokens import Doc

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.architectures.precision import choose_precision
from spacy_bioner.corpora.read_write import Selection

OURS = "components.bioner.model.encoder"
IGNORED = -100
COLUMNS = ("system", "s an epoch", "range", "steps", "sentences/s", "spacy train against it")


@dataclass(frozen=True)
class Sentence:
    """Piece ids with special tokens, and a tag id at the first piece of each token."""

    ids: List[int]
    tags: List[int]


def main() -> None:
    args = parse_args()
    quiet()
    use_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        train = Path(folder) / "train.spacy"
        account = convert(args.train, train, selection=Selection(first=args.docs or None))
        overrides = {f"{OURS}.name": args.encoder, f"{OURS}.precision": args.precision}
        trainee = start_training(
            ROOT / "configs/transformer.cfg", train, {"system.seed": args.seed, **overrides}
        )
        batches = list(draw_batches(trainee, args.seed))
        bare = {grouped: BareLoop(trainee, args, grouped=grouped) for grouped in (True, False)}
        runs = {
            "spacy train, ours": partial(run_epoch, trainee, seed=args.seed),
            "bare loop, grouped by length": partial(bare[True].run, batches),
            "bare loop, one rectangle": partial(bare[False].run, batches),
        }
        for run in runs.values():
            run()
        seconds = time_in_turns(runs, args.repeats)
    n_sentences = sum(len(batch) for batch in batches)
    show(
        render(seconds, len(batches), n_sentences),
        n=f"{account.documents} documents of BC5CDR train, {n_sentences:,} sentences",
        seed=args.seed,
        threads=args.threads,
        median_of=args.repeats,
        precision=str(bare[True].precision).removeprefix("torch."),
        encoder=args.encoder,
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--docs", type=int, default=50, help="the first so many; 0 takes all")
    parser.add_argument("--repeats", type=int, default=3, help="epochs of each system")
    parser.add_argument("--threads", type=int, default=cores(), help="of every system")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16")
    parser.add_argument("--encoder", default=ENCODER, help="hub name, folder or package:NAME")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    require_encoder(parser, args.encoder)
    args.train = corpus_file(parser, args.data, "bc5cdr", "train")
    return args


def draw_batches(trainee: Trainee, seed: int) -> Iterator[List[Sentence]]:
    """Yield the sentences of each batch that `run_epoch` trains on, tokenized and labeled."""
    from spacy.training.loop import create_train_batches
    from thinc.api import fix_random_seed

    component: Any = trainee.nlp.get_pipe("bioner")
    tokenizer = component.model.get_ref("encoder").shims[0].tokenizer
    tags = {tag: index for index, tag in enumerate(component.tags)}
    fix_random_seed(seed)
    examples = trainee.examples
    batcher = trainee.training["batcher"]
    for _, batch in create_train_batches(trainee.nlp, lambda _: examples, batcher, 1):
        yield [s for eg in batch for s in label_sentences(eg.reference, tokenizer, tags)]


def label_sentences(doc: Doc, tokenizer: Any, tags: Dict[str, int]) -> Iterator[Sentence]:
    for sentence in doc.sents:
        words = [token.text for token in sentence if not token.is_space]
        names = [token.ent_iob_ for token in sentence if not token.is_space]
        labels = [token.ent_type_ for token in sentence if not token.is_space]
        encoding = tokenizer.encode(words, is_pretokenized=True)
        ids: List[int] = []
        before = None
        for word in encoding.word_ids:
            first = word is not None and word != before
            before = word
            if not first:
                ids.append(IGNORED)
                continue
            name = f"{names[word]}-{labels[word]}" if labels[word] else "O"
            ids.append(tags[name])
        yield Sentence(list(encoding.ids)[:512], ids[:512])


class BareLoop:
    """A plain training loop with the settings of a spaCy config."""

    def __init__(self, trainee: Trainee, args: argparse.Namespace, *, grouped: bool) -> None:
        from transformers import AutoModelForTokenClassification

        from spacy_bioner.architectures.encoder_source import resolve_source

        component: Any = trainee.nlp.get_pipe("bioner")
        self.grouped = grouped
        self.budget = component.model.get_ref("encoder").attrs["batch_pieces"]
        self.precision = choose_precision(args.precision, torch.device("cpu"))
        self.model = AutoModelForTokenClassification.from_pretrained(
            resolve_source(args.encoder), num_labels=len(component.tags)
        ).train()
        self.clip = float(trainee.training["optimizer"].grad_clip)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-4, weight_decay=0.01, fused=True
        )

    def run(self, batches: Sequence[List[Sentence]]) -> None:
        """Train one epoch."""
        reduced = self.precision != torch.float32
        for batch in batches:
            n_tokens = sum(tag != IGNORED for sentence in batch for tag in sentence.tags)
            for group in self.groups(batch):
                ids, mask, tags = collate(group)
                with torch.autocast("cpu", dtype=self.precision, enabled=reduced):
                    logits = self.model(input_ids=ids, attention_mask=mask).logits
                loss = torch.nn.functional.cross_entropy(
                    logits.float().flatten(0, 1), tags.flatten(), reduction="sum"
                )
                (loss / n_tokens).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)

    def groups(self, batch: List[Sentence]) -> Iterator[List[Sentence]]:
        """Yield the sentences that go through the model together."""
        if not self.grouped:
            yield batch
            return
        group: List[Sentence] = []
        for sentence in sorted(batch, key=lambda item: len(item.ids)):
            if group and (len(group) + 1) * len(sentence.ids) > self.budget:
                yield group
                group = []
            group.append(sentence)
        yield group


def collate(group: Sequence[Sentence]) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pad to a rectangle. RETURNS: Ids, mask and tags; int64, shape (sentences, length)."""
    length = max(len(sentence.ids) for sentence in group)
    rows = [(s, length - len(s.ids)) for s in group]
    ids = torch.tensor([s.ids + [0] * pad for s, pad in rows])
    mask = torch.tensor([[1] * len(s.ids) + [0] * pad for s, pad in rows])
    tags = torch.tensor([s.tags + [IGNORED] * pad for s, pad in rows])
    return ids, mask, tags


def render(seconds: Dict[str, List[float]], n_steps: int, n_sentences: int) -> List[Sequence[str]]:
    first = median(next(iter(seconds.values())))
    rows: List[Sequence[str]] = [COLUMNS]
    for name, values in seconds.items():
        middle = median(values)
        extent = f"{min(values):.1f}–{max(values):.1f}"
        pace = f"{n_sentences / middle:,.1f}"
        rows.append((name, f"{middle:.1f}", extent, str(n_steps), pace, f"{middle / first:.2f}"))
    return rows


if __name__ == "__main__":
    main()
