"""What stands before an order and what became of it: terms, prices, ways to pay, dates."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from storefront.cart.queries import Contents, Line
from storefront.catalogue.queries import ProductPage, bundle_lessons, seller_vat
from storefront.catalogue.rules import ProductKind
from storefront.checkout import rules
from storefront.credits.models import HourLot
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.fulfilment.models import Access, Shipment
from storefront.fulfilment.queries import of_order as accesses_of_order
from storefront.fulfilment.queries import shipments_of
from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.infra.templating import date_fr
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.queries import of_order as instalments_of_order
from storefront.instalments.rules import PlanLine, PlannedInstalment, PlanOffer, offers
from storefront.invoicing.models import Invoice
from storefront.kernel.calendar import add_months, end_of_day, paris_date, withdrawal_last_day
from storefront.kernel.money import Money
from storefront.legal.models import Acceptance, TermsVersion
from storefront.legal.queries import (
    NotPublished,
    acceptances_of,
    accepted_documents,
    in_force,
    parameters_of,
)
from storefront.legal.rules import TERMS, TermsParameters
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.orders.rules import Buyer, PricedOrder, SaleLine, ShippingBands, price_order
from storefront.payments.models import Payment
from storefront.payments.providers.base import Provider
from storefront.payments.queries import arrived as payment_arrived
from storefront.payments.queries import of_order as payments_of_order


@dataclass(frozen=True)
class Promises:
    """What the terms in force say of one product, for its page (C-02)."""

    terms: TermsParameters
    total: Money
    plans: tuple[PlanOffer, ...]


def terms_today(now: datetime) -> TermsParameters | None:
    """The parameters of the general terms in force; None before any were published."""
    try:
        return parameters_of(in_force(TERMS, now))
    except NotPublished:
        return None


def promises_of(page: ProductPage, now: datetime) -> Promises | None:
    """The instalments that a consumer could choose today for one of this product, and the terms."""
    terms, first = terms_today(now), page.card.first
    if terms is None or first is None:
        return None
    facts = page.card.facts
    most = {
        "training": terms.instalments_max_trainings,
        "product": terms.instalments_max_products,
        None: 1,
    }[facts.instalment_family]
    line = PlanLine(
        instalments_max=min(page.instalments_max, most),
        is_subscription=facts.is_subscription,
        supplied_at_once=facts.needs_shipping or facts.digital_waiver_applies,
    )
    possible = offers(
        [line],
        first.gross,
        consumer=not page.card.features.get("professionals_only"),
        first_on=paris_date(now),
        interval=terms.instalment_interval,
        most=line.instalments_max,
    )
    plans = tuple(plan for plan in possible if plan.count > 1 and plan.refusal is None)
    return Promises(terms, first.gross, plans)


def shipping_bands() -> ShippingBands:
    """The seller's shipping prices by zone."""
    rates: Mapping[str, Sequence[Sequence[int]]] = seller().facts["shipping"]["rates"]
    return {zone: [(band[0], band[1]) for band in bands] for zone, bands in rates.items()}


def sale_line(line: Line) -> SaleLine:
    """A cart's line as an order will copy it."""
    name = line.product_name
    if line.starts_at is not None:
        name = f"{name}, session du {date_fr(line.starts_at)}"
    elif line.label:
        name = f"{name}, {line.label[:1].lower()}{line.label[1:]}"
    return SaleLine(
        product_id=line.product_id,
        variant_id=line.variant_id,
        kind=line.kind,
        name=name,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        price_basis=line.basis,
        vat_class=line.vat_class,
        withdrawal_kind=line.withdrawal_kind,
        weight_g=line.weight_g,
        instalments_max=line.instalments_max,
        particular_terms=line.particular_terms,
        features=line.features,
        characteristics=line.characteristics,
        session_starts_at=line.starts_at,
        session_ends_at=line.ends_at,
        session_place=line.place,
    )


def priced(contents: Contents, buyer: Buyer) -> PricedOrder:
    """What the cart costs this buyer. Raises `NotSoldThere`, `TooHeavyToShip` and
    `ProfessionalsOnly`."""
    lines = _with_lessons([sale_line(line) for line in contents.lines])
    rules.check_audience(lines, buyer)
    return price_order(
        lines,
        currency=contents.currency,
        territory=buyer.territory,
        professional=buyer.professional,
        seller=seller_vat(),
        bands=shipping_bands(),
    )


