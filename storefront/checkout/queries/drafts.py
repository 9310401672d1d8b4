"""A product as somebody would buy it under given parameters: nothing is placed (X-04)."""

from __future__ import annotations

from datetime import datetime

from storefront.catalogue.queries import Offer, ProductPage
from storefront.checkout.queries.review import alone, plan_offers, training_terms, with_lessons
from storefront.instalments.rules import PlanOffer
from storefront.kernel.moments import Moment
from storefront.legal.rules import TermsParameters
from storefront.orders.rules import BuyerKind
from storefront.timeline.rules import Draft, begun, coming


def payable_in(
    page: ProductPage, offered: Offer, terms: TermsParameters, buyer: BuyerKind, at: datetime
) -> list[PlanOffer]:
    """The numbers of payments that the law, the product and these parameters leave.

    Raises `NotPublished` when the product names particular terms that are not there.
    """
    consumer = buyer is BuyerKind.CONSUMER
    lines = [(alone(page, offered), offered.gross)]
    found = plan_offers(lines, terms, consumer=consumer, now=at)
    return [one for one in found if one.refusal is None]


def foreseen(
    page: ProductPage,
    offered: Offer,
    terms: TermsParameters,
    plan: PlanOffer,
    *,
    buyer: BuyerKind,
    consented: bool,
    at: datetime,
    until: datetime,
) -> list[Moment]:
    """What one of this product would come to, bought at this instant and never touched again."""
    (line,) = with_lessons([alone(page, offered)])
    training = training_terms([line], at)
    draft = Draft(
        kind=line.kind,
        name=line.name,
        features=line.features,
        withdrawal_kind=line.withdrawal_kind,
        buyer=buyer,
        at=at,
        gross=offered.gross,
        plan=plan.instalments,
        consented=consented,
        session_starts_at=line.session_starts_at,
    )
    days = training.training_withdrawal_days if training else 0
    return coming(begun(draft, terms, days), at, until)
