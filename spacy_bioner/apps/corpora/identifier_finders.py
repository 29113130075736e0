"""What finds identifiers: the rules, and the entities of a trained pipeline added to them."""

from typing import Iterable, List, Mapping, Optional

from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.corpora.labels import check_names, parse_label_map
from spacy_bioner.errors import ConfigError, LabelError
from spacy_bioner.transforms.deidentification import (
    Find,
    combine,
    find_identifiers,
    keep_years,
)
from spacy_bioner.transforms.identifiers.rules import Identifier

# Labels of pipelines and corpora by ours. Organizations and nationalities are no identifiers.
MODEL_LABELS: Mapping[str, str] = {
    **dict.fromkeys(("NAME", "PERSON", "PER", "PATIENT", "DOCTOR", "STAFF", "HCW"), "NAME"),
    **dict.fromkeys(("ADDRESS", "STREET_ADDRESS", "STREET"), "ADDRESS"),
    **dict.fromkeys(("LOCATION", "GPE", "LOC", "FAC", "CITY", "GEOGRAPHIC_LOCATION"), "LOCATION"),
    **dict.fromkeys(("HOSPITAL", "FACILITY"), "LOCATION"),
    **dict.fromkeys(("ZIP", "ZIP_CODE"), "ZIP"),
    **dict.fromkeys(("DATE", "DATE_TIME"), "DATE"),
    **dict.fromkeys(("PHONE", "PHONE_NUMBER"), "PHONE"),
    **dict.fromkeys(("FAX", "FAX_NUMBER"), "FAX"),
    **dict.fromkeys(("EMAIL", "EMAIL_ADDRESS"), "EMAIL"),
    **dict.fromkeys(("URL", "DOMAIN_NAME"), "URL"),
    **dict.fromkeys(("IP", "IP_ADDRESS", "IPADDR"), "IP"),
    **dict.fromkeys(("SSN", "US_SSN", "SOCIAL_SECURITY_NUMBER"), "SSN"),
    **dict.fromkeys(("MRN", "MEDICALRECORD", "MEDICAL_RECORD_NUMBER"), "MRN"),
    **dict.fromkeys(("HEALTH_PLAN", "HEALTHPLAN", "HEALTH_PLAN_BENEFICIARY_NUMBER"), "HEALTH_PLAN"),
    **dict.fromkeys(("ACCOUNT", "ACCOUNT_NUMBER", "CREDIT_CARD", "IBAN_CODE"), "ACCOUNT"),
    **dict.fromkeys(("LICENSE", "US_DRIVER_LICENSE", "CERTIFICATE_LICENSE_NUMBER"), "LICENSE"),
    **dict.fromkeys(("ID", "IDNUM", "UNIQUE_IDENTIFIER", "DEVICE", "BIOID"), "ID"),
}


def choose_model_labels(texts: Iterable[str], model: Optional[str]) -> Optional[Mapping[str, str]]:
    """Read which labels of a pipeline are identifiers: texts like OLD=NEW; None takes the usual.

    RAISES (ConfigError): For labels without a pipeline.
    """
    labels = parse_label_map(texts)
    if labels and model is None:
        raise ConfigError("found --model-label without --model, expected both")
    return labels or None


def build_finder(
    model: Optional[str] = None,
    *,
    labels: Optional[Mapping[str, str]] = None,
    keep_year: bool = False,
    gpu_id: int = -1,
) -> Find:
    """Make the function that finds identifiers: the rules, and the entities of a pipeline.

    model (Optional[str]): A pipeline's folder or package.
    labels (Optional[Mapping[str, str]]): Which of its entities are identifiers, and what to call
        them; default: `MODEL_LABELS`.
    keep_year (bool): Leave the years of dates in the text.
    RAISES (LabelError): A pipeline without any such label.
    """
    find: Find = find_identifiers
    if model is not None:
        find = combine(find_identifiers, find_by_pipeline(model, labels=labels, gpu_id=gpu_id))
    return keep_years(find) if keep_year else find


def find_by_pipeline(
    model: str, *, labels: Optional[Mapping[str, str]] = None, gpu_id: int = -1
) -> Find:
    """Make a function that finds a pipeline's entities of some labels.

    RAISES (LabelError): A pipeline without any of them, or without one that is named.
    """
    nlp = load_pipeline(model, gpu_id=gpu_id)
    names = dict(labels or MODEL_LABELS)
    known = {label for pipe_labels in nlp.pipe_labels.values() for label in pipe_labels}
    if not known & names.keys():
        raise LabelError(
            f"{model}: found the labels {', '.join(sorted(known)) or 'none'}, expected labels of "
            f"identifiers ({', '.join(sorted(names)[:8])}, …); name them with --model-label OLD=NEW"
        )
    check_names(labels or (), known, where="--model-label", source=model)

    def find(text: str) -> List[Identifier]:
        # Notes may be longer than spaCy's guard for its parser, which nothing here uses.
        nlp.max_length = max(nlp.max_length, len(text) + 1)
        return [
            Identifier(ent.start_char, ent.end_char, names[ent.label_], model)
            for ent in nlp(text).ents
            if ent.label_ in names
        ]

    return find
