"""What can be accepted."""

from __future__ import annotations

from enum import StrEnum

from storefront.kernel.errors import Refusal


class AcceptanceKind(StrEnum):
    """One unticked box each (PRE-04)."""

    TERMS = "terms"
    PARTICULAR_TERMS = "particular_terms"
    EARLY_START = "early_start"  # W-02, WDR-08
    DIGITAL_WAIVER = "digital_waiver"  # W-03, WDR-10
    PLAN_CHANGE = "plan_change"  # B-07: no box, but a button that says it obliges to pay


class TermsNotAccepted(Refusal):
    """No order exists without the box of the terms (R-03, PRE-04)."""
