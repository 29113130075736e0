import re
import sys

import pytest

from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.errors import ConfigError
from spacy_bioner.extras import install_command
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms import filters
from spacy_bioner.transforms.filters import (
    FilterReport,
    duplicate_text,
    empty_text,
    filter_records,
    language,
    max_characters,
    min_characters,
    min_words,
    without_annotation,
)

GERMAN = (
    "Wir berichten über einen 54-jährigen Patienten mit arterieller Hypertonie, der nach der Gabe "
    "von Captopril ein schweres Angioödem entwickelte. Nach dem Absetzen des Medikaments bildeten "
    "sich die Beschwerden innerhalb von zwei Tagen vollständig zurück."
)
FRENCH = (
    "Nous rapportons le cas d'un patient de 54 ans atteint d'une hypertension artérielle qui a "
    "développé un angio-oedème sévère après la prise de captopril. Les symptômes ont disparu en "
    "deux jours après l'arrêt du traitement, sans séquelles."
)
SPANISH = (
    "Presentamos el caso de un paciente de 54 años con hipertensión arterial que desarrolló un "
    "angioedema grave tras la administración de captopril. Los síntomas desaparecieron en dos días "
    "después de suspender el tratamiento, sin secuelas."
)
ENGLISH = (
    "We report a 54-year-old patient with arterial hypertension who developed severe angioedema "
    "after he was given captopril. The symptoms disappeared within two days after the drug was "
    "withdrawn, and there were no sequelae at follow-up six months later."
)


def keep(texts, *chosen):
    report = FilterReport()
    records = [Record(str(number), text) for number, text in enumerate(texts)]
    return [record.text for record in filter_records(records, chosen, report)], report


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (empty_text(), ["a", "a b c", " a b "]),
        (min_characters(3), ["a b c", " a b "]),
        (max_characters(3), ["a", "", " \n", " a b "]),
        (min_words(2), ["a b c", " a b "]),
    ],
)
def test_filter_removes_what_it_names(item, kept):
    assert keep(["a", "", " \n", "a b c", " a b "], item)[0] == kept


def test_without_annotation_removes_records_without_mentions():
    annotated = Record("1", "a", (Mention(0, 1, "A"),))
    report = FilterReport()
    records = [annotated, Record("2", "b")]
    assert list(filter_records(records, [without_annotation()], report)) == [annotated]


def test_duplicates_are_those_of_kept_records():
    first, second, third = (
        Record("1", "same"),
        Record("2", "same", (Mention(0, 4, "A"),)),
        Record("3", "same", (Mention(0, 4, "B"),)),
    )
    report = FilterReport()
    chosen = [duplicate_text(), without_annotation()]
    assert list(filter_records([first, second, third], chosen, report)) == [second]
    assert report.removed == {"without_annotation": 1, "duplicate_text": 1}


def test_duplicates_are_found_across_calls_of_one_filter():
    item = duplicate_text()
    assert keep(["a", "b", "a"], item)[0] == ["a", "b"]
    assert keep(["b", "c"], item)[0] == ["c"]


def test_a_record_counts_under_the_first_filter_that_rejects_it():
    report = FilterReport()
    mentions = (Mention(0, 1, "A"), Mention(0, 1, "B"))
    records = [Record("x", "a", mentions), Record("y", ""), Record("z", "long enough")]
    kept = list(filter_records(records, [empty_text(), min_words(2)], report))
    assert [record.id for record in kept] == ["z"]
    assert report.to_json() == {
        "read": 3,
        "kept": 1,
        "removed": {"empty_text": 1, "min_words": 1},
        "mentions_removed": {"empty_text": 0, "min_words": 2},
        "ids": [{"id": "x", "filter": "min_words"}, {"id": "y", "filter": "empty_text"}],
    }


def test_the_report_lists_the_first_thousand():
    report = keep([""] * 1001, empty_text())[1]
    assert report.removed["empty_text"] == 1001
    assert len(report.ids) == 1000


def test_filter_records_streams():
    endless = (Record(str(number), "text") for number in iter(int, 1))
    assert next(filter_records(endless, [empty_text()], FilterReport())).text == "text"


def test_numbers_below_zero_are_refused():
    with pytest.raises(ConfigError, match="found min_words -1, expected a number from 0"):
        min_words(-1)


def test_language_removes_other_languages():
    pytest.importorskip("py3langid")
    texts = [GERMAN, ENGLISH, FRENCH, SPANISH]
    kept, report = keep(texts, language())
    assert kept == [ENGLISH]
    assert report.removed == {"language_en": 3}
    assert keep(texts, language("de"))[0] == [GERMAN]


def test_language_does_not_judge_short_texts():
    pytest.importorskip("py3langid")
    short = GERMAN[:199]
    assert keep([short], language())[0] == [short]
    assert keep([short], language(min_characters=100))[0] == []


def test_language_judges_texts_of_any_length():
    pytest.importorskip("py3langid")
    assert keep([ENGLISH * 10_000, "\ud800" * 300], language())[1].kept == 1


def test_language_judges_the_first_ten_thousand_characters():
    pytest.importorskip("py3langid")
    assert keep([ENGLISH * 50 + GERMAN * 500], language())[1].kept == 1


def test_language_loads_its_model_once():
    pytest.importorskip("py3langid")
    filters._load_identifier.cache_clear()
    language()
    language("de")
    assert filters._load_identifier.cache_info().misses == 1


def test_language_refuses_settings_that_it_cannot_meet():
    pytest.importorskip("py3langid")
    with pytest.raises(ConfigError, match="found language 'english', expected one of ace, af, am"):
        language("english")
    with pytest.raises(ConfigError, match="found min_probability 0, expected more than 0"):
        language(min_probability=0)


def test_language_without_the_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    filters._load_identifier.cache_clear()
    with pytest.raises(ConfigError, match=re.escape(install_command("corpora"))):
        language()


@pytest.mark.parametrize("corpus", ["bc5cdr", "ncbi_disease"])
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_no_abstract_of_a_corpus_is_taken_for_another_language(data_dir, corpus, part):
    pytest.importorskip("py3langid")
    report = FilterReport()
    records = read_pubtator(data_dir / "corpora" / corpus / f"{part}.pubtator.txt")
    chosen = [empty_text(), min_words(20), language(min_characters=0)]
    assert sum(1 for _ in filter_records(records, chosen, report)) == report.read
    assert report.read in (100, 500, 593)
