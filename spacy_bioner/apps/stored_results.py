"""Results of finished trainings on disk, with their settings: what resuming needs.

A result appears only when it is whole. One that was made with other settings is an error, never
used and never overwritten.
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from spacy_bioner.apps.profiles import SPLITS, Profile
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.digests import digest
from spacy_bioner.files.json_files import write_json


def load_result(path: Path, settings: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return a stored result; None where there is none yet.

    RAISES (ConfigError): For a file that is no result, and one that was made with other settings.
    """
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: found no JSON ({error}); remove it to train again") from error
    if not isinstance(stored, dict) or not {"settings", "result"} <= set(stored):
        raise ConfigError(f"{path}: found no result of a training; remove it to train again")
    found, asked = dict(_flatten(stored["settings"])), dict(_flatten(_to_plain(settings)))
    for key in sorted({*found, *asked}):
        if found.get(key) != asked.get(key):
            raise ConfigError(
                f"{path}: found a result made with {key} {found.get(key)!r}, expected "
                f"{asked.get(key)!r}; name another output folder, or remove this one"
            )
    return stored["result"]


def store_result(path: Path, settings: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Store a result with its settings, whole or not at all."""
    write_json(path, {"settings": settings, "result": result})


def describe_profile(profile: Profile) -> Dict[str, Any]:
    """Return what of a profile decides about the outcome of training."""
    return {
        "config": digest(profile.config),
        "encoder": profile.encoder,
        "overrides": dict(profile.overrides),
    }


def describe_training(
    profile: Profile, corpus_dir: Path, *, seed: int, max_steps: int
) -> Dict[str, Any]:
    """Return what decides about the outcome of a training besides its overrides.

    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    RAISES (CorpusError): A split that is not there.
    """
    return {
        "corpus": {split: digest(corpus_dir / f"{split}.spacy") for split in SPLITS},
        "profile": describe_profile(profile),
        "seed": seed,
        "max_steps": max_steps,
    }


def _to_plain(settings: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(settings))


def _flatten(data: Any, prefix: str = "") -> Iterator[Tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flatten(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, data
