"""Which terms apply, and what was accepted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from storefront.infra.db import db
from storefront.kernel.errors import Refusal
from storefront.legal.models import Acceptance, TermsVersion
from storefront.legal.rules import (
    TERMS,
    TRAINING_TERMS,
    TermsParameters,
    TrainingParameters,
    restore_parameters,
)


class NotPublished(Refusal):
    """No version of this document was published at that moment. Details: document."""

    status = 404


def in_force(document: str, at: datetime) -> TermsVersion:
    """The version that a contract concluded `at` this instant is under (R-02).

    Raises `NotPublished` before the first one.
    """
    version = db.session.scalar(
        select(TermsVersion)
        .where(TermsVersion.document == document, TermsVersion.published_at <= at)
        .order_by(TermsVersion.number.desc())
        .limit(1)
    )
    if version is None:
        raise NotPublished(document=document)
    return version


def find(document: str, number: int) -> TermsVersion | None:
    """One version, old or not: all stay readable (R-02)."""
    return db.session.scalar(
        select(TermsVersion).where(TermsVersion.document == document, TermsVersion.number == number)
    )


def by_reference(reference: str) -> TermsVersion | None:
    """The version that people and commands call `cgv-2`; `cgv` alone is the latest one."""
    document, _, number = reference.rpartition("-")
    if document and number.isdecimal():
        return find(document, int(number))
    return next(iter(versions(reference)), None)


def versions(document: str) -> Sequence[TermsVersion]:
    """Every version of a document, newest first."""
    return db.session.scalars(
        select(TermsVersion)
        .where(TermsVersion.document == document)
        .order_by(TermsVersion.number.desc())
    ).all()


def parameters_of(version: TermsVersion) -> TermsParameters:
    """What the general terms of sale promise in this version (R-01).

    Raises ValueError for a version of another document.
    """
    if version.document != TERMS:
        raise ValueError(f"{version.reference} has no parameters of the general terms")
    return _terms_parameters(version.parameters)


def training_parameters_of(version: TermsVersion) -> TrainingParameters:
    """What the particular terms of trainings promise in this version.

    Raises ValueError for a version of another document.
    """
    if version.document != TRAINING_TERMS:
        raise ValueError(f"{version.reference} has no parameters of trainings")
    return _training_parameters(version.parameters)


# A version never changes, so its canonical text is the key.
@lru_cache(maxsize=64)
def _terms_parameters(text: str) -> TermsParameters:
    return restore_parameters(TermsParameters, text)


@lru_cache(maxsize=64)
def _training_parameters(text: str) -> TrainingParameters:
    return restore_parameters(TrainingParameters, text)


def acceptances_of(order_id: uuid.UUID) -> Sequence[Acceptance]:
    """Every box that was ticked for an order, with the version it is about."""
    return db.session.scalars(
        select(Acceptance)
        .where(Acceptance.order_id == order_id)
        .options(joinedload(Acceptance.version))
        .order_by(Acceptance.kind, Acceptance.id)
    ).all()


def accepted_documents(order_id: uuid.UUID) -> list[uuid.UUID]:
    """The PDFs that every e-mail about this contract carries, by document id (R-05)."""
    accepted = {one.version_id: one.version for one in acceptances_of(order_id)}
    by_name = sorted(accepted.values(), key=lambda version: version.reference)
    return [version.pdf_id for version in by_name]
