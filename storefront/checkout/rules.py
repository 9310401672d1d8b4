"""What a buyer must decide and tick before ordering. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from storefront.catalogue.rules import (
    HOME_CURRENCY,
    KindFacts,
    WithdrawalKind,
    own_parts,
    sold_in,
)
from storefront.instalments.rules import Course, PlanLine
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.legal.rules import TRAINING_CONTRACT, TermsParameters, TrainingParameters
from storefront.orders.rules import Buyer, BuyerKind, SaleLine, withdrawal_until


class ProfessionalsOnly(Refusal):
    """Something in the cart is sold to professionals only. Details: name."""


class PricedElsewhere(Refusal):
    """This price is for customers of other countries (MRE-06).

    Details: name, currency, country (the buyer's), instead (the same plan as sold there, or None).
    """


class CartChanged(Refusal):
    """The cart, its prices or the terms are not what the buyer saw: show them again, order nothing.

    Details: what ("terms", "plan", "total", "cart").
    """

    status = 409


class MissingConsent(Refusal):
    """A box that this order needs was not ticked. Details: box."""


@dataclass(frozen=True)
class Consents:
    """The boxes as they were sent: only a tick is a yes.

    `marketing`: the sentence of that box when it was ticked; it has nothing to do with the order.
    """

    terms: bool
    particular: Sequence[bool]
    early_start: bool = False
    digital_waiver: bool = False
    marketing: str = ""


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


def particular_documents(
    sold: Iterable[tuple[str | None, WithdrawalKind]], *, consumer: bool
) -> tuple[str, ...]:
    """The texts that these products ask for besides the general terms, each once (R-04).

    Who pays a training alone concludes its contract as well (FOR-01; C. trav. L6353-3).
    """
    sold = list(sold)
    named = [document for document, _ in sold if document]
    if consumer and any(kind is WithdrawalKind.TRAINING for _, kind in sold):
        named.append(TRAINING_CONTRACT)
    return tuple(dict.fromkeys(named))


def boxes_for(lines: Sequence[SaleLine], *, professional: bool, last_day: date) -> Boxes:
    """The boxes that these lines need; professionals have no withdrawal period to cut short.

    `last_day` is the last day on which a service ordered today could be withdrawn from.
    """
    sold = [(line.particular_terms, line.withdrawal_kind) for line in lines]
    particular = particular_documents(sold, consumer=not professional)
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


# A price in foreign money is lawful between professionals, for an international operation
# (C. civ. 1343-3): dirhams are for businesses of Morocco, and nobody else (MRE-06, PRI-01).
COUNTRIES_OF_CURRENCY: Mapping[str, frozenset[str]] = {"MAD": frozenset({"MA"})}


def priced_elsewhere(lines: Sequence[SaleLine], currency: str, country: str) -> SaleLine | None:
    """The first of these lines whose price is not meant for a buyer of this country."""
    lawful = COUNTRIES_OF_CURRENCY.get(currency, frozenset())
    if currency != HOME_CURRENCY and country not in lawful:
        return next(iter(lines), None)
    return next((line for line in lines if not sold_in(line.features, country)), None)


def check_audience(lines: Sequence[SaleLine], currency: str, buyer: Buyer) -> None:
    """Raise `ProfessionalsOnly` when a consumer buys what is sold to professionals (LX26), or
    what has a price in foreign money."""
    for line in lines:
        reserved = line.features.get("professionals_only") or currency != HOME_CURRENCY
        if reserved and not buyer.professional:
            raise ProfessionalsOnly(name=line.name)


def plan_line(
    line: SaleLine,
    gross: Money,
    terms: TermsParameters,
    training: TrainingParameters | None,
    *,
    consumer: bool,
    now: datetime,
) -> PlanLine:
    """What an instalment plan must know of a line: the stricter of product and terms (M-02).

    `training` are the particular terms that an individual's training is sold under (FOR-03).
    """
    own, today = own_parts(line.features), paris_date(now)
    wanted = len(own.shares) if own else line.instalments_max
    ends_on = paris_date(line.session_ends_at) if line.session_ends_at else today
    return PlanLine(
        gross=gross,
        instalments_max=min(wanted, most_parts(line.facts, terms)),
        supplied_on=max(ends_on, today),
        is_subscription=line.facts.is_subscription,
        course=_course(line, terms, training, now) if training and consumer else None,
        own=own,
    )


def most_parts(facts: KindFacts, terms: TermsParameters) -> int:
    """In how many parts the terms let a kind be paid; support is paid in full (M-02, M-06)."""
    return {
        "training": terms.instalments_max_trainings,
        "product": terms.instalments_max_products,
        None: 1,
    }[facts.instalment_family]


def _course(
    line: SaleLine, terms: TermsParameters, training: TrainingParameters, now: datetime
) -> Course | None:
    withdrawal_ends_on = withdrawal_until(
        line.kind,
        line.withdrawal_kind,
        BuyerKind.CONSUMER,
        concluded_at=now,
        days=terms.withdrawal_days,
        training_days=training.training_withdrawal_days,
    )
    if line.withdrawal_kind is not WithdrawalKind.TRAINING or withdrawal_ends_on is None:
        return None
    today = paris_date(now)
    starts_on = paris_date(line.session_starts_at) if line.session_starts_at else today
    ends_on = paris_date(line.session_ends_at) if line.session_ends_at else today
    return Course(
        starts_on=max(starts_on, today),
        ends_on=max(ends_on, today),
        withdrawal_ends_on=withdrawal_ends_on,
        first_share_max_bp=training.training_first_share_max_bp,
    )
