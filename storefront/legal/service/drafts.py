"""The next version of a document: written, planned for a day, published or given up."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from storefront.infra import journal
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.kernel.errors import Refusal, StaleWrite
from storefront.legal import queries, rules
from storefront.legal.models import TermsDraft, TermsVersion
from storefront.legal.rules import Parameters, TermsSource, UnpublishableTerms
from storefront.legal.service.publishing import publish

FURTHEST = timedelta(days=365)


class PublicationPlanned(Refusal):
    """The draft waits for its day: withdraw that first. Details: document, publish_at."""

    status = 409


class WarningsNotAccepted(Refusal):
    """The text carries risks, and nobody said yes to them. Details: rules."""


class NothingChanged(Refusal):
    """The draft says what the version in force says. Details: reference."""


class WrongPublicationDay(Refusal):
    """The day is not after today, or too far. Details: first, last."""


@dataclass(frozen=True)
class Edit:
    """What was typed of a draft: its parameters have been read and are lawful."""

    title: str
    body: str
    parameters: Parameters


def save_draft(document: str, edit: Edit, *, seen: int, by: uuid.UUID, now: datetime) -> TermsDraft:
    """Keep what was typed. `seen`: the version of the draft that it was typed over, 0: none.

    Raises `StaleWrite` when somebody else saved meanwhile, `PublicationPlanned` when the draft
    waits for its day.
    """
    session = db.session()
    draft = queries.draft_of(document)
    if (draft.version if draft else 0) != seen:
        raise StaleWrite(document=document)
    if draft is None:
        draft = TermsDraft(id=uuid.uuid4(), document=document, edited_at=now)
        session.add(draft)
    _check_not_planned(draft)
    draft.title, draft.body = edit.title, edit.body
    draft.parameters = rules.write_parameters(edit.parameters)
    draft.edited_by, draft.edited_at, draft.failed_at = by, now, None
    _write_once(document)
    journal.record("terms.drafted", draft, {"document": document}, now=now)
    return draft


def discard_draft(document: str, *, seen: int, now: datetime) -> None:
    """Give a draft up. Raises `StaleWrite` and `PublicationPlanned`."""
    draft = _draft(document, seen)
    _check_not_planned(draft)
    journal.record("terms.draft_discarded", draft, {"document": document}, now=now)
    db.session.delete(draft)
    _write_once(document)


@dataclass(frozen=True)
class Decision:
    """How a draft is published: `on` which day, None: at once; `accepted`: with its risks.

    `seen` is the version of the draft, `over` the number of the version in force (0: none), that
    the decision was taken on.
    """

    on: date | None
    accepted: bool
    seen: int
    over: int


def release(document: str, decision: Decision, *, now: datetime) -> TermsVersion | None:
    """Publish a draft at once, or plan it for the first minute of a day in Paris (then None).

    The decision stands in the journal with every warning that was accepted. Raises `StaleWrite`
    when draft or version in force are others than seen, `PublicationPlanned`, `NothingChanged`,
    `UnpublishableTerms`, `WarningsNotAccepted` and `WrongPublicationDay`.
    """
    draft = _draft(document, decision.seen)
    _check_not_planned(draft)
    latest = next(iter(queries.versions(document)), None)
    if (latest.number if latest else 0) != decision.over:
        raise StaleWrite(document=document)
    day = decision.on or paris_date(now)
    if decision.on is not None and not now < start_of_day(day) <= now + FURTHEST:
        tomorrow = paris_date(now) + timedelta(days=1)
        raise WrongPublicationDay(first=tomorrow, last=paris_date(now + FURTHEST))
    source = queries.source_of(draft)
    seen = queries.examine(source, day)
    if seen.problems:
        raise UnpublishableTerms(problems=seen.problems)
    rules.refuse_errors(seen.findings)
    if seen.filled and latest and _same(latest, seen.filled, seen.text or ""):
        raise NothingChanged(reference=latest.reference)
    warnings = sorted({one.rule.name for one in seen.warnings})
    if warnings and not decision.accepted:
        raise WarningsNotAccepted(rules=", ".join(warnings))
    written = rules.write_source(source)
    facts = {
        "document": document,
        "publish_on": day if decision.on else None,
        "warnings_accepted": warnings,
        "source_sha256": hashlib.sha256(written.encode()).hexdigest(),
    }
    journal.record("terms.release_decided", draft, facts, now=now)
    if decision.on is not None:
        draft.publish_at = start_of_day(day)
        _write_once(document)
        return None
    version = publish(written, now=now)
    db.session.delete(draft)
    _write_once(document)
    return version


def withdraw_release(document: str, *, seen: int, now: datetime) -> None:
    """Plan nothing any more; the draft stays. Raises `StaleWrite`."""
    draft = _draft(document, seen)
    if draft.publish_at is not None:
        facts = {"document": document, "publish_at": draft.publish_at}
        journal.record("terms.release_withdrawn", draft, facts, now=now)
        draft.publish_at = None
        _write_once(document)


def publish_planned(draft_id: uuid.UUID, *, now: datetime) -> int:
    """Publish a draft whose day has come; 0 when somebody was faster or took the plan back.

    What can no longer be published, because a fact of the seller is gone or a rule is new, stays
    a draft, marked as failed for staff to see.
    """
    draft = db.session.get(TermsDraft, draft_id, with_for_update=True, populate_existing=True)
    if draft is None or draft.publish_at is None or draft.publish_at > now:
        return 0
    try:
        publish(rules.write_source(queries.source_of(draft)), now=now)
    except UnpublishableTerms as refused:
        draft.publish_at, draft.failed_at = None, now
        facts = {"document": draft.document, "problems": [str(one) for one in refused.problems]}
        journal.record("terms.release_failed", draft, facts, now=now)
    else:
        db.session.delete(draft)
    db.session.flush()
    return 1


def _same(latest: TermsVersion, filled: TermsSource, text: str) -> bool:
    """Whether a text says what the version in force says, in the same shape, spaces aside."""
    figures = rules.write_parameters(filled.parameters)
    before = (latest.title, latest.text.split(), latest.parameters)
    return before == (filled.title, text.split(), figures)


def _draft(document: str, seen: int) -> TermsDraft:
    draft = queries.draft_of(document)
    if draft is None or draft.version != seen:
        raise StaleWrite(document=document)
    return draft


def _check_not_planned(draft: TermsDraft) -> None:
    if draft.publish_at is not None:
        raise PublicationPlanned(document=draft.document, publish_at=draft.publish_at)


def _write_once(document: str) -> None:
    """Write the draft; who wrote it at the same time is told of as who wrote it before."""
    try:
        db.session.flush()
    except (IntegrityError, StaleDataError):
        raise StaleWrite(document=document) from None
