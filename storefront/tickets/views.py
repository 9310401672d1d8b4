"""The client's support pages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.catalogue.models import Product
from storefront.credits import queries as credits
from storefront.credits.rules import InsufficientCredit, LotUnusable
from storefront.identity.models import User
from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.templating import minutes_fr
from storefront.infra.web import owned_or_404
from storefront.kernel.calendar import paris_date
from storefront.legal.queries import parameters_of
from storefront.tickets import forms, queries, service
from storefront.tickets.models import Intervention, Proposal, Ticket
from storefront.tickets.rules import OrderNotUsable, ProposalStatus

bp = Blueprint("tickets", __name__, url_prefix="/assistance")

Answer = str | Response | tuple[str, int]


@bp.after_request
def _not_kept(response: Response) -> Response:
    """What one client sees is kept by no cache in between."""
    if current_user.is_authenticated:
        response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("")
def index() -> str:
    """How help works, and one's own tickets."""
    if not current_user.is_authenticated:
        return render_template("tickets/welcome.html", packs=queries.packs_on_sale())
    today = paris_date(clock.now())
    return render_template(
        "tickets/index.html",
        tickets=queries.of_user(current_user.id),
        lots=credits.available_lots(current_user.id, today),
    )


@bp.route("/nouveau", methods=["GET", "POST"])
@signed_in
def new() -> Answer:
    """Ask for help on hours in force; without any, the way to buy some (I-01)."""
    now = clock.now()
    lots = credits.available_lots(current_user.id, paris_date(now))
    form = _new_form(lots)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return _open(form, now)
            except OrderNotUsable as refused:
                form.lot.errors = [*form.lot.errors, _why_not(str(refused.details["reason"]))]
    if not lots and not form.errors:
        return render_template("tickets/no_hours.html", packs=queries.packs_on_sale())
    earliest = queries.earliest_days((view.lot for view in lots), paris_date(now))
    page = render_template("tickets/new.html", form=form, lots=lots, earliest=earliest)
    return page, status


def _new_form(lots: list[credits.LotView]) -> forms.NewTicketForm:
    form = forms.NewTicketForm()
    form.lot.choices = [(str(view.lot.id), view.lot.name) for view in lots]
    if not form.is_submitted():
        form.renew()
        form.lot.data = str(lots[0].lot.id) if lots else None
    return form


def _open(form: forms.NewTicketForm, now: datetime) -> Response:
    try:
        lot_id = uuid.UUID(form.lot.data)
    except ValueError:
        raise OrderNotUsable(reason="foreign") from None
    with transaction():
        ticket = service.open_ticket(
            form.key(), _me(), lot_id, form.subject.data or "", form.description.data or "", now=now
        )
        reference = ticket.reference
    flash("Votre demande est ouverte. Un courriel vous le confirme.", "success")
    return redirect(url_for("tickets.show", reference=reference), 303)


def _why_not(reason: str) -> str:
    """Why no ticket can be opened on these hours, in French."""
    sentences = {
        "expired": "Ce forfait a expiré : choisissez-en un autre, ou achetez du temps.",
        "empty": "Ce forfait n’a plus de temps libre : choisissez-en un autre, ou achetez-en.",
        "suspended": "Ce forfait est suspendu jusqu’au règlement de ce qui est dû : voyez vos "
        "échéances, ou choisissez-en un autre.",
        "ended": "La commande de ce forfait a pris fin : choisissez-en un autre.",
    }
    return sentences.get(reason, "Ce forfait n’est pas sur votre compte : choisissez le vôtre.")


@bp.get("/<reference>")
@signed_in
def show(reference: str) -> str:
    """One ticket: where it stands, what is asked of the client, everything that happened."""
    return _page(_mine(reference))


@bp.post("/<reference>/messages")
@signed_in
def write(reference: str) -> Answer:
    """Write to the technician."""
    ticket = _mine(reference)
    form = forms.MessageForm()
    if not form.validate_on_submit():
        return _page(ticket, message_form=form), 422
    with transaction():
        service.reply(form.key(), ticket.id, _me(), form.body.data or "", now=clock.now())
    flash("Votre message est envoyé.", "success")
    return _back(reference)


@bp.post("/<reference>/propositions/<uuid:proposal_id>/accepter")
@signed_in
def accept(reference: str, proposal_id: uuid.UUID) -> Answer:
    """Agree on the proposed time: hours and technician are taken together, or neither."""
    ticket, proposal = _proposal(reference, proposal_id)
    form = forms.AcceptForm()
    open_still = proposal.status is ProposalStatus.PROPOSED
    if not form.validate_on_submit() and open_still:
        return _page(ticket, accept_form=form), 422
    try:
        with transaction():
            service.accept(proposal_id, _me(), form.declared(), now=clock.now())
    except InsufficientCredit as refused:
        missing = int(str(refused.details["needed"])) - int(str(refused.details["available"]))
        flash(
            f"Il manque {minutes_fr(missing)} pour ce rendez-vous : rien n’est réservé.", "refusal"
        )
        return _back(reference)
    except LotUnusable:
        flash("Votre forfait n’est plus utilisable : rien n’est réservé.", "refusal")
        return _back(reference)
    flash("Rendez-vous confirmé. Le fichier d’agenda arrive par courriel.", "success")
    return _back(reference)


