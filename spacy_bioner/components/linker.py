"""Entities get the identifiers of the concepts that they name, from concept stores.

A store is a file of its own, often larger than all else in a pipeline, and several pipelines share
one. So a saved pipeline has the path and the digest of its stores, and one that is built from
something else is refused; `carried` copies them into the pipeline's folder, for one that moves.
"""

import shutil
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.components.abbreviations import read_abbreviations
from spacy_bioner.corpora.formats.concept_ids import join_concept_ids
from spacy_bioner.doc_ents import copy_span, replace_ents
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.knowledge.concepts.codes import Step, find_through, is_sure, list_parents
from spacy_bioner.knowledge.concepts.documents import read_mentions
from spacy_bioner.knowledge.concepts.linking import (
    MIN_SCORE,
    ConceptLink,
    LinkedMention,
    Linker,
    MentionText,
)
from spacy_bioner.knowledge.concepts.store import ConceptStore
from spacy_bioner.ledger import (
    CONCEPTS_KEY,
    Row,
    enter_concepts,
    list_concepts,
    register_extensions,
)

DEFAULT_CONFIG: Dict[str, Any] = {
    "stores": [],
    "label_map": {},
    "min_score": MIN_SCORE,
    "n_others": 0,
    "overwrite": False,
    "carried": False,
}
STORES = "stores.json"


@Language.factory(
    "bioner_linker",
    default_config=DEFAULT_CONFIG,
    requires=["doc.ents"],
    assigns=["doc.ents", "token.ent_kb_id", "span._.concepts"],
)
def make_linker(
    nlp: Language,
    name: str,
    stores: List[str],
    label_map: Dict[str, str],
    min_score: float,
    n_others: int,
    overwrite: bool,
    carried: bool,
) -> "ConceptLinker":
    """Make the component; its stores are opened when it is asked for the first time."""
    return ConceptLinker(
        name,
        stores=stores,
        label_map=label_map,
        min_score=min_score,
        n_others=n_others,
        overwrite=overwrite,
        carried=carried,
    )


