"""Tickets, proposals and interventions: every change of state, in three steps of the work."""

from storefront.tickets.service.endings import end_withdrawn
from storefront.tickets.service.interventions import (
    cancel,
    confirm_report,
    confirm_silence,
    report,
    resume,
    start,
    stop,
)
from storefront.tickets.service.proposals import (
    accept,
    ask_other_time,
    expire_proposal,
    propose,
    refuse_proposal,
    withdraw,
)
from storefront.tickets.service.requests import close, note, open_ticket, refuse, reply

__all__ = [
    "accept",
    "ask_other_time",
    "cancel",
    "close",
    "confirm_report",
    "confirm_silence",
    "end_withdrawn",
    "expire_proposal",
    "note",
    "open_ticket",
    "propose",
    "refuse",
    "refuse_proposal",
    "reply",
    "report",
    "resume",
    "start",
    "stop",
    "withdraw",
]
