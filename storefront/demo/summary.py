"""What the shop holds, counted: the difference of two tallies is what a journey brought about."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from sqlalchemy import ColumnElement, func, select

from storefront.credits.models import CreditEntry
from storefront.credits.rules import EntryKind
from storefront.infra.db import Base, db
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.infra.templating import money_fr
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.invoicing.models import Invoice
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import Order, OrderStatus
from storefront.tickets.models import Ticket


@dataclass(frozen=True)
class Tally:
    """Counts, and one sum in cents: what was paid in EUR."""

    orders: int
    invoices: int
    instalments_paid: int
    paid_minor: int
    emails_sent: int
    tickets: int
    minutes_expired: int
    undone: int

    def __sub__(self, before: Tally) -> Tally:
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Tally(*(now - then for now, then in pairs))

    def lines(self) -> list[str]:
        """The same in words, one line each."""
        hours, minutes = divmod(self.minutes_expired, 60)
        said = [
            f"{self.orders} orders confirmed, {self.invoices} invoices issued",
            f"{self.instalments_paid} payments taken, {money_fr(self.paid_minor)} in euros",
            f"{self.emails_sent} e-mails sent, {self.tickets} tickets opened",
            f"{hours} h {minutes:02d} of support expired",
        ]
        if self.undone:
            said.append(f"{self.undone} reactions failed for good: see /gestion")
        return said


def tally() -> Tally:
    """What there is now."""
    paid = Instalment.status == InstalmentStatus.PAID
    expired = CreditEntry.kind == EntryKind.EXPIRED
    return Tally(
        orders=_count(Order, Order.status == OrderStatus.CONFIRMED),
        invoices=_count(Invoice),
        instalments_paid=_count(Instalment, paid),
        paid_minor=_sum(Instalment.amount_minor, paid & (Instalment.currency == "EUR")),
        emails_sent=_count(Email, Email.status == EmailStatus.SENT),
        tickets=_count(Ticket),
        minutes_expired=-_sum(CreditEntry.minutes, expired),
        undone=_count(OutboxEntry, OutboxEntry.status == OutboxStatus.FAILED),
    )


def _count(entity: type[Base], *where: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(entity).where(*where)) or 0


def _sum(amount: object, where: ColumnElement[bool]) -> int:
    # PostgreSQL's sum of whole numbers is a decimal one.
    return int(db.session.scalar(select(func.coalesce(func.sum(amount), 0)).where(where)) or 0)
