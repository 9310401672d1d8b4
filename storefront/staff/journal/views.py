"""The journal: what happened, who did it, and the proof that nothing was rewritten (X-02)."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template, request
from flask_login import current_user

from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import snapshot, transaction
from storefront.staff.journal.forms import JournalForm
from storefront.staff.journal.service import readable_facts

bp = Blueprint("staff_journal", __name__, url_prefix="/gestion/journal")

PAGE = 50


@bp.get("")
@staff_required(Role.MANAGER)
def entries() -> str:
    """Entries, the last one first, by kind and subject."""
    return _page()


def _page(breaks: list[journal.Break] | None = None, length: int = 0) -> str:
    form = JournalForm(request.args)
    subject_id = request.args.get("sujet", type=uuid.UUID)
    before = request.args.get("avant", type=int)
    found = journal.page(
        kind=form.text("sorte"), subject_id=subject_id, before=before, limit=PAGE + 1
    )
    shown = found[:PAGE]
    return render_template(
        "staff/journal/entries.html",
        form=form,
        entries=shown,
        facts=readable_facts(shown),
        actors=people.names_of_actors(entry.actor for entry in shown),
        subject_id=subject_id,
        before=before,
        after=shown[-1].seq if len(found) > PAGE else None,
        breaks=breaks,
        length=length,
    )


@bp.post("")
@staff_required(Role.MANAGER)
def verify() -> str:
    """Compute the whole chain and every seal again, and say where it does not hold."""
    with snapshot():
        length = journal.length()
        breaks = list(journal.verify())
    with transaction():
        facts = {"entries": length, "breaks": len(breaks)}
        journal.record("journal.verified", current_user, facts, now=clock.now())
    return _page(breaks, length)
