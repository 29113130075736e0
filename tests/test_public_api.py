"""The public names: which there are, how they are called, and the page that says so."""

import importlib.util
import re
import textwrap
from importlib import import_module

import pytest

from tests import paths

FOLDER = paths.ROOT / "docs"
# Scripts of users rely on these: a line that changes needs one in CHANGELOG.md.
PINNED = """\
spacy_bioner: Concept(id, name="", label="")
spacy_bioner: EvaluationSettings(labels=(), spans_key=None, dataset="", train=None,
    marginals=False, seed=0, n_resamples=1000)
spacy_bioner: Mention(start_char, end_char, label, text="", concept_ids=(), fragments=(),
    line=None, attributes=())
spacy_bioner: Record(id, text, mentions=(), sections=(), words=(), sentence_starts=(), meta=...,
    reading_notes=...)
spacy_bioner: align(record, make_doc, *, check_text=True)
spacy_bioner: annotate(texts, model, *, batch_size=32, n_process=1, gpu_id=-1, dataset="",
    format="auto", text_column=None, id_column=None)
spacy_bioner: convert(source, target, *, from_format="auto", to_format=None, tokenizer=None,
    label_map=None, may_lack_labels=False, steps=(), selection=None, layout=None, options=None,
    to_scheme="IOB2", lenient=False, trust="", report=None, progress=...)
spacy_bioner: evaluate(model, corpus, settings=..., *, output=None, gpu_id=-1)
spacy_bioner: explain(nlp, text, *, method="auto", n_steps=50, n_readings=3)
spacy_bioner: read_corpus(path, format=None, *, label_map=None, selection=..., lenient=False,
    trust="", **options)
spacy_bioner: write_corpus(records, path, format=None, **options)
spacy_bioner.corpora: Alignment(doc, mentions)
spacy_bioner.corpora: ConllLayout(word_column=None, tag_column=None, scheme=None, label="",
    space_column=None)
spacy_bioner.corpora: FORMATS
spacy_bioner.corpora: Format(name, title, reader, writer=None, aliases=(), carried=...,
    takes_docs=False, holds_docs=False, is_folder=False, line_based=False, endings=(),
    file_ending="", folder_endings=(), name_part="", looks_like=None, part_of="", options=...,
    tag_options=None, reads_corpora=False, writer_options=..., derives=..., losses=None)
spacy_bioner.corpora: LabelMap(name, labels, dropped=..., default="keep", source="")
spacy_bioner.corpora: Selection(skip=0, first=None, ids=...)
spacy_bioner.corpora: list_label_maps()
spacy_bioner.corpora: load_label_map(name_or_path)
spacy_bioner.corpora: read_docbin(path, vocab)
spacy_bioner.evaluation: Average(precision, recall, f_score, n_types)
spacy_bioner.evaluation: Comparison(gold, predicted, n_chars)
spacy_bioner.evaluation: Counts(tp=0, fp=0, fn=0)
spacy_bioner.evaluation: DocumentEvaluation(scores, counts, pace)
spacy_bioner.evaluation: Measurement(strict, intervals, counts, schemes, schemes_by_type, tokens,
    confusion, mistakes, strata, areas, concepts, judged, calibration, sweeps, shares, missing)
spacy_bioner.evaluation: Metric(group, name, label=None)
spacy_bioner.evaluation: PipelineEvaluation(scores, n_docs, pace)
spacy_bioner.evaluation: Scores(by_type=..., n_docs=0, n_exact=0, n_unannotated=0, n_duplicates=0,
    n_unreachable=0, labels_unknown_to_model=(), labels_unknown_to_gold=())
spacy_bioner.evaluation: compare_docs(gold, predicted, *, spans_key=None)
spacy_bioner.evaluation: evaluate_documents(nlp, gold_docs)
spacy_bioner.evaluation: evaluate_pipeline(nlp, gold_docs, *, component="bioner", spans_key=None)
spacy_bioner.evaluation: measure(pairs, *, spans_key=None, model_labels=None, train=None,
    marginals=None, seed=0, n_resamples=1000)
spacy_bioner.evaluation: score_mentions(comparisons, *, model_labels=None)
spacy_bioner.components: Evidence(start_char, end_char, label, source, confidence=None,
    concept_id="", rule="")
spacy_bioner.components: FACTORIES
spacy_bioner.components: Rejection(start_char, end_char, label, source, rejected_by, reason="")
spacy_bioner.components: read_abbreviations(doc)
spacy_bioner.components: read_rejections(doc)
spacy_bioner.components: read_sections(doc)
spacy_bioner.components: span_evidence(span)
spacy_bioner.knowledge: Definition(short_start, short_end, short_text, long_start, long_end,
    long_text)
spacy_bioner.knowledge: GazInfo(n_terms, labels, sources, rules, size, version=3)
spacy_bioner.knowledge: SourceInfo(name, version="", licence="", url="", n_rows=0)
spacy_bioner.knowledge: Term(name, label, id="", case="auto", tokens=False)
spacy_bioner.knowledge: TermMatch(start, end, term_index)
spacy_bioner.knowledge: TermMatcher(terms=(), *, variants=False, sources=(), rules=...)
spacy_bioner.knowledge: TextSection(label, start_char, end_char, head_start, head_end)
spacy_bioner.knowledge: find_definitions(text, start=0, end=None)
spacy_bioner.knowledge: find_sections(text, table=None)
spacy_bioner.knowledge: read_gaz(path, *, variants=False)
spacy_bioner.knowledge: read_terms(path, *, label="")
spacy_bioner.knowledge: write_gaz(terms, path, *, sources=(), rules=...)
spacy_bioner.errors: AssetError(BionerError)
spacy_bioner.errors: BionerError(Exception)
spacy_bioner.errors: ConfigError(BionerError)
spacy_bioner.errors: CorpusError(message, *, path=None, line=None)
spacy_bioner.errors: CorpusWarning(UserWarning)
spacy_bioner.errors: DeviceError(BionerError)
spacy_bioner.errors: EncoderError(BionerError)
spacy_bioner.errors: LabelError(BionerError)
spacy_bioner.errors: MissingExtraError(message, *, name, path=None, line=None)
spacy_bioner.errors: OutputError(CorpusError)
spacy_bioner.errors: PackageError(BionerError)
spacy_bioner.errors: PatternError(TermTableError, ValueError)
spacy_bioner.errors: StoppedError(BionerError)
spacy_bioner.errors: TermTableError(CorpusError)
spacy_bioner.errors: TextError(BionerError, ValueError)
spacy_bioner.errors: TrainingDataError(BionerError)
"""


