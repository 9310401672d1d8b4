"""Signs of life: when each long-running process last went round (`/sante`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra.db import Base, db, transaction

WORKER = "worker"
EVERY = timedelta(seconds=15)


class Heartbeat(Base):
    """The last beat of one process, by name."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    beat_at: Mapped[datetime]


def beat(name: str, now: datetime) -> None:
    """Say that `name` is alive at `now`; written at most every `EVERY`."""
    last = last_beat(name)
    if last is not None and last <= now < last + EVERY:
        return
    again = update(Heartbeat).where(Heartbeat.name == name).values(beat_at=now)
    with transaction() as session:
        if session.scalar(again.returning(Heartbeat.name)) is not None:
            return
        try:
            with session.begin_nested():
                session.execute(insert(Heartbeat).values(name=name, beat_at=now))
        except IntegrityError:
            pass  # another worker beat first, for the first time too


def last_beat(name: str) -> datetime | None:
    """When `name` last said that it was alive."""
    row = db.session.get(Heartbeat, name, populate_existing=True)
    return row.beat_at if row else None
