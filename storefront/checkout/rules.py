"""What a buyer must decide and tick before ordering. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from storefront.instalments.rules import PlanLine
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.legal.rules import TermsParameters
from storefront.orders.rules import Buyer, SaleLine


class ProfessionalsOnly(Refusal):
    """Something in the cart is sold to professionals only. Details: name."""


class CartChanged(Refusal):
    """The cart, its prices or the terms are not what the buyer saw: show them again, order nothing.

    Details: what ("terms", "total", "cart").
    """

    status = 409


class MissingConsent(Refusal):
    """A box that this order needs was not ticked. Details: box."""


@dataclass(frozen=True)
class Consents:
    """The boxes as they were sent: only a tick is a yes."""

    terms: bool
    particular: Sequence[bool]
    early_start: bool = False
    digital_waiver: bool = False


@dataclass(frozen=True)
class Boxes:
    """Which boxes stand under an order, besides that of the general terms (PRE-04).

    `early_start` lets services begin before the withdrawal period ends, `digital_waiver` opens
    downloads at once; both are the buyer's choice. `early_start_required`: a session falls
    within the period, so that without the request nothing could be supplied.
    """

    particular: tuple[str, ...]
    early_start: bool
    early_start_required: bool
    digital_waiver: bool


def boxes_for(lines: Sequence[SaleLine], *, professional: bool, last_day: date) -> Boxes:
    """The boxes that these lines need; professionals have no withdrawal period to cut short.

    `last_day` is the last day on which a service ordered today could be withdrawn from.
    """
    particular = tuple(
        dict.fromkeys(line.particular_terms for line in lines if line.particular_terms)
    )
    if professional:
        return Boxes(particular, False, False, False)
    within = any(
        line.session_starts_at is not None and paris_date(line.session_starts_at) <= last_day
        for line in lines
    )
    open_ended = any(
        line.facts.early_start_applies and not line.facts.has_sessions for line in lines
    )
    return Boxes(
        particular,
        early_start=within or open_ended,
        early_start_required=within,
        digital_waiver=any(line.facts.digital_waiver_applies for line in lines),
    )


def check_audience(lines: Sequence[SaleLine], buyer: Buyer) -> None:
    """Raise `ProfessionalsOnly` when a consumer buys what is sold to professionals (LX26)."""
    for line in lines:
        if line.features.get("professionals_only") and not buyer.professional:
            raise ProfessionalsOnly(name=line.name)


def plan_line(line: SaleLine, terms: TermsParameters) -> PlanLine:
    """What an instalment plan must know of a line: the stricter of product and terms (M-02)."""
    most = {
        "training": terms.instalments_max_trainings,
        "product": terms.instalments_max_products,
        None: 1,
    }[line.facts.instalment_family]
    return PlanLine(
        instalments_max=min(line.instalments_max, most),
        is_subscription=line.facts.is_subscription,
        supplied_at_once=line.facts.needs_shipping or line.facts.digital_waiver_applies,
    )
