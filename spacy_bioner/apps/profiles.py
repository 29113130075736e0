"""Profiles and corpus settings: the small .cfg files that tell one workflow what to work on.

A profile (`configs/profiles/NAME.cfg`) names a training config, an encoder and a corpus, and holds
the overrides that this choice needs; where it names a `base`, it is that profile but for what it
says itself. A corpus file (`configs/corpora/NAME.cfg`) names the
files of the splits and the label map.
"""

from configparser import Error as ConfigParserError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from thinc.api import Config

from spacy_bioner.errors import ConfigError

PROFILES = Path("configs/profiles")
CORPORA = Path("configs/corpora")
SPLITS = ("train", "dev", "test")
BASE = "base"
OWN_ENCODER = "spacy_bioner.TransformerEncoder.v1"
TRF_KEY = "components.transformer.model.name"


@dataclass(frozen=True)
class SplitSettings:
    """The documents of one split.

    path (Path): The corpus file.
    first (Optional[int]): Take only so many documents from the start; None takes all.
    skip (int): Leave out so many documents at the start.
    """

    path: Path
    first: Optional[int] = None
    skip: int = 0


@dataclass(frozen=True)
class Division:
    """How a corpus that comes in one piece is divided by document.

    seed (int): Another seed gives another division; the order of the documents plays no part.
    shares (Dict[str, float]): By "train", "dev" and "test".
    """

    seed: int
    shares: Dict[str, float]


@dataclass(frozen=True)
class CorpusSettings:
    """A corpus as the workflow uses it.

    name (str): Its short name: the file's stem.
    title (str): How reports call it.
    licence (str): Under which terms its owners give it away.
    source (str): Where it comes from.
    splits (Dict[str, SplitSettings]): By "train", "dev" (where there is one) and "test".
    label_map (Dict[str, str]): The corpus' label → ours; labels that it does not name stay.
    lenient (bool): Leave out and count what cannot be read, and mentions that do not fit the text.
    division (Optional[Division]): Divides the one path that all splits have then.
    fetch (str): How users get the corpus, where it is not among the project's assets.
    """

    name: str
    title: str
    licence: str
    source: str
    splits: Dict[str, SplitSettings]
    label_map: Dict[str, str] = field(default_factory=dict)
    lenient: bool = False
    division: Optional[Division] = None
    fetch: str = ""


@dataclass(frozen=True)
class Profile:
    """What the workflow trains.

    name (str): The profile's name: the file's stem, and the end of the package's name.
    config (Path): The training config.
    encoder (str): A hub name, a folder or "package:NAME".
    encoder_licence (str): The licence of the encoder's weights.
    corpus (str): The name of a corpus file.
    overrides (Dict[str, Any]): Dotted config keys and their values.
    """

    name: str
    config: Path
    encoder: str
    encoder_licence: str
    corpus: str
    overrides: Dict[str, Any] = field(default_factory=dict)


def load_profile(name: str, *, encoder: str = "", corpus: str = "") -> Profile:
    """Read a profile; `encoder` and `corpus` replace its own where they are not empty.

    RAISES (ConfigError): For a name without a file, for a missing setting, for a profile that is
        its own base, and for an encoder where the profile's config has no place for one.
    """
    path, sections = _read_profile(name)
    settings = _section(
        path, sections, "profile", ("config", "encoder", "encoder_licence", "corpus")
    )
    profile = Profile(
        name=name,
        config=Path(settings["config"]),
        encoder=settings["encoder"],
        encoder_licence=settings["encoder_licence"],
        corpus=corpus or settings["corpus"],
        overrides=dict(sections.get("overrides", {})),
    )
    if encoder and encoder != profile.encoder:
        # Training says where a config is missing.
        if profile.config.is_file():
            check_one_encoder(read_config(profile.config, interpolate=False), encoder)
        profile = replace(profile, encoder=encoder)
    return profile


