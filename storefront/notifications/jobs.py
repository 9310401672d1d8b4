"""Sending what is queued: claim → send → record."""

from __future__ import annotations

import logging
from datetime import datetime
from smtplib import SMTPException

from flask import current_app

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job
from storefront.notifications import queries, service
from storefront.notifications.sender import Postponed, Refused, Sender, sender_for

log = logging.getLogger(__name__)

BATCH = 200


def send_due(now: datetime) -> int:
    """Send what is due; returns how many messages were tried.

    A crash between sending and recording sends again after the lease, under the same
    Message-ID: a message may arrive twice, never be lost.
    """
    sender = sender_for(current_app.config["SETTINGS"])
    tried = 0
    while tried < BATCH and _send_next(sender, now):
        tried += 1
    return tried


def _send_next(sender: Sender, now: datetime) -> bool:
    # A plain read first: looking for nothing must not take the write lock.
    nothing = db.session.scalar(queries.due(now)) is None
    db.session.rollback()
    if nothing:
        return False
    with transaction():
        claim = service.claim_next(now)
    if claim is None:
        return False
    try:
        message = service.compose(claim.email_id)
        db.session.rollback()
        sender.send(message)
    except Refused as error:
        _record_failure(claim, error, final=True, now=now)
    except (Postponed, OSError, SMTPException, ValueError) as error:
        # ValueError: an address that cannot be written in a header.
        _record_failure(claim, error, final=False, now=now)
    else:
        with transaction():
            service.record_sent(claim, message, now=now)
    return True


def _record_failure(claim: service.Claim, error: Exception, *, final: bool, now: datetime) -> None:
    # The error may quote the address: it stands on the row, not in the log.
    kind = type(error).__name__
    log.warning("e-mail %s was not sent (attempt %d): %s", claim.email_id, claim.attempt, kind)
    with transaction():
        service.record_failure(claim, f"{kind}: {error}", final=final, now=now)


JOBS: tuple[Job, ...] = (Job("notifications.send", send_due, queries.next_due),)
