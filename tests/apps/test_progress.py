import io

from spacy_bioner.apps.progress import Pace
from spacy_bioner.training.step_progress import StatusLine


def make_pace(times):
    stream = io.StringIO()
    return Pace(StatusLine(stream, 30.0, 0.0), clock=iter(times).__next__), stream


def test_pace_tells_documents_words_and_time_left():
    pace, stream = make_pace([0.0, 10.0, 50.0])
    pace.begin(10, 1000)
    pace.advance(["two words " * 10] * 4)
    assert stream.getvalue() == ("4 of 10 documents, 0.1 documents/s, 2 words/s, 1 min left\n")


def test_documents_of_an_earlier_run_do_not_count_to_the_pace():
    pace, _ = make_pace([0.0, 0.0, 0.0])
    pace.begin(10, 1000)
    pace.skip(5, 500)
    pace.advance(["x" * 100])
    assert pace.describe(20.0) == "6 of 10 documents, 0.1 documents/s, 0 words/s, 1 min left"


def test_pace_without_a_line_tells_nothing():
    pace = Pace()
    pace.begin(1, 1)
    pace.advance(["a"])
    assert pace.describe(1.0) == "1 of 1 documents, 1.0 documents/s, 0 words/s, 0 s left"
