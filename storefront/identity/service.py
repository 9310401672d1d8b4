"""Accounts, passwords and second factors."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from storefront.identity import queries, rules
from storefront.identity.models import MarketingChoice, Role, UsedCode, User
from storefront.infra import journal
from storefront.infra.db import db
from storefront.kernel.errors import Refusal

# OWASP's parameters for argon2id; sign-ins are throttled besides.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Verified when nobody has the address, so that both answers take as long.
_nobody = _hasher.hash("nobody has this password")

TOKEN_LIFETIME = timedelta(hours=48)
CODE_STEP_SECONDS = 30


class WeakPassword(Refusal):
    """The password is too short or too easy."""


class AlteredLink(Refusal):
    """The link that stops offers was not copied whole."""

    status = 404


class ExpiredLink(Refusal):
    """The link was used, is too old, or was altered."""


class WrongCode(Refusal):
    """The one-time code is wrong, too old, or was used."""


class AlreadyKnown(Refusal):
    """Somebody has this address already."""


def find_or_create_customer(email: str, name: str, phone: str, *, now: datetime) -> User:
    """The customer with this address, made when nobody has it yet (O-02).

    An existing account is left exactly as it is: a purchase signed with somebody's address
    gives no right over their account.
    """
    user = queries.by_email(email)
    if user is not None:
        return user
    return _create(email, name, phone, Role.CUSTOMER, now)


def create_staff(email: str, name: str, role: Role, password: str, *, now: datetime) -> User:
    """A staff account; its second factor is set up at the first sign-in.

    Raises `AlreadyKnown` or `WeakPassword`.
    """
    if queries.by_email(email) is not None:
        raise AlreadyKnown(email=email)
    user = _create(email, name, "", role, now)
    set_password(user, password, now=now)
    return user


def _create(email: str, name: str, phone: str, role: Role, now: datetime) -> User:
    user = User(
        id=uuid.uuid4(),
        email=rules.normal_email(email),
        name=name.strip(),
        phone=phone.strip(),
        role=role,
        session_epoch=0,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    journal.record("user.created", user, {"role": role}, now=now)
    return user


def authenticate(email: str, password: str) -> User | None:
    """The person with this address and password, or None; as slow either way."""
    user = queries.by_email(email)
    known = user.password_hash if user and user.is_active and user.password_hash else None
    try:
        _hasher.verify(known or _nobody, password)
    except (VerificationError, InvalidHashError):
        return None
    return user if known else None


def set_password(user: User, password: str, *, now: datetime) -> None:
    """Change the password and sign every browser out. Raises `WeakPassword`."""
    if rules.password_too_weak(password, user.email):
        raise WeakPassword(shortest=rules.SHORTEST_PASSWORD)
    user.password_hash = _hasher.hash(password)
    user.session_epoch += 1
    user.email_confirmed_at = user.email_confirmed_at or now
    journal.record("user.password_set", user, {}, now=now)


def correct(user: User, name: str, phone: str, *, now: datetime) -> None:
    """A person corrects what is kept of them (D-01); orders keep what they were placed with."""
    kept = {"name": user.name, "phone": user.phone}
    user.name, user.phone = name.strip(), phone.strip()
    changed = [field for field, before in kept.items() if getattr(user, field) != before]
    if changed:
        journal.record("user.corrected", user, {"fields": changed}, now=now)


def password_token(user: User, *, now: datetime) -> str:
    """A link's secret that lets its holder choose this person's password, once, for 48 hours."""
    expires_at = now + TOKEN_LIFETIME
    token: str | bytes = _serializer().dumps(
        [str(user.id), int(expires_at.timestamp()), _fingerprint(user)]
    )
    return token if isinstance(token, str) else token.decode()


def read_password_token(token: str, *, now: datetime) -> User:
    """The person a link was made for. Raises `ExpiredLink`, also once the link was used."""
    try:
        identifier, expires_at, fingerprint = _serializer().loads(token)
        user = db.session.get(User, uuid.UUID(identifier))
    except (BadSignature, ValueError, TypeError) as error:
        raise ExpiredLink from error
    if user is None or not user.is_active or fingerprint != _fingerprint(user):
        raise ExpiredLink
    if now.timestamp() > expires_at:
        raise ExpiredLink
    return user


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="choose-password")


def _fingerprint(user: User) -> str:
    """Changes with the password: a used link is void."""
    state = f"{user.id}:{user.password_hash or ''}:{user.session_epoch}"
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def choose_marketing(
    user_id: uuid.UUID,
    wanted: bool,
    sentence: str,
    place: str,
    *,
    ip: str,
    user_agent: str,
    now: datetime,
) -> None:
    """Keep what a person says of offers by e-mail, with all that proves it (DAT-05, D-03).

    `place`: "order", "account" or "link". Saying the same again changes nothing.
    """
    known = queries.marketing_choice(user_id)
    if (known is not None and known.wanted) is wanted:
        return
    choice = MarketingChoice(
        id=uuid.uuid4(),
        user_id=user_id,
        wanted=wanted,
        sentence=sentence,
        place=place,
        chosen_at=now,
        ip=ip,
        user_agent=user_agent,
    )
    db.session.add(choice)
    facts = {"user": user_id, "wanted": wanted, "place": place}
    journal.record("marketing.chosen", choice, facts, now=now)


def stop_address(user_id: uuid.UUID) -> str:
    """The page on which a person stops offers without signing in; its link never ends."""
    token = _stop_serializer().dumps(str(user_id))
    return f"{current_app.config['SETTINGS'].base_url}/offres-par-courriel/{token}"


def who_stops(token: str) -> uuid.UUID:
    """Whose link this is. Raises `AlteredLink`."""
    try:
        return uuid.UUID(_stop_serializer().loads(token))
    except (BadSignature, ValueError) as error:
        raise AlteredLink from error


def _stop_serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="stop-marketing")


def start_second_factor(user: User) -> str:
    """The secret to scan, the same one until a code confirms it."""
    if user.totp_secret is None:
        user.totp_secret = pyotp.random_base32()
    return user.totp_secret


def provisioning_uri(user: User, issuer: str) -> str:
    """What the authenticator application scans."""
    totp = pyotp.TOTP(user.totp_secret or "")
    uri: str = totp.provisioning_uri(name=user.email, issuer_name=issuer)
    return uri


def use_code(user: User, code: str, *, now: datetime) -> None:
    """Accept a one-time code, once, one step late or early. Raises `WrongCode`."""
    if user.totp_secret is None:
        raise WrongCode
    totp = pyotp.TOTP(user.totp_secret)
    digits = "".join(code.split())
    present = int(now.timestamp()) // CODE_STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            break
    else:
        raise WrongCode
    db.session.get_one(User, user.id, with_for_update=True)
    used = select(UsedCode.id).where(UsedCode.user_id == user.id, UsedCode.step == step)
    if db.session.scalar(used) is not None:
        raise WrongCode
    db.session.add(UsedCode(id=uuid.uuid4(), user_id=user.id, step=step))
    if user.totp_confirmed_at is None:
        user.totp_confirmed_at = now
        journal.record("user.second_factor_set", user, {}, now=now)
