"""A pipeline that knows two texts by heart, its gold, and commands that are run on them."""

from pathlib import Path

from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.gold import GOLD_KEY, ID_KEY

KNOWN = "Naloxone reverses the effect of clonidine."
CHEMICALS = [[0, 8, "Chemical", []], [32, 41, "Chemical", []]]


def write_gold(nlp, path: Path, *gold) -> Path:
    docs = []
    for number, rows in enumerate(gold):
        doc = nlp.make_doc(KNOWN)
        doc.user_data.update({GOLD_KEY: rows, ID_KEY: f"doc-{number}"})
        docs.append(doc)
    write_docbin(docs, path)
    return path


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
    return result.stdout
