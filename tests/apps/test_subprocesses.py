import pytest

from spacy_bioner.apps.subprocesses import explain_exit


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "output.log"
    path.write_text("one\nerror: no such model\n\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1, "no such model"),
        (-15, "it was ended by SIGTERM"),
        (-9, "it was ended by SIGKILL, most likely for want of memory"),
        (-35, "it was ended by signal 35"),
    ],
)
def test_a_code_is_explained(code, expected, log):
    assert explain_exit(code, log) == expected


@pytest.mark.parametrize("text", ["", "\n \n", None])
def test_without_a_log_the_code_is_named(text, tmp_path):
    if text is not None:
        (tmp_path / "output.log").write_text(text, encoding="utf-8")
    found = explain_exit(3, tmp_path / "output.log", subject="the training")
    assert found == "the training ended with code 3"
