"""The support desk: what is late, what is next, who waits (I-02), and the work itself."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.credits import queries as credits
from storefront.credits.rules import InsufficientCredit
from storefront.identity import queries as people
from storefront.identity.models import Role, User
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.templating import date_fr, datetime_fr, minutes_fr
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import end_of_day, paris_date, start_of_day
from storefront.legal.queries import parameters_of
from storefront.staff.support import forms
from storefront.tickets import queries, rules, service
from storefront.tickets.models import Intervention, Proposal, Ticket
from storefront.tickets.rules import (
    EarlyStartMissing,
    InterventionStatus,
    InThePast,
    RefusalReason,
    TechnicianBusy,
    TooFarAhead,
)

bp = Blueprint("support", __name__, url_prefix="/gestion/assistance")

Answer = str | Response | tuple[str, int]
desk = staff_required(Role.TECHNICIAN, Role.SHOPKEEPER)

AGENDA_DAYS = 8


@bp.get("")
@desk
def queue() -> str:
    """Every ticket that runs, the most urgent first, and today's interventions."""
    now = clock.now()
    today = paris_date(now)
    lines = queries.queue(now)
    return render_template(
        "staff/support/queue.html",
        lines=lines,
        overdue=sum(_is(line, rules.Urgency.OVERDUE) for line in lines),
        at_risk=sum(_is(line, rules.Urgency.AT_RISK) for line in lines),
        agenda=queries.agenda(start_of_day(today), end_of_day(today)),
    )


def _is(line: queries.QueueLine, urgency: rules.Urgency) -> bool:
    return line.step is not None and line.step.urgency is urgency


@bp.get("/<reference>")
@desk
def show(reference: str) -> str:
    """One ticket, with everything that can be done on it now."""
    return _page(_ticket(reference))


@bp.post("/<reference>/repondre")
@desk
def reply(reference: str) -> Answer:
    """Answer the client."""
    ticket = _ticket(reference)
    form = forms.MessageForm()
    if not form.validate_on_submit():
        return _page(ticket, reply_form=form), 422
    with transaction():
        service.reply(form.key(), ticket.id, _me(), form.body.data or "", now=clock.now())
    flash("Réponse envoyée au client.", "success")
    return _back(reference)


@bp.post("/<reference>/noter")
@desk
def note(reference: str) -> Answer:
    """Write for colleagues only."""
    ticket = _ticket(reference)
    form = forms.NoteForm()
    if not form.validate_on_submit():
        return _page(ticket, note_form=form), 422
    with transaction():
        service.note(form.key(), ticket.id, _me(), form.remark.data or "", now=clock.now())
    flash("Note enregistrée. Le client ne la voit pas.", "success")
    return _back(reference)


@bp.post("/<reference>/proposer")
@desk
def propose(reference: str) -> Answer:
    """Propose an intervention to the client."""
    ticket, now = _ticket(reference), clock.now()
    form = _with_technicians(forms.ProposalForm())
    if form.validate_on_submit():
        try:
            return _propose(ticket, form, now)
        except InThePast:
            _add_error(form.day, "Ce moment est déjà passé : choisissez-en un à venir.")
        except TooFarAhead:
            _add_error(form.day, "Un rendez-vous se prend au plus un an à l’avance.")
        except EarlyStartMissing as refused:
            earliest = date_fr(refused.details["earliest"])  # type: ignore[arg-type]
            _add_error(
                form.day,
                "Le délai de rétractation court encore et le client n’a pas demandé à commencer "
                f"avant sa fin : rendez-vous possible à partir du {earliest}.",
            )
        except TechnicianBusy:
            _add_error(form.technician, "Ce technicien a déjà un rendez-vous à ce moment-là.")
    return _page(_ticket(reference), proposal_form=form), 422


