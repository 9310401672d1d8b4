"""What was agreed: the order, the terms, the boxes that were ticked, what was declared since."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, selectinload

from storefront.evidence.queries.items import Exhibit, File, items
from storefront.identity.models import User
from storefront.infra.templating import money_fr
from storefront.legal.models import Acceptance, TermsVersion
from storefront.orders.models import Order, OrderLine
from storefront.subscriptions.models import Subscription, VersionNotice
from storefront.withdrawals.models import (
    CancellationMatch,
    CancellationRequest,
    GoodsProof,
    ReasonDecision,
    WithdrawalDecision,
    WithdrawalMatch,
    WithdrawalRequest,
)


def contract(order_id: uuid.UUID) -> Exhibit:
    """Who bought what: the order, its lines, its buyer."""
    order = select(Order).where(Order.id == order_id)
    lines = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    buyer = select(User).join(Order, Order.user_id == User.id).where(Order.id == order_id)
    return Exhibit(
        "contrat",
        [
            *items(order, lambda row: f"{row.reference}, {money_fr(row.total)}"),
            *items(lines, lambda row: row.name),
            *items(buyer, lambda row: row.name),
        ],
    )


def terms(order_id: uuid.UUID) -> Exhibit:
    """Every version that was accepted for it, or was brought to its subscriptions since."""
    running = select(Subscription.id).where(Subscription.order_id == order_id)
    named = (
        select(Order.terms_version_id).where(Order.id == order_id),
        select(Acceptance.version_id).where(Acceptance.order_id == order_id),
        select(Subscription.terms_version_id).where(Subscription.order_id == order_id),
        select(VersionNotice.terms_version_id).where(VersionNotice.subscription_id.in_(running)),
    )
    versions = (
        select(TermsVersion)
        .where(or_(*(TermsVersion.id.in_(ids) for ids in named)))
        .order_by(TermsVersion.document, TermsVersion.number)
    )
    return Exhibit("conditions", items(versions, lambda row: row.title, _texts))


def _texts(_number: int, version: TermsVersion) -> dict[str, File]:
    """The text as it was shown, its source, the page and the figures: each as it was sealed."""
    names = {"text": "texte.md", "source": "source.md", "html": "page.html"}
    names |= {"parameters": "parametres.json"}
    return {
        key: File(
            f"conditions/{version.reference}/{name}",
            lambda key=key: getattr(version, key).encode(),  # type: ignore[misc]
        )
        for key, name in names.items()
    }


def acceptances(order_id: uuid.UUID) -> Exhibit:
    """Each box: its exact sentence, when, from which address, with which browser (R-03)."""
    ticked = (
        select(Acceptance)
        .where(Acceptance.order_id == order_id)
        .options(joinedload(Acceptance.version))
        .order_by(Acceptance.accepted_at, Acceptance.kind, Acceptance.id)
    )
    return Exhibit("acceptations", items(ticked, lambda row: row.version.reference))


def declarations(order_id: uuid.UUID) -> Exhibit:
    """What its customer declared, word for word, and how it was found to be about this order."""
    withdrawn = select(WithdrawalMatch).where(WithdrawalMatch.order_id == order_id)
    cancelled = select(CancellationMatch).where(CancellationMatch.order_id == order_id)
    withdrawals = withdrawn.with_only_columns(WithdrawalMatch.request_id)
    cancellations = cancelled.with_only_columns(CancellationMatch.request_id)
    return Exhibit(
        "declarations",
        [
            *items(_declared(WithdrawalRequest, withdrawals), lambda row: row.reference),
            *items(withdrawn.order_by(WithdrawalMatch.matched_at, WithdrawalMatch.id)),
            *items(
                select(GoodsProof)
                .where(GoodsProof.request_id.in_(withdrawals))
                .order_by(GoodsProof.recorded_at, GoodsProof.id)
            ),
            *items(
                select(WithdrawalDecision)
                .where(WithdrawalDecision.order_id == order_id)
                .options(selectinload(WithdrawalDecision.lines))
                .order_by(WithdrawalDecision.decided_at, WithdrawalDecision.id),
                lambda row: money_fr(row.due),
            ),
            *items(_declared(CancellationRequest, cancellations), lambda row: row.reference),
            *items(cancelled.order_by(CancellationMatch.matched_at, CancellationMatch.id)),
            *items(
                select(ReasonDecision)
                .where(ReasonDecision.request_id.in_(cancellations))
                .order_by(ReasonDecision.decided_at, ReasonDecision.id)
            ),
        ],
    )


def _declared(
    model: type[WithdrawalRequest] | type[CancellationRequest], ids: Select[Any]
) -> Select[Any]:
    return select(model).where(model.id.in_(ids)).order_by(model.declared_at, model.id)