def _with_lessons(lines: list[SaleLine]) -> list[SaleLine]:
    """A bundle sells the lessons of the trainings that it holds today (C-05)."""
    bundles = [line.product_id for line in lines if line.kind is ProductKind.BUNDLE]
    if not bundles:
        return lines
    lessons = bundle_lessons(bundles)
    return [
        replace(line, features={**line.features, "lessons": lessons[line.product_id]})
        if line.product_id in lessons
        else line
        for line in lines
    ]


@dataclass(frozen=True)
class Review:
    """Everything that is shown, and agreed to, before the order click (PRE-03, O-01)."""

    buyer: Buyer
    priced: PricedOrder
    terms: TermsVersion
    parameters: TermsParameters
    particular: tuple[TermsVersion, ...]
    boxes: rules.Boxes
    offers: tuple[PlanOffer, ...]
    providers: tuple[Provider, ...]
    last_day: date  # of the withdrawal period, if the order is placed today

    @property
    def total(self) -> Money:
        """What the order costs in all."""
        return Money(self.priced.gross, self.priced.currency)

    @property
    def offered(self) -> list[PlanOffer]:
        """The lawful numbers of payments."""
        return [offer for offer in self.offers if offer.refusal is None]

    @property
    def versions(self) -> str:
        """Which texts the buyer reads: compared when the order comes in."""
        return ",".join(str(version.id) for version in (self.terms, *self.particular))

    def plan(self, count: int) -> tuple[PlannedInstalment, ...]:
        """The instalments of one of the offers. Raises KeyError for another number."""
        return {offer.count: offer.instalments for offer in self.offered}[count]

    def particular_sentence(self, version: TermsVersion) -> str:
        """The sentence beside the box of particular terms, recorded as shown."""
        title = version.title[:1].lower() + version.title[1:]
        return (
            f"J’ai lu et j’accepte les {title}, "
            "dont je recevrai le texte en PDF avec la confirmation de ma commande."
        )


def review(
    contents: Contents, buyer: Buyer, providers: Sequence[Provider], now: datetime
) -> Review:
    """The order as it would be placed now.

    Raises `NotSoldThere`, `TooHeavyToShip`, `ProfessionalsOnly` and `NotPublished`.
    """
    amounts = priced(contents, buyer)
    lines = [line for line, _ in amounts.lines]
    terms = in_force(TERMS, now)
    parameters = parameters_of(terms)
    last_day = withdrawal_last_day(paris_date(now), parameters.withdrawal_days)
    boxes = rules.boxes_for(lines, professional=buyer.professional, last_day=last_day)
    plan_lines = [rules.plan_line(line, parameters) for line in lines]
    subscribes = any(line.is_subscription for line in plan_lines)
    total = Money(amounts.gross, amounts.currency)
    return Review(
        buyer=buyer,
        priced=amounts,
        terms=terms,
        parameters=parameters,
        particular=tuple(in_force(document, now) for document in boxes.particular),
        boxes=boxes,
        offers=offers(
            plan_lines,
            total,
            consumer=not buyer.professional,
            first_on=paris_date(now),
            interval=parameters.instalment_interval,
            most=max(line.instalments_max for line in plan_lines),
        ),
        providers=tuple(
            provider
            for provider in providers
            if provider.capabilities.hosted_page
            and amounts.currency in provider.capabilities.currencies
            and (provider.capabilities.saved_method or not subscribes)
        ),
        last_day=last_day,
    )


@dataclass(frozen=True)
class Moment:
    """One date of a contract's clock (X-03); `what` is worded in templates."""

    at: date | datetime
    what: str
    state: str  # past, next, future
    name: str = ""
    amount: Money | None = None


# When, what, of what, how much.
_Dated = tuple[date | datetime, str, str, Money | None]


@dataclass(frozen=True)
class OrderView:
    """An order with its money, its documents, what it opened and its dates."""

    order: Order
    instalments: Sequence[Instalment]
    attempt: Payment | None
    received: bool
    documents: Sequence[StoredDocument]
    accepted: Sequence[Acceptance]
    accesses: Sequence[Access]
    shipments: Sequence[Shipment]
    lots: Sequence[HourLot]
    clock: Sequence[Moment]

    @property
    def waiting(self) -> bool:
        """Whether it still waits for its first payment, of which nothing has arrived."""
        return self.order.status is OrderStatus.AWAITING_PAYMENT and not self.received

    @property
    def titles(self) -> dict[uuid.UUID, str]:
        """What the accepted texts are called, by document."""
        versions = [acceptance.version for acceptance in self.accepted]
        return {one.pdf_id: f"{one.title}, version {one.number}" for one in versions}

    @property
    def paid_minor(self) -> int:
        """What was received of the price."""
        paid = [part for part in self.instalments if part.status is InstalmentStatus.PAID]
        return sum(part.amount_minor for part in paid)


