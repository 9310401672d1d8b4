"""Which terms apply, and what was accepted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, undefer_group

from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.kernel.errors import Refusal
from storefront.legal.models import Acceptance, TermsDraft, TermsVersion
from storefront.legal.rules import (
    TERMS,
    TRAINING_TERMS,
    Differences,
    Finding,
    Parameters,
    Problem,
    TermsParameters,
    TermsSource,
    Text,
    TrainingParameters,
    UnpublishableTerms,
    differences,
    facts_of,
    fill_in,
    inspect,
    reread_source,
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


def texts_in_force(documents: Sequence[str], at: datetime) -> dict[str, TermsVersion]:
    """The same for several documents by one question; those never published are left out."""
    return _newest(TermsVersion.document.in_(documents), TermsVersion.published_at <= at)


def latest_versions() -> dict[str, TermsVersion]:
    """The latest version of every document, by document."""
    return _newest()


def _newest(*wanted: ColumnElement[bool]) -> dict[str, TermsVersion]:
    number = func.max(TermsVersion.number).label("number")
    newest = select(TermsVersion.document, number).where(*wanted).group_by(TermsVersion.document)
    last = newest.subquery()
    found = db.session.scalars(
        select(TermsVersion).join(
            last,
            (TermsVersion.document == last.c.document) & (TermsVersion.number == last.c.number),
        )
    )
    return {version.document: version for version in found}


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


def with_text(document: str, *numbers: int) -> list[TermsVersion]:
    """These versions with all that their pages show, oldest first; those that exist."""
    wanted = (TermsVersion.document == document, TermsVersion.number.in_(numbers))
    return list(
        db.session.scalars(
            select(TermsVersion)
            .where(*wanted)
            .options(undefer_group("page"))
            .order_by(TermsVersion.number)
        )
    )


def changes_between(before: TermsVersion, after: TermsVersion) -> Differences:
    """What differs between two versions of one document, for who reads them."""
    return differences((before.text, _figures_of(before)), (after.text, _figures_of(after)))


def _figures_of(version: TermsVersion) -> Mapping[str, Any]:
    return vars(restore_parameters(facts_of(version.document).parameters, version.parameters))


def drafts() -> dict[str, TermsDraft]:
    """What is being written, by document."""
    found = db.session.scalars(select(TermsDraft).options(joinedload(TermsDraft.editor)))
    return {draft.document: draft for draft in found}


def draft_of(document: str) -> TermsDraft | None:
    """The next version of a document, while it is written."""
    return db.session.scalar(
        select(TermsDraft)
        .where(TermsDraft.document == document)
        .options(joinedload(TermsDraft.editor))
    )


def parameters_of_draft(draft: TermsDraft) -> Parameters:
    """What a draft would promise: `TermsParameters` for the general terms (X-04)."""
    return restore_parameters(facts_of(draft.document).parameters, draft.parameters)


def general_parameters_of_draft(draft: TermsDraft) -> TermsParameters:
    """What a draft of the general terms would promise. Raises TypeError for another document."""
    parameters = parameters_of_draft(draft)
    if not isinstance(parameters, TermsParameters):
        raise TypeError(f"{draft.document} is not the general terms")
    return parameters


def source_of(draft: TermsDraft) -> TermsSource:
    """A draft as a source that can be published."""
    parameters = parameters_of_draft(draft)
    return TermsSource(draft.document, draft.title, parameters, draft.body.strip() + "\n")


def written(document: str) -> TermsSource | None:
    """What staff go on from: the draft, else the latest version; None before either."""
    if (draft := draft_of(document)) is not None:
        return source_of(draft)
    latest = next(iter(versions(document)), None)
    return reread_source(latest.source) if latest else None


def due_releases(now: datetime) -> Sequence[uuid.UUID]:
    """The drafts whose day of publication has come."""
    return db.session.scalars(
        select(TermsDraft.id).where(TermsDraft.publish_at <= now).order_by(TermsDraft.publish_at)
    ).all()


def next_release() -> datetime | None:
    """The earliest publication that is planned."""
    return db.session.scalar(select(func.min(TermsDraft.publish_at)))


def failed_releases() -> Sequence[TermsDraft]:
    """The drafts that could not be published on their day."""
    return db.session.scalars(
        select(TermsDraft).where(TermsDraft.failed_at.is_not(None)).order_by(TermsDraft.document)
    ).all()


@dataclass(frozen=True)
class Examination:
    """What a source would say if it were published, and what stands against it.

    `filled` and `text` are None while a placeholder cannot be filled in.
    """

    filled: TermsSource | None
    text: str | None
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        """What the law forbids: it is not published."""
        return [one for one in self.findings if one.is_error]

    @property
    def warnings(self) -> list[Finding]:
        """What is published only with an explicit yes."""
        return [one for one in self.findings if not one.is_error]

    @property
    def publishable(self) -> bool:
        """Whether nothing keeps it from being published."""
        return not self.problems and not self.errors


def examine(source: TermsSource, on: date) -> Examination:
    """Fill a source in and look at it as the law would on that day."""
    try:
        filled, text = fill_in(source, shop_facts())
    except UnpublishableTerms as refused:
        return Examination(None, None, refused.problems, ())
    return Examination(filled, text, (), tuple(inspect(text_to_look_at(filled, text, on))))


def changes_by(source: TermsSource, text: str) -> Differences:
    """What a filled source would change of the latest version; of nothing, when there is none."""
    latest = next(iter(versions(source.document)), None)
    before = (latest.text, _figures_of(latest)) if latest else ("", {})
    return differences(before, (text, vars(source.parameters)))


def shop_facts() -> dict[str, Any]:
    """What every text may name besides its parameters."""
    return {"seller": seller().facts, "base_url": current_app.config["SETTINGS"].base_url}


def text_to_look_at(filled: TermsSource, text: str, on: date) -> Text:
    """A filled source as the linter reads it."""
    return Text(
        document=filled.document,
        body=text,
        parameters=filled.parameters,
        facts=shop_facts(),
        on=on,
        consumers=seller().facts.get("sells_to") != "professionals",
    )
