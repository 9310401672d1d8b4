"""An order that nobody has placed: the facts that it would begin with under given terms (X-04).

The parameters are an argument, so that a text can be tried before it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from storefront.catalogue.rules import KIND_FACTS, ProductKind, WithdrawalKind
from storefront.credits import rules as credits
from storefront.credits.rules import Hours
from storefront.fulfilment import rules as fulfilment
from storefront.instalments.rules import Owed, PlannedInstalment, days_of
from storefront.kernel.calendar import paris_date
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.legal.rules import TermsParameters
from storefront.orders import rules as orders
from storefront.orders.rules import BuyerKind, Dated
from storefront.subscriptions import rules as subscriptions
from storefront.subscriptions.rules import Price, Running, RunningDays, contract_of
from storefront.timeline.rules.coming import Facts

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """One product as somebody would buy it: `at` is when the order is confirmed.

    `plan` is how it is paid, `gross` what a period costs of what goes on. `consented`: the buyer
    asks for an early start, or gives up the right to withdraw from digital content.
    """

    kind: ProductKind
    name: str
    features: Mapping[str, Any]
    withdrawal_kind: WithdrawalKind
    buyer: BuyerKind
    at: datetime
    gross: Money
    plan: Sequence[PlannedInstalment]
    consented: bool = False
    session_starts_at: datetime | None = None


def begun(draft: Draft, terms: TermsParameters, training_days: int = 0) -> Facts:
    """The facts of this order once it is confirmed and its confirmation has left.

    What is due on the day itself was paid with it, by a card that is kept. `training_days` is the
    period of the particular terms of trainings (FOR-02).
    """
    last_day = orders.withdrawal_until(
        draft.kind,
        draft.withdrawal_kind,
        draft.buyer,
        concluded_at=draft.at,
        days=terms.withdrawal_days,
        training_days=training_days,
        contractual=terms.pro_withdrawal == "contractual",
    )
    waived = draft.consented and draft.withdrawal_kind is WithdrawalKind.DIGITAL_CONTENT
    line = Dated(draft.name, last_day, draft.session_starts_at, waived=waived)
    today = paris_date(draft.at)
    return Facts(
        owed=[_owed(part, terms, draft.at) for part in draft.plan if part.due_on > today],
        hours=_hours(draft, terms, today),
        running=_running(draft, terms, today),
        stated=[*orders.coming([line]), *_supplied(draft, last_day)],
    )


def minutes_of(kind: ProductKind, features: Mapping[str, Any]) -> int:
    """The minutes that each month of what goes on gives."""
    gives = kind is ProductKind.SUPPORT_CONTRACT
    return contract_of(features).included_minutes if gives else 0


def _owed(part: PlannedInstalment, terms: TermsParameters, at: datetime) -> Owed:
    days = days_of(part.due_on, paris_date(at), terms.debit_notice_days, by_hand_month=False)
    return Owed("", part.rank, part.amount, *days, at)


def _hours(draft: Draft, terms: TermsParameters, today: date) -> list[Hours]:
    """A pack's hours, or those of a contract's first period."""
    if KIND_FACTS[draft.kind].grants_minutes:
        until = fulfilment.hours_expire_on(today, terms.hour_pack_validity_months)
        return [credits.granted(draft.name, today, until, terms.expiry_reminder_days)]
    if KIND_FACTS[draft.kind].is_subscription and minutes_of(draft.kind, draft.features):
        first = _first_period(draft, today)
        return [credits.granted(draft.name, today, first.ends_on - ONE_DAY, ())]
    return []


def _first_period(draft: Draft, today: date) -> subscriptions.Month:
    every = contract_of(draft.features).billing_months
    return subscriptions.month(today, 1, every=every)


def _running(draft: Draft, terms: TermsParameters, today: date) -> list[Running]:
    if not KIND_FACTS[draft.kind].is_subscription:
        return []
    contract = contract_of(draft.features)
    bound = subscriptions.committed_until(today, contract.term_months)
    ends_on = subscriptions.first_end(contract, today)
    opt_out = terms.renewal_opt_out_days
    next_on = subscriptions.next_start(ends_on, _first_period(draft, today).ends_on)
    return [
        Running(
            name=draft.name,
            currency=draft.gross.currency,
            since=draft.at,
            anchor_on=today,
            every=contract.billing_months,
            days=RunningDays(next_on, bound, ends_on),
            term_months=contract.term_months,
            renewal=contract.renewal,
            prices=[Price(date.min, draft.gross.minor, minutes_of(draft.kind, draft.features))],
            opt_out_days=opt_out,
            notice_days=terms.debit_notice_days,
            protected=draft.buyer is not BuyerKind.PROFESSIONAL,
            notice_on=subscriptions.asked_on(
                contract.renewal, bound, contract.term_months, opt_out
            ),
        )
    ]


def _supplied(draft: Draft, last_day: date | None) -> list[Moment]:
    """When what is sold opens, if not at once, or is to arrive."""
    if KIND_FACTS[draft.kind].needs_shipping:
        by = fulfilment.deliver_by(paris_date(draft.at))
        return [Moment(by, fulfilment.Happens.TO_DELIVER, draft.name)]
    if not any(draft.features.get(name) for name in ("files", "lessons")):
        return []
    opens_at = fulfilment.opens_at(
        confirmed_to_customer_at=draft.at,
        consented=draft.consented,
        withdrawal_until=last_day if draft.buyer is BuyerKind.CONSUMER else None,
    )
    opening = Moment(opens_at, fulfilment.Happens.OPENING, draft.name)
    return [opening] if opens_at > draft.at else []
