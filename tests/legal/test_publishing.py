"""Terms are published by command, frozen, numbered, and read at addresses that never move."""

import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DatabaseError

from storefront.documents.models import StoredDocument
from storefront.infra.db import db, transaction
from storefront.legal import queries, service
from storefront.legal.models import TermsVersion
from storefront.legal.queries import NotPublished
from tests import factories
from tests.factories import TERMS
from tests.parallel import at_once
from tests.tampering import tamper

CGV = TERMS / "cgv-1.md"
PAGES = TERMS.parent / "pages"
TABLE = TermsVersion.__table__


def command(app: Flask, *arguments: str) -> tuple[int, str]:
    db.session.remove()
    done = app.test_cli_runner().invoke(args=arguments)
    return done.exit_code, done.output


def publish(now: datetime, **changed: object) -> TermsVersion:
    with transaction():
        version = factories.terms(now + timedelta(hours=1), **changed)
        db.session.flush()
        reference = version.reference
    found = queries.by_reference(reference)
    assert found
    return found


@pytest.mark.parametrize(
    "path", [*sorted(TERMS.glob("*.md")), *sorted(PAGES.glob("*.md"))], ids=lambda path: path.stem
)
def test_every_text_of_the_demo_is_published_by_one_command(app: Flask, path: Path):
    code, said = command(app, "terms", "publish", str(path))
    assert code == 0, said
    assert "-1 published 2026-11-24T09:00:0" in said


def test_publishing_the_same_text_again_changes_nothing(app: Flask):
    _, first = command(app, "terms", "publish", str(CGV))
    code, second = command(app, "terms", "publish", str(CGV))
    assert code == 0
    assert "cgv-1 unchanged since" in second
    assert first.splitlines()[1] == second.splitlines()[1]
    assert db.session.scalar(select(func.count()).select_from(TermsVersion)) == 1


def test_what_cannot_be_published_is_refused_naming_the_parameter(app: Flask, tmp_path: Path):
    wrong = tmp_path / "cgv.md"
    wrong.write_text(CGV.read_text().replace("refund_days = 14", "refund_days = 30"))
    code, said = command(app, "terms", "publish", str(wrong))
    assert code == 1
    assert "refund_days: 30 is not between 1 and 14" in said
    assert "Traceback" not in said
    assert db.session.scalar(select(func.count()).select_from(TermsVersion)) == 0


def test_a_published_text_is_shown_by_its_reference(app: Flask):
    command(app, "terms", "publish", str(CGV))
    command(app, "terms", "publish", str(TERMS / "cgv-2.md"))
    assert "cgv-1: Conditions générales de vente" in command(app, "terms", "show", "cgv-1")[1]
    assert "cgv-2: Conditions générales de vente" in command(app, "terms", "show", "cgv")[1]
    assert "12\u00a0mois" in command(app, "terms", "show", "cgv-1")[1]
    code, said = command(app, "terms", "show", "cgv-3")
    assert (code, said.strip()) == (1, "Error: there is no cgv-3")


def test_a_new_figure_is_a_new_version_and_the_old_one_keeps_its_own(app: Flask, now: datetime):
    first = publish(now)
    second = publish(now + timedelta(days=1), hour_pack_validity_months=6)

    assert (first.reference, second.reference) == ("cgv-1", "cgv-2")
    assert "valable 12\u00a0mois" in first.text
    assert "valable 6\u00a0mois" in second.text
    assert queries.parameters_of(first).hour_pack_validity_months == 12
    assert queries.parameters_of(second).hour_pack_validity_months == 6


def test_the_version_in_force_is_the_last_one_published_by_then(app: Flask, now: datetime):
    first = publish(now)
    second = publish(now + timedelta(days=1), hour_pack_validity_months=6)
    with pytest.raises(NotPublished):
        queries.in_force("cgv", now - timedelta(seconds=1))
    assert queries.in_force("cgv", now) is first
    assert queries.in_force("cgv", now + timedelta(hours=23, minutes=59)) is first
    assert queries.in_force("cgv", now + timedelta(days=1)) is second


def test_history_is_not_rewritten(app: Flask, now: datetime):
    publish(now)
    with pytest.raises(ValueError, match="cgv-1 was published after"):
        publish(now - timedelta(days=1), hour_pack_validity_months=6)
    assert len(queries.versions("cgv")) == 1


