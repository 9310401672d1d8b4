"""Human numbers: one counter row a series, drawn inside the transaction that uses the number."""

from __future__ import annotations

from sqlalchemy import String, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra.db import Base, db


class Counter(Base):
    """The last number drawn in a series."""

    __tablename__ = "counters"
    series: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int]


def next_number(series: str) -> int:
    """Draw the next number of `series`, from 1, without gaps (V-01, INV-02).

    A rolled-back transaction gives its number back. The counter's row stays locked until the
    end of the transaction: draw as late as possible.
    """
    session = db.session()
    step = (
        update(Counter)
        .where(Counter.series == series)
        .values(value=Counter.value + 1)
        .returning(Counter.value)
    )
    if (value := session.scalar(step)) is not None:
        return value
    if session.scalar(select(Counter.value).where(Counter.series == series)) is None:
        try:
            with session.begin_nested():
                session.execute(insert(Counter).values(series=series, value=0))
        except IntegrityError:
            pass  # another transaction opened the series first
    return session.execute(step).scalar_one()
