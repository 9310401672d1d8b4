"""Recording who accepted which version, by which words (R-03)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storefront.infra import journal
from storefront.infra.db import db
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
