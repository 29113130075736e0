"""The README of a packaged pipeline: what it is, what it learned from, how good it is."""

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from spacy_bioner import __version__
from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.knowledge.gaz import SourceInfo
from spacy_bioner.reports.scores import footnotes, format_interval, format_percent
from spacy_bioner.reports.tables import escape_markdown, quote_code, render_markdown_table
from spacy_bioner.reports.text.pipelines.verification import (
    describe_memory,
    describe_pace,
    describe_split,
)
from spacy_bioner.training.results.model_facts import (
    CONFIDENCE,
    ModelCard,
    ScoredCorpus,
    TermFacts,
)

SCORE_HEADER = ("type", "n", "precision", "recall", "F1")
NOT_RECORDED = "not recorded"
UNCALIBRATED = "A confidence is the model's own probability, not a calibrated one."
CALIBRATED = (
    "Confidences were calibrated on text of the training corpora: on other text they promise too "
    "much, or too little."
)
LEARNT = (
    "English only, and best on text like that of its training corpus. Scores on other kinds of "
    "text can be much lower."
)
LIMITS = (
    LEARNT,
    "Entities do not overlap: of nested mentions one is found at most.",
    "Not a medical device: nothing it finds or misses is a basis for treating a patient.",
)
"""What every pipeline's user has to know."""
INTERVALS = (
    " Brackets hold 95 % intervals of the bootstrap over documents: how far F1 would move on other "
    "documents of the kind."
)
# Below this a corpus is a demonstration; the published corpora of the field have 500 and more.
FEW_DOCUMENTS = 300


def render_model_card(card: ModelCard) -> str:
    """Write the card as Markdown.

    RETURNS (str): A whole README.md, final line break included.
    """
    sections = [
        f"# {card.package}\n\n{card.description}",
        _render_overview(card),
        _render_use(card),
        _render_scores(card),
        *_render_split(card),
        _render_training(card),
        *_render_commands(card),
        _render_limits(card),
    ]
    return "\n\n".join(sections) + "\n"


def _render_overview(card: ModelCard) -> str:
    encoder = card.encoder
    rows = [
        ("version", card.version),
        ("labels", escape_markdown(", ".join(card.labels)) or NOT_RECORDED),
        ("pipeline", " → ".join(quote_code(name) for name in ("tokenizer", *card.components))),
        ("encoder", quote_code(encoder.name) if encoder else "none"),
        ("trained on", escape_markdown(card.corpus.name) or NOT_RECORDED),
        ("licence of this package", escape_markdown(card.licence) or "not stated"),
        (
            "licence of the encoder",
            (escape_markdown(encoder.licence) or NOT_RECORDED) if encoder else "–",
        ),
        ("licence of the corpus", escape_markdown(card.corpus.licence) or NOT_RECORDED),
    ]
    if card.terms:
        rows += _describe_terms("term table", card.terms)
    if card.features:
        rows += _describe_terms("terms as features", card.features)
    return render_markdown_table(("", ""), rows)


def _describe_terms(title: str, terms: TermFacts) -> List[Tuple[str, str]]:
    licences = escape_markdown("; ".join(map(_name_source, terms.sources))) or NOT_RECORDED
    rows = [
        (title, f"{quote_code(terms.table)}, {terms.n_terms:,} terms"),
        ("licence of the terms", licences),
    ]
    if changed := _describe_rules(terms.rules):
        rows.append(("names added and left out", escape_markdown(changed)))
    return rows


def _name_source(source: SourceInfo) -> str:
    name = " ".join(filter(None, (source.name, source.version)))
    return f"{name}: {source.licence or NOT_RECORDED}"


def _describe_rules(rules: Mapping[str, Any]) -> str:
    """Count what each rule of `bioner terms import` has added and left out."""
    return "; ".join(
        f"{title}: " + ", ".join(f"{rule} {count:,}" for rule, count in rules[key].items())
        for key, title in (("variants", "variants"), ("dropped", "left out"))
        if rules.get(key)
    )


def _render_use(card: ModelCard) -> str:
    # The evidence extensions exist only where one of this project's components is loaded.
    with_evidence = any(factory.startswith("bioner") for factory in card.components.values())
    shown = "ent.text, ent.label_"
    shown += ", ent._.confidence, ent._.source" if with_evidence else ""
    needs = ", ".join(quote_code(item) for item in card.requirements)
    companion = f"spacy_bioner-{__version__}-py3-none-any.whl"
    return f"""\
## Use

```sh
pip install {card.package}-{card.version}-py3-none-any.whl {companion}
```

Both wheels are in the folder `dist` beside this page; the second one is the package that the
pipeline's components come from. This installs {needs or "nothing else"} as well; only public
dependencies come from an index. Loading and running need no network.

```python
import spacy

nlp = spacy.load("{card.package}")
doc = nlp("Aspirin lowers the risk of colorectal cancer but can cause gastric bleeding.")
for ent in doc.ents:
    print({shown})
```"""


