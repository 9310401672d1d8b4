"""A draft is one row that two people, or a person and the worker, may want at once (R-01)."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import StaleWrite
from storefront.legal import jobs, queries, service
from storefront.legal.models import TermsDraft, TermsVersion
from storefront.legal.rules import TermsParameters
from storefront.legal.service import Decision, Edit
from tests import factories
from tests.factories import TERMS
from tests.identity.people import staff
from tests.legal.test_publishing import command
from tests.parallel import at_once


@pytest.fixture
def editor(app: Flask, now: datetime) -> uuid.UUID:
    return staff(now, Role.SHOPKEEPER).id


def edit(now: datetime, **changed: int) -> Edit:
    """The terms in force with other figures."""
    source = queries.written("cgv")
    assert source
    parameters = dataclasses.replace(source.parameters, **changed)
    return Edit(source.title, source.body, parameters)


@pytest.fixture
def draft(app: Flask, now: datetime, editor: uuid.UUID) -> int:
    """A draft over the first version; its row version."""
    with transaction():
        factories.terms(now)
    with transaction():
        saved = service.save_draft(
            "cgv", edit(now, hour_slice_minutes=30), seen=0, by=editor, now=now
        )
        return saved.version


def numbers() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(TermsVersion.number).order_by(TermsVersion.number)))


def outcomes(given: list[object]) -> list[str]:
    return sorted("refused" if isinstance(one, StaleWrite) else "done" for one in given)


def test_the_figures_of_a_draft_are_read_as_those_of_a_version(draft: int) -> None:
    found = queries.draft_of("cgv")
    assert found
    parameters = queries.parameters_of_draft(found)
    assert isinstance(parameters, TermsParameters)
    assert parameters.hour_slice_minutes == 30


def test_a_draft_is_never_taken_for_one_that_was_discarded_before_it(
    draft: int, editor: uuid.UUID, now: datetime
) -> None:
    """Somebody is about to publish what they read; it is thrown away, and another one begun."""
    with transaction():
        service.discard_draft("cgv", seen=draft, now=now)
    with transaction():
        service.save_draft("cgv", edit(now, hour_slice_minutes=15), seen=0, by=editor, now=now)

    decision = Decision(seen=draft, over=1, on=None, accepted=True)
    with transaction(), pytest.raises(StaleWrite):
        service.release("cgv", decision, now=now)
    with transaction(), pytest.raises(StaleWrite):
        service.save_draft("cgv", edit(now), seen=draft, by=editor, now=now)


def test_a_new_title_alone_is_a_new_version(draft: int, editor: uuid.UUID, now: datetime) -> None:
    renamed = dataclasses.replace(edit(now), title="Conditions de vente")
    source = queries.written("cgv")
    assert source
    first = dataclasses.replace(renamed, parameters=edit(now, hour_slice_minutes=60).parameters)
    with transaction():
        saved = service.save_draft("cgv", first, seen=draft, by=editor, now=now).version
    with transaction():
        service.release("cgv", Decision(seen=saved, over=1, on=None, accepted=True), now=now)
    assert numbers() == [1, 2]


def test_of_two_who_begin_a_draft_at_once_one_is_told(
    app: Flask, now: datetime, editor: uuid.UUID
) -> None:
    with transaction():
        factories.terms(now)

    def begin(rank: int) -> None:
        with transaction():
            service.save_draft(
                "cgv", edit(now, debit_notice_days=3 + rank), seen=0, by=editor, now=now
            )

    assert outcomes(at_once(app, begin, 2)) == ["done", "refused"]
    assert len(db.session.scalars(select(TermsDraft)).all()) == 1


def test_of_two_who_publish_one_draft_at_once_one_does(
    app: Flask, now: datetime, draft: int
) -> None:
    def publish(_rank: int) -> None:
        with transaction():
            service.release("cgv", Decision(None, False, draft, 1), now=now)

    assert outcomes(at_once(app, publish, 2)) == ["done", "refused"]
    assert numbers() == [1, 2]
    assert queries.draft_of("cgv") is None


def test_a_plan_is_carried_out_once_or_withdrawn_never_both(
    app: Flask, now: datetime, draft: int
) -> None:
    due = now + timedelta(days=2)
    with transaction():
        service.release("cgv", Decision(paris_date(due), False, draft, 1), now=now)

    def act(rank: int) -> int:
        if rank:
            return jobs.publish_planned(due)
        with transaction():
            service.withdraw_release("cgv", seen=draft + 1, now=due)
        return 0

    withdrawn, *published = at_once(app, act, 3)

    refused = isinstance(withdrawn, StaleWrite)
    assert sum(one for one in published if isinstance(one, int)) == (1 if refused else 0)
    assert numbers() == ([1, 2] if refused else [1])
    left = queries.draft_of("cgv")
    assert left is None if refused else left is not None and left.publish_at is None


def test_a_file_is_checked_without_being_published(app: Flask, tmp_path: Path) -> None:
    assert command(app, "terms", "check", str(TERMS / "cgv-2.md")) == (
        0,
        "cgv-2.md: nothing stands against it\n",
    )
    text = (TERMS / "cgv-2.md").read_text()
    risky = tmp_path / "risky.md"
    risky.write_text(
        text.replace("hour_pack_validity_months = 12", "hour_pack_validity_months = 6")
    )
    code, said = command(app, "terms", "check", str(risky))
    assert code == 0
    assert "warning risky_hour_pack_validity_months (SUB-08, C. conso. L212-1)" in said
    assert "hour_pack_validity_months: 6" in said
    wrong = tmp_path / "wrong.md"
    wrong.write_text(text.replace("{{ base_url }}/retractation", "la page"))
    code, said = command(app, "terms", "check", str(wrong))
    assert code == 1
    assert "error no_withdrawal_address (WDR-06" in said
    code, said = command(app, "terms", "publish", str(wrong))
    assert code == 1
    assert "no_withdrawal_address" in said
    wrong.write_text(text.replace("{{ refund_days | days }}", "x"))
    code, said = command(app, "terms", "check", str(wrong))
    assert (code, "refund_days: the text does not state it" in said) == (1, True)
    assert numbers() == []


def test_publishing_by_command_tells_the_risks(app: Flask, tmp_path: Path) -> None:
    risky = tmp_path / "risky.md"
    text = (TERMS / "cgv-1.md").read_text()
    risky.write_text(text.replace("commitment_months = 12", "commitment_months = 24"))
    code, said = command(app, "terms", "publish", str(risky))
    assert code == 0
    assert "cgv-1 published" in said
    assert "warning risky_commitment_months" in said


def test_sums_in_a_text_are_refused_before_they_are_worked_out(draft: int) -> None:
    source = queries.written("cgv")
    assert source
    costly = dataclasses.replace(source, body=source.body + "\n{{ 9**9**9**9 }}\n")
    seen = queries.examine(costly, date(2026, 11, 27))
    assert "placeholder" in {one.code for one in seen.problems}


def test_a_version_of_an_unheard_of_number_is_not_there(app: Flask, draft: int) -> None:
    for path in ("", "/changements", ".pdf"):
        answer = app.test_client().get(f"/conditions-generales/99999999999999999999{path}")
        assert answer.status_code == 404
