"""Ends: decided by the holder for the end of what is paid, with notice by either side, or with
what was sold (B-02, B-03, B-05, B-08)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.catalogue.rules import EU_COUNTRIES
from storefront.fulfilment.events import SupplyRevoked
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.kernel.errors import Refusal
from storefront.legal.queries import parameters_of
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    EndScheduled,
    EndTakenBack,
    NoticeClosed,
    NoticeEffective,
    NoticeGiven,
)
from storefront.subscriptions.models import (
    Subscription,
    SubscriptionStatus,
    Termination,
    TerminationNotice,
    TerminationStatus,
)
from storefront.subscriptions.rules import Announced, Ground, Notice, Party
from storefront.subscriptions.service.renewals import leave
from storefront.subscriptions.service.settling import settle
from storefront.subscriptions.service.states import close, end, follow, locked


class SubscriptionOver(Refusal):
    """It has ended: nothing more is to be decided. Details: name, ends_on."""

    status = 409


class EndAnnounced(Refusal):
    """The seller has announced an end already. Details: name, effective_at."""

    status = 409


class NothingToKeep(Refusal):
    """No end of its holder's own stands any more: it has come, or the seller decided it.

    Details: name, ended, effective_at (of the seller's end; None without one).
    """

    status = 409


def schedule_end(
    subscription_id: uuid.UUID,
    *,
    notified_on: date,
    wanted_on: date | None,
    cause_id: uuid.UUID,
    now: datetime,
) -> date | None:
    """Its holder ended it by a declaration on `notified_on` (L215-1-1); who keeps the declaration
    also confirms it.

    An end that is set is never moved back. Returns the first day without service; None for a
    subscription that stopped without one.
    """
    subscription = locked(subscription_id)
    if subscription.next_period_on is None:
        return subscription.ends_on
    if subscription.free_exit_since is not None:
        leave(subscription, notified_on=notified_on, wanted_on=wanted_on, now=now)
        facts = {"ends_on": subscription.ends_on, "wanted_on": wanted_on, "cause": cause_id}
        journal.record("subscription.end_scheduled", subscription, facts, now=now)
        return subscription.ends_on
    _end_by_holder(
        subscription,
        notified_at=min(start_of_day(notified_on), now),
        wanted_on=wanted_on,
        cause_id=cause_id,
        now=now,
    )
    return subscription.ends_on


def end_by_holder(
    subscription_id: uuid.UUID,
    *,
    notified_on: date,
    recorded_by: uuid.UUID | None = None,
    statement: str = "",
    now: datetime,
) -> Termination:
    """Its holder ends it, on their page or by e-mail (B-03): with the period that is paid, or the
    commitment (B-02). A second click finds the first.

    `recorded_by` is who wrote down what came by e-mail or post, `statement` how it came. Raises
    `SubscriptionOver`.
    """
    subscription = locked(subscription_id)
    _check_running(subscription)
    known = queries.announced_on(subscription.id, Ground.WISH)
    termination = _end_by_holder(
        subscription,
        notified_at=now if recorded_by is None else min(start_of_day(notified_on), now),
        statement=statement,
        recorded_by=recorded_by,
        now=now,
    )
    if termination is not known:
        publish(EndScheduled(termination.id), now=now)
    return termination


def _end_by_holder(
    subscription: Subscription,
    *,
    notified_at: datetime,
    wanted_on: date | None = None,
    statement: str = "",
    recorded_by: uuid.UUID | None = None,
    cause_id: uuid.UUID | None = None,
    now: datetime,
) -> Termination:
    known = queries.announced_on(subscription.id, Ground.WISH)
    base = _without_announced(subscription)
    ends_on = queries.end_if_notified(subscription, paris_date(notified_at), wanted_on)
    effective_at = start_of_day(min(ends_on, base or ends_on))
    if known is not None and known.effective_at <= effective_at:
        facts = {"ends_on": subscription.ends_on, "wanted_on": wanted_on, "cause": cause_id}
        journal.record("subscription.end_known", subscription, facts, now=now)
        return known
    if known is not None:
        close(known, TerminationStatus.TAKEN_BACK, by=recorded_by, now=now)
    return _announce(
        subscription,
        TerminationNotice(
            id=uuid.uuid4(),
            subscription_id=subscription.id,
            ground=Ground.WISH,
            statement=statement,
            notified_at=notified_at,
            effective_at=effective_at,
            recorded_by=recorded_by,
            recorded_at=now,
            cause_id=cause_id,
        ),
        base,
        now,
    )


def end_early(
    subscription_id: uuid.UUID,
    *,
    notified_on: date,
    wanted_on: date | None,
    reason: str,
    cause_id: uuid.UUID,
    recorded_by: uuid.UUID,
    now: datetime,
) -> Termination | None:
    """Its holder leaves a commitment before its term, for a reason that staff found good (SUB-04).

    Counted from the day of the declaration, however late it is decided, even once the later end
    that they wished for has come; what was paid beyond goes back. A second decision finds the
    first, while it is to come. None for a contract that ended before, or otherwise.
    """
    subscription = locked(subscription_id)
    ends_on = rules.early_end(notified_on, wanted_on)
    over = subscription.status is SubscriptionStatus.ENDED
    known = queries.announced_on(subscription.id, Ground.LEGITIMATE_REASON)
    if known is not None or (over and not _ended_later_by_wish(subscription, ends_on)):
        return known
    notice = TerminationNotice(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        ground=Ground.LEGITIMATE_REASON,
        statement=reason,
        notified_at=min(start_of_day(notified_on), now),
        effective_at=start_of_day(ends_on),
        recorded_by=recorded_by,
        recorded_at=now,
        cause_id=cause_id,
    )
    if not over:
        return _announce(subscription, notice, _without_announced(subscription), now)
    termination = _declare(subscription, notice, subscription.ends_on, now)
    close(termination, TerminationStatus.EFFECTIVE, by=recorded_by, now=now)
    settle(subscription, termination, now=now)
    return termination


def _ended_later_by_wish(subscription: Subscription, day: date) -> bool:
    """Whether what ended it is its holder's own choice, on a later day than this one."""
    ended_by = queries.effective_end(subscription.id)
    wished = ended_by is not None and ended_by.ground is Ground.WISH
    return wished and subscription.ends_on is not None and subscription.ends_on > day


def take_back(subscription_id: uuid.UUID, *, by: uuid.UUID, now: datetime) -> Termination:
    """Its holder keeps it after all, before the end came (B-03): it goes on as it was.

    Raises `NothingToKeep`, for the seller's ends as well.
    """
    subscription = locked(subscription_id)
    standing = queries.announced(subscription.id)
    own = [one for one in standing if one.ground.chosen and one.effective_at > now]
    if not own:
        raise NothingToKeep(
            name=subscription.name,
            ended=subscription.status is SubscriptionStatus.ENDED,
            effective_at=standing[0].effective_at if standing else None,
        )
    for termination in own:
        _take_away(termination, subscription, TerminationStatus.TAKEN_BACK, by, now)
    publish(EndTakenBack(own[0].id), now=now)
    return own[0]


def give_notice(
    subscription_id: uuid.UUID,
    ground: Ground,
    statement: str,
    *,
    notified_on: date | None = None,
    recorded_by: uuid.UUID,
    now: datetime,
) -> Termination:
    """The seller ends a contract, or either side gives the other time to put a breach right
    (B-05, B-08): when it takes effect is what the accepted terms say.

    `statement` holds the reasons, as the customer reads them (Règl. (UE) 2019/1150, art. 4).
    `notified_on` is the day on which the customer's own complaint came; the seller's notice is
    given now. What is so grave that nobody waits ends here and now. Raises `SubscriptionOver` and
    `EndAnnounced`.
    """
    subscription = locked(subscription_id)
    _check_running(subscription)
    _check_free(subscription, ground)
    customers = ground.party is Party.HOLDER and notified_on is not None
    notified_at = min(start_of_day(notified_on), now) if customers and notified_on else now
    at: Announced = rules.announced(
        ground, notice_of(subscription), notified_at, subscription.committed_until
    )
    notice = TerminationNotice(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        ground=ground,
        statement=statement,
        notified_at=notified_at,
        cure_until=at.cure_until,
        effective_at=at.effective_at,
        recorded_by=recorded_by,
        recorded_at=now,
    )
    termination = _announce(subscription, notice, _without_announced(subscription), now)
    # What ends here and now is told, with its reasons, by the end itself.
    if termination.status is TerminationStatus.ANNOUNCED:
        publish(NoticeGiven(termination.id), now=now)
    return termination


def notice_of(subscription: Subscription) -> Notice:
    """What the terms in force for this subscription promise before an end.

    The notice of Règl. (UE) 2019/1150 is for professionals who are established in the Union.
    """
    terms, order = parameters_of(subscription.terms_version), subscription.order
    established = order.country == "FR" or order.country in EU_COUNTRIES
    business = order.buyer_kind is BuyerKind.PROFESSIONAL and established
    return Notice(
        hours=terms.termination_notice_hours,
        platform_days=terms.platform_notice_days if business else 0,
        cure_days=terms.breach_cure_days,
    )


def close_notice(
    termination_id: uuid.UUID, *, cured: bool, by: uuid.UUID, now: datetime
) -> Termination:
    """Staff record that a breach was put right, or take back what they announced: the contract
    goes on. Raises `NothingToKeep` once it has taken effect, or for its holder's own choice."""
    seen = db.session.get_one(Termination, termination_id)
    subscription = locked(seen.subscription_id)
    termination = queries.announced_on(subscription.id, seen.ground)
    if termination is None or termination.id != seen.id or seen.ground.chosen:
        raise NothingToKeep(
            name=subscription.name,
            ended=subscription.status is SubscriptionStatus.ENDED,
            effective_at=None,
        )
    put_right = cured and termination.ground.curable
    status = TerminationStatus.CURED if put_right else TerminationStatus.TAKEN_BACK
    _take_away(termination, subscription, status, by, now)
    publish(NoticeClosed(termination.id), now=now)
    return termination


def take_effect(termination_id: uuid.UUID, *, now: datetime) -> bool:
    """An announced end has come, to the instant; says whether it did. A pause stops its clock."""
    seen = db.session.get_one(Termination, termination_id)
    subscription = locked(seen.subscription_id)
    termination = queries.announced_on(subscription.id, seen.ground)
    if termination is None or termination.effective_at > now:
        return False
    at_once = termination.ground is Ground.SERIOUS_FAULT
    if subscription.paused_on is not None and not at_once:
        return False
    day = paris_date(termination.effective_at)
    end(subscription, day, termination.ground.value, now=now)
    settle(subscription, termination, now=now)
    if not termination.ground.chosen:
        publish(NoticeEffective(termination.id), now=now)
    return True


def end_revoked(event: SupplyRevoked, *, now: datetime) -> None:
    """What was sold was taken back for good: its subscriptions end at once, each with its line.

    What is taken back of one line alone leaves the others running. A month that was opened before
    this was heard is not owed.
    """
    for known in queries.of_order(event.order_id):
        subscription = locked(known.id)
        taken = event.only is None or subscription.order_line_id in event.only
        if taken and subscription.status is not SubscriptionStatus.ENDED:
            end(subscription, paris_date(now), "revoked", now=now)
            schedule = rules.schedule_name(subscription.order_line_id)
            instalments.cancel_schedule(subscription.order_id, schedule, now=now)


def _check_running(subscription: Subscription) -> None:
    if subscription.status is SubscriptionStatus.ENDED:
        raise SubscriptionOver(name=subscription.name, ends_on=subscription.ends_on)


def _check_free(subscription: Subscription, ground: Ground) -> None:
    """Raise `EndAnnounced` when the same side's notice stands; what is grave overtakes others."""
    for other in queries.announced(subscription.id):
        overtakes = ground is Ground.SERIOUS_FAULT and other.ground is not ground
        if other.by is ground.party and not other.ground.chosen and not overtakes:
            raise EndAnnounced(name=subscription.name, effective_at=other.effective_at)


def _without_announced(subscription: Subscription) -> date | None:
    """The end that a contract has by itself: its term, or none."""
    known = queries.announced(subscription.id)
    return known[0].replaces_on if known else subscription.ends_on


def _announce(
    subscription: Subscription, notice: TerminationNotice, base: date | None, now: datetime
) -> Termination:
    termination = _declare(subscription, notice, base, now)
    follow(subscription, base)
    take_effect(termination.id, now=now)
    return termination


def _declare(
    subscription: Subscription, notice: TerminationNotice, base: date | None, now: datetime
) -> Termination:
    """Keep who ends it, why and when; nothing follows from it yet."""
    termination = Termination(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        notice_id=notice.id,
        notice=notice,
        ground=notice.ground,
        status=TerminationStatus.ANNOUNCED,
        effective_at=notice.effective_at,
        cure_until=notice.cure_until,
        replaces_on=base,
    )
    db.session.add(termination)
    db.session.flush()
    journal.record("subscription.end_declared", notice, {"subscription": subscription.id}, now=now)
    facts = {
        "subscription": subscription.id,
        "ground": notice.ground,
        "effective_at": notice.effective_at,
        "recorded_by": notice.recorded_by,
        "cause": notice.cause_id,
    }
    journal.record("subscription.end_scheduled", termination, facts, now=now)
    return termination


def _take_away(
    termination: Termination,
    subscription: Subscription,
    status: TerminationStatus,
    by: uuid.UUID,
    now: datetime,
) -> None:
    base = termination.replaces_on
    close(termination, status, by=by, now=now)
    db.session.flush()
    follow(subscription, base)
