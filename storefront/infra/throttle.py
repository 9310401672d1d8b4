"""How often one may try: sign-ins, codes, public forms. Kept in the database, for all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra.db import Base, db
from storefront.kernel.errors import Refusal


class TooManyTries(Refusal):
    """The limit for this key is reached; try again later."""

    status = 429


class Throttle(Base):
    """Tries counted for one key since the start of its window."""

    __tablename__ = "throttles"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    started_at: Mapped[datetime]
    count: Mapped[int]


def count_try(key: str, *, limit: int, window: timedelta, now: datetime) -> None:
    """Count one try of `key`. Raises `TooManyTries` above `limit` within `window`."""
    session = db.session()
    row = session.get(Throttle, key, with_for_update=True)
    if row is None:
        try:
            with session.begin_nested():
                session.add(Throttle(key=key, started_at=now, count=1))
            return
        except IntegrityError:  # somebody else's first try came between
            row = session.get_one(Throttle, key, with_for_update=True)
    if row.started_at + window <= now:
        row.started_at, row.count = now, 0
    row.count += 1
    if row.count > limit:
        raise TooManyTries(retry_at=row.started_at + window)


def forget(key: str) -> None:
    """A success wipes the slate."""
    db.session.execute(delete(Throttle).where(Throttle.key == key))
