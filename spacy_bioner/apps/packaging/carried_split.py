"""The test documents that a package carries: made, and run in a process of their own.

So neither what its caller has imported nor the memory that it held counts.
"""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.apps.diagnosis.machine import read_peak_memory, read_processor
from spacy_bioner.apps.diagnosis.software import find_version
from spacy_bioner.apps.evaluation.evaluate import read_gold
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.subprocesses import explain_exit
from spacy_bioner.architectures.datasets import choose_dataset
from spacy_bioner.architectures.pieces.counts import noting_layouts
from spacy_bioner.cores import count_threads
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import BionerError, ConfigError, PackageError
from spacy_bioner.evaluation.matching import compare_docs, count_matches
from spacy_bioner.evaluation.runner import run_timed
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.extras import DISTRIBUTION
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.lines import PathLike
from spacy_bioner.gold import ANNOTATED_KEY, GOLD_KEY, ID_KEY, list_gold, list_predicted
from spacy_bioner.training.results.verification import DocumentOutcome, SplitRun

# Of what decides the result; torch and transformers where a pipeline needs them.
DECISIVE = (DISTRIBUTION, "spacy", "thinc", "numpy", "onnxruntime", "tokenizers")
TRAINED_NEEDS = ("torch", "transformers")
_DIGITS = 12
# What this process imports and no other: with -m, what lies in the folder would come first.
_START = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from {__name__} import main
from pathlib import Path
sys.exit(main(Path(sys.argv[2])))
"""


@dataclass(frozen=True)
class CarriedSettings:
    """Test documents that a package is to carry, and how they are scored.

    path (Union[str, Path]): A DocBin.
    labels (Sequence[str]): Those that it annotates; empty: all.
    rules (str): The corpus by whose rules the pipeline is to annotate; empty: by none in
        particular.
    """

    path: PathLike
    labels: Sequence[str] = ()
    rules: str = ""


def choose_split(
    path: Optional[PathLike], *, labels: Sequence[str] = (), rules: str = ""
) -> Optional[CarriedSettings]:
    """Take options together; None without documents.

    RAISES (ConfigError): For labels or rules without documents.
    """
    if path is not None:
        return CarriedSettings(path, labels, rules)
    if labels or rules:
        raise ConfigError(
            f"found {'labels' if labels else 'rules'} without test documents, expected --verify-on "
            "FILE beside --label and --rules: they say how its documents are scored"
        )
    return None


def write_split(settings: CarriedSettings, path: Path) -> int:
    """Write test documents with text, id and gold offsets only.

    path (Path): The file to write, in a folder that is not in its place yet.
    RETURNS (int): How many; those that nobody annotated are left out.
    RAISES (CorpusError): No such file, no DocBin, or no annotated document in it.
    RAISES (LabelError): For labels that it does not have.
    """
    nlp, vocab = spacy.blank("en"), Vocab()
    docs: List[Doc] = []
    for gold in read_gold(Path(settings.path), nlp, settings.labels):
        mentions = list_gold(gold)
        if mentions is None:
            continue
        words, spaces = [token.text for token in gold], [bool(token.whitespace_) for token in gold]
        doc = Doc(vocab, words=words, spaces=spaces)
        annotated = gold.user_data.get(ANNOTATED_KEY)
        doc.user_data[ID_KEY] = str(gold.user_data.get(ID_KEY, ""))
        doc.user_data[GOLD_KEY] = [
            [start, end, label, []]
            for start, end, label in mentions
            if annotated is None or label in annotated
        ]
        if annotated is not None:
            doc.user_data[ANNOTATED_KEY] = list(annotated)
        docs.append(doc)
    return write_docbin(docs, path)


def run_split(
    model: Path, documents: Path, *, labels: Sequence[str], rules: str, scratch: Path
) -> SplitRun:
    """Run a pipeline over test documents in a process of its own.

    model (Path): Its folder.
    documents (Path): What `write_split` wrote.
    scratch (Path): A folder for the files of this.
    RAISES (PackageError): Where the pipeline does not run, with the reason.
    """
    job = {"model": str(model), "documents": str(documents), "labels": list(labels)}
    job |= {"rules": rules, "result": str(scratch / "result.json")}
    fill_json(scratch / "job.json", job)
    log = scratch / "output.log"
    command = [sys.executable, "-c", _START, json.dumps(sys.path), str(scratch / "job.json")]
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT)
    if done.returncode:
        reason = explain_exit(done.returncode, log, subject="the pipeline")
        raise PackageError(f"the pipeline does not run over its test documents: {reason}")
    return SplitRun.from_json(json.loads((scratch / "result.json").read_text(encoding="utf-8")))


def measure_split(model: str, documents: Path, *, labels: Sequence[str], rules: str) -> SplitRun:
    """Run a pipeline over test documents; peak memory is that of this process until now."""
    nlp = load_pipeline(model)
    if rules:
        choose_dataset(nlp, rules)
    gold = read_gold(documents, nlp, labels)
    # The first text pays for what is made on first use.
    nlp(gold[0].text)
    with noting_layouts() as notes:
        predicted, pace = run_timed(nlp, gold)
        n_foreign = sum(notes.count(doc).is_foreign for doc in predicted)
    pairs = list(zip(gold, predicted, strict=True))
    outcomes = tuple(_compare(*pair, number) for number, pair in enumerate(pairs, start=1))
    return SplitRun(
        outcomes,
        pace.n_words,
        pace.seconds,
        read_peak_memory(),
        n_foreign,
        count_threads(),
        read_processor().name,
        _list_versions(nlp),
    )


def _compare(gold: Doc, predicted: Doc, number: int) -> DocumentOutcome:
    comparison = compare_docs(gold, predicted)
    counts = count_matches(set(comparison.gold or ()), comparison.predicted).values()
    found = json.dumps(sorted(list_predicted(predicted))).encode()
    digits = hashlib.sha256(found).hexdigest()[:_DIGITS]
    name = str(gold.user_data.get(ID_KEY) or f"number {number}")
    return DocumentOutcome(name, sum(counts, Counts()), digits)


def _list_versions(nlp: Language) -> Dict[str, str]:
    needed: Tuple[str, ...] = DECISIVE
    if "spacy_bioner.TransformerEncoder." in nlp.config.to_str():
        needed += TRAINED_NEEDS
    known: Dict[str, Optional[str]] = {name: find_version(name) for name in needed}
    return {name: version for name, version in known.items() if version}


def main(path: Path) -> int:
    """Read a job, do it and store its result.

    RETURNS (int): The exit code: 1 where the error stream says why nothing came of it.
    """
    job: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    settings = {"labels": job["labels"], "rules": job["rules"]}
    try:
        run = measure_split(job["model"], Path(job["documents"]), **settings)
    except BionerError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    fill_json(Path(job["result"]), run.to_json())
    return 0