class ConceptLinker(Pipe):
    """Finds the concepts of entities, whoever set these, and writes their ids into `ent.kb_id_`.

    `ent._.concepts` lists what was found in each store: id, name, score, how, table, version and
    more. Of the first store the ids go into `kb_id_`, several of a composite mention joined by
    bars. Short forms are looked up by the long forms that `bioner_abbreviations` has found. Running
    the component again gives the same.

    name (str): Name of the component.
    stores (Iterable[Union[str, Path]]): Concept stores, see `bioner terms store`. Where no name of
        a further one fits, an entity is looked up there by the names of the concept that it has in
        the first.
    label_map (Mapping[str, str]): The label of a store's concepts, by that of entities; one that is
        not named is looked up as it is.
    min_score (float): What is less sure than that, 0 to 1, is no concept.
    n_others (int): So many concepts that it may be instead are listed as well.
    overwrite (bool): Replace a `kb_id_` that others have set.
    carried (bool): Save the stores with the pipeline, not where they are.
    """

    def __init__(
        self,
        name: str = "bioner_linker",
        *,
        stores: Iterable[PathLike] = (),
        label_map: Optional[Mapping[str, str]] = None,
        min_score: float = MIN_SCORE,
        n_others: int = 0,
        overwrite: bool = False,
        carried: bool = False,
    ) -> None:
        register_extensions()
        if not 0 <= min_score <= 1 or n_others < 0:
            raise ConfigError(
                f"{name}: found min_score {min_score:g} and n_others {n_others}, expected 0 to 1 "
                "and 0 or more"
            )
        self.name = name
        self.label_map = dict(label_map or {})
        self.min_score, self.n_others = min_score, n_others
        self.overwrite, self.carried = overwrite, carried
        self._paths = [Path(path) for path in stores]
        self._digests = [""] * len(self._paths)
        # One that is carried has a number in front, which is no part of its name.
        self._names = [path.name for path in self._paths]
        self._linkers: Optional[List[Linker]] = None

    def __call__(self, doc: Doc) -> Doc:
        """Find the concepts of the entities of a Doc; it may have been here before."""
        linkers = self._open()
        own = [_was_set_here(ent) for ent in doc.ents]
        doc.user_data[CONCEPTS_KEY] = {}
        if not doc.ents:
            return doc
        labels = [self.label_map.get(ent.label_, ent.label_) for ent in doc.ents]
        places = [
            (ent.start_char, ent.end_char, label)
            for ent, label in zip(doc.ents, labels, strict=True)
        ]
        mentions = read_mentions(doc.text, places, read_abbreviations(doc))
        found = [linker.link(mentions) for linker in linkers]
        ents = [copy_span(ent) for ent in doc.ents]
        for at, (ent, mention) in enumerate(zip(ents, mentions, strict=True)):
            linked = [rows[at] for rows in found]
            written = ""
            if self.overwrite or own[at] or not ent.kb_id:
                written = _join_ids(linked[0])
                # What others have set is replaced, not taken away.
                ent.kb_id_ = written if written or own[at] else ent.kb_id_
            rows = self._list_rows(mention, linked)
            enter_concepts(ent, [{**row, "kb_id": written} for row in rows])
        replace_ents(doc, ents)
        return doc

    @property
    def stores(self) -> List[ConceptStore]:
        """The stores, open.

        RAISES (TermTableError): One that is not there, not whole, or another than was saved.
        RAISES (ConfigError): No store at all.
        """
        return [linker.store for linker in self._open()]

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize where the stores are, and what they were built from."""
        return srsly.msgpack_dumps(self._describe())

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "ConceptLinker":
        """Take the stores that `to_bytes` tells; they are opened when they are needed."""
        return self._take(srsly.msgpack_loads(bytes_data), None)

    def to_disk(self, path: PathLike, *, exclude: Iterable[str] = ()) -> None:
        """Write where the stores are, and what they were built from; `carried` ones themselves."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        rows = self._describe()
        if self.carried:
            for number, row in enumerate(rows):
                name = self._names[number]
                target = folder / f"{number}-{name}"
                if target.resolve() != Path(row["path"]):
                    with replacing(target) as temporary:
                        shutil.copyfile(row["path"], temporary)
                row.update(path=target.name, name=name, carried=True)
        srsly.write_json(folder / STORES, rows)

    def from_disk(self, path: PathLike, *, exclude: Iterable[str] = ()) -> "ConceptLinker":
        """Take the stores that `to_disk` wrote or tells; they are opened when they are needed."""
        folder = Path(path)
        return self._take(srsly.read_json(folder / STORES), folder)

    def _open(self) -> List[Linker]:
        if self._linkers is None:
            if not self._paths:
                raise ConfigError(
                    f"'{self.name}' has no concept store: name one in its setting 'stores', as "
                    "`bioner terms store` makes them"
                )
            stores = [
                ConceptStore(path, digest=digest)
                for path, digest in zip(self._paths, self._digests, strict=True)
            ]
            self._linkers = [
                Linker(store, min_score=self.min_score, n_others=self.n_others) for store in stores
            ]
            self._digests = [store.info.digest for store in stores]
        return self._linkers

    def _describe(self) -> List[Dict[str, Any]]:
        stores = self.stores if self._paths else []
        rows = []
        for store, name in zip(stores, self._names, strict=True):
            own = {} if name == store.path.name else {"name": name}
            rows.append({"path": str(store.path.resolve()), "digest": store.info.digest, **own})
        return rows

    def _take(self, rows: Sequence[Mapping[str, Any]], folder: Optional[Path]) -> "ConceptLinker":
        self._paths = [
            folder / row["path"] if folder and row.get("carried") else Path(row["path"])
            for row in rows
        ]
        self._digests = [row["digest"] for row in rows]
        self._names = [row.get("name") or Path(row["path"]).name for row in rows]
        self._linkers = None
        return self

    def _list_rows(self, mention: MentionText, linked: Sequence[LinkedMention]) -> List[Row]:
        """Describe what was found in each store; in further ones also through the first."""
        linkers = self._open()
        first = linked[0].links
        rows: List[Row] = []
        for number, (linker, found) in enumerate(zip(linkers, linked, strict=True)):
            if number and len(first) == 1 and not is_sure(found):
                through = find_through(linker, mention.label, first[0], linkers[0].store)
                if through:
                    rows.append(_make_row(linker.store, mention, *through))
                    continue
            rows += [_make_row(linker.store, mention, link, ()) for link in found.links]
            rows += [
                {**_make_row(linker.store, mention, link, ()), "chosen": False}
                for link in found.others
            ]
        return rows


def _make_row(
    store: ConceptStore, mention: MentionText, link: ConceptLink, steps: Sequence[Step]
) -> Row:
    """Describe a concept as plain data: the path to it starts with the text that was looked up."""
    concept = link.concept
    source = store.info.sources[concept.source]
    text = link.part or mention.long_text or mention.text
    path = [("", text), *(steps or [(concept.id, concept.name)])]
    return {
        "id": concept.id,
        "name": concept.title,
        "score": link.score,
        "how": link.how,
        "matched": concept.name,
        "table": source.name,
        "version": source.version,
        "path": [list(step) for step in path],
        "parents": [list(step) for step in list_parents(concept, store, mention.label)],
        "chosen": True,
    }


def _join_ids(linked: LinkedMention) -> str:
    ids = [part for link in linked.links for part in link.concept.id.split("|")]
    distinct = list(dict.fromkeys(ids))
    return join_concept_ids(distinct) or "|".join(distinct)


def _was_set_here(ent: Span) -> bool:
    """Tell whether the identifier of an entity is one that this component has set before."""
    return bool(ent.kb_id_) and any(row["kb_id"] == ent.kb_id_ for row in list_concepts(ent))