@bp.post("/<reference>/propositions/<uuid:proposal_id>/refuser")
@signed_in
def refuse(reference: str, proposal_id: uuid.UUID) -> Answer:
    """Say no to the proposal."""
    ticket, _ = _proposal(reference, proposal_id)
    form = forms.RefusalForm()
    if not form.validate_on_submit():
        return _page(ticket, refusal_form=form), 422
    with transaction():
        service.refuse_proposal(proposal_id, _me(), form.answer.data or "", now=clock.now())
    flash("Votre refus est transmis. Rien n’est réservé sur votre compteur.", "success")
    return _back(reference)


@bp.post("/<reference>/propositions/<uuid:proposal_id>/autre-moment")
@signed_in
def other_time(reference: str, proposal_id: uuid.UUID) -> Answer:
    """Ask for another time."""
    ticket, _ = _proposal(reference, proposal_id)
    form = forms.OtherTimeForm()
    if not form.validate_on_submit():
        return _page(ticket, other_time_form=form), 422
    with transaction():
        service.ask_other_time(proposal_id, _me(), form.wish.data or "", now=clock.now())
    flash("Votre souhait est transmis. Nous vous proposons un autre moment.", "success")
    return _back(reference)


@bp.post("/<reference>/interventions/<uuid:intervention_id>/<act>")
@signed_in
def act(reference: str, intervention_id: uuid.UUID, act: str) -> Response:
    """Cancel an appointment, interrupt the work, or agree with the report (I-05)."""
    ticket = _mine(reference)
    if intervention_id not in {one.id for one in ticket.interventions}:
        abort(404)
    now = clock.now()
    with transaction():
        if act == "annuler":
            service.cancel(intervention_id, _me(), "", now=now)
            said = "Rendez-vous annulé. Votre relevé d’heures est à jour."
        elif act == "interrompre":
            service.stop(intervention_id, _me(), now=now)
            said = "L’intervention est interrompue. Le technicien en est informé."
        elif act == "confirmer":
            service.confirm_report(intervention_id, _me(), now=now)
            said = "Compte rendu confirmé. Merci."
        else:
            abort(404)
    flash(said, "success")
    return _back(reference)


@bp.post("/<reference>/cloturer")
@signed_in
def close(reference: str) -> Response:
    """Nothing more is needed."""
    ticket = _mine(reference)
    with transaction():
        service.close(ticket.id, _me(), seen=None, now=clock.now())
    flash("Votre demande est close. Un message suffit pour la rouvrir.", "success")
    return _back(reference)


def _page(ticket: Ticket, **given: Any) -> str:
    """The ticket's page; `given` are forms that come back with errors."""
    now = clock.now()
    today = paris_date(now)
    proposal = next(
        (one for one in ticket.proposals if one.status is ProposalStatus.PROPOSED), None
    )
    context: dict[str, Any] = {
        "ticket": ticket,
        "proposal": proposal,
        "line": queries.queue_line(ticket, now),
        "lot": credits.view_of(ticket.lot, today),
        "earliest": queries.earliest_day(ticket.lot, today),
        "terms": parameters_of(ticket.order.terms_version),
        "reported": _reported(ticket),
        "now": now,
    }
    if proposal is not None:
        context |= _choices(ticket, proposal, now)
    message_form = given.pop("message_form", None) or forms.MessageForm(formdata=None)
    if not message_form.errors:
        message_form.renew()
    return render_template("tickets/ticket.html", **context, message_form=message_form, **given)


def _choices(ticket: Ticket, proposal: Proposal, now: datetime) -> dict[str, Any]:
    """What the client needs to answer a proposal: the time it takes, and the time there is."""
    day = paris_date(proposal.starts_at)
    time = queries.time_needed(ticket, proposal.minutes, day, paris_date(now))
    pack: Product | None = queries.pack_for(time.missing) if time.missing else None
    return {
        "time": time,
        "pack": pack,
        "default_accept_form": forms.AcceptForm(formdata=None),
        "default_refusal_form": forms.RefusalForm(formdata=None),
        "default_other_time_form": forms.OtherTimeForm(formdata=None),
    }


def _reported(ticket: Ticket) -> list[tuple[Intervention, Any]]:
    """The interventions with a report, each with what it moved on the hours."""
    return [
        (one, credits.movements_of(one.id))
        for one in ticket.interventions
        if one.reported_at is not None
    ]


def _mine(reference: str) -> Ticket:
    return owned_or_404(queries.by_reference(reference), current_user.id)


def _proposal(reference: str, proposal_id: uuid.UUID) -> tuple[Ticket, Proposal]:
    ticket = _mine(reference)
    for proposal in ticket.proposals:
        if proposal.id == proposal_id:
            return ticket, proposal
    abort(404)


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _back(reference: str) -> Response:
    return redirect(url_for("tickets.show", reference=reference), 303)
