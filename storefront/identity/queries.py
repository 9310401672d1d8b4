"""Who is known here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from storefront.identity.models import MarketingChoice, Role, User
from storefront.identity.rules import normal_email
from storefront.infra.db import db


def by_email(email: str) -> User | None:
    """The person with this address, however it is typed."""
    return db.session.scalars(select(User).where(User.email == normal_email(email))).first()


def by_session_id(session_id: str) -> User | None:
    """The person a session cookie names; None when that session was ended since."""
    identifier, _, epoch = session_id.partition(".")
    try:
        user = db.session.get(User, uuid.UUID(identifier))
    except ValueError:
        return None
    if user is None or not user.is_active or str(user.session_epoch) != epoch:
        return None
    return user


def names_of_actors(actors: Iterable[str]) -> dict[str, str]:
    """The names of those whom the journal calls `user:<id>`; others act under their own word."""
    ids = {}
    for actor in set(actors):
        kind, _, identifier = actor.partition(":")
        if kind == "user":
            ids[actor] = uuid.UUID(identifier.partition(".")[0])
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(set(ids.values()))))
    names = {row.id: row.name for row in rows}
    return {actor: names.get(user_id, actor) for actor, user_id in ids.items()}


def staff() -> Sequence[User]:
    """Everybody who works here."""
    return db.session.scalars(
        select(User).where(User.role != Role.CUSTOMER, User.closed_at.is_(None)).order_by(User.name)
    ).all()


def marketing_choice(user_id: uuid.UUID) -> MarketingChoice | None:
    """What this person last said of offers by e-mail; None: they were never asked."""
    return db.session.scalars(
        select(MarketingChoice)
        .where(MarketingChoice.user_id == user_id)
        .order_by(MarketingChoice.chosen_at.desc(), MarketingChoice.id)
        .limit(1)
    ).one_or_none()


def wants_marketing() -> Sequence[tuple[User, MarketingChoice]]:
    """Whom offers may be sent to, with the proof of it: the last word of each was yes (D-03).

    Only addresses that their holders proved to be theirs: a guest types any.
    """
    last = (
        select(MarketingChoice.user_id, func.max(MarketingChoice.chosen_at).label("at"))
        .group_by(MarketingChoice.user_id)
        .subquery()
    )
    rows = db.session.execute(
        select(User, MarketingChoice)
        .join(MarketingChoice, MarketingChoice.user_id == User.id)
        .join(last, (last.c.user_id == User.id) & (last.c.at == MarketingChoice.chosen_at))
        .where(
            MarketingChoice.wanted, User.closed_at.is_(None), User.email_confirmed_at.is_not(None)
        )
        .order_by(User.email)
    )
    return [(user, choice) for user, choice in rows]
