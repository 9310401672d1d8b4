"""What stands before an order: terms, prices, boxes, ways to pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from itertools import zip_longest

from storefront.cart.queries import Contents, Line
from storefront.catalogue.queries import (
    Offer,
    ProductPage,
    bundle_lessons,
    same_plan,
    seller_vat,
)
from storefront.catalogue.rules import ProductKind, WithdrawalKind
from storefront.checkout import rules
from storefront.infra.seller import seller
from storefront.infra.templating import date_fr
from storefront.instalments.rules import PlanLine, PlannedInstalment, PlanOffer, offers
from storefront.kernel.calendar import paris_date, withdrawal_last_day
from storefront.kernel.money import Money
from storefront.legal.models import TermsVersion
from storefront.legal.queries import (
    NotPublished,
    in_force,
    parameters_of,
    texts_in_force,
    training_parameters_of,
)
from storefront.legal.rules import (
    STATUTORY_TRAINING,
    TERMS,
    TRAINING_CONTRACT,
    TRAINING_TERMS,
    TermsParameters,
    TrainingParameters,
)
from storefront.orders.rules import (
    Buyer,
    PricedOrder,
    SaleLine,
    ShippingBands,
    last_day_to_pay,
    price_order,
)
from storefront.payments.providers.base import Provider
from storefront.payments.rules import NotOffered, ways_to_pay


@dataclass(frozen=True)
class Promises:
    """What the terms in force say of one product, for its page (C-02).

    `particular`: the texts that it is sold under besides the general terms (R-04).
    """

    terms: TermsParameters
    total: Money
    offers: tuple[PlanOffer, ...]
    particular: tuple[TermsVersion, ...]

    @property
    def plans(self) -> list[PlanOffer]:
        """The lawful numbers of payments, other than all at once."""
        return [offer for offer in self.offers if offer.refusal is None and offer.count > 1]


def terms_today(now: datetime) -> TermsParameters | None:
    """The parameters of the general terms in force; None before any were published."""
    try:
        return parameters_of(in_force(TERMS, now))
    except NotPublished:
        return None


def promises_of(page: ProductPage, now: datetime) -> Promises | None:
    """The instalments that a buyer could choose today for one of this product, and the terms.

    For a consumer, unless the product is sold to professionals only.
    """
    return promises_to(page, now, consumer=not page.card.features.get("professionals_only"))


def promises_to(page: ProductPage, now: datetime, *, consumer: bool) -> Promises | None:
    """The same for one kind of buyer; None before terms were published, or when all is sold."""
    offered = page.card.first
    named = rules.particular_documents(
        [(page.particular_terms, page.withdrawal_kind)], consumer=consumer
    )
    texts = texts_in_force((TERMS, *named), now)
    if offered is None or TERMS not in texts:
        return None
    terms = parameters_of(texts[TERMS])
    lines = [(alone(page, offered), offered.gross)]
    found = plan_offers(lines, terms, consumer=consumer, now=now)
    particular = tuple(texts[document] for document in named if document in texts)
    return Promises(terms, offered.gross, found, particular)


def alone(page: ProductPage, offered: Offer) -> SaleLine:
    """One of this product, as an order would copy it."""
    return SaleLine(
        product_id=page.card.id,
        variant_id=offered.id,
        kind=page.card.kind,
        name=page.card.name,
        quantity=1,
        unit_price_minor=offered.price.minor,
        price_basis=page.card.basis,
        vat_class=page.vat_class,
        withdrawal_kind=page.withdrawal_kind,
        instalments_max=page.instalments_max,
        particular_terms=page.particular_terms,
        features=page.card.features,
        session_starts_at=offered.starts_at,
        session_ends_at=offered.ends_at,
    )


def plan_offers(
    lines: Sequence[tuple[SaleLine, Money]],
    terms: TermsParameters,
    *,
    consumer: bool,
    now: datetime,
    extra: int = 0,
) -> tuple[PlanOffer, ...]:
    """Every number of payments for these lines at these prices, offered or refused with why.

    `extra` (minor units, shipping) is paid like goods. Raises `NotPublished` when the particular
    terms that an individual's training names are not there.
    """
    training = training_terms([line for line, _ in lines], now) if consumer else None
    plan_lines = [
        rules.plan_line(line, gross, terms, training, consumer=consumer, now=now)
        for line, gross in lines
    ]
    most = max(line.instalments_max for line in plan_lines)
    if most > 1:  # who can choose is told why there is no more to choose from
        most = max(terms.instalments_max_products, terms.instalments_max_trainings)
    if extra:
        currency = plan_lines[0].gross.currency
        plan_lines.append(PlanLine(Money(extra, currency), most, paris_date(now)))
    return offers(
        plan_lines,
        consumer=consumer,
        today=paris_date(now),
        interval=terms.instalment_interval,
        most=most,
    )


def training_terms(lines: Sequence[SaleLine], now: datetime) -> TrainingParameters | None:
    """What the terms of trainings say of an individual's payments; the law where none are named."""
    trainings = [line for line in lines if line.withdrawal_kind is WithdrawalKind.TRAINING]
    if not trainings:
        return None
    if any(line.particular_terms == TRAINING_TERMS for line in trainings):
        return training_parameters_of(in_force(TRAINING_TERMS, now))
    return STATUTORY_TRAINING


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
    """What the cart costs this buyer. Raises `NotSoldThere`, `TooHeavyToShip`,
    `PricedElsewhere` and `ProfessionalsOnly`."""
    lines, currency = [sale_line(line) for line in contents.lines], contents.currency
    line = rules.priced_elsewhere(lines, currency, buyer.country)
    if line is not None:
        raise rules.PricedElsewhere(
            name=line.name,
            currency=currency,
            country=buyer.country,
            instead=same_plan(line.features, buyer.country),
        )
    rules.check_audience(lines, currency, buyer)
    lines = with_lessons(lines)
    return price_order(
        lines,
        currency=currency,
        territory=buyer.territory,
        professional=buyer.professional,
        seller=seller_vat(),
        bands=shipping_bands(),
        has_vat_number=buyer.has_vat_number,
    )


