"""Which documents the shop knows, what runs on them, and where they are read."""

from __future__ import annotations

from dataclasses import dataclass

from storefront.legal.rules.parameters import Parameters, TermsParameters, TrainingParameters

TERMS = "cgv"
TRAINING_TERMS = "conditions-formation"
TRAINING_CONTRACT = "contrat-formation"
PARTICULAR_TERMS = "/conditions-particulieres"


@dataclass(frozen=True)
class DocumentFacts:
    """`path`: where the version in force is read; `/<number>` follows for each version."""

    parameters: type[Parameters]
    path: str


# A document that is not here is particular terms without parameters.
KNOWN: dict[str, DocumentFacts] = {
    TERMS: DocumentFacts(TermsParameters, "/conditions-generales"),
    TRAINING_TERMS: DocumentFacts(TrainingParameters, f"{PARTICULAR_TERMS}/{TRAINING_TERMS}"),
    # FOR-01: signed before an individual's enrolment is final, and before any payment.
    TRAINING_CONTRACT: DocumentFacts(Parameters, f"{PARTICULAR_TERMS}/{TRAINING_CONTRACT}"),
    "mentions-legales": DocumentFacts(Parameters, "/mentions-legales"),
    "confidentialite": DocumentFacts(Parameters, "/confidentialite"),
    "accessibilite": DocumentFacts(Parameters, "/accessibilite"),
}


def facts_of(document: str) -> DocumentFacts:
    """What the shop knows of a document."""
    return KNOWN.get(document) or DocumentFacts(Parameters, f"{PARTICULAR_TERMS}/{document}")


def address_of(document: str, number: int | None = None) -> str:
    """The path of the version in force, or of one version, which never moves (R-02)."""
    path = facts_of(document).path
    return path if number is None else f"{path}/{number}"
