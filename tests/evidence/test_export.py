"""Evidence files as the shop makes them: by one command, by one click, of everything (X-01)."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.evidence import queries, service
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.models import Access
from storefront.identity.models import Role
from storefront.infra.db import Base, db, snapshot, transaction
from storefront.infra.journal import JournalEntry
from storefront.legal.models import AcceptanceKind
from storefront.orders.models import Order
from storefront.subscriptions.models import Subscription
from storefront.tickets import service as tickets
from tests import factories, paying
from tests.evidence.orders import exported, packed, rewritten, unpacked, verified
from tests.identity.people import PASSWORD, at_work, customer, sign_in
from tests.invoicing.buying import buy, place
from tests.staff.test_orders import the
from tests.subscriptions import running
from tests.tickets.desk import Desk, user
from tests.withdrawals import declaring


def reference_of(order_id: uuid.UUID) -> str:
    return the(order_id).reference


def recorded() -> list[dict[str, Any]]:
    """What the journal says of the evidence files that were made."""
    db.session.rollback()
    made = select(JournalEntry.payload).where(JournalEntry.kind == queries.MADE)
    return [json.loads(payload) for payload in db.session.scalars(made)]


def test_one_command_writes_it_and_says_the_hash_that_the_journal_keeps(
    app: Flask, now: datetime, tmp_path: Path
) -> None:
    reference = reference_of(buy(now=now).order_id)
    path = tmp_path / "preuves.zip"
    done = app.test_cli_runner().invoke(args=["evidence", reference, "--output", str(path)])
    assert done.exit_code == 0, done.output
    (told,) = recorded()
    assert told["manifest_sha256"] in done.output
    code, said = verified(path, "--sha256", told["manifest_sha256"])
    assert code == 0, said
    assert not list(tmp_path.glob(".preuves-*"))
    assert app.test_cli_runner().invoke(args=["journal", "verify"]).exit_code == 0


def test_an_unknown_order_is_said_and_nothing_is_written(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "preuves.zip"
    done = app.test_cli_runner().invoke(args=["evidence", "CMD-2020-1", "--output", str(path)])
    assert done.exit_code == 1
    assert "there is no order CMD-2020-1" in done.output
    assert not path.exists()


def test_a_folder_that_is_not_there_is_said(app: Flask, now: datetime) -> None:
    reference = reference_of(place(ProductKind.HOUR_PACK, now=now, order={}))
    done = app.test_cli_runner().invoke(args=["evidence", reference, "--output", "/nowhere/a.zip"])
    assert done.exit_code == 1
    assert "nothing was written" in done.output


def test_one_click_gives_it_and_the_page_shows_its_hash(
    app: Flask, now: datetime, tmp_path: Path
) -> None:
    reference = reference_of(buy(now=now).order_id)
    client = at_work(app, Role.SHOPKEEPER, now)
    page = f"/gestion/commandes/{reference}"
    answer = client.post(f"{page}/preuves")
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert reference in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    (told,) = recorded()
    code, said = verified(
        packed(unpacked(answer.data), tmp_path / "a.zip"), "--sha256", told["manifest_sha256"]
    )
    assert code == 0, said
    assert told["manifest_sha256"] in client.get(page).text


def test_nobody_else_takes_it(app: Flask, now: datetime) -> None:
    address = f"/gestion/commandes/{reference_of(buy(now=now).order_id)}/preuves"
    assert app.test_client().post(address).status_code in (302, 403)
    assert sign_in(app, customer(now)).post(address).status_code in (302, 403, 404)
    assert at_work(app, Role.TECHNICIAN, now).post(address).status_code == 403
    assert recorded() == []


def test_an_order_that_does_not_exist_is_a_page_that_says_so(app: Flask, now: datetime) -> None:
    client = at_work(app, Role.SHOPKEEPER, now)
    assert client.post("/gestion/commandes/CMD-2020-000001/preuves").status_code == 404


def test_the_same_state_makes_the_same_bytes(app: Flask, now: datetime) -> None:
    order_id = buy(now=now).order_id
    made = []
    for _ in range(2):
        out = io.BytesIO()
        with snapshot():
            service.write(db.session.get_one(Order, order_id), out, now=now)
        made.append(out.getvalue())
    assert made[0] == made[1]


def test_it_tells_no_secret_and_nothing_of_anybody_else(app: Flask, now: datetime) -> None:
    user = customer(now)
    zoe = factories.buyer(name="Zoé Ferrand", email="zoe@exemple.example")
    buy(now=now, order={"who": zoe})
    order_id = buy(now=now).order_id
    files = unpacked(exported(reference_of(order_id), now)[1])
    told = b"".join(content for name, content in files.items() if not name.endswith(".pdf"))
    assert b"claire@exemple.example" in told
    for secret in (PASSWORD, user.password_hash, the(order_id).token):
        # The customer's own messages carry their links; our rows do not repeat them.
        assert str(secret).encode() not in b"".join(
            content for name, content in files.items() if name.endswith(".json")
        )
    assert b"Ferrand" not in told
    assert b"zoe@" not in told


def test_each_download_is_in_it_and_they_take_no_more_statements(
    app: Flask, now: datetime, tmp_path: Path
) -> None:
    waiver = (AcceptanceKind.DIGITAL_WAIVER,)
    order_id = paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=waiver)
    worker.run_due(now)

    def download(number: int) -> None:
        with transaction():
            access = db.session.scalars(select(Access)).one()
            later = now + timedelta(minutes=number)
            fulfilment.use_access(
                access, ip="192.0.2.7", user_agent=f"Navigateur {number}", now=later
            )

    download(1)
    with counted() as few:
        exported(reference_of(order_id), now)
    for number in range(2, 12):
        download(number)
    with counted() as many:
        content = exported(reference_of(order_id), now)[1]
    assert len(many) <= len(few) + 2
    log = [
        row["sealed"]
        for row in json.loads(unpacked(content)["fourniture/lignes.json"])
        if row["table"] == "access_events"
    ]
    assert [row["user_agent"] for row in log] == [f"Navigateur {one}" for one in range(1, 12)]
    (tmp_path / "a.zip").write_bytes(content)
    assert verified(tmp_path / "a.zip")[0] == 0


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that a block sends."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_message_keeps_the_headers_that_it_left_with(
    app: Flask, now: datetime, tmp_path: Path
) -> None:
    """The shop changes its address two years later: the bytes are still those that left."""
    reference = reference_of(buy(now=now).order_id)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = type(settings)(**{**vars(settings), "mail_from": "neuf@autre.example"})
    (tmp_path / "a.zip").write_bytes(exported(reference, now + timedelta(days=730))[1])
    code, said = verified(tmp_path / "a.zip")
    assert code == 0, said


# What hangs on an order by foreign keys and is no proof of it: claims on seats and stock while
# somebody pays, a technician's agenda, the attachments that the messages themselves carry, and
# lines that stand within their invoice's seal.
NO_EXHIBIT = {
    *("holds", "busy_cells", "email_attachments", "invoice_lines", "credit_note_lines"),
    "withdrawal_decided_lines",
    *("carts", "cart_lines", "used_codes"),
}


def test_no_table_about_an_order_is_left_out(app: Flask, now: datetime) -> None:
    """A new table that belongs to an order stands in the evidence file, or says here why not."""
    tables = {mapper.local_table.name: mapper.local_table for mapper in Base.registry.mappers}
    about = {"orders"}
    roots = {"terms_versions", "users", "products", "variants", "documents", "plan_versions"}
    while True:
        more = {
            name
            for name, table in tables.items()
            if name not in about | roots
            and any(key.column.table.name in about for key in table.foreign_keys)
        }
        if not more:
            break
        about |= more
    order = the(place(ProductKind.HOUR_PACK, now=now, order={}))
    with counted() as sent:
        queries.exhibits(order)
    asked = {found[1] for one in sent if (found := re.search(r"\sFROM (\w+)", one))}
    assert about - asked - NO_EXHIBIT == set()


def test_a_contract_that_ends_is_told_whole(
    app: Flask, client: FlaskClient, now: datetime, tmp_path: Path
) -> None:
    """Periods, the holder's declaration on the page, what came of it, and support on the way."""
    subscription_id = running.hold(now)
    db.session.rollback()
    order = db.session.get_one(Subscription, subscription_id).order
    reference = order.reference
    declaring.declare(client, declaring.CANCEL, contract=reference)
    worker.run_due(now)
    content = exported(reference, now)[1]
    (tmp_path / "a.zip").write_bytes(content)
    code, said = verified(tmp_path / "a.zip")
    assert code == 0, said
    files = unpacked(content)
    told = {
        row["table"]: row
        for name in ("abonnements", "declarations")
        for row in json.loads(files[f"{name}/lignes.json"])
    }
    assert told.keys() >= {
        *("subscriptions", "subscription_periods", "plan_versions", "termination_notices"),
        *("terminations", "cancellation_requests", "cancellation_matches"),
    }
    assert told["cancellation_requests"]["sealed"]["contract"] == reference
    kinds = [entry["kind"] for entry in json.loads(files["journal/extrait.json"])]
    for kind in ("order.placed", "cancellation.notified", "subscription.end_declared"):
        assert kind in kinds
    assert kinds.index("order.placed") < kinds.index("cancellation.notified")


def test_what_was_written_on_a_ticket_is_proven_and_notes_are_left_out(
    app: Flask, now: datetime, tmp_path: Path
) -> None:
    desk = Desk(now)
    with transaction():
        author = user(desk.staff_id)
        tickets.note(uuid.uuid4(), desk.ticket_id, author, "Client pressé.", now=now)
    reference = desk.ticket().order.reference
    content = exported(reference, now)[1]
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert verified(path)[0] == 0
    files = unpacked(content)
    written = [
        row
        for row in json.loads(files["assistance/lignes.json"])
        if row["table"] == "ticket_messages" and row["sealed"]["kind"] == "reply"
    ]
    assert written
    assert "pressé" not in files["assistance/lignes.json"].decode()

    def forge(rows: Any) -> None:
        next(row for row in rows if row["id"] == written[0]["id"])["other"]["body"] = "Autre"

    code, said = verified(packed(rewritten(files, "assistance/lignes.json", forge), path))
    assert code == 1
    assert "« body » n’est pas ce qui a été scellé" in said