def _render_scores(card: ModelCard) -> str:
    if not card.tests:
        return "## Scores\n\nThis pipeline was packaged without scores."
    measured = ", ".join(quote_code(test.corpus) for test in card.tests)
    trained_on = f" of {escape_markdown(card.corpus.name)}" if card.corpus.name else ""
    parts = [
        "## Scores",
        f"Measured on {measured}{trained_on}. An entity is right when its "
        "first character, its end and its label are those of a gold mention; n counts gold "
        "mentions. The figures are those of one training run."
        + (INTERVALS if any(test.intervals for test in card.tests) else ""),
    ]
    for test in card.tests:
        parts += _render_test(test, named=len(card.tests) > 1)
    return "\n\n".join(parts)


def _render_test(test: ScoredCorpus, *, named: bool) -> List[str]:
    parts = []
    where = f"{quote_code(test.corpus)}: " if named else ""
    rules = f", by the rules of {escape_markdown(test.rules)}" if test.rules else ""
    for number, (title, scores) in enumerate(test.scores.items()):
        parts.append(f"### {where}{title} ({scores.n_docs:,} documents{rules})")
        # What else was measured is of the whole pipeline, which stands first.
        intervals = test.intervals if number == 0 else {}
        rows = [
            _score_row(escape_markdown(label), scores.by_type[label], intervals.get(label))
            for label in sorted(scores.by_type)
        ]
        rows.append(_score_row("**all types**", scores.micro, intervals.get(None)))
        parts.append(render_markdown_table(SCORE_HEADER, rows, right=range(1, 5)))
        facts = [*footnotes(scores), *(_describe_measured(test) if number == 0 else ())]
        notes = [f"- {escape_markdown(note)}" for note in facts]
        parts += ["\n".join(notes)] if notes else []
    return parts


def _describe_measured(test: ScoredCorpus) -> Iterator[str]:
    if test.novelty:
        shares = (
            f"{name} {format_percent(found / gold)} (n = {gold:,})"
            for name, found, gold in test.novelty
        )
        yield f"recall by what training has shown: {', '.join(shares)}"
    if test.calibration_error is not None:
        yield f"expected calibration error of confidences: {test.calibration_error:.3f}"


def _render_split(card: ModelCard) -> Iterator[str]:
    if card.split is None:
        return
    run = card.split.run
    counts = run.counts
    yield f"""\
## Verify

```sh
bioner verify {card.package}
```

This checks every file of the package, and scores its pipeline on the test documents that it
carries (n = {escape_markdown(describe_split(card.split))}). When it was packaged, strict F1 there
was {format_percent(counts.f_score)} (tp {counts.tp:,}, fp {counts.fp:,}, fn {counts.fn:,}), at
{escape_markdown(describe_pace(run))} and {describe_memory(run)} of memory at most."""


def _score_row(label: str, counts: Counts, interval: Optional[Interval] = None) -> List[str]:
    shares = [format_percent(share) for share in (counts.precision, counts.recall, counts.f_score)]
    if interval is not None and interval.value is not None:
        shares[-1] = format_interval(interval)
    return [label or "(none)", f"{counts.gold:,}", *shares]


def _render_training(card: ModelCard) -> str:
    corpus = card.corpus
    mentions = corpus.n_mentions
    by_label = ", ".join(
        f"{escape_markdown(label)} {mentions[label]:,}" for label in sorted(mentions)
    )
    total = f"{sum(mentions.values()):,} ({by_label})" if mentions else NOT_RECORDED
    rows = [
        ("corpus", escape_markdown(corpus.name) or NOT_RECORDED),
        ("documents", NOT_RECORDED if corpus.n_docs is None else f"{corpus.n_docs:,}"),
        ("mentions", total),
        *((f"SHA-256 of {name}", digest) for name, digest in sorted(corpus.digests.items())),
        *((name, escape_markdown(value)) for name, value in card.settings),
    ]
    return "## Training\n\n" + render_markdown_table(("setting", "value"), rows)


def _render_commands(card: ModelCard) -> Iterator[str]:
    if card.commands:
        yield f"## How it was made\n\n```sh\n{card.commands.strip()}\n```"


def _render_limits(card: ModelCard) -> str:
    limits = list(LIMITS)
    is_calibrated = CONFIDENCE in card.components.values()
    limits.insert(-1, CALIBRATED if is_calibrated else UNCALIBRATED)
    n_docs = card.corpus.n_docs
    if n_docs is not None and n_docs < FEW_DOCUMENTS:
        limits.insert(
            0,
            f"Trained on {n_docs:,} documents only: good for trying the pipeline out, not for "
            "annotating a collection.",
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)
