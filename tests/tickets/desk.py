"""A client with hours, a technician, and the steps between them, through the services."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient

from storefront.identity import service as identity
from storefront.identity.models import Role, User
from storefront.infra.db import db, transaction
from storefront.tickets import service
from storefront.tickets.models import Intervention, Proposal, Ticket
from storefront.tickets.rules import Declaration
from tests.credits.lots import lot_of

DECLARED = {one: f"Je déclare : {one.value}" for one in Declaration}
BOXES = {one.value: "oui" for one in Declaration}
PASSWORD = "un-tres-long-mot-de-passe-2026"


def technician(now: datetime, email: str = "paul@letabli.example", name: str = "Paul Fer") -> User:
    """Somebody who repairs computers here."""
    return identity.create_staff(email, name, Role.TECHNICIAN, PASSWORD, now=now)


def user(user_id: uuid.UUID) -> User:
    """The person as they are now."""
    return db.session.get_one(User, user_id)


class Desk:
    """One client, one technician, one lot, one ticket; ids only, everything is committed."""

    def __init__(self, now: datetime, minutes: int = 180, **sale: Any) -> None:
        self.now = now
        with transaction():
            lot = lot_of(now, minutes, **sale)
            self.lot_id, self.client_id = lot.id, lot.user_id
            self.order_id = lot.order_id
            self.staff_id = technician(now).id
        self.ticket_id = self.open()

    def open(self, **changed: Any) -> uuid.UUID:
        """Another ticket of the client, on the same lot."""
        with transaction():
            ticket = service.open_ticket(
                changed.get("ticket_id") or uuid.uuid4(),
                user(changed.get("user_id") or self.client_id),
                changed.get("lot_id") or self.lot_id,
                "Plus de son",
                "Depuis la mise à jour, plus rien ne sort des haut-parleurs.",
                now=changed.get("now") or self.now,
            )
            return ticket.id

    def ticket(self, ticket_id: uuid.UUID | None = None) -> Ticket:
        """The ticket as it is now."""
        db.session.rollback()
        return db.session.get_one(Ticket, ticket_id or self.ticket_id)

    def propose(
        self,
        starts_at: datetime | None = None,
        minutes: int = 60,
        *,
        ticket_id: uuid.UUID | None = None,
        staff_id: uuid.UUID | None = None,
        seen: int | None = None,
        now: datetime | None = None,
    ) -> uuid.UUID:
        """A proposed time, two days from now unless said otherwise."""
        ticket = self.ticket(ticket_id)
        version = ticket.version if seen is None else seen
        with transaction():
            proposal = service.propose(
                uuid.uuid4(),
                ticket.id,
                user(self.staff_id),
                user(staff_id or self.staff_id),
                starts_at or self.now + timedelta(days=2),
                minutes,
                "Réinstaller le pilote du son.",
                seen=version,
                now=now or self.now,
            )
            return proposal.id

    def accept(self, proposal_id: uuid.UUID, *, now: datetime | None = None) -> uuid.UUID:
        """The client agrees."""
        with transaction():
            made = service.accept(proposal_id, user(self.client_id), DECLARED, now=now or self.now)
            return made.id

    def agreed(self, minutes: int = 60, starts_at: datetime | None = None) -> uuid.UUID:
        """An intervention agreed on."""
        return self.accept(self.propose(starts_at, minutes))

    def worked(self, intervention_id: uuid.UUID, minutes: int) -> datetime:
        """The work done: started on time, stopped after these minutes; when it stopped."""
        start = self.intervention(intervention_id).starts_at
        stop = start + timedelta(minutes=minutes)
        staff = self.staff_id
        with transaction():
            service.start(
                intervention_id, user(staff), seen=self._version(intervention_id), now=start
            )
        with transaction():
            service.stop(
                intervention_id, user(staff), seen=self._version(intervention_id), now=stop
            )
        return stop

    def report(self, intervention_id: uuid.UUID, now: datetime, **how: Any) -> None:
        """The report sent."""
        with transaction():
            service.report(
                intervention_id,
                user(self.staff_id),
                "Pilote réinstallé, son rétabli.",
                seen=self._version(intervention_id),
                now=now,
                **how,
            )

    def intervention(self, intervention_id: uuid.UUID) -> Intervention:
        """The intervention as it is now."""
        db.session.rollback()
        return db.session.get_one(Intervention, intervention_id)

    def proposal(self, proposal_id: uuid.UUID) -> Proposal:
        """The proposal as it is now."""
        db.session.rollback()
        return db.session.get_one(Proposal, proposal_id)

    def _version(self, intervention_id: uuid.UUID) -> int:
        intervention = db.session.get_one(Intervention, intervention_id, populate_existing=True)
        return db.session.get_one(Ticket, intervention.ticket_id, populate_existing=True).version


def sign_in(client: FlaskClient, user_id: uuid.UUID, *, at: datetime) -> None:
    """Make this browser that person's, second factor included."""
    with client.session_transaction() as session:
        session["_user_id"] = user(user_id).get_id()
        session["_fresh"] = True
        session["second_factor_at"] = at.isoformat()