def _propose(ticket: Ticket, form: forms.ProposalForm, now: datetime) -> Response:
    technician = next(one for one in people.staff() if str(one.id) == form.technician.data)
    with transaction():
        proposal = service.propose(
            form.key(),
            ticket.id,
            _me(),
            technician,
            form.starts_at(),
            form.minutes.data or 0,
            form.description.data or "",
            seen=form.version(),
            now=now,
        )
        warnings = _warnings(proposal, now)
        reference = ticket.reference
    flash("Proposition envoyée au client.", "success")
    for warning in warnings:
        flash(warning, "deadline")
    return _back(reference)


def _warnings(proposal: Proposal, now: datetime) -> list[str]:
    """What staff should know of a proposal that is possible all the same (I-02, K-05)."""
    ticket = proposal.ticket
    said = []
    window = ticket.intervention_from, ticket.intervention_due_at
    if not rules.within_window(proposal.starts_at, *window):
        first, last = (datetime_fr(instant) for instant in window)
        said.append(f"Ce moment sort du délai promis : entre le {first} et le {last}.")
    day = paris_date(proposal.starts_at)
    time = queries.time_needed(ticket, proposal.minutes, day, paris_date(now))
    if time.missing:
        missing = minutes_fr(time.missing)
        said.append(f"Il manque {missing} au client : sa page lui propose d’en acheter.")
    return said


@bp.post("/<reference>/propositions/<uuid:proposal_id>/retirer")
@desk
def withdraw(reference: str, proposal_id: uuid.UUID) -> Response:
    """Take a proposal back."""
    ticket = _ticket(reference)
    if proposal_id not in {proposal.id for proposal in ticket.proposals}:
        abort(404)
    with transaction():
        service.withdraw(proposal_id, _me(), now=clock.now())
    flash("Proposition retirée.", "success")
    return _back(reference)


@bp.post("/<reference>/refuser")
@desk
def refuse(reference: str) -> Answer:
    """Refuse the work, or stop it, for a reason of the terms (I-06)."""
    ticket = _ticket(reference)
    form = forms.RefusalForm()
    if not form.validate_on_submit():
        return _page(ticket, refusal_form=form), 422
    with transaction():
        service.refuse(
            ticket.id,
            _me(),
            RefusalReason(form.ground.data),
            form.explanation.data or "",
            seen=form.version(),
            now=clock.now(),
        )
    flash("Demande refusée. Le client reçoit le motif ; le temps réservé est libéré.", "success")
    return _back(reference)


@bp.post("/<reference>/cloturer")
@desk
def close(reference: str) -> Response:
    """Nothing more is to be done."""
    ticket = _ticket(reference)
    form = forms.SeenForm()
    with transaction():
        service.close(ticket.id, _me(), seen=form.version(), now=clock.now())
    flash("Demande close.", "success")
    return _back(reference)


CLOCK_ACTS = {
    "demarrer": (service.start, "Intervention commencée : le temps court."),
    "arreter": (service.stop, "Intervention arrêtée."),
    "reprendre": (service.resume, "Intervention reprise : le temps court."),
}


@bp.post("/<reference>/interventions/<uuid:intervention_id>/<act>")
@desk
def work(reference: str, intervention_id: uuid.UUID, act: str) -> Response:
    """Start, stop or resume the work (I-05)."""
    _intervention(reference, intervention_id)
    if act not in CLOCK_ACTS:
        abort(404)
    move, said = CLOCK_ACTS[act]
    form = forms.SeenForm()
    with transaction():
        move(intervention_id, _me(), seen=form.version(), now=clock.now())
    flash(said, "success")
    return _back(reference)


@bp.post("/<reference>/interventions/<uuid:intervention_id>/compte-rendu")
@desk
def report(reference: str, intervention_id: uuid.UUID) -> Answer:
    """Send the report; the hours are taken with it."""
    ticket, _ = _intervention(reference, intervention_id)
    form = forms.ReportForm()
    if not form.validate_on_submit():
        return _page(ticket, report_form=form), 422
    try:
        with transaction():
            done = service.report(
                intervention_id,
                _me(),
                form.report.data or "",
                corrected_minutes=form.corrected.data,
                correction_reason=form.why.data or "",
                seen=form.version(),
                now=clock.now(),
            )
            billed = done.billed_minutes or 0
    except InsufficientCredit as refused:
        _add_error(form.corrected, _beyond(refused))
        return _page(_ticket(reference), report_form=form), 409
    flash(f"Compte rendu envoyé. Décompté : {minutes_fr(billed)}.", "success")
    return _back(reference)