def with_lessons(lines: list[SaleLine]) -> list[SaleLine]:
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
    """Everything that is shown, and agreed to, before the order click (PRE-03, O-01).

    `not_offered`: the means of payment that cannot take this order, each with why.
    """

    buyer: Buyer
    priced: PricedOrder
    terms: TermsVersion
    parameters: TermsParameters
    particular: tuple[TermsVersion, ...]
    boxes: rules.Boxes
    offers: tuple[PlanOffer, ...]
    providers: tuple[Provider, ...]
    not_offered: tuple[tuple[Provider, NotOffered], ...]
    last_day: date  # of the withdrawal period, if the order is placed today
    now: datetime
    pay_by: date | None  # the last day for money sent by hand; None: too little time is left

    @property
    def total(self) -> Money:
        """What the order costs in all."""
        return Money(self.priced.gross, self.priced.currency)

    @property
    def hosted(self) -> bool:
        """Whether one of the ways to pay leads to a provider's page."""
        return any(one.capabilities.hosted_page for one in self.providers)

    @property
    def by_hand(self) -> bool:
        """Whether one of them is left to the buyer's own means."""
        return not all(one.capabilities.hosted_page for one in self.providers)

    @property
    def offered(self) -> list[PlanOffer]:
        """The lawful numbers of payments."""
        return [offer for offer in self.offers if offer.refusal is None]

    @property
    def versions(self) -> str:
        """Which texts the buyer reads: compared when the order comes in."""
        return ",".join(str(version.id) for version in (self.terms, *self.particular))

    @property
    def seen(self) -> str:
        """The texts, and the dates and amounts of the plans: all of it is accepted (M-02)."""
        plans = ";".join(
            f"{offer.count}:{part.due_on}:{part.amount.minor}"
            for offer in self.offered
            for part in offer.instalments
        )
        return f"{self.versions}|{sha256(plans.encode()).hexdigest()[:16]}"

    def texts_new_to(self, seen: str) -> list[TermsVersion]:
        """The texts of this order that are not those of an earlier `seen`, in their places."""
        before = seen.partition("|")[0].split(",")
        texts = (self.terms, *self.particular)
        return [text for text, old in zip_longest(texts, before) if text and str(text.id) != old]

    def waits(self, count: int, provider: str) -> bool:
        """Whether nothing of this plan is due today and the page of this provider cannot keep a
        means of payment for later: then it cannot be chosen there."""
        later = self.plan(count)[0].due_on > paris_date(self.now)
        page = {one.key: one.capabilities for one in self.providers}[provider]
        return self.priced.gross > 0 and later and page.hosted_page and not page.set_up

    def plan(self, count: int) -> tuple[PlannedInstalment, ...]:
        """The instalments of one of the offers. Raises KeyError for another number."""
        return {offer.count: offer.instalments for offer in self.offered}[count]

    def particular_sentence(self, version: TermsVersion) -> str:
        """The sentence beside the box of particular terms, recorded as shown."""
        title = version.title[:1].lower() + version.title[1:]
        named = f"les {title}" if title.startswith("conditions ") else f"« {version.title} »"
        return (
            f"J’ai lu et j’accepte {named}, "
            "dont je recevrai le texte en PDF avec la confirmation de ma commande."
        )


