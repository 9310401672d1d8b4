"""Issuing invoices and credit notes."""

from storefront.invoicing.service.credit_notes import (
    credit_dispute,
    credit_lines,
    credit_refund,
    credit_rest,
    store_credit_note_pdf,
)
from storefront.invoicing.service.invoices import (
    BilledPeriod,
    Reduction,
    issue_for_order,
    issue_for_period,
    page_of,
    store_pdf,
)

__all__ = [
    "BilledPeriod",
    "Reduction",
    "credit_dispute",
    "credit_lines",
    "credit_refund",
    "credit_rest",
    "issue_for_order",
    "issue_for_period",
    "page_of",
    "store_credit_note_pdf",
    "store_pdf",
]