def _beyond(refused: InsufficientCredit) -> str:
    """What to do when the work went beyond the hours that are left (K-05)."""
    needed, available = (int(str(refused.details[name])) for name in ("needed", "available"))
    return (
        f"Ce temps décompte {minutes_fr(needed)} et le client n’en a que {minutes_fr(available)}. "
        "Demandez-lui de compléter ses heures, puis renvoyez ce compte rendu ; ou corrigez le "
        "temps et dites pourquoi. Rien n’a été décompté."
    )


@bp.post("/<reference>/interventions/<uuid:intervention_id>/annuler")
@desk
def cancel(reference: str, intervention_id: uuid.UUID) -> Answer:
    """Cancel an appointment, with a reason; the time goes back to the client."""
    ticket, _ = _intervention(reference, intervention_id)
    form = forms.ReasonForm()
    if not form.validate_on_submit():
        return _page(ticket, cancel_form=form), 422
    with transaction():
        service.cancel(
            intervention_id, _me(), form.reason.data or "", seen=form.version(), now=clock.now()
        )
    flash("Rendez-vous annulé. Le client est prévenu, son temps lui est rendu.", "success")
    return _back(reference)


FORMS: dict[str, type[forms.SeenForm]] = {
    "act_form": forms.SeenForm,
    "reply_form": forms.MessageForm,
    "note_form": forms.NoteForm,
    "proposal_form": forms.ProposalForm,
    "refusal_form": forms.RefusalForm,
    "report_form": forms.ReportForm,
    "cancel_form": forms.ReasonForm,
}


def _page(ticket: Ticket, **given: forms.SeenForm) -> str:
    """The ticket's page; `given` is the form that comes back with errors."""
    now = clock.now()
    today = paris_date(now)
    shown: dict[str, Any] = {**given}
    for name in FORMS.keys() - given.keys():
        shown[name] = _fresh(name, ticket)
    line = queries.queue_line(ticket, now)
    return render_template(
        "staff/support/ticket.html",
        ticket=ticket,
        line=line,
        lots=credits.lots_of(ticket.user_id, today),
        earliest=queries.earliest_day(ticket.lot, today),
        terms=parameters_of(ticket.order.terms_version),
        agenda=queries.agenda(now, now + timedelta(days=AGENDA_DAYS)),
        worked=_worked(line.intervention, now),
        movements={one.id: credits.movements_of(one.id) for one in ticket.interventions},
        now=now,
        **shown,
    )


def _fresh(name: str, ticket: Ticket) -> forms.SeenForm:
    form = FORMS[name](formdata=None)
    form.renew(ticket.version)
    if isinstance(form, forms.ProposalForm):
        _with_technicians(form)
        form.technician.data = str(current_user.id)
    return form


def _with_technicians(form: forms.ProposalForm) -> forms.ProposalForm:
    form.technician.choices = [(str(one.id), one.name) for one in people.staff()]
    return form


def _worked(intervention: Intervention | None, now: datetime) -> int | None:
    """The minutes on the clock of the work under way."""
    begun = (InterventionStatus.RUNNING, InterventionStatus.STOPPED)
    if intervention is None or intervention.status not in begun:
        return None
    spans = [(span.started_at, span.stopped_at or now) for span in intervention.spans]
    return rules.worked_minutes(spans)


def _add_error(field: Any, message: str) -> None:
    field.errors = [*field.errors, message]


def _ticket(reference: str) -> Ticket:
    return found_or_404(queries.by_reference(reference))


def _intervention(reference: str, intervention_id: uuid.UUID) -> tuple[Ticket, Intervention]:
    ticket = _ticket(reference)
    for intervention in ticket.interventions:
        if intervention.id == intervention_id:
            return ticket, intervention
    abort(404)


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _back(reference: str) -> Response:
    return redirect(url_for("support.show", reference=reference), 303)
