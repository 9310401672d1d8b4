"""Stored documents: made once, the same bytes for ever, kept as long as the law says."""

import hashlib
import io
import uuid
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from storefront.documents import queries, service
from storefront.documents.models import StoredDocument
from storefront.documents.rules import KIND_FACTS, DocumentKind, filename_of, kept_until
from storefront.infra.db import db, transaction
from tests.house.sources import TEMPLATES

PROSE = {
    "number": 1,
    "published_on": "mardi 24 novembre 2026",
    "address": "https://exemple.example/conditions-generales/1",
}


def page(text: str) -> dict[str, object]:
    words = [{"kind": "text", "text": text}]
    return {**PROSE, "blocks": [{"kind": "paragraph", "content": words}]}


def keep(now: datetime, subject: uuid.UUID, content: bytes, revision: int = 0) -> uuid.UUID:
    with transaction():
        return service.store(
            DocumentKind.INVOICE,
            subject,
            "facture-F-2026-000001.pdf",
            "application/pdf",
            content,
            revision=revision,
            now=now,
        ).id


def read(pdf: bytes) -> str:
    return "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.usefixtures("app")
def test_the_first_bytes_about_a_subject_are_the_only_ones(now: datetime):
    subject = uuid.uuid4()
    first = keep(now, subject, b"first")
    assert keep(now, subject, b"second") == first
    stored = queries.with_content(first)
    assert stored.content == b"first"
    assert stored.sha256 == hashlib.sha256(b"first").hexdigest()


@pytest.mark.usefixtures("app")
def test_a_revision_is_a_document_of_its_own(now: datetime):
    subject = uuid.uuid4()
    first, second = keep(now, subject, b"first"), keep(now, subject, b"second", revision=1)
    assert first != second
    found = queries.find(DocumentKind.INVOICE, subject, revision=1)
    assert found
    assert found.id == second


@pytest.mark.usefixtures("app")
def test_bytes_are_not_read_until_they_are_needed(now: datetime):
    keep(now, uuid.uuid4(), b"x" * 1000)
    db.session.expire_all()
    document = db.session.scalars(select(StoredDocument)).one()
    assert "content" not in document.__dict__


def test_accounting_documents_are_kept_ten_years_after_the_end_of_theirs():
    assert kept_until(DocumentKind.INVOICE, date(2026, 1, 2)) == date(2036, 12, 31)
    assert kept_until(DocumentKind.CREDIT_NOTE, date(2026, 12, 31)) == date(2036, 12, 31)
    assert kept_until(DocumentKind.TERMS, date(2026, 1, 2)) is None


@pytest.mark.parametrize("kind", DocumentKind)
def test_every_kind_has_its_facts(kind: DocumentKind):
    assert filename_of(kind, "F-2026-000012")


@pytest.mark.parametrize("template", ["terms", "invoice"])
def test_what_the_shop_draws_has_its_template(template: str):
    assert template in {facts.template for facts in KIND_FACTS.values()}
    assert (TEMPLATES / "documents" / f"{template}.typ").is_file()


@pytest.mark.usefixtures("app")
def test_the_same_input_draws_the_same_bytes(now: datetime):
    drawn = {service.render_pdf("terms", page("Bonjour"), title="Titre", now=now) for _ in "123"}
    assert len(drawn) == 1


@pytest.mark.usefixtures("app")
def test_what_somebody_typed_is_never_code():
    hostile = '#panic("no") *gras* _it_ $x$ <label> @ref // \\ #sys.inputs "quotes" €'
    pdf = service.render_pdf(
        "terms", page(hostile), title="#panic()", now=datetime(2026, 11, 24, tzinfo=UTC)
    )
    text = read(pdf)
    assert '#panic("no") *gras* _it_ $x$ <label> @ref' in text
    assert "#panic()" in text


@pytest.mark.usefixtures("app")
def test_a_pdf_is_archival_tagged_french_and_dated(now: datetime):
    pdf = service.render_pdf("terms", page("Bonjour"), title="Mon titre", now=now)
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.trailer["/Root"]["/Lang"].startswith("fr")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # noqa: E712
    assert reader.metadata
    assert reader.metadata.title == "Mon titre"
    assert reader.metadata.author == "L’Établi"
    metadata = reader.trailer["/Root"]["/Metadata"].get_data()
    assert b"<pdfaid:part>3</pdfaid:part>" in metadata
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_the_pages_do_not_depend_on_the_fonts_of_the_machine(app: Flask, now: datetime):
    pdf = service.render_pdf(
        "terms", page("Ł’Établi : 1\u202f234,50\u00a0€ – −3"), title="T", now=now
    )
    fonts = {
        font["/BaseFont"].split("+")[-1]
        for sheet in PdfReader(io.BytesIO(pdf)).pages
        for font in (entry.get_object() for entry in sheet["/Resources"]["/Font"].values())
    }
    assert fonts
    assert {font.partition("-")[0] for font in fonts} <= {
        "Inter",
        "BricolageGrotesque",
        "LibertinusSerif",
    }
