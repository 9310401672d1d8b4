"""Changes of plan that come to nothing: nothing changed, nothing is owed (B-07)."""

from __future__ import annotations

from datetime import datetime

from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import service as instalments
from storefront.subscriptions import queries
from storefront.subscriptions.models import (
    CHANGE_LIFECYCLE,
    ChangeStatus,
    PlanChange,
    Subscription,
)


def move_change(change: PlanChange, status: ChangeStatus) -> None:
    """Put a change of a locked subscription in another state. Raises `WrongMove`."""
    CHANGE_LIFECYCLE.check(change.status, status)
    change.status = status
    change.expires_at = None


def drop(change: PlanChange, status: ChangeStatus, because: str, *, now: datetime) -> None:
    """End a change that was not done; what it had taken the place of is scheduled again.

    `because` is a code for the journal. Money that comes all the same goes back.
    """
    move_change(change, status)
    change.dropped_at = now
    if change.instalment_id is not None:
        instalments.cancel(instalments.locked(change.instalment_id), now=now)
    facts = {"subscription": change.subscription_id, "because": because}
    journal.record(f"plan_change.{status}", change, facts, now=now)
    # Only one may be open: the end of this one is written first.
    db.session.flush()
    replaced = db.session.get(PlanChange, change.replaces_id) if change.replaces_id else None
    if replaced is not None and because != "ended":
        move_change(replaced, ChangeStatus.SCHEDULED)
        replaced.dropped_at = None
        facts = {"subscription": change.subscription_id, "after": change.id}
        journal.record("plan_change.scheduled", replaced, facts, now=now)


def drop_open(subscription: Subscription, *, now: datetime) -> None:
    """A locked subscription ends: what was to change in it does not."""
    change = queries.open_change(subscription.id)
    if change is not None:
        drop(change, ChangeStatus.LAPSED, "ended", now=now)
