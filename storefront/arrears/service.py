"""Cases of what is unpaid: opened by a failure, moved on step by step, ended by a payment.

Every function locks the instalment first, then its case, so that a payment and a step never
decide on the same past.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import func, select

from storefront.arrears import queries, rules
from storefront.arrears.events import (
    ArrearsSettled,
    DeferralGranted,
    PlanResumed,
    PlanSuspended,
    RestFellDue,
)
from storefront.arrears.models import ArrearsCase, Deferral, DunningAct
from storefront.arrears.rules import DunningStep, Outcome
from storefront.catalogue.rules import ProductKind
from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.infra.seller import seller
from storefront.infra.templating import date_fr, date_short_fr, money_fr, percent_fr
from storefront.instalments import service as instalments
from storefront.instalments.events import InstalmentFailed, InstalmentPaid
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.rules import falls_due, working_day
from storefront.instalments.service import NothingToPay, PaymentUnderWay
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.orders.models import OrderStatus
from storefront.payments import queries as payments

NOTICES = (DunningStep.FORMAL_NOTICE, DunningStep.ACCELERATION_NOTICE)


class BadDeferralDate(Refusal):
    """A deferral names a later day, within a year. Details: first, last (civil dates)."""


class InArrears(Refusal):
    """Something overdue or disputed keeps this customer from buying services (O-07).

    Details: overdue (instalments), disputed, signed_in (what is owed is for its debtor's eyes).
    """

    status = 409


def check_standing(
    user_id: uuid.UUID, kinds: Iterable[ProductKind | None], *, signed_in: bool, now: datetime
) -> None:
    """Raise `InArrears` when a customer who owes or disputes something buys a service (O-07).

    Goods and files to keep stay possible, and so does paying what is due.
    """
    if not any(kind is not None and rules.is_service(kind) for kind in kinds):
        return
    found = queries.standing(user_id, now)
    if not found.clear:
        raise InArrears(overdue=found.overdue, disputed=found.disputed, signed_in=signed_in)


def _locked(instalment_id: uuid.UUID) -> tuple[Instalment, ArrearsCase | None]:
    """The instalment and its open case, as they are now, locked."""
    instalment = instalments.locked(instalment_id)
    return instalment, next(iter(_open_cases([instalment_id])), None)


def _open_cases(instalment_ids: Collection[uuid.UUID]) -> Sequence[ArrearsCase]:
    """The open cases of locked instalments, locked; an instalment has one at most."""
    return db.session.scalars(
        select(ArrearsCase)
        .where(ArrearsCase.instalment_id.in_(instalment_ids), ArrearsCase.closed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def note_failed(event: InstalmentFailed, *, now: datetime) -> None:
    """What could not be taken is a case from now on; a second failure opens no second one."""
    instalment, case = _locked(event.instalment_id)
    running = instalment.order.status is OrderStatus.CONFIRMED
    if case is not None or not running or instalment.status not in queries.LATE:
        return
    earlier = select(func.count()).where(ArrearsCase.instalment_id == instalment.id)
    case = ArrearsCase(
        id=uuid.uuid4(),
        instalment_id=instalment.id,
        order_id=instalment.order_id,
        round=db.session.scalar(earlier) or 0,
        owed_on=instalment.owed_on,
        opened_at=now,
        waited_days=0,
    )
    db.session.add(case)
    _plan_next(case, instalment, [])
    facts = {"instalment": instalment.id, "owed_on": case.owed_on, "next_on": case.next_on}
    journal.record("arrears.opened", case, facts, now=now)


def _plan_next(case: ArrearsCase, part: Instalment, acts: Sequence[DunningAct]) -> None:
    steps = queries.steps_of(part, case.owed_on, acts, case.waited_days)
    following = rules.next_step(steps)
    case.next_step = following.step if following else None
    case.next_on = following.on if following else None


def note_paid(events: Sequence[InstalmentPaid], *, now: datetime) -> None:
    """Paid, by whomever: what was to follow does not, and what non-payment stopped comes back."""
    # Of what is paid no case is opened any more: those that are open now are all there will be.
    late = queries.with_open_case([event.instalment_id for event in events])
    if not late:
        return
    locked = instalments.locked_all(late)
    paid = [one.id for one in locked if one.status is InstalmentStatus.PAID]
    for case in _open_cases(paid):
        _close(case, Outcome.PAID, now)


def _close(case: ArrearsCase, outcome: Outcome, now: datetime) -> None:
    case.closed_at, case.outcome = now, outcome
    case.next_step = case.next_on = None
    journal.record("arrears.closed", case, {"outcome": outcome}, now=now)
    if case.act(DunningStep.SUSPENSION) is not None:
        publish(PlanResumed(case.order_id), now=now)
    if outcome is Outcome.PAID and case.acts:
        publish(ArrearsSettled(case.id), now=now)


def take_step(case_id: uuid.UUID, *, now: datetime) -> DunningAct | None:
    """Make the step that is due, once; None when none is, or the case turns out to be over.

    A formal notice is stored as a document before it counts: no notice without its proof.
    """
    seen = db.session.get_one(ArrearsCase, case_id)
    part, case = _locked(seen.instalment_id)
    if case is None or case.id != case_id:
        return None
    if part.status is InstalmentStatus.PAID:
        _close(case, Outcome.PAID, now)
        return None
    if part.status is InstalmentStatus.CANCELLED or part.order.status is not OrderStatus.CONFIRMED:
        _close(case, Outcome.CANCELLED, now)
        return None
    today = working_day(now)
    asked = _in_doubt(part.id) or payments.order_in_dispute(part.order_id)
    waits = part.status not in queries.LATE or asked or part.held_at is not None
    if waits or case.next_step is None or case.next_on is None or case.next_on > today:
        return None
    act = _made(case, part, case.next_step, paris_date(now), now)
    _plan_next(case, part, case.acts)
    if act.step is DunningStep.SUSPENSION:
        publish(PlanSuspended(case.order_id), now=now)
    if act.step is DunningStep.ACCELERATION:
        _bring_forward(part, now)
    return act


def _in_doubt(instalment_id: uuid.UUID) -> bool:
    attempt = payments.undecided_of_instalment(instalment_id)
    return attempt is not None and attempt.status in queries.IN_DOUBT


def _made(
    case: ArrearsCase, part: Instalment, step: DunningStep, today: date, now: datetime
) -> DunningAct:
    done = {act.step: act.made_on for act in case.acts} | {step: today}
    steps = rules.timeline(queries.pauses_of(part), case.owed_on, done)
    act = DunningAct(
        id=uuid.uuid4(),
        number=len(case.acts) + 1,
        step=step,
        made_on=today,
        at=now,
        answer_by=rules.answer_by(steps, step),
    )
    if step in NOTICES:
        act.document_id = _store_notice(act, part, steps, now)
    case.acts.append(act)
    case.waited_days = 0
    db.session.flush()
    facts = {"step": step, "case": case.id, "answer_by": act.answer_by}
    journal.record("arrears.step", act, facts, now=now)
    return act


def _store_notice(
    act: DunningAct, part: Instalment, steps: Sequence[rules.Planned], now: datetime
) -> uuid.UUID:
    content = documents.render_pdf(
        "formal_notice", _notice(act, part, steps), title="Mise en demeure", now=now
    )
    name = f"{part.order.reference}-{part.rank}"
    stored = documents.store(
        DocumentKind.FORMAL_NOTICE,
        act.id,
        filename_of(DocumentKind.FORMAL_NOTICE, name),
        "application/pdf",
        content,
        now=now,
    )
    return stored.id


def _notice(act: DunningAct, part: Instalment, steps: Sequence[rules.Planned]) -> dict[str, object]:
    """What templates/documents/formal_notice.typ draws: texts only."""
    order, shop = part.order, seller()
    follows = [one.step.value for one in steps if not one.done]
    return {
        "shop": {name: shop.facts[name] for name in ("name", "email", "phone", "address")},
        "buyer": {
            name: str(getattr(order, name) or "")
            for name in ("name", "company", "street", "street_2", "postcode", "city", "country")
        },
        "reference": order.reference,
        "ordered_on": date_fr(paris_date(order.placed_at)),
        "rank": part.rank,
        "count": order.instalment_count,
        "label": part.label,
        "amount": money_fr(part.amount_minor, part.currency),
        "owed_on": date_fr(part.owed_on),
        "made_on": date_fr(act.made_on),
        "answer_by": date_fr(act.answer_by) if act.answer_by else None,
        "accelerates": act.step is DunningStep.ACCELERATION_NOTICE,
        "suspends": DunningStep.SUSPENSION.value in follows,
        "terms": order.terms_version.reference,
    }


def _bring_forward(part: Instalment, now: datetime) -> None:
    """The rest of the plan falls due, announced like any part (M-05); the plan stays (M-02)."""
    today, notice = paris_date(now), instalments.notice_of(part.order)
    rest = db.session.scalars(
        select(Instalment)
        .where(
            Instalment.order_id == part.order_id,
            Instalment.schedule == part.schedule,
            Instalment.status == InstalmentStatus.SCHEDULED,
        )
        .order_by(Instalment.rank)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for one in rest:
        day = falls_due(one.owed_on, today, notice.days)
        if day < one.owed_on:
            instalments.move_to(one, day, now=now)
    publish(RestFellDue(part.id, today + notice), now=now)


def wait(instalment_id: uuid.UUID, days: int, *, now: datetime) -> None:
    """So many days stood still for a sum (B-08): it is owed, and what follows comes, as much later.

    Call it once the instalment itself was moved.
    """
    part, case = _locked(instalment_id)
    if case is None or not days:
        return
    case.owed_on = part.owed_on
    # Before the first step, the day it was owed on moved already.
    case.waited_days += days if case.acts else 0
    _plan_next(case, part, case.acts)
    journal.record("arrears.waited", case, {"days": days, "next_on": case.next_on}, now=now)


def defer(
    instalment_id: uuid.UUID, until: date, reason: str, *, by: uuid.UUID, now: datetime
) -> Deferral:
    """Agree in writing to wait until the end of `until`; everything that followed stops (M-05).

    Retries, reminders, suspension and interest wait for the new day, and what was suspended comes
    back. `by` is who agreed. Raises `BadDeferralDate`, `NothingToPay`, and `PaymentUnderWay`
    while an attempt may still succeed.
    """
    part, case = _locked(instalment_id)
    order = part.order
    open_ones = (InstalmentStatus.SCHEDULED, *queries.LATE)
    if part.status is InstalmentStatus.CHARGING or _in_doubt(part.id):
        raise PaymentUnderWay(provider=None, until=None, instalment=part.id)
    if part.status not in open_ones or order.status is not OrderStatus.CONFIRMED:
        raise NothingToPay(status=part.status, order=order.reference)
    first, last = rules.deferral_bounds(part.owed_on, paris_date(now))
    if not first <= until <= last:
        raise BadDeferralDate(first=first, last=last)
    earlier = select(func.count()).where(Deferral.instalment_id == part.id)
    deferral = Deferral(
        id=uuid.uuid4(),
        instalment_id=part.id,
        number=(db.session.scalar(earlier) or 0) + 1,
        owed_on=part.owed_on,
        until_on=until,
        reason=reason,
        granted_by=by,
        granted_at=now,
    )
    db.session.add(deferral)
    if case is not None:
        _close(case, Outcome.DEFERRED, now)
    instalments.move_to(part, until, now=now)
    facts = {"instalment": part.id, "from": deferral.owed_on, "until": until, "by": by}
    journal.record("arrears.deferred", deferral, facts, now=now)
    publish(DeferralGranted(deferral.id), now=now)
    return deferral


def page_of(statement: queries.Statement, name: str) -> dict[str, object]:
    """What templates/documents/statement.typ draws: texts only."""
    shop = seller()
    return {
        "shop": {key: shop.facts[key] for key in ("name", "email", "phone", "address")},
        "name": name,
        "on": date_fr(statement.on),
        "lines": [_line_of(line) for line in statement.lines],
        "totals": [money_fr(one.minor, one.currency) for one in statement.totals]
        if statement.lines
        else [],
        "stops_on": date_fr(statement.rate_stops_on) if statement.rate_stops_on else None,
    }


def _line_of(line: queries.DueLine) -> dict[str, object]:
    part, claim = line.instalment, line.claim

    def money(minor: int) -> str:
        return money_fr(minor, part.currency)

    return {
        "order": part.order.reference,
        "label": part.label,
        "rank": part.rank,
        "count": part.order.instalment_count,
        "owed_on": date_fr(part.owed_on),
        "principal": money(claim.principal.minor),
        "fee": money(claim.fee.minor) if claim.fee.minor else None,
        "segments": [
            {
                "from": date_short_fr(one.starts_on),
                "to": date_short_fr(one.last_day),
                "days": str(one.days),
                "rate": percent_fr(one.rate_bp),
                "amount": money(one.amount.minor),
            }
            for one in claim.interest.segments
        ],
        "interest": money(claim.interest.total.minor),
        "total": money(claim.total.minor),
    }