def load_builder():
    spec = importlib.util.spec_from_file_location("build_api", FOLDER / "build_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILDER = load_builder()
PUBLIC = BUILDER.list_public()


def list_signatures():
    for name, (package, module) in PUBLIC.items():
        value = getattr(import_module(module), name)
        line = f"{package}: {BUILDER.describe(name, value) if callable(value) else name}"
        yield textwrap.fill(line, 98, subsequent_indent="    ", break_long_words=False)


def test_public_names_and_their_arguments_are_these():
    assert "\n".join(list_signatures()) + "\n" == PINNED


@pytest.mark.parametrize("package", BUILDER.PACKAGES)
def test_names_for_type_checkers_are_those_that_are_offered(package):
    module = import_module(package)
    for name, home in BUILDER.find_definitions(package).items():
        assert getattr(import_module(home), name) is getattr(module, name)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented(name):
    assert BUILDER.get_docs(name, PUBLIC[name][1])


def test_the_page_is_what_the_docstrings_make():
    written = BUILDER.PAGE.read_text(encoding="utf-8")
    assert written == BUILDER.render_page(), "run: make docs"


def test_guides_for_users_call_what_is_public_or_named_beside_it():
    found = set()
    # Who extends the package works inside of it.
    pages = {*FOLDER.glob("*.md"), paths.ROOT / "README.md"} - {FOLDER / "extending.md"}
    for page in pages - {BUILDER.PAGE}:
        text = page.read_text(encoding="utf-8")
        for module, names in re.findall(r"from (spacy_bioner[\w.]*) import (.+)", text):
            found |= {(module, name.strip()) for name in names.split(",")}
        found |= set(re.findall(r"`(spacy_bioner[\w.]*)\.(\w+)\(", text))
    for module, name in found:
        assert callable(getattr(import_module(module), name))
    others = {f"{module}.{name}" for module, name in found if module not in BUILDER.PACKAGES}
    assert others == set(BUILDER.GUIDED)


def test_lines_of_the_page_are_short():
    lines = BUILDER.render_page().splitlines()
    assert [line for line in lines if len(line) > BUILDER.WIDTH] == []


def test_a_page_that_differs_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(BUILDER, "PAGE", tmp_path / "api.md")
    assert BUILDER.main([]) == 0
    assert BUILDER.main(["--check"]) == 0
    BUILDER.PAGE.write_text("# Other\n")
    assert BUILDER.main(["--check"]) == 1
    assert capsys.readouterr().err == "api.md is not what the docstrings make, run: make docs\n"
