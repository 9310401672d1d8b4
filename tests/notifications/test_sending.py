"""Messages: rendered once, sent until the server takes them, told once (PRE-05, O-04)."""

import email
import hashlib
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select

from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind
from storefront.infra import outbox
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.infra.outbox import OutboxEntry
from storefront.kernel.errors import WrongMove
from storefront.notifications import jobs, queries, rules, service
from storefront.notifications.events import EmailSent
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus

TEMPLATES = {
    "emails/hello/body.txt": '{% extends "layouts/email.txt" %}{% block content %}'
    "Bonjour {{ name }}, votre lien : {{ base_url }}/compte{% endblock %}",
    "emails/hello/body.html": '{% extends "layouts/email.html" %}{% block content %}'
    "<h1>Bonjour {{ name }}</h1>{% endblock %}",
}


def heard_of(event: EmailSent, *, now: datetime) -> None:
    """A room above that waits for messages to leave."""


@pytest.fixture(autouse=True)
def shop(app: Flask) -> Flask:
    assert app.jinja_env.loader
    app.jinja_env.loader = ChoiceLoader([DictLoader(TEMPLATES), app.jinja_env.loader])
    outbox.subscribe(app, EmailSent, heard_of)
    return app


class Inbox:
    """A mail server's handler that keeps what it takes and refuses what it is told to."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer = "250 OK"
        self.first_answer = ""
        self.connections: set[object] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections.add(session.peer)
        answer, self.first_answer = self.first_answer or self.answer, ""
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"


@pytest.fixture
def inbox(shop: Flask) -> Iterator[Inbox]:
    """A mail server that the shop sends through."""
    handler = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    use_mail_server(shop, f"smtp://127.0.0.1:{port}")
    yield handler
    controller.stop()


def use_mail_server(shop: Flask, url: str) -> None:
    shop.config["SETTINGS"] = replace(shop.config["SETTINGS"], smtp_url=url)


def queue(now: datetime, **changes: object) -> uuid.UUID:
    given: dict[str, object] = {
        "key": "hello:1",
        "recipient": "camille@client.example",
        "subject": "Bonjour à vous",
        "context": {"name": "Camille & <Lou>"},
        "now": now,
    }
    with transaction():
        return service.queue("hello", **{**given, **changes}).id  # type: ignore[arg-type]


def queue_then_fail(now: datetime) -> None:
    with transaction():
        service.queue("hello", key="k", recipient="a@b.example", subject="s", context={}, now=now)
        raise ZeroDivisionError


def row(email_id: uuid.UUID) -> Email:
    db.session.rollback()
    return db.session.get_one(Email, email_id, populate_existing=True)


def told() -> list[OutboxEntry]:
    db.session.rollback()
    mine = OutboxEntry.reaction.endswith(".heard_of")
    return list(db.session.scalars(select(OutboxEntry).where(mine)))


def files(shop: Flask) -> list[EmailMessage]:
    folder = shop.config["SETTINGS"].instance / "mail"
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def test_a_queued_message_is_sent_as_text_and_html(shop: Flask, now: datetime):
    email_id = queue(now)

    assert jobs.send_due(now) == 1

    [message] = files(shop)
    assert message["To"] == "camille@client.example"
    assert message["Subject"] == "Bonjour à vous"
    assert "L’Établi" in message["From"]
    assert message["Reply-To"].addresses[0].addr_spec == "bonjour@letabli.example"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text
    assert html
    assert "Bonjour Camille & <Lou>" in text.get_content()
    assert "http://127.0.0.1:8000/compte" in text.get_content()
    assert "Bonjour Camille &amp; &lt;Lou&gt;" in html.get_content()
    assert row(email_id).status is EmailStatus.SENT
    assert row(email_id).sent_at == now


def test_the_same_key_is_one_message_whoever_queues_it_again(now: datetime):
    first = queue(now)
    assert queue(now + timedelta(days=1), subject="Autre chose") == first
    assert row(first).subject == "Bonjour à vous"
    assert jobs.send_due(now) == 1
    assert jobs.send_due(now) == 0


def test_one_key_queued_at_the_same_moment_is_one_message(shop: Flask, now: datetime):
    start, ids = threading.Barrier(4), []

    def queue_it() -> None:
        with shop.app_context():
            start.wait()
            ids.append(queue(now))
            db.session.remove()

    threads = [threading.Thread(target=queue_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_what_rolls_back_is_never_sent(now: datetime):
    with pytest.raises(ZeroDivisionError):
        queue_then_fail(now)
    assert queries.by_key("k") is None
    assert jobs.send_due(now) == 0


def test_documents_travel_by_reference(shop: Flask, now: datetime):
    with transaction():
        stored = documents.store(
            DocumentKind.TERMS, uuid.uuid4(), "cgv-1.pdf", "application/pdf", b"%PDF-1", now=now
        )
    queue(now, documents=[stored.id])

    jobs.send_due(now)

    [message] = files(shop)
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == "cgv-1.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == b"%PDF-1"


def test_the_message_is_told_as_sent_once(now: datetime):
    email_id = queue(now)
    jobs.send_due(now)
    jobs.send_due(now + timedelta(days=1))
    [entry] = told()
    assert entry.payload == {"email_id": str(email_id), "kind": "hello", "order_id": None}


def test_nothing_is_told_while_the_mail_server_is_down(shop: Flask, now: datetime):
    use_mail_server(shop, "smtp://127.0.0.1:1")
    email_id = queue(now)

    assert jobs.send_due(now) == 1

    waiting = row(email_id)
    assert waiting.status is EmailStatus.QUEUED
    assert waiting.last_error is not None
    assert "ConnectionRefusedError" in waiting.last_error
    assert waiting.due_at == now + timedelta(minutes=1)
    assert [one.id for one in queries.undelivered()] == [email_id]
    assert told() == []


def test_the_message_leaves_when_the_mail_server_is_back(shop: Flask, inbox: Inbox, now: datetime):
    server = shop.config["SETTINGS"].smtp_url
    use_mail_server(shop, "smtp://127.0.0.1:1")
    email_id = queue(now)
    jobs.send_due(now)
    use_mail_server(shop, server)

    assert jobs.send_due(now + timedelta(seconds=59)) == 0
    assert jobs.send_due(now + timedelta(seconds=60)) == 1

    [message] = inbox.messages
    assert message["Message-ID"] == f"<{email_id}@letabli.example>"
    assert row(email_id).attempts == 2
    assert row(email_id).last_error is None
    assert len(told()) == 1


def test_messages_share_a_connection_and_a_refusal_does_not_end_it(inbox: Inbox, now: datetime):
    for number in range(3):
        queue(now, key=f"hello:{number}")
    inbox.answer = "451 greylisted, come back"
    assert jobs.send_due(now) == 3
    inbox.answer = "250 OK"

    assert jobs.send_due(now + timedelta(minutes=1)) == 3

    assert len(inbox.messages) == 3
    assert len(inbox.connections) == 2


def test_a_server_that_hangs_up_costs_only_the_message_that_it_did_not_take(
    inbox: Inbox, now: datetime
):
    ids = [queue(now + timedelta(seconds=n), key=f"hello:{n}") for n in (0, 1)]
    inbox.first_answer = "421 too many messages, goodbye"

    jobs.send_due(now + timedelta(seconds=1))

    assert [row(one).status for one in ids] == [EmailStatus.QUEUED, EmailStatus.SENT]
    assert len(inbox.connections) == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("451 greylisted, come back", EmailStatus.QUEUED),
        ("550 no such user here", EmailStatus.FAILED),
    ],
)
def test_a_refusal_for_now_is_tried_again_and_one_for_ever_is_not(
    inbox: Inbox, now: datetime, answer: str, status: EmailStatus
):
    inbox.answer = answer
    email_id = queue(now)
    jobs.send_due(now)
    assert row(email_id).status is status
    assert answer in (row(email_id).last_error or "")


def test_an_address_that_cannot_be_written_does_not_hold_up_the_others(shop: Flask, now: datetime):
    bad = queue(now, key="bad", recipient="a\nBcc: b@c.example")
    good = queue(now + timedelta(seconds=1), key="good")
    jobs.send_due(now + timedelta(seconds=1))
    assert row(bad).status is EmailStatus.QUEUED
    assert row(good).status is EmailStatus.SENT
    assert len(files(shop)) == 1


def test_waits_double_up_to_six_hours_and_end():
    waits = [rules.wait_after(attempts) for attempts in range(1, rules.MAX_ATTEMPTS + 1)]
    minutes = [wait / timedelta(minutes=1) for wait in waits if wait]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360, 360]
    assert waits[-1] is None


def test_a_message_given_up_stands_on_the_list_until_staff_send_it_again(
    shop: Flask, now: datetime
):
    use_mail_server(shop, "smtp://127.0.0.1:1")
    email_id = queue(now)
    with pytest.raises(WrongMove), transaction():
        service.send_again(row(email_id), now=now)
    instant: datetime | None = now
    while instant:
        jobs.send_due(instant)
        instant = queries.next_due()
        db.session.rollback()
    assert row(email_id).status is EmailStatus.FAILED
    assert row(email_id).attempts == rules.MAX_ATTEMPTS
    assert [one.id for one in queries.undelivered()] == [email_id]

    use_mail_server(shop, "")
    later = now + timedelta(days=3)
    with transaction() as session:
        service.send_again(session.get_one(Email, email_id), now=later)
    jobs.send_due(later)

    assert row(email_id).status is EmailStatus.SENT
    assert queries.undelivered() == []


def test_a_sender_that_dies_is_replaced_and_its_late_report_counts_for_nothing(
    shop: Flask, now: datetime
):
    email_id = queue(now)
    with transaction():
        dead = service.claim_next(now)
    assert dead

    assert jobs.send_due(now + rules.LEASE - timedelta(seconds=1)) == 0
    assert jobs.send_due(now + rules.LEASE) == 1
    with transaction():
        service.record_failure(dead, "too late", final=True, now=now + rules.LEASE)
    with transaction():
        service.record_sent(dead, service.compose(email_id), now=now + rules.LEASE)

    assert row(email_id).status is EmailStatus.SENT
    assert row(email_id).attempts == 2
    assert len(told()) == 1


def test_two_senders_never_take_the_same_message(shop: Flask, now: datetime):
    for number in range(12):
        queue(now, key=f"hello:{number}")
    start, sent = threading.Barrier(3), []

    def send() -> None:
        with shop.app_context():
            start.wait()
            sent.append(jobs.send_due(now))
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(sent) == 12
    assert len(told()) == 12
    assert {one.attempts for one in db.session.scalars(select(Email))} == {1}


def test_the_journal_keeps_the_hash_of_the_very_bytes_that_left(shop: Flask, now: datetime):
    email_id = queue(now)
    jobs.send_due(now)

    [path] = (shop.config["SETTINGS"].instance / "mail").glob("*.eml")
    entry = db.session.scalars(select(JournalEntry).where(JournalEntry.kind == "email.sent")).one()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in entry.payload
    assert bytes(service.compose(email_id)) == path.read_bytes()


def test_a_password_is_never_sent_in_the_clear(shop: Flask, inbox: Inbox, now: datetime):
    url = shop.config["SETTINGS"].smtp_url.replace("smtp://", "smtp://user:secret@")
    use_mail_server(shop, url)
    email_id = queue(now)
    jobs.send_due(now)
    assert inbox.messages == []
    assert "does not encrypt" in (row(email_id).last_error or "")
    assert "secret" not in (row(email_id).last_error or "")
