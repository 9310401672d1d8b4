"""What terms say and what the shop does: one set of typed parameters for both (R-01)."""

from storefront.legal.rules.differences import Differences, differences
from storefront.legal.rules.documents import (
    KNOWN,
    PARTICULAR_TERMS,
    TERMS,
    TRAINING_CONTRACT,
    TRAINING_TERMS,
    DocumentFacts,
    address_of,
    facts_of,
)
from storefront.legal.rules.findings import Finding, Level, Text
from storefront.legal.rules.kinds import AcceptanceKind, TermsNotAccepted
from storefront.legal.rules.linter import errors_of, inspect, refuse_errors
from storefront.legal.rules.parameters import (
    STATUTORY_TRAINING,
    Parameters,
    Shape,
    TermsParameters,
    TrainingParameters,
    read_parameters,
    restore_parameters,
    shapes,
    write_parameters,
)
from storefront.legal.rules.problems import Problem, UnpublishableTerms
from storefront.legal.rules.prose import Prose, typeset
from storefront.legal.rules.source import (
    ACCELERATIONS,
    INTERVALS,
    TermsSource,
    fill_in,
    is_document_name,
    read_source,
    reread_source,
    show_value,
    unit_of,
    write_source,
)

__all__ = [
    "ACCELERATIONS",
    "INTERVALS",
    "KNOWN",
    "PARTICULAR_TERMS",
    "STATUTORY_TRAINING",
    "TERMS",
    "TRAINING_CONTRACT",
    "TRAINING_TERMS",
    "AcceptanceKind",
    "Differences",
    "DocumentFacts",
    "Finding",
    "Level",
    "Parameters",
    "Problem",
    "Prose",
    "Shape",
    "TermsNotAccepted",
    "TermsParameters",
    "TermsSource",
    "Text",
    "TrainingParameters",
    "UnpublishableTerms",
    "address_of",
    "differences",
    "errors_of",
    "facts_of",
    "fill_in",
    "inspect",
    "is_document_name",
    "read_parameters",
    "read_source",
    "refuse_errors",
    "reread_source",
    "restore_parameters",
    "shapes",
    "show_value",
    "typeset",
    "unit_of",
    "write_parameters",
    "write_source",
]
