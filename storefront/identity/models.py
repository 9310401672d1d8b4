"""People: customers and staff, one table, one sign-in."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow


class Role(StrEnum):
    """What a person may do here; every role but CUSTOMER is staff."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"
    SHOPKEEPER = "shopkeeper"
    MANAGER = "manager"


class User(UserMixin, Base):  # type: ignore[misc]
    """A person known by e-mail. A purchase makes one without password (O-02)."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(30), default="")
    role: Mapped[Role] = mapped_column(enum_type(Role), default=Role.CUSTOMER)
    password_hash: Mapped[str | None]
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_confirmed_at: Mapped[datetime | None]
    email_confirmed_at: Mapped[datetime | None]
    # Raised to sign every browser out (password changed, account closed).
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @property
    def is_staff(self) -> bool:
        """Whether this person works here."""
        return self.role is not Role.CUSTOMER

    @property
    def is_active(self) -> bool:
        """Whether this person may still sign in."""
        return self.closed_at is None

    def get_id(self) -> str:
        """What the session cookie carries: the id and the epoch that makes old cookies void."""
        return f"{self.id}.{self.session_epoch}"


class UsedCode(Base):
    """A one-time code that was used: it does not work twice."""

    __tablename__ = "used_codes"
    __table_args__ = (UniqueConstraint("user_id", "step"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    step: Mapped[int]


class MarketingChoice(SealedRow, Base):
    """A person said yes or no to offers by e-mail: the exact sentence, when, where (DAT-05, D-03).

    The last one counts; none is a no.
    """

    __tablename__ = "marketing_choices"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), index=True
    )
    wanted: Mapped[bool]
    sentence: Mapped[str]
    place: Mapped[str] = mapped_column(String(20))  # the page: "order", "account" or "link"
    chosen_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(500))