def test_publishing_at_the_same_time_makes_one_version_each(app: Flask, now: datetime):
    def one(number: int) -> str:
        with transaction():
            changed = {"offer_validity_days": 30 + number % 2}
            return factories.terms(now, **changed).reference

    given = at_once(app, one, 6)
    numbers = sorted(version.number for version in queries.versions("cgv"))
    assert not [error for error in given if isinstance(error, Exception)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_pdf_says_what_the_page_says(app: Flask, now: datetime):
    version = publish(now)
    stored = db.session.get_one(StoredDocument, version.pdf_id)
    assert stored.filename == "cgv-1.pdf"
    assert hashlib.sha256(stored.content).hexdigest() == version.pdf_sha256
    text = " ".join(
        "".join(page.extract_text() for page in PdfReader(io.BytesIO(stored.content)).pages).split()
    )
    assert "Conditions générales de vente" in text
    assert "valable 12 mois à compter de l’achat" in text
    assert "Annexe 2. Modèle de formulaire de rétractation" in text


@pytest.mark.parametrize(
    "statement",
    [update(TABLE).values(text="autre"), update(TABLE).values(parameters="{}"), delete(TABLE)],
    ids=["its text", "its parameters", "the row"],
)
def test_the_database_refuses_to_change_a_version(app: Flask, now: datetime, statement: object):
    publish(now)
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(statement)


@pytest.mark.parametrize(
    "column", ["title", "source", "parameters", "text", "html", "contents", "pdf_sha256"]
)
def test_a_version_altered_past_the_guards_is_named(app: Flask, now: datetime, column: str):
    publish(now)
    tamper(update(TABLE).values({column: "altéré"}))
    code, said = command(app, "journal", "verify")
    assert code == 1
    assert "terms cgv-1 was altered after terms.published" in said


def test_the_page_in_force_has_its_contents_its_articles_and_its_pdf(
    client: FlaskClient, now: datetime
):
    publish(now - timedelta(hours=1))
    page = client.get("/conditions-generales")
    assert page.status_code == 200
    assert '<a href="#article-7">7. Assistance à distance</a>' in page.text
    assert 'id="article-7-2"' in page.text
    assert "valable 12\u00a0mois" in page.text
    assert "/conditions-generales/1.pdf" in page.text


def test_old_versions_stay_readable_at_their_address(client: FlaskClient, now: datetime):
    publish(now - timedelta(days=9))
    publish(now - timedelta(days=1), hour_pack_validity_months=6)

    current, old = client.get("/conditions-generales"), client.get("/conditions-generales/1")
    assert "valable 6\u00a0mois" in current.text
    assert "valable 12\u00a0mois" in old.text
    assert "Vous lisez une version antérieure" in old.text
    assert "Vous lisez une version antérieure" not in current.text
    for page in (current, old):
        assert 'href="/conditions-generales/1"' in page.text
        assert 'href="/conditions-generales/2"' in page.text


def test_a_version_not_yet_in_force_is_not_shown_as_such(client: FlaskClient, now: datetime):
    publish(now - timedelta(days=9))
    assert client.get("/conditions-generales/2").status_code == 404
    assert client.get("/conditions-generales/2.pdf").status_code == 404


def test_the_pdf_is_served_as_it_was_stored(client: FlaskClient, now: datetime):
    version = publish(now - timedelta(days=9))
    answer = client.get("/conditions-generales/1.pdf")
    assert answer.mimetype == "application/pdf"
    assert hashlib.sha256(answer.data).hexdigest() == version.pdf_sha256
    assert "immutable" in answer.headers["Cache-Control"]
    again = client.get(
        "/conditions-generales/1.pdf", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("document", ["mentions-legales", "confidentialite", "accessibilite"])
def test_legal_pages_are_versions_like_the_others(
    app: Flask, client: FlaskClient, now: datetime, document: str
):
    assert client.get(f"/{document}").status_code == 404
    with transaction():
        service.publish((PAGES / f"{document}.md").read_text(), now=now - timedelta(days=1))
    assert client.get(f"/{document}").status_code == 200
    assert client.get(f"/{document}/1").status_code == 200
    assert client.get(f"/{document}/1.pdf").mimetype == "application/pdf"


def test_particular_terms_have_their_own_address(client: FlaskClient, now: datetime):
    with transaction():
        factories.training_terms(now)
    page = client.get("/conditions-particulieres/conditions-formation")
    assert page.status_code == 200
    assert "10\u00a0jours" in page.text
    assert client.get("/conditions-particulieres/conditions-formation/1.pdf").status_code == 200
    assert client.get("/conditions-particulieres/inconnues").status_code == 404


def test_a_document_is_read_at_one_address(client: FlaskClient, now: datetime):
    publish(now - timedelta(days=1))
    answer = client.get("/conditions-particulieres/cgv/1")
    assert answer.status_code in (301, 308)
    assert answer.headers["Location"].endswith("/conditions-generales/1")


def test_what_is_not_published_yet_is_said_in_plain_words(client: FlaskClient):
    page = client.get("/conditions-generales")
    assert page.status_code == 404
    assert "n’a pas encore publié ce document" in page.text


def test_reading_the_parameters_of_an_order_does_not_read_the_long_text(app: Flask, now: datetime):
    publish(now)
    db.session.expire_all()
    version = queries.in_force("cgv", now)
    assert queries.parameters_of(version).withdrawal_days == 14
    assert not {"source", "text", "html", "contents"} & set(version.__dict__)
