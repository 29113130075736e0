"""Names of settings as a user writes them: what a config has no place for is told at once.

spaCy checks the sections of a config after the model is built, and lets a wrong name pass where a
section takes any; a training of hours would run without what was asked for.
"""

from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from thinc.api import Config

from spacy_bioner.errors import ConfigError


def check_settings(config: Config, names: Iterable[str]) -> None:
    """Check that a config has a place for each of some settings.

    config (Config): The training config, with what the profile sets.
    names (Iterable[str]): Dotted, such as "training.dropout".
    RAISES (ConfigError): For the first that has none, with what comes close.
    """
    every = list(names)
    for name in every:
        *sections, last = name.split(".")
        # A section that is replaced as a whole has places of its own.
        if any(name.startswith(f"{other}.") for other in every):
            continue
        place: Any = config
        for depth, section in enumerate(sections):
            if isinstance(place.get(section), str) and "${" in place[section]:
                break
            _check(section, sorted(_sections(place)), sections[:depth], name, last)
            place = place[section]
        else:
            _check_last(place, sections, last, name)


def read_overrides(words: Sequence[str], options: Sequence[str]) -> Dict[str, Any]:
    """Read config overrides as `spacy train` does.

    options (Sequence[str]): The command's own, such as "--seed".
    RAISES (ConfigError): For an option that is neither one of the command nor a setting.
    """
    from spacy.cli._util import parse_config_overrides

    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and "." not in option:
            names = [name.removeprefix("--") for name in options]
            close = get_close_matches(option.removeprefix("--"), names, n=1)
            hint = f"did you mean --{close[0]}?" if close else "settings have a section in front"
            raise ConfigError(f"found no option {option}; {hint} (--training.dropout 0.2)")
    overrides: Dict[str, Any] = parse_config_overrides(list(words), env_var=None)
    return overrides


def _check_last(place: Mapping[str, Any], sections: List[str], last: str, name: str) -> None:
    if sections:
        known = _known_names(place, sections)
        if known is not None:
            _check(last, sorted(known | set(place)), sections, name, "")
    else:
        raise ConfigError(f"--{name}: expected a section and a setting, such as training.{name}")


def _check(
    word: str, known: Collection[str], parents: Collection[str], name: str, rest: str
) -> None:
    if word in known:
        return
    where = f"the section [{'.'.join(parents)}]" if parents else "a training config"
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    path = ".".join([*parents, *close, *([rest] if rest else [])])
    shown = ", ".join(item for item in known if item.isidentifier())
    hint = f"did you mean --{path}?" if close else f"it has {shown or 'none'}"
    raise ConfigError(f"--{name}: {where} has no '{word}'; {hint}")


def _sections(place: Mapping[str, Any]) -> Set[str]:
    return {name for name, value in place.items() if isinstance(value, Mapping)}


def _known_names(place: Mapping[str, Any], sections: Collection[str]) -> Optional[Set[str]]:
    """Say which settings a section may have; None where any name will do."""
    from spacy import blank, schemas
    from spacy.util import registry

    path = ".".join(sections)
    top: Dict[str, Any] = {
        "training": schemas.ConfigSchemaTraining,
        "nlp": schemas.ConfigSchemaNlp,
        "initialize": schemas.ConfigSchemaInit,
        "pretraining": schemas.ConfigSchemaPretrain,
    }
    if path in top:
        return {field.alias or name for name, field in _fields(top[path]).items()}
    if "factory" in place and len(sections) == 2:
        factory = str(place["factory"])
        # Making a pipeline is what loads the factories of other packages.
        nlp = blank("en")
        if not nlp.has_factory(factory):
            return None
        settings = nlp.get_factory_meta(factory).default_config or {}
        return {*settings, "factory"}
    for key, value in place.items():
        if key.startswith("@"):
            return _arguments(registry.get(key[1:], str(value)), key)
    return None


def _fields(schema: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(schema, "model_fields", None) or schema.__fields__
    return found


def _arguments(function: Any, key: str) -> Optional[Set[str]]:
    parameters = signature(function).parameters.values()
    if any(item.kind is Parameter.VAR_KEYWORD for item in parameters):
        return None
    return {key, "*", *(item.name for item in parameters)}
