"""Publishing terms, for ever, and recording who accepted which (R-01, R-03)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.seller import seller
from storefront.infra.templating import date_fr
from storefront.legal import queries, rules
from storefront.legal.models import Acceptance, TermsVersion
from storefront.legal.rules import AcceptanceKind, TermsNotAccepted


@dataclass(frozen=True)
class AcceptedBox:
    """A box that was ticked: what it is about, and the exact sentence beside it.

    `about` names what was accepted after the order was placed, under the terms it is under.
    """

    kind: AcceptanceKind
    version: TermsVersion
    sentence: str
    about: str = ""


def publish(source_text: str, *, now: datetime) -> TermsVersion:
    """Make a version of the document that the source names. Nothing in it ever changes again.

    The same text with the same parameters as the latest version gives that version back. Raises
    `UnpublishableTerms` with everything that is wrong, and ValueError when `now` is before the
    latest version: history is not rewritten.
    """
    given = rules.read_source(source_text)
    facts = {"seller": seller().facts, "base_url": current_app.config["SETTINGS"].base_url}
    source, text = rules.fill_in(given, facts)
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


def record_acceptances(
    order_id: uuid.UUID,
    user_id: uuid.UUID,
    accepted: Sequence[AcceptedBox],
    ip: str,
    user_agent: str,
    *,
    now: datetime,
) -> list[Acceptance]:
    """Keep every box that was ticked for an order, with all that proves it (R-03, PRE-04).

    Called in the transaction that places the order, and in that of each change which its customer
    accepts later (`about`). Raises `TermsNotAccepted` when an order is placed without the box of
    the general terms; a second call for the same box changes nothing.
    """
    session = db.session()
    session.flush()
    later = bool(accepted) and all(box.about for box in accepted)
    if not later and not any(_is_the_terms(box) for box in accepted):
        raise TermsNotAccepted(order=order_id)
    before = queries.acceptances_of(order_id)
    known = {(one.kind, one.version_id, one.about): one for one in before}
    recorded = []
    for box in accepted:
        if (acceptance := known.get((box.kind, box.version.id, box.about))) is None:
            acceptance = Acceptance(
                kind=box.kind,
                order_id=order_id,
                user_id=user_id,
                version=box.version,
                pdf_sha256=box.version.pdf_sha256,
                sentence=box.sentence,
                about=box.about,
                accepted_at=now,
                ip=ip,
                user_agent=user_agent,
            )
            session.add(acceptance)
            session.flush()
            known[box.kind, box.version.id, box.about] = acceptance
            journal.record(
                "terms.accepted",
                acceptance,
                {"order": order_id, "kind": box.kind, "version": box.version.reference},
                now=now,
            )
        recorded.append(acceptance)
    return recorded


def _is_the_terms(box: AcceptedBox) -> bool:
    return box.kind is AcceptanceKind.TERMS and box.version.document == rules.TERMS
