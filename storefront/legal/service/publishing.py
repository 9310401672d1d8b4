"""Publishing a version, for ever (R-01)."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

from flask import current_app

from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.templating import date_fr
from storefront.kernel.calendar import paris_date
from storefront.legal import queries, rules
from storefront.legal.models import TermsVersion


def publish(source_text: str, *, now: datetime) -> TermsVersion:
    """Make a version of the document that the source names. Nothing in it ever changes again.

    The same text with the same parameters as the latest version gives that version back. Raises
    `UnpublishableTerms` with everything that is wrong, what the law forbids included, and
    ValueError when `now` is before the latest version: history is not rewritten.
    """
    source, text = rules.fill_in(rules.read_source(source_text), queries.shop_facts())
    parameters = rules.write_parameters(source.parameters)
    session = db.session()
    with session.begin_nested() as savepoint:
        # Drawing the number first makes whoever publishes the same document wait.
        number = next_number(f"terms:{source.document}")
        latest = next(iter(queries.versions(source.document)), None)
        if latest and (latest.title, latest.text, latest.parameters) == (
            source.title,
            text,
            parameters,
        ):
            savepoint.rollback()
            return latest
        if latest and now < latest.published_at:
            raise ValueError(f"{latest.reference} was published after {now}")
        look = queries.text_to_look_at(source, text, paris_date(now))
        rules.refuse_errors(rules.errors_of(look))
        version = _version(source, number, source_text, text, parameters, now)
        session.add(version)
    journal.record(
        "terms.published",
        version,
        {"document": version.document, "number": number, "pdf_sha256": version.pdf_sha256},
        now=now,
    )
    return version


def _version(
    source: rules.TermsSource,
    number: int,
    source_text: str,
    text: str,
    parameters: str,
    now: datetime,
) -> TermsVersion:
    prose = rules.typeset(text)
    version = TermsVersion(
        id=uuid.uuid4(),
        document=source.document,
        number=number,
        title=source.title,
        source=source_text,
        parameters=parameters,
        text=text,
        html=prose.html,
        contents=journal.canonical(prose.contents),
        published_at=now,
    )
    address = rules.address_of(source.document, number)
    pdf = documents.render_pdf(
        "terms",
        {
            "number": number,
            "published_on": date_fr(now),
            "address": current_app.config["SETTINGS"].base_url + address,
            "blocks": prose.blocks,
        },
        title=source.title,
        now=now,
    )
    stored = documents.store(
        DocumentKind.TERMS,
        version.id,
        filename_of(DocumentKind.TERMS, version.reference),
        "application/pdf",
        pdf,
        now=now,
    )
    version.pdf_id, version.pdf_sha256 = stored.id, hashlib.sha256(pdf).hexdigest()
    return version
