"""For the staff: what did not work, what everybody is told of it, what it gives subscribers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import db, transaction
from storefront.infra.web import found_or_404
from storefront.kernel.errors import StaleWrite
from storefront.staff.incidents.forms import (
    CloseForm,
    CorrectionForm,
    GrantForm,
    IncidentForm,
    UpdateForm,
    WithdrawalForm,
    seen_revision,
)
from storefront.subscriptions import service
from storefront.subscriptions.models import Incident
from storefront.subscriptions.queries import outages
from storefront.subscriptions.rules.outages import BadOutageTimes
from storefront.subscriptions.service import CreditsChanged, Granting, UnknownExceptions

bp = Blueprint("staff_incidents", __name__, url_prefix="/gestion/incidents")

PAGE = 50
MAX_PAGE = 10_000
STALE = (
    "Quelqu’un a modifié cet incident pendant que vous écriviez. Voici ce qu’il dit maintenant : "
    "relisez-le, puis recommencez."
)

Answer = str | Response | tuple[str, int]
desk = staff_required(Role.SHOPKEEPER, Role.TECHNICIAN)


@bp.get("")
@desk
def incident_list() -> str:
    """The last incidents, and those whose credits wait for a decision."""
    waiting = outages.waiting()
    return render_template(
        "staff/incidents/list.html",
        incidents=outages.incidents(),
        waiting={one.id for one in waiting},
        names=dict(outages.choices()),
    )


@bp.route("/nouveau", methods=["GET", "POST"])
@desk
def declare() -> Answer:
    """Say that something does not work."""
    form, now = IncidentForm(), clock.now()
    form.concerns.choices = outages.choices()
    if request.method == "GET":
        form.once.data = str(uuid.uuid4())
        form.severity.data = "outage"
        form.show("start", now.replace(second=0, microsecond=0))
    facts = form.facts() if form.validate_on_submit() else None
    if facts is not None:
        try:
            with transaction():
                key = service.declare_incident(form.key(), facts, by=current_user.id, now=now).id
            flash("L’incident est déclaré ; il se lit sur la page publique.", "success")
            return redirect(f"/gestion/incidents/{key}", 303)
        except BadOutageTimes as refused:
            form.refuse(refused.details)
    return _answer("staff/incidents/declare.html", form)


def _answer(template: str, form: IncidentForm, **context: Any) -> tuple[str, int]:
    failed = any(field.errors for field in form)
    return render_template(template, form=form, **context), 422 if failed else 200


def _incident(incident_id: uuid.UUID) -> Incident:
    return found_or_404(db.session.get(Incident, incident_id))


@bp.get("/<uuid:incident_id>")
@desk
def incident(incident_id: uuid.UUID) -> str:
    """One incident: what is public, what it gives and to whom, what was done."""
    return _page(_incident(incident_id))


def _page(found: Incident, **forms: Any) -> str:
    number = request.args.get("page", "")
    page = min(max(int(number), 1), MAX_PAGE) if number.isdecimal() and len(number) < 6 else 1
    credits = outages.credits_of_incident(found.id, page=page, limit=PAGE + 1)
    entries = journal.about([found.id, *(update.id for update in found.updates)])
    shown: dict[str, Any] = {
        "update_form": UpdateForm(formdata=None, once=str(uuid.uuid4())),
        "close_form": CloseForm(formdata=None, seen=found.revision),
        "grant_form": GrantForm(formdata=None, seen=outages.proposal(found.id)),
    }
    if "close_form" not in forms:
        shown["close_form"].show("end", clock.now().replace(second=0, microsecond=0))
    return render_template(
        "staff/incidents/incident.html",
        incident=found,
        names=dict(outages.choices()),
        credits=credits[:PAGE],
        page=page,
        more=len(credits) > PAGE,
        totals=outages.totals(found.id),
        entries=entries,
        actors=people.names_of_actors(entry.actor for entry in entries),
        **{**shown, **forms},
    )


@bp.post("/<uuid:incident_id>/nouvelles")
@desk
def tell(incident_id: uuid.UUID) -> Answer:
    """Tell everybody how it goes."""
    form, found = UpdateForm(), _incident(incident_id)
    if not form.validate_on_submit():
        return _page(found, update_form=form), 422
    with transaction():
        words = form.text("words")
        service.tell_of_incident(
            incident_id, form.key(), words, by=current_user.id, now=clock.now()
        )
    flash("La nouvelle est publiée.", "success")
    return _back(incident_id)


def _back(incident_id: uuid.UUID) -> Response:
    return redirect(f"/gestion/incidents/{incident_id}", 303)


def _stale(incident_id: uuid.UUID) -> Response:
    flash(STALE, "refusal")
    return _back(incident_id)


@bp.post("/<uuid:incident_id>/fin")
@desk
def close(incident_id: uuid.UUID) -> Answer:
    """It works again: its credits are computed, where it lasted long enough."""
    form, found = CloseForm(), _incident(incident_id)
    ended_at = form.instant("end") if form.validate_on_submit() else None
    if ended_at is None:
        return _page(found, close_form=form), 422
    try:
        with transaction():
            seen = seen_revision(form.seen.data)
            service.close_incident(incident_id, ended_at, seen=seen, now=clock.now())
    except BadOutageTimes as refused:
        form.refuse(refused.details)
        return _page(_incident(incident_id), close_form=form), 422
    except StaleWrite:
        return _stale(incident_id)
    flash("L’incident est clos. Les avoirs qu’il donne se calculent à l’instant.", "success")
    return _back(incident_id)


@bp.route("/<uuid:incident_id>/corriger", methods=["GET", "POST"])
@desk
def correct(incident_id: uuid.UUID) -> Answer:
    """Say something else of it, with the reason."""
    form, found = CorrectionForm(), _incident(incident_id)
    form.concerns.choices = outages.choices()
    if request.method == "GET":
        form.fill(found)
        form.seen.data = str(found.revision)
    facts = form.facts() if form.validate_on_submit() else None
    if facts is not None:
        try:
            with transaction():
                service.correct_incident(
                    incident_id,
                    facts,
                    reason=form.text("reason"),
                    seen=seen_revision(form.seen.data),
                    now=clock.now(),
                )
            flash("L’incident est corrigé.", "success")
            return _back(incident_id)
        except BadOutageTimes as refused:
            form.refuse(refused.details)
        except StaleWrite:
            return _stale(incident_id)
    withdrawal = WithdrawalForm(formdata=None, seen=found.revision)
    context = {"incident": found, "withdrawal": withdrawal}
    return _answer("staff/incidents/correct.html", form, **context)


@bp.post("/<uuid:incident_id>/retirer")
@desk
def withdraw(incident_id: uuid.UUID) -> Answer:
    """It was declared by mistake."""
    withdrawal, found = WithdrawalForm(), _incident(incident_id)
    if not withdrawal.validate_on_submit():
        form = CorrectionForm(formdata=None, seen=found.revision)
        form.concerns.choices = outages.choices()
        form.fill(found)
        context = {"form": form, "incident": found, "withdrawal": withdrawal}
        return render_template("staff/incidents/correct.html", **context), 422
    try:
        with transaction():
            service.withdraw_incident(
                incident_id,
                reason=withdrawal.text("why"),
                seen=seen_revision(withdrawal.seen.data),
                now=clock.now(),
            )
    except StaleWrite:
        return _stale(incident_id)
    flash("L’incident est retiré : il ne compte plus et ne se lit plus nulle part.", "success")
    return _back(incident_id)


@bp.post("/<uuid:incident_id>/avoirs")
@staff_required(Role.SHOPKEEPER)
def grant(incident_id: uuid.UUID) -> Answer:
    """Grant what is proposed, in one act; two people at once grant it once."""
    form, found = GrantForm(), _incident(incident_id)
    if not form.validate_on_submit():
        return _page(found, grant_form=form), 422
    decision = Granting(form.seen.data or "", form.references(), form.text("reason"))
    try:
        with transaction():
            done = service.grant_credits(incident_id, decision, by=current_user.id, now=clock.now())
    except UnknownExceptions as refused:
        form.exceptions.errors = [
            f"Aucun avoir n’est proposé pour : {refused.details['references']}. "
            "Vérifiez ces références de commandes."
        ]
        return _page(_incident(incident_id), grant_form=form), 422
    except CreditsChanged:
        form.seen.data = outages.proposal(incident_id)
        form.exceptions.errors = [
            "Les avoirs proposés ont changé depuis l’affichage de cette page : relisez la liste, "
            "puis accordez-les."
        ]
        return _page(_incident(incident_id), grant_form=form), 409
    if done.granted or done.declined:
        flash(f"Avoirs accordés : {done.granted}. Écartés : {done.declined}.", "success")
    else:
        flash("Ces avoirs sont déjà décidés : rien n’a changé.", "info")
    return _back(incident_id)
