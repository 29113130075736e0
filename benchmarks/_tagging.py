"""The process of one system in `throughput.py`: load it, tag all texts once, say how that went.

    python benchmarks/_tagging.py JOB.json

It runs in the environment of the system, which need not have this package. JOB.json has the
fields of `Job`; one line of JSON is printed, with those of `Outcome`.
"""

import json
import re
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Set, Tuple

Span = Tuple[int, int, str]
# A text and the borders of its sentences.
Text = Tuple[str, List[Tuple[int, int]]]
Tagger = Callable[[List[Text]], List[List[Span]]]
WARM_UP_TEXTS = 20
# Padded pieces in a batch of the bare loop: as ours on a CPU.
BATCH_PIECES = 1024
MAX_PIECES = 512
BATCH_SIZES = (1, 8, 32)


@dataclass(frozen=True)
class Job:
    """What to run.

    loader (str): One of `LOADERS`.
    folder (str): The saved model.
    texts (str): A JSON file: a list of texts, each with the borders of its sentences.
    requirement (str): What is installed for it.
    """

    loader: str
    folder: str
    texts: str
    threads: int
    precision: str = "float32"
    unit: str = "document"
    requirement: str = ""


@dataclass
class Outcome:
    """How a run went.

    load_seconds (float): From the start of the process' work, with all imports.
    peak_mb (float): Greatest resident memory of the process.
    installed_mb (float): All files of the requirement and what it requires.
    entities (List[List[Span]]): By text, with offsets.
    remark (str): What was chosen before the clock started.
    """

    load_seconds: float
    seconds: float = 0.0
    peak_mb: float = 0.0
    installed_mb: float = 0.0
    entities: List[List[Span]] = field(default_factory=list)
    remark: str = ""


def main() -> None:
    job = Job(**json.loads(Path(sys.argv[1]).read_text("utf8")))
    output, sys.stdout = sys.stdout, sys.stderr
    start = time.perf_counter()
    tag = LOADERS[job.loader](job)
    outcome = Outcome(time.perf_counter() - start)
    texts = json.loads(Path(job.texts).read_text("utf8"))
    tag(texts[:WARM_UP_TEXTS])
    start = time.perf_counter()
    outcome.entities = tag(texts)
    outcome.seconds = time.perf_counter() - start
    outcome.peak_mb = read_peak()
    outcome.installed_mb = measure_install(job.requirement)
    outcome.remark = getattr(tag, "remark", "")
    print(json.dumps(asdict(outcome)), file=output)


