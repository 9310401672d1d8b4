"""Sending what is queued: claim → send → record, over one connection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from smtplib import SMTPException

from flask import current_app

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job
from storefront.notifications import queries, service
from storefront.notifications.sender import Postponed, Refused, Sender, sender_for

log = logging.getLogger(__name__)

BATCH = 200

Report = Callable[..., None]


def send_due(now: datetime) -> int:
    """Send what is due; returns how many messages were tried.

    A crash between sending and recording sends again after the lease, under the same
    Message-ID: a message may arrive twice, never be lost.
    """
    # A plain read first: looking for nothing must not take the write lock.
    nothing = db.session.scalar(queries.due(now)) is None
    db.session.rollback()
    if nothing:
        return 0
    tried = 0
    with sender_for(current_app.config["SETTINGS"]) as sender:
        claim = _report_and_claim(None, True, now)
        while claim is not None:
            report = _send(sender, claim)
            tried += 1
            claim = _report_and_claim(report, tried < BATCH, now)
    return tried


def _report_and_claim(report: Report | None, more: bool, now: datetime) -> service.Claim | None:
    """What became of one message is written in the transaction that takes the next."""
    with transaction():
        if report is not None:
            report(now=now)
        return service.claim_next(now) if more else None


def _send(sender: Sender, claim: service.Claim) -> Report:
    """Hand a claimed message over; what is to be recorded of it."""
    try:
        message = service.compose(claim.email_id)
        db.session.rollback()
        sender.send(message)
    except Refused as error:
        return _failure(claim, error, final=True)
    except (Postponed, OSError, SMTPException, ValueError) as error:
        # ValueError: an address that cannot be written in a header.
        return _failure(claim, error, final=False)
    return partial(service.record_sent, claim, message)


def _failure(claim: service.Claim, error: Exception, *, final: bool) -> Report:
    # The error may quote the address: it stands on the row, not in the log.
    kind = type(error).__name__
    log.warning("e-mail %s was not sent (attempt %d): %s", claim.email_id, claim.attempt, kind)
    return partial(service.record_failure, claim, f"{kind}: {error}", final=final)


JOBS: tuple[Job, ...] = (Job("notifications.send", send_due, queries.next_due),)
