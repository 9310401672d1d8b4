"""What terms say and what the shop does: one set of typed parameters for both (R-01)."""

from storefront.legal.rules.documents import (
    KNOWN,
    PARTICULAR_TERMS,
    TERMS,
    TRAINING_TERMS,
    DocumentFacts,
    address_of,
    facts_of,
)
from storefront.legal.rules.kinds import AcceptanceKind, TermsNotAccepted
from storefront.legal.rules.parameters import (
    STATUTORY_TRAINING,
    Parameters,
    TermsParameters,
    TrainingParameters,
    UnpublishableTerms,
    read_parameters,
    restore_parameters,
    write_parameters,
)
from storefront.legal.rules.prose import Prose, typeset
from storefront.legal.rules.source import TermsSource, fill_in, read_source

__all__ = [
    "KNOWN",
    "PARTICULAR_TERMS",
    "STATUTORY_TRAINING",
    "TERMS",
    "TRAINING_TERMS",
    "AcceptanceKind",
    "DocumentFacts",
    "Parameters",
    "Prose",
    "TermsNotAccepted",
    "TermsParameters",
    "TermsSource",
    "TrainingParameters",
    "UnpublishableTerms",
    "address_of",
    "facts_of",
    "fill_in",
    "read_parameters",
    "read_source",
    "restore_parameters",
    "typeset",
    "write_parameters",
]
