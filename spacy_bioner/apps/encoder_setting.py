"""Which setting of a training config names its encoder."""

from typing import Any, Dict, List

from spacy_bioner.errors import ConfigError

OWN_ENCODER = "spacy_bioner.TransformerEncoder.v1"
TRF_KEY = "components.transformer.model.name"


def find_encoder_keys(config: Dict[str, Any]) -> List[str]:
    """List the settings that name an encoder; one that refers to another is none of its own."""
    components = config.get("components", {})
    if "transformer" in components:
        return [TRF_KEY]
    return _find(components, "components")


def check_one_encoder(config: Dict[str, Any], encoder: str) -> None:
    """Make sure that an encoder can be put into a training config.

    RAISES ConfigError: Where there is no place for it, or more than one.
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
