"""What everybody may know of the service: now, and over the last twelve months (MRE-04)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import func, select

from storefront.infra.db import db
from storefront.kernel.calendar import add_months, paris_date
from storefront.legal import queries as legal
from storefront.legal.queries import NotPublished
from storefront.legal.rules import TERMS
from storefront.subscriptions.models import Incident, PlanVersion, Subscription
from storefront.subscriptions.queries.outages import Service, public_incidents, services
from storefront.subscriptions.rules.outages import (
    Severity,
    Span,
    availability,
    calendar_months,
    common,
    seconds,
    whole_days,
)


@dataclass(frozen=True)
class Month:
    """How available a service was in a month, in basis points; `down` in seconds.

    The month under way counts until now, the first one from the first subscriber on.
    """

    first: date
    availability_bp: int
    down: int
    running: bool


@dataclass(frozen=True)
class ServiceHistory:
    """The months of a service, the oldest first."""

    service: Service
    months: Sequence[Month]


@dataclass(frozen=True)
class Status:
    """The page: what is under way, each service month by month, what is over by month."""

    under_way: Sequence[Incident]
    histories: Sequence[ServiceHistory]
    past: Sequence[tuple[date, Sequence[Incident]]]
    names: dict[uuid.UUID, str]  # of what each incident concerns; empty: everything
    target_bp: int | None
    credit_hours: int | None
    since: date

    @property
    def is_down(self) -> bool:
        """Whether something does not work at all."""
        return any(one.severity is Severity.OUTAGE for one in self.under_way)


def status(now: datetime) -> Status:
    """How the service does at `now`."""
    months = calendar_months(paris_date(now))
    start = whole_days(months[0], add_months(months[0], 1)).start
    incidents = public_incidents(start)
    known = services()
    began = _began()
    over = [one for one in incidents if one.ended_at]
    target, hours = _promised(now)
    return Status(
        under_way=[one for one in incidents if one.ended_at is None],
        histories=[
            ServiceHistory(one, found)
            for one in known
            if (found := _months(one, months, incidents, began, now))
        ],
        past=[
            (first, list(found))
            for first, found in groupby(over, lambda one: paris_date(one.started_at).replace(day=1))
        ],
        names={one.id: _names(one, known) for one in incidents},
        target_bp=target,
        credit_hours=hours,
        since=months[0],
    )


def _promised(now: datetime) -> tuple[int | None, int | None]:
    """The target and the hours of the terms in force; nothing before the first ones."""
    try:
        terms = legal.parameters_of(legal.in_force(TERMS, now))
    except NotPublished:
        return None, None
    return terms.availability_target_bp, terms.outage_credit_hours


def _began() -> dict[uuid.UUID, datetime]:
    """Since when each plan has had subscribers."""
    rows = db.session.execute(
        select(PlanVersion.product_id, func.min(Subscription.created_at).label("since"))
        .join(Subscription, Subscription.version_id == PlanVersion.id)
        .group_by(PlanVersion.product_id)
    )
    return {row.product_id: row.since for row in rows}


def _months(
    service: Service,
    months: Sequence[date],
    incidents: Sequence[Incident],
    began: dict[uuid.UUID, datetime],
    now: datetime,
) -> list[Month]:
    starts = [began[one] for one in service.product_ids if one in began]
    if not starts:
        return []
    lived = Span(min(starts), now)
    down = [
        Span(one.started_at, one.ended_at or now)
        for one in incidents
        if one.severity is Severity.OUTAGE and service.concerned_by(one)
    ]
    found = []
    for first in months:
        whole = common([whole_days(first, add_months(first, 1))], [lived])
        if whole:
            lost = seconds(common(down, whole))
            share = availability(lost, seconds(whole))
            found.append(Month(first, share, lost, running=first == months[-1]))
    return found


def _names(incident: Incident, known: Sequence[Service]) -> str:
    """What an incident concerns, by its plans' names; empty when it is all of them."""
    if not incident.concerns:
        return ""
    concerned = [one for one in known if one.concerned_by(incident)]
    return "" if len(concerned) == len(known) > 1 else ", ".join(one.name for one in concerned)
