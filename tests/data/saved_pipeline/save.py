"""Save the pipelines and documents of this folder; README.md says with which version.

    python tests/data/saved_pipeline/save.py SOURCES

SOURCES: A checkout of the version that saves, which has to be the one that is imported.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, List

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

FOLDER = Path(__file__).parent
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}}}
TEXTS = [
    "Plasma tumor necrosis factor (TNF-alpha) rose in patients with rheumatoid arthritis (RA). "
    "In RA, methotrexate lowers TNF-alpha, unlike acetylsalicylic acid.",
    "After acute kidney injury (AKI) under tacrolimus, creatinine rose, and seizures were rare. "
    "AKI is worse in chronic kidney disease with type 2 diabetes.",
]
NAMES = {
    "tumor necrosis factor", "rheumatoid arthritis", "methotrexate", "acetylsalicylic acid",
    "acute kidney injury", "chronic kidney disease", "tacrolimus", "creatinine", "seizures",
    "type 2 diabetes", "aspirin", "heparin", "warfarin", "melanoma", "asthma", "nausea",
    "Parkinson's disease", "TP53", "EGFR", "IL-6",
}  # fmt: skip
SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def main() -> None:
    """Save both pipelines, the Docs that the first one gives, and what both find."""
    sources = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(sources))
    import spacy_bioner

    found = Path(spacy_bioner.__file__).resolve()
    assert sources in found.parents, f"found {found}, expected it in {sources}"
    rules = make_rules(sources / "assets/demo/gazetteer.tsv")
    docs = list(rules.pipe(TEXTS))
    rules.to_disk(FOLDER / "rules")
    DocBin(docs=docs, store_user_data=True).to_disk(FOLDER / "documents.docbin")
    tagger = make_tagger()
    tagger.to_disk(FOLDER / "tagger")
    expected = {"rules": [describe(doc) for doc in docs]}
    expected["tagger"] = [describe(doc) for doc in tagger.pipe(TEXTS)]
    text = json.dumps(expected, indent=1, ensure_ascii=False, default=list)
    (FOLDER / "expected.json").write_text(text + "\n", encoding="utf-8")


def make_rules(table: Path) -> Language:
    """Make a pipeline of twenty terms, abbreviations and the policy for overlaps."""
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    patterns = [{"id": i, "pattern": n, "label": label} for i, n, label in rows if n in NAMES]
    assert len(patterns) == len(NAMES)
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe("bioner_gazetteer").add_patterns(patterns)
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    return nlp


def make_tagger() -> Language:
    """Make a pipeline of an untrained tagger with a CRF, whose weights are all random."""
    # Python 3.11; whoever only reads may have an older one.
    from contextlib import chdir

    import torch

    from benchmarks._common import write_random_bert

    nlp = spacy.blank("en", config=TOKENIZER)
    with TemporaryDirectory() as folder, chdir(folder):
        write_random_bert(Path("random"), TEXTS, pieces=120, seed=0, **SIZE)
        model = {"encoder": {"name": "random", "precision": "float32"}, "crf": True}
        component: Any = nlp.add_pipe("bioner", config={"model": model})
        for label in ("Chemical", "Disease"):
            component.add_label(label)
        component.model.set_dim("nO", len(component.tags))
        torch.manual_seed(0)
        component.model.initialize(X=[nlp.make_doc(TEXTS[0])])
    head = component.model.get_ref("output_layer").shims[0].module.output
    with torch.no_grad():
        head.weight.mul_(20)
    return nlp


def describe(doc: Doc) -> Dict[str, Any]:
    """Return what a pipeline says of a document, as plain data."""
    rows: List[str] = [
        " ".join((f"{ent.start_char}-{ent.end_char}", ent.label_, ent.kb_id_)).strip()
        for ent in doc.ents
    ]
    return {
        "entities": rows,
        "evidence": doc._.bioner_evidence,
        "abbreviations": doc._.bioner_abbreviations,
        "rejections": doc._.bioner_rejections,
    }


if __name__ == "__main__":
    main()