def read_peak() -> float:
    """Return the greatest resident memory in MB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not from `getrusage`, where a process starts with the peak of the one that started it.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text("utf8"))
        return int(found.group(1)) / 2**10 if found else 0.0
    # In bytes, on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def load_spacy(job: Job, **settings: Any) -> Tagger:
    """Load a spaCy pipeline."""
    import spacy

    nlp = spacy.load(job.folder, config=settings)
    return lambda texts: [read_ents(doc) for doc in nlp.pipe(text for text, _ in texts)]


def load_ours(job: Job) -> Tagger:
    """Load our pipeline, whatever stands behind `bioner`, with another unit and precision."""
    limit_threads(job)
    encoder = "components.bioner.model.encoder"
    return load_spacy(job, **{f"{encoder}.precision": job.precision, f"{encoder}.unit": job.unit})


def load_exported(job: Job) -> Tagger:
    """Load a pipeline that `bioner export` wrote, in its own precision."""
    encoder = "components.bioner.model.encoder"
    return load_spacy(job, **{f"{encoder}.threads": job.threads, f"{encoder}.unit": job.unit})


def load_bare_onnx(job: Job) -> Tagger:
    """Load an exported encoder for a loop over the very batches that the pipeline makes, all of
    them laid out before: what is left of the time is onnxruntime's. It finds nothing.

    Threads share each batch, or with "a batch a thread" as the unit, each has its own.
    """
    import spacy

    settings = {"threads": job.threads}
    components = {"bioner": {"model": {"encoder": settings}}}
    nlp = spacy.load(job.folder, config={"components": components})
    encoder = nlp.get_pipe("bioner").model.get_ref("encoder")
    shim = encoder.shims[0]
    texts = [text for text, _ in json.loads(Path(job.texts).read_text("utf8"))]
    batches = list_batches(nlp, encoder, texts)

    def tag(texts: List[Text]) -> List[List[Span]]:
        wanted = batches if len(texts) > WARM_UP_TEXTS else batches[:8]
        groups = [wanted] if job.unit == "a batch a thread" else [[batch] for batch in wanted]
        for group in groups:
            for _ in shim.run_each(group, len):
                pass
        return []

    return tag


def list_batches(nlp: Any, encoder: Any, texts: List[str]) -> List[Any]:
    """List the batches that a pipeline makes for an exported encoder."""
    from spacy.util import minibatch

    from spacy_bioner.architectures.pieces.batches import make_batches
    from spacy_bioner.architectures.pieces.windows import lay_out

    pad_id, budget = encoder.shims[0].spec["pad_id"], encoder.attrs["batch_pieces"]
    batches: List[Any] = []
    for docs in minibatch(map(nlp.make_doc, texts), nlp.batch_size):
        batches += make_batches(lay_out(encoder, docs), budget=budget, pad_id=pad_id)[0]
    return batches


def load_trf(job: Job) -> Tagger:
    """Load spacy-transformers and `ner`, on strided spans as saved, or on sentences."""
    import spacy

    limit_threads(job)
    nlp = spacy.load(job.folder)
    if job.unit == "sentence":
        # The tokenizer marks them.
        getter = spacy.registry.get("span_getters", "spacy-transformers.sent_spans.v1")
        nlp.get_pipe("transformer").model.attrs["get_spans"] = getter()
    return lambda texts: [read_ents(doc) for doc in nlp.pipe(text for text, _ in texts)]


def load_eds(job: Job) -> Tagger:
    """Make EDS-NLP's transformer and CRF from encoder and head of a HF folder."""
    import edsnlp
    import edsnlp.pipes as eds
    import torch
    from transformers import AutoModelForTokenClassification

    limit_threads(job)
    trained = AutoModelForTokenClassification.from_pretrained(job.folder)
    tags = trained.config.label2id
    labels = sorted({tag[2:] for tag in tags if tag != "O"})
    nlp = edsnlp.blank("eds")
    embedding = eds.transformer(model=job.folder, window=128, stride=96)
    ner = eds.ner_crf(embedding=embedding, mode="joint", labels=labels, span_setter="ents")
    nlp.add_pipe(ner, name="ner")
    nlp.pipes.ner.linear = make_eds_head(trained.classifier, tags, labels)
    # Its default on a CPU is mixed precision in bfloat16, in hardware or not.
    autocast = job.precision != "float32" and getattr(torch, job.precision)

    def tag(texts: List[Text], size: int) -> List[List[Span]]:
        docs = nlp.pipe(text for text, _ in texts)
        return [read_ents(doc) for doc in docs.set_processing(batch_size=size, autocast=autocast)]

    return Batched(tag)