def _particular(boxes: rules.Boxes, now: datetime) -> tuple[TermsVersion, ...]:
    """The texts of the boxes. A shop that has not written a training contract sells by its
    particular terms; any other text that a product names must be there."""
    found = texts_in_force(boxes.particular, now)
    for document in boxes.particular:
        if document not in found and document != TRAINING_CONTRACT:
            raise NotPublished(document=document)
    return tuple(found[document] for document in boxes.particular if document in found)


def review(
    contents: Contents, buyer: Buyer, providers: Sequence[Provider], now: datetime
) -> Review:
    """The order as it would be placed now.

    Raises `NotSoldThere`, `TooHeavyToShip`, `PricedElsewhere`, `ProfessionalsOnly` and
    `NotPublished`.
    """
    amounts = priced(contents, buyer)
    lines = [line for line, _ in amounts.lines]
    terms = in_force(TERMS, now)
    parameters = parameters_of(terms)
    last_day = withdrawal_last_day(paris_date(now), parameters.withdrawal_days)
    boxes = rules.boxes_for(lines, professional=buyer.professional, last_day=last_day)
    grosses = [(line, Money(each.gross, amounts.currency)) for line, each in amounts.lines]
    shipping = amounts.shipping.gross if amounts.shipping else 0
    found = plan_offers(
        grosses, parameters, consumer=not buyer.professional, now=now, extra=shipping
    )
    lawful = [offer for offer in found if offer.refusal is None]
    subscribes = any(line.facts.is_subscription for line in lines)
    debited_later = subscribes or all(offer.count > 1 for offer in lawful)
    nothing_today = amounts.gross > 0 and all(
        offer.instalments[0].due_on > paris_date(now) for offer in lawful
    )
    ways = ways_to_pay(
        providers, amounts.currency, debited_later=debited_later, due_today=not nothing_today
    )
    pay_by = last_day_to_pay(
        paris_date(now),
        parameters.offline_payment_days,
        [line.session_starts_at for line in lines],
    )
    return Review(
        buyer=buyer,
        priced=amounts,
        terms=terms,
        parameters=parameters,
        particular=_particular(boxes, now),
        boxes=boxes,
        offers=found,
        providers=tuple(one for one in ways.offered if pay_by or one.capabilities.hosted_page),
        not_offered=ways.not_offered,
        last_day=last_day,
        pay_by=pay_by,
        now=now,
    )
