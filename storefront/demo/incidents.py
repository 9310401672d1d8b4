"""What did not work in the demo's past: declared, told of, closed, and its credits granted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.demo.content import FirstDay, read
from storefront.demo.people import technician
from storefront.demo.stories import Step
from storefront.infra.db import db, transaction
from storefront.subscriptions import service
from storefront.subscriptions.models import Incident
from storefront.subscriptions.queries import outages
from storefront.subscriptions.rules.outages import Severity
from storefront.subscriptions.service import Facts, Granting

# The same ids whenever the demo is told again: what was declared is not declared twice.
NAMES = uuid.UUID("5b0c7f1e-6f0a-4a57-9a53-3f5a5d7c2b10")
NOTICED_AFTER = timedelta(minutes=12)


def steps(first_day: FirstDay) -> Iterator[Step]:
    """Every act about an incident, at its own time."""
    for number, given in enumerate(read("incidents.toml")["incidents"]):
        key = f"3/incident-{number}"
        incident_id = uuid.uuid5(NAMES, key)
        starts = _at(first_day, given["starts"])
        declare = partial(_declare, incident_id, given, starts)
        yield Step(starts + NOTICED_AFTER, f"{key}/1-declare", declare)
        for rank, news in enumerate(given["news"]):
            tell = partial(_tell, incident_id, uuid.uuid5(incident_id, str(rank)), news["words"])
            yield Step(_at(first_day, news), f"{key}/2-tell-{rank}", tell)
        ends = _at(first_day, given["ends"])
        yield Step(ends + NOTICED_AFTER, f"{key}/3-close", partial(_close, incident_id, ends))
        if "granted" in given:
            grant = partial(_grant, incident_id)
            yield Step(_at(first_day, given["granted"]), f"{key}/4-grant", grant)


def _at(first_day: FirstDay, given: dict[str, Any]) -> datetime:
    return first_day.instant(-given["days_ago"], given["at"])


def _declare(
    incident_id: uuid.UUID, given: dict[str, Any], starts: datetime, now: datetime
) -> None:
    with transaction():
        slugs = given.get("concerns", [])
        products = db.session.scalars(select(Product.id).where(Product.slug.in_(slugs)))
        concerns = [f"product:{one}" for one in products]
        facts = Facts(given["title"], Severity(given["severity"]), starts, None, concerns)
        service.declare_incident(incident_id, facts, by=technician().id, now=now)


def _tell(incident_id: uuid.UUID, update_id: uuid.UUID, words: str, now: datetime) -> None:
    with transaction():
        service.tell_of_incident(incident_id, update_id, words, by=technician().id, now=now)


def _close(incident_id: uuid.UUID, ends: datetime, now: datetime) -> None:
    with transaction():
        incident = db.session.get_one(Incident, incident_id)
        if incident.ended_at is None:
            service.close_incident(incident_id, ends, seen=incident.revision, now=now)


def _grant(incident_id: uuid.UUID, now: datetime) -> None:
    with transaction():
        decision = Granting(outages.proposal(incident_id))
        service.grant_credits(incident_id, decision, by=technician().id, now=now)
