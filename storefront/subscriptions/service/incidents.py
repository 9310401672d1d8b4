"""Incidents: declared, told of, closed and corrected by staff (B-06)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront.infra import journal
from storefront.infra.db import db
from storefront.kernel.errors import Refusal, StaleWrite
from storefront.subscriptions.events import PeriodPaid
from storefront.subscriptions.models import Incident, IncidentUpdate, SubscriptionPeriod
from storefront.subscriptions.queries import outages
from storefront.subscriptions.rules.outages import COVERED, Severity, Span, check_times, whole_days


class IncidentCredited(Refusal):
    """Credits were granted for it: it did happen. Details: incident (its id)."""

    status = 409


@dataclass(frozen=True)
class Facts:
    """What staff say of an incident; `concerns` as `Incident` has it, `ended_at` None: open."""

    title: str
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    concerns: Sequence[str]


def locked_incident(incident_id: uuid.UUID) -> Incident:
    """The incident as it is now, locked until the end of the transaction."""
    return db.session.get_one(Incident, incident_id, with_for_update=True, populate_existing=True)


def declare_incident(
    incident_id: uuid.UUID, facts: Facts, *, by: uuid.UUID | None, now: datetime
) -> Incident:
    """Write down what does not work; the same id again finds it. Raises `BadOutageTimes`."""
    known = db.session.get(Incident, incident_id)
    if known is not None:
        return known
    check_times(facts.started_at, facts.ended_at, now)
    incident = Incident(
        id=incident_id,
        title=facts.title,
        severity=facts.severity,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        concerns=sorted(facts.concerns),
        declared_at=now,
        declared_by=by,
        revision=1,
    )
    db.session.add(incident)
    journal.record("incident.declared", incident, _told(facts), now=now)
    db.session.flush()
    _compute_again(incident, [incident.span], now)
    return incident


def correct_incident(
    incident_id: uuid.UUID, facts: Facts, *, reason: str, seen: int, now: datetime
) -> None:
    """Say something else of an incident, with the reason; what is proposed is computed again.

    Raises `StaleWrite` when its page showed another revision than `seen`, and `BadOutageTimes`.
    """
    incident = _seen(incident_id, seen)
    check_times(facts.started_at, facts.ended_at, now)
    before = incident.span
    changes = {**_told(facts), "reason": reason, "revision": incident.revision + 1}
    incident.title, incident.severity = facts.title, facts.severity
    incident.started_at, incident.ended_at = facts.started_at, facts.ended_at
    incident.concerns = sorted(facts.concerns)
    incident.revision += 1
    journal.record("incident.corrected", incident, changes, now=now)
    db.session.flush()
    _compute_again(incident, [before, incident.span], now)


def close_incident(incident_id: uuid.UUID, ended_at: datetime, *, seen: int, now: datetime) -> None:
    """It works again since `ended_at`. Raises as `correct_incident`."""
    incident = _seen(incident_id, seen)
    if incident.ended_at is not None:
        raise StaleWrite
    check_times(incident.started_at, ended_at, now)
    incident.ended_at = ended_at
    incident.revision += 1
    journal.record("incident.closed", incident, {"ended_at": ended_at}, now=now)
    db.session.flush()
    _compute_again(incident, [incident.span], now)


def withdraw_incident(incident_id: uuid.UUID, *, reason: str, seen: int, now: datetime) -> None:
    """It was declared by mistake: it counts nowhere, and what it proposed is dropped.

    Raises `StaleWrite`, and `IncidentCredited` once anything was granted for it.
    """
    incident = _seen(incident_id, seen)
    if outages.is_credited(incident.id):
        raise IncidentCredited(incident=incident.id)
    before = incident.span
    incident.withdrawn_at = now
    incident.revision += 1
    journal.record("incident.withdrawn", incident, {"reason": reason}, now=now)
    db.session.flush()
    _compute_again(incident, [before], now)


def tell_of_incident(
    incident_id: uuid.UUID, update_id: uuid.UUID, words: str, *, by: uuid.UUID, now: datetime
) -> None:
    """Add what everybody is to know; the same id again changes nothing."""
    incident = locked_incident(incident_id)
    if db.session.get(IncidentUpdate, update_id) is not None:
        return
    update = IncidentUpdate(
        id=update_id, incident_id=incident.id, at=now, words=words, written_by=by
    )
    db.session.add(update)
    journal.record("incident.update", update, {"incident": incident.id}, now=now)


def reconsider_outages(event: PeriodPaid, *, now: datetime) -> None:
    """A period was paid, perhaps late: the outages that fell into it are computed again."""
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    if period.gross_minor and period.subscription.kind is COVERED:
        _mark(whole_days(period.starts_on, period.ends_on), now)


def _seen(incident_id: uuid.UUID, seen: int) -> Incident:
    incident = locked_incident(incident_id)
    if incident.revision != seen or incident.withdrawn_at is not None:
        raise StaleWrite
    return incident


def _compute_again(incident: Incident, spans: Sequence[Span | None], now: datetime) -> None:
    """It, and every outage that makes or made one stretch with it; nothing if it never counted."""
    for span in spans:
        if span is not None:
            incident.compute_at = now
            _mark(span, now)


def _mark(span: Span, now: datetime) -> None:
    for one in outages.touching(span):
        one.compute_at = now


def _told(facts: Facts) -> dict[str, Any]:
    return {
        "severity": facts.severity,
        "started_at": facts.started_at,
        "ended_at": facts.ended_at,
        "concerns": sorted(facts.concerns),
    }
