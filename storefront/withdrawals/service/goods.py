"""Goods on their way back: what staff saw of them ends the wait for their refund (L221-24)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from storefront.infra import journal
from storefront.infra.db import db
from storefront.withdrawals import queries
from storefront.withdrawals.models import GoodsProof, Proof


def record_proof(
    request_id: uuid.UUID, proof: Proof, seen_on: date, *, staff_id: uuid.UUID, now: datetime
) -> None:
    """The goods came back, or their sending was proved, on this day. Twice: once."""
    if any(one.proof is proof for one in queries.proofs_of(request_id)):
        return
    row = GoodsProof(
        id=uuid.uuid4(),
        request_id=request_id,
        proof=proof,
        seen_on=seen_on,
        staff_id=staff_id,
        recorded_at=now,
    )
    session = db.session()
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return  # somebody else has just recorded it
    facts = {"withdrawal": request_id, "proof": proof, "seen_on": seen_on, "staff": staff_id}
    journal.record("withdrawal.goods_seen", row, facts, now=now)