def order_view(order: Order, now: datetime) -> OrderView:
    """Everything that the page of one order shows."""
    parts = instalments_of_order(order.id)
    attempts = payments_of_order(order.id)
    accepted = acceptances_of(order.id)
    lots = db.session.scalars(
        select(HourLot).where(HourLot.order_id == order.id).order_by(HourLot.granted_at)
    ).all()
    accesses, shipments = accesses_of_order(order.id), shipments_of(order.id)
    return OrderView(
        order=order,
        instalments=parts,
        attempt=attempts[-1] if attempts else None,
        received=payment_arrived(order.id),
        documents=documents_of(order.id),
        accepted=accepted,
        accesses=accesses,
        shipments=shipments,
        lots=lots,
        clock=_clock(order, parts, accesses, lots, now),
    )


def documents_of(order_id: uuid.UUID) -> Sequence[StoredDocument]:
    """The order's invoices, then the terms that it accepted."""
    invoices = select(Invoice.id).where(Invoice.order_id == order_id)
    found = db.session.scalars(
        select(StoredDocument)
        .where(
            (
                (StoredDocument.kind == DocumentKind.INVOICE)
                & StoredDocument.subject_id.in_(invoices)
            )
            | StoredDocument.id.in_(accepted_documents(order_id))
        )
        .order_by(StoredDocument.kind, StoredDocument.created_at)
    )
    return found.all()


def _clock(
    order: Order,
    parts: Sequence[Instalment],
    accesses: Sequence[Access],
    lots: Sequence[HourLot],
    now: datetime,
) -> list[Moment]:
    """Every date of the contract, soonest first, the first to come marked as next."""
    dates: list[_Dated] = [(order.placed_at, "placed", "", None)]
    if order.confirmed_at is not None:
        dates.append((order.confirmed_at, "confirmed", "", None))
    if order.ended_at is not None:
        dates.append((order.ended_at, "ended", order.end_reason or "", None))
    if order.status is OrderStatus.AWAITING_PAYMENT and order.held_until is not None:
        dates.append((order.held_until, "held_until", "", None))
    if order.status is OrderStatus.CONFIRMED:
        dates += [
            (part.due_on, "debit", part.label, Money(part.amount_minor, part.currency))
            for part in parts
            if part.status is not InstalmentStatus.PAID
            and part.status is not InstalmentStatus.CANCELLED
        ]
        dates += [
            (part.paid_at, "paid", part.label, Money(part.amount_minor, part.currency))
            for part in parts
            if part.paid_at is not None and part.paid_at != order.confirmed_at
        ]
        dates += [
            (access.opens_at, "opens", access.title, None)
            for access in accesses
            if access.opens_at is not None
        ]
        dates += [(lot.expires_on, "expires", lot.name, None) for lot in lots]
        for line in order.lines:
            dates += _dates_of_line(line, order)
        dates += _withdrawals(order.lines)
    return _marked(sorted(dates, key=lambda entry: _instant(entry[0])), now)


def _dates_of_line(line: OrderLine, order: Order) -> list[_Dated]:
    dates: list[_Dated] = []
    if line.session_starts_at is not None:
        dates.append((line.session_starts_at, "session", line.name, None))
    months = line.features.get("commitment_months")
    if months and order.confirmed_at is not None:
        end = add_months(paris_date(order.confirmed_at), months)
        dates.append((end, "commitment", line.name, None))
    return dates


def _withdrawals(
    lines: Sequence[OrderLine],
) -> list[_Dated]:
    """The ends of withdrawal periods, one for all the lines that share it."""
    names: dict[date, list[str]] = {}
    for line in lines:
        if line.withdrawal_until is not None:
            names.setdefault(line.withdrawal_until, []).append(line.name)
    return [(day, "withdrawal", ", ".join(some), None) for day, some in names.items()]


def _instant(at: date | datetime) -> datetime:
    """When a date is over, or the instant itself."""
    return at if isinstance(at, datetime) else end_of_day(at)


def _marked(dates: Sequence[_Dated], now: datetime) -> list[Moment]:
    moments, next_found = [], False
    for at, what, name, amount in dates:
        if _instant(at) <= now:
            state = "past"
        else:
            state = "future" if next_found else "next"
            next_found = True
        moments.append(Moment(at, what, state, name, amount))
    return moments
