"""Queueing messages and keeping track of what became of them (PRE-05, O-04)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from flask import current_app, render_template
from sqlalchemy.exc import IntegrityError

from storefront.documents import queries as documents
from storefront.infra import journal, outbox
from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.notifications import queries, rules
from storefront.notifications.events import EmailSent
from storefront.notifications.models import EMAIL_LIFECYCLE, Email, EmailAttachment
from storefront.notifications.rules import EmailStatus


@dataclass(frozen=True)
class Claim:
    """A message that one sender has for itself until it reports; `attempt` is its ticket."""

    email_id: uuid.UUID
    attempt: int


def queue(
    kind: str,
    *,
    key: str,
    recipient: str,
    user_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
    subject: str,
    context: dict[str, Any],
    documents: Sequence[uuid.UUID] = (),
    now: datetime,
) -> Email:
    """Render templates/emails/`kind`/body.{txt,html} and keep the result until it is sent.

    `key` names the effect ("order_confirmation:<order id>"): the same key again returns the first
    message and changes nothing. `documents` are ids of stored documents, attached in this order.
    Raises TemplateNotFound for an unknown kind.
    """
    if (known := queries.by_key(key)) is not None:
        return known
    session = db.session()
    context = {"base_url": current_app.config["SETTINGS"].base_url, "subject": subject, **context}
    email = Email(
        kind=kind,
        key=key,
        recipient=recipient,
        user_id=user_id,
        order_id=order_id,
        subject=" ".join(subject.splitlines()),
        text=render_template(f"emails/{kind}/body.txt", **context).strip() + "\n",
        html=render_template(f"emails/{kind}/body.html", **context),
        queued_at=now,
        due_at=now,
        attachments=[
            EmailAttachment(position=position, document_id=document_id)
            for position, document_id in enumerate(documents)
        ],
    )
    session.flush()
    try:
        with session.begin_nested():
            session.add(email)
    except IntegrityError:
        # Another transaction queued the same key first.
        known = queries.by_key(key)
        if known is None:
            raise
        return known
    return email


def claim_next(now: datetime) -> Claim | None:
    """Take the message that has waited longest, or None when nothing is due.

    It is ours for `rules.LEASE`; after that another sender may take it over.
    """
    email: Email | None = db.session.scalars(
        queries.due(now).with_for_update(skip_locked=True)
    ).first()
    if email is None:
        return None
    EMAIL_LIFECYCLE.check(email.status, EmailStatus.SENDING)
    email.status = EmailStatus.SENDING
    email.attempts += 1
    email.due_at = now + rules.LEASE
    return Claim(email.id, email.attempts)


def record_sent(claim: Claim, message: EmailMessage, *, now: datetime) -> None:
    """The mail server took `message`: publish `EmailSent`, once whoever reports twice.

    The journal keeps the SHA-256 of the exact bytes; `compose` gives the same ones at any time.
    """
    email = _ours(claim)
    if email is None:
        return
    EMAIL_LIFECYCLE.check(email.status, EmailStatus.SENT)
    email.status, email.sent_at, email.last_error = EmailStatus.SENT, now, None
    email.sent_from, email.reply_to = str(message["From"]), str(message["Reply-To"])
    sha256 = hashlib.sha256(bytes(message)).hexdigest()
    facts = {"kind": email.kind, "order": email.order_id, "message_sha256": sha256}
    journal.record("email.sent", email, facts, now=now)
    outbox.publish(EmailSent(email.id, email.kind, email.order_id), now=now)


def record_failure(claim: Claim, error: str, *, final: bool, now: datetime) -> None:
    """The message did not leave: wait and try again, or stand on the staff's list when `final`
    or after the last attempt."""
    email = _ours(claim)
    if email is None:
        return
    wait = None if final else rules.wait_after(email.attempts)
    status = EmailStatus.FAILED if wait is None else EmailStatus.QUEUED
    EMAIL_LIFECYCLE.check(email.status, status)
    email.status, email.last_error = status, error[:2000]
    if wait is None:
        facts = {"kind": email.kind, "order": email.order_id, "attempts": email.attempts}
        journal.record("email.failed", email, facts, now=now)
    else:
        email.due_at = now + wait


def send_again(email: Email, *, now: datetime) -> None:
    """Staff had the cause repaired: a message that was given up is tried from the start.

    Raises `WrongMove` unless it had failed.
    """
    EMAIL_LIFECYCLE.check(email.status, EmailStatus.QUEUED)
    email.status, email.due_at, email.attempts = EmailStatus.QUEUED, now, 0
    journal.record("email.requeued", email, {"kind": email.kind}, now=now)


def compose(email_id: uuid.UUID) -> EmailMessage:
    """The message as it leaves, the same bytes each time: text, HTML, and its documents.

    Once it has left, under the headers that it left with.

    Raises ValueError when its recipient cannot be written in a header.
    """
    email = db.session.get_one(Email, email_id)
    shop = seller()
    sender = Address(shop.name, addr_spec=current_app.config["SETTINGS"].mail_from)
    message = EmailMessage()
    message["From"] = email.sent_from or str(sender)
    message["To"] = email.recipient
    message["Reply-To"] = email.reply_to or str(Address(shop.name, addr_spec=shop.email))
    message["Subject"] = email.subject
    message["Date"] = email.queued_at
    message["Message-ID"] = f"<{email.id}@{message['From'].addresses[0].domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    for attachment in email.attachments:
        document = documents.with_content(attachment.document_id)
        maintype, _, subtype = document.media_type.partition("/")
        message.add_attachment(
            document.content, maintype=maintype, subtype=subtype, filename=document.filename
        )
    parts = (part for part in message.walk() if part.is_multipart())
    for depth, part in enumerate(parts):
        part.set_boundary(f"=_{email.id.hex}_{depth}")
    return message


def _ours(claim: Claim) -> Email | None:
    """The claimed row, locked; None when another sender took it over meanwhile."""
    email = db.session.get_one(Email, claim.email_id, with_for_update=True)
    if email.status is not EmailStatus.SENDING or email.attempts != claim.attempt:
        return None
    return email