def make_eds_head(classifier: Any, tags: Dict[str, int], labels: List[str]) -> Any:
    """Make scores of O, I, B, L, U for each label from those of BIO tags of all labels.

    What is another label's counts as O; a last token takes the score of I, a single one that of B.
    """
    import torch

    begin, inside = ([tags[f"{sign}-{label}"] for label in labels] for sign in "BI")
    own = torch.zeros(len(labels), len(tags), dtype=torch.bool)
    for row, columns in enumerate(zip(begin, inside)):
        own[row, list(columns)] = True

    class Head(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.classifier = classifier

        def forward(self, states: Any) -> Any:
            scores = self.classifier(states)
            others = scores.unsqueeze(-2).masked_fill(own, -torch.inf).logsumexp(-1)
            first, further = scores[..., begin], scores[..., inside]
            return torch.stack([others, further, first, further, first], -1).flatten(-2)

    return Head()


def read_ents(doc: Any) -> List[Span]:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def limit_threads(job: Job) -> None:
    import torch

    torch.set_num_threads(job.threads)


def load_hf(job: Job) -> Tagger:
    """Load transformers' own token-classification pipeline."""
    import torch
    from transformers import pipeline

    limit_threads(job)
    tagger = pipeline(
        "token-classification", model=job.folder, aggregation_strategy="average", device="cpu"
    )
    tagger.model.to(getattr(torch, job.precision))

    def tag(texts: List[Text], size: int) -> List[List[Span]]:
        units = cut(texts, job.unit)
        strings = [string for _, _, string in units]
        found: List[List[Span]] = [[] for _ in texts]
        for (index, base, _), entities in zip(units, tagger(strings, batch_size=size)):
            for entity in entities:
                start, end = base + entity["start"], base + entity["end"]
                found[index].append((start, end, entity["entity_group"]))
        return found

    return Batched(tag)


class Batched:
    """A tagger with the batch size that serves it best: found on the first call, which is before
    the clock starts."""

    def __init__(self, tag: Callable[[List[Text], int], List[List[Span]]]) -> None:
        self.tag = tag
        self.size = 0

    @property
    def remark(self) -> str:
        return f"batch {self.size}"

    def __call__(self, texts: List[Text]) -> List[List[Span]]:
        self.size = self.size or self._choose_size(texts)
        return self.tag(texts, self.size)

    def _choose_size(self, texts: List[Text]) -> int:
        # What is made on first use is no batch size's fault.
        self.tag(texts[:1], 1)
        seconds = {}
        for size in BATCH_SIZES:
            start = time.perf_counter()
            self.tag(texts, size)
            seconds[size] = time.perf_counter() - start
        return min(seconds, key=lambda size: seconds[size])


def load_bare(job: Job) -> Tagger:
    """Load encoder and head for a plain loop: tokenize, sort by length, forward, best tag of each
    word.

    No Doc, no legal tag sequences, no confidences: what is left of the time is the encoder's.
    """
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForTokenClassification

    limit_threads(job)
    model = AutoModelForTokenClassification.from_pretrained(job.folder)
    model.to(getattr(torch, job.precision)).eval()
    tokenizer = Tokenizer.from_file(str(Path(job.folder) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_PIECES)

    def tag(texts: List[Text]) -> List[List[Span]]:
        units = cut(texts, job.unit)
        encodings = tokenizer.encode_batch([string for _, _, string in units])
        found: List[List[Span]] = [[] for _ in texts]
        for group in group_by_length([len(encoding.ids) for encoding in encodings]):
            for i, scores in zip(group, run_batch(model, [encodings[i].ids for i in group])):
                index, base, _ = units[i]
                words = tag_words(scores, encodings[i], model.config.id2label)
                found[index] += join_tags(words, base)
        return found

    return tag


def run_batch(model: Any, rows: List[List[int]]) -> List[Any]:
    """Return the scores of tags of each row's pieces, shape (pieces, tags)."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    with torch.inference_mode():
        scores = model(input_ids=ids, attention_mask=mask).logits.float().numpy()
    return [pieces[: len(row)] for pieces, row in zip(scores, rows)]


def tag_words(scores: Any, encoding: Any, labels: Mapping[int, str]) -> List[Span]:
    """Return each word with its best tag: of the mean of its pieces, as `bioner` takes it."""
    import numpy as np

    # Without [CLS] and [SEP].
    words, offsets = encoding.word_ids[1:-1], encoding.offsets[1:-1]
    starts = [i for i, word in enumerate(words) if i == 0 or word != words[i - 1]]
    if not starts:
        return []
    best = np.add.reduceat(scores[1:-1], starts).argmax(-1).tolist()
    ends = [*starts[1:], len(words)]
    return [
        (offsets[start][0], offsets[end - 1][1], labels[tag])
        for start, end, tag in zip(starts, ends, best)
    ]


def group_by_length(lengths: List[int]) -> Iterator[List[int]]:
    """Divide units into batches of about the same length."""
    group: List[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if group and (len(group) + 1) * lengths[index] > BATCH_PIECES:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def join_tags(words: Iterable[Span], base: int) -> List[Span]:
    """Join words with BIO tags to mentions.

    base (int): Where their text starts in the document.
    """
    spans: List[Span] = []
    last = ""
    for start, end, tag in words:
        label = tag[2:]
        if label and label == last and tag[0] == "I":
            spans[-1] = (spans[-1][0], base + end, label)
        elif label:
            spans.append((base + start, base + end, label))
        last = label
    return spans


def cut(texts: List[Text], unit: str) -> List[Tuple[int, int, str]]:
    """List what goes through a model together: number of the text, where it starts, the string."""
    if unit == "document":
        return [(index, 0, text) for index, (text, _) in enumerate(texts)]
    return [
        (index, start, text[start:end])
        for index, (text, sentences) in enumerate(texts)
        for start, end in sentences
    ]


def measure_install(requirement: str) -> float:
    """Add up the files of a distribution and of all that it requires, in MB."""
    from packaging.requirements import Requirement

    sizes: Dict[str, int] = {}
    waiting = [Requirement(requirement)]
    seen: Set[Tuple[str, Tuple[str, ...]]] = set()
    while waiting:
        item = waiting.pop()
        extras = tuple(sorted(item.extras))
        name = re.sub("[-_.]+", "-", item.name).lower()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = metadata.distribution(item.name)
        except metadata.PackageNotFoundError:
            continue
        sizes[name] = sum(size_of(found.locate_file(path)) for path in found.files or ())
        for inner in map(Requirement, found.requires or ()):
            marker = inner.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in (*extras, "")):
                waiting.append(inner)
    return sum(sizes.values()) / 2**20


def size_of(path: Any) -> int:
    # Bytecode is made here.
    path = Path(path)
    return path.stat().st_size if path.is_file() and path.suffix != ".pyc" else 0


LOADERS: Dict[str, Callable[[Job], Tagger]] = {
    "ours": load_ours,
    "exported": load_exported,
    "bare onnx": load_bare_onnx,
    "trf": load_trf,
    "spacy": load_spacy,
    "hf": load_hf,
    "eds": load_eds,
    "bare": load_bare,
}

if __name__ == "__main__":
    main()
