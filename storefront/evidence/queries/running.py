"""What goes on month after month: periods, changes, announcements, ends, outages."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, or_, select

from storefront.evidence.queries.items import Exhibit, items
from storefront.infra.templating import date_short_fr, money_fr
from storefront.subscriptions.models import (
    Announcement,
    Incident,
    IncidentUpdate,
    OutageCredit,
    OutageCreditUse,
    Pause,
    PlanChange,
    PlanVersion,
    RenewalNotice,
    Subscription,
    SubscriptionPeriod,
    Termination,
    TerminationNotice,
    VersionNotice,
)


def subscriptions(order_id: uuid.UUID) -> Exhibit:
    """Contracts that go on, with everything that happened to them."""
    running = select(Subscription).where(Subscription.order_id == order_id)
    periods = _of(SubscriptionPeriod, order_id)
    told = _of(VersionNotice, order_id)
    credited = _of(OutageCredit, order_id)
    announced = select(Announcement).where(
        Announcement.id.in_(told.with_only_columns(VersionNotice.announcement_id))
    )
    uses = select(OutageCreditUse).where(
        OutageCreditUse.credit_id.in_(credited.with_only_columns(OutageCredit.id))
    )
    incidents = select(Incident).where(
        Incident.id.in_(credited.with_only_columns(OutageCredit.incident_id))
    )
    updates = select(IncidentUpdate).where(
        IncidentUpdate.incident_id.in_(incidents.with_only_columns(Incident.id))
    )
    ends = _of(Termination, order_id)
    return Exhibit(
        "abonnements",
        [
            *items(running.order_by(Subscription.created_at, Subscription.id), _name),
            *items(_plans(order_id), _name),
            *items(
                periods.order_by(
                    SubscriptionPeriod.starts_on,
                    SubscriptionPeriod.subscription_id,
                    SubscriptionPeriod.number,
                ),
                lambda row: f"n° {row.number}, {date_short_fr(row.starts_on)}",
            ),
            *items(_of(PlanChange, order_id).order_by(PlanChange.requested_at, PlanChange.id)),
            *items(_of(RenewalNotice, order_id).order_by(RenewalNotice.term_ends_on)),
            *items(announced.order_by(Announcement.announced_at, Announcement.id)),
            *items(told.order_by(VersionNotice.announced_at, VersionNotice.id)),
            *items(
                _of(TerminationNotice, order_id).order_by(
                    TerminationNotice.recorded_at, TerminationNotice.id
                )
            ),
            *items(ends.order_by(Termination.effective_at, Termination.id)),
            *items(_of(Pause, order_id).order_by(Pause.starts_on, Pause.id)),
            *items(incidents.order_by(Incident.started_at, Incident.id), lambda row: row.title),
            *items(updates.order_by(IncidentUpdate.at, IncidentUpdate.id)),
            *items(
                credited.order_by(OutageCredit.down_from, OutageCredit.id),
                lambda row: money_fr(row.gross_minor, row.subscription.currency),
            ),
            *items(uses.order_by(OutageCreditUse.at, OutageCreditUse.id)),
        ],
    )


def _name(row: Subscription | PlanVersion) -> str:
    return row.name


def _of(model: Any, order_id: uuid.UUID) -> Select[Any]:
    """The rows of a model that belong to a subscription of this order."""
    running = select(Subscription.id).where(Subscription.order_id == order_id)
    return select(model).where(model.subscription_id.in_(running))


def _plans(order_id: uuid.UUID) -> Select[Any]:
    """Every version of a plan that was followed, chosen or announced."""
    named = (
        select(Subscription.version_id).where(Subscription.order_id == order_id),
        _of(SubscriptionPeriod, order_id).with_only_columns(SubscriptionPeriod.version_id),
        _of(PlanChange, order_id).with_only_columns(PlanChange.from_version_id),
        _of(PlanChange, order_id).with_only_columns(PlanChange.to_version_id),
        _of(VersionNotice, order_id).with_only_columns(VersionNotice.to_version_id),
    )
    return (
        select(PlanVersion)
        .where(or_(*(PlanVersion.id.in_(ids) for ids in named)))
        .order_by(PlanVersion.product_id, PlanVersion.number)
    )
