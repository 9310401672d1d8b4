"""The registry of documents: what each kind is called and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DocumentKind(StrEnum):
    """What a document proves; its facts stand in `KIND_FACTS`."""

    TERMS = "terms"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    INTERVENTION_REPORT = "intervention_report"
    CALENDAR = "calendar"
    FORMAL_NOTICE = "formal_notice"
    ATTACHMENT = "attachment"


@dataclass(frozen=True)
class KindFacts:
    """`template`: the file of templates/documents that draws it; None: its bytes come from
    elsewhere. `kept_years`: whole years after the year in which it was made; None: for ever.
    `filename`: with `{name}`, as the customer sees it.
    """

    template: str | None
    kept_years: int | None
    filename: str


# Accounting documents: 10 years from the end of the financial year (C. com. L123-22, V-04,
# INV-10). Terms are kept as long as any contract can name them. What proves a service is kept
# like the contract: 10 years from its end (C. conso. L213-1, D213-2, PRE-06).
KIND_FACTS: dict[DocumentKind, KindFacts] = {
    DocumentKind.TERMS: KindFacts("terms", None, "{name}.pdf"),
    DocumentKind.INVOICE: KindFacts("invoice", 10, "facture-{name}.pdf"),
    DocumentKind.CREDIT_NOTE: KindFacts("credit_note", 10, "avoir-{name}.pdf"),
    DocumentKind.INTERVENTION_REPORT: KindFacts(
        "intervention_report", 10, "compte-rendu-{name}.pdf"
    ),
    # Proves what is owed and that time was given to pay: as long as an accounting document.
    DocumentKind.FORMAL_NOTICE: KindFacts("formal_notice", 10, "mise-en-demeure-{name}.pdf"),
    DocumentKind.CALENDAR: KindFacts(None, 10, "{name}.ics"),
    DocumentKind.ATTACHMENT: KindFacts(None, 10, "{name}"),
}


def filename_of(kind: DocumentKind, name: str) -> str:
    """The file name of a document whose own name is `name`: `facture-F-2026-000012.pdf`."""
    return KIND_FACTS[kind].filename.format(name=name)


def kept_until(kind: DocumentKind, made_on: date) -> date | None:
    """The last day on which a document made on this day must still be there; None: for ever.

    Counted from 31 December of the year it was made in, so that a financial year that closes with
    the civil year, or before, is always covered.
    """
    years = KIND_FACTS[kind].kept_years
    return None if years is None else date(made_on.year + years, 12, 31)
