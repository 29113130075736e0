from pathlib import Path

from spacy_bioner.reports.text.annotation import render_annotation

COUNTS = {"documents": 1200, "rejected": 0, "entities": 3400, "characters": 10, "tokens": 4,
          "pieces": 6, "windows": 2, "unseen": 0}  # fmt: skip


def render(*, kept=0, losses=(), **counts):
    return render_annotation(Path("out"), {**COUNTS, **counts}, kept=kept, losses=dict(losses))


def test_what_was_read_and_found_is_counted():
    assert render() == (
        "out: 1,200 documents, 3,400 entities\nread: 10 characters, 4 tokens, 6 pieces, 2 windows"
    )


def test_what_was_done_before_is_told():
    assert "1,000 of the documents were annotated before" in render(kept=1000)
    assert render(kept=1200).splitlines()[1] == "it was complete: nothing was done"


def test_what_is_missing_is_told():
    told = render(unseen=3, foreign=4, rejected=2, losses={"sections": 5}).splitlines()
    assert told[2:] == [
        "warning: 3 tokens were not seen (encoder setting truncate)",
        "warning: 4 of the documents seem to be in another language or script than the pipeline "
        'has learned; in out/receipts they have "foreign": 1',
        "warning: 2 documents were rejected, see out/rejected",
        "the format has no place for: sections 5",
    ]