def _read_profile(name: str, above: Sequence[str] = ()) -> Tuple[Path, Dict[str, Any]]:
    """Read a profile upon what it is based on.

    above (Sequence[str]): The profiles that it is the base of.
    """
    path, sections = _read(PROFILES, name, "profile")
    base = sections.get("profile", {}).get(BASE)
    if base is None:
        return path, sections
    if base in (*above, name):
        raise ConfigError(f"{path}: found a profile that is its own base ({base})")
    _, merged = _read_profile(base, (*above, name))
    for section in ("profile", "overrides"):
        merged[section] = {**merged.get(section, {}), **sections.get(section, {})}
    return path, merged


def load_corpus_settings(name: str) -> CorpusSettings:
    """Read the settings of a corpus.

    RAISES (ConfigError): For a name without a file and for a missing setting.
    """
    path, sections = _read(CORPORA, name, "corpus")
    about = _section(path, sections, "corpus", ("title", "licence", "source"))
    splits = {}
    division = None
    if "division" in sections:
        settings = _section(path, sections, "division", ("path", "seed", *SPLITS))
        division = Division(settings["seed"], {split: settings[split] for split in SPLITS})
        splits = {split: SplitSettings(Path(settings["path"])) for split in SPLITS}
    named = [split for split in SPLITS if split != "dev" or about.get("has_dev", True)]
    for split in named if division is None else ():
        settings = _section(path, sections, split, ("path",))
        splits[split] = SplitSettings(
            Path(settings["path"]), settings.get("first"), settings.get("skip", 0)
        )
    return CorpusSettings(
        name,
        about["title"],
        about["licence"],
        about["source"],
        splits,
        dict(sections.get("label_map", {})),
        bool(about.get("lenient", False)),
        division,
        about.get("fetch", ""),
    )


def read_config(path: Path, *, interpolate: bool = True) -> Config:
    """Read a .cfg file that exists.

    RAISES (ConfigError): For one that cannot be parsed.
    """
    try:
        return Config().from_disk(path, interpolate=interpolate)
    # Settings that stand twice are an error of configparser's own, which thinc lets through.
    except (ValueError, ConfigParserError) as error:
        raise ConfigError(f"{path}: not a readable config: {error}") from error


def read_training_config(path: Path) -> Config:
    """Read a training config as it stands, with its variables.

    RAISES (ConfigError): For one that is not there or cannot be parsed.
    """
    if not path.is_file():
        raise ConfigError(f"no training config at {path}; run the command in the project folder")
    return read_config(path, interpolate=False)


def get_setting(config: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return what stands at a dotted key of a config; the default where there is no such key."""
    value: Any = config
    for name in key.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return default
        value = value[name]
    return value


def _read(folder: Path, name: str, kind: str) -> Tuple[Path, Dict[str, Any]]:
    path = folder / f"{name}.cfg"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.cfg")))
        message = f"no {kind} '{name}': found no file {path} in {Path.cwd()}"
        hint = f"there: {known}" if known else "run the command in a clone of the project"
        raise ConfigError(f"{message} ({hint})")
    return path, read_config(path)


def _section(
    path: Path, sections: Dict[str, Any], name: str, keys: tuple[str, ...]
) -> Dict[str, Any]:
    settings = sections.get(name, {})
    missing = [key for key in keys if key not in settings]
    if missing:
        raise ConfigError(f"{path}: section [{name}] lacks {', '.join(missing)}")
    return settings


def find_encoder_keys(config: Dict[str, Any]) -> List[str]:
    """List the settings that name an encoder; one that refers to another is none of its own."""
    components = config.get("components", {})
    if "transformer" in components:
        return [TRF_KEY]
    return _find(components, "components")


def check_one_encoder(config: Dict[str, Any], encoder: str) -> None:
    """Make sure that an encoder can be put into a training config.

    RAISES (ConfigError): Where there is no place for it, or more than one.
    """
    keys = find_encoder_keys(config)
    if len(keys) != 1:
        places = " and ".join(keys) or "none"
        raise ConfigError(
            f"found the encoder '{encoder}' for a config whose places for one are: {places}; "
            "expected a single place. Take another profile, or set the places as overrides"
        )


def _find(section: Dict[str, Any], path: str) -> List[str]:
    is_own = section.get("@architectures") == OWN_ENCODER
    found = [f"{path}.name"] if is_own and not str(section.get("name")).startswith("${") else []
    for key, value in section.items():
        if isinstance(value, dict):
            found += _find(value, f"{path}.{key}")
    return found
