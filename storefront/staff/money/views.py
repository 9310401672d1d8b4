"""The money queue, refunds of an order, and the account of each customer."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.identity.models import Role, User
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import db, transaction
from storefront.infra.forms import UNREADABLE, minor_of
from storefront.infra.spreadsheet import download
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import WrongMove
from storefront.orders import queries as orders
from storefront.orders.models import Order
from storefront.payments import jobs as payment_jobs
from storefront.payments import service as payments
from storefront.payments.models import Refund, RefundReason, RefundStatus
from storefront.payments.service import RefundTooHigh
from storefront.refunds import queries, rules, service
from storefront.refunds.queries import Matter
from storefront.refunds.service import Decision
from storefront.staff.money.forms import (
    AMOUNT,
    LINES,
    WHOLE,
    LineAmounts,
    RefundForm,
    TransferForm,
)
from storefront.staff.money.service import ledger_csv, queue_csv

bp = Blueprint("staff_money", __name__, url_prefix="/gestion")

PAGE = 50
EXPORTED_AT_MOST = 20_000


def _matter() -> Matter | None:
    try:
        return Matter(request.args.get("nature", ""))
    except ValueError:
        return None


@bp.get("/argent")
@staff_required(Role.SHOPKEEPER)
def queue() -> str:
    """What waits for somebody, the oldest first, by kind."""
    after = request.args.get("apres", "")
    found = queries.money_queue(clock.now(), matter=_matter(), after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return render_template(
        "staff/money/queue.html",
        items=shown,
        matter=_matter(),
        matters=list(Matter),
        first=not after,
        following=queries.mark(shown[-1]) if len(found) > PAGE else None,
        today=paris_date(clock.now()),
    )


@bp.get("/argent/export.csv")
@staff_required(Role.SHOPKEEPER)
def export() -> Response:
    """The same as a file for a spreadsheet; who took it stands in the journal."""
    found = queries.money_queue(clock.now(), matter=_matter(), limit=EXPORTED_AT_MOST)
    return _file(queue_csv(found), "argent.csv", len(found))


def _file(content: str, name: str, count: int) -> Response:
    with transaction():
        facts = {"file": name, "count": count}
        journal.record("money.exported", current_user, facts, now=clock.now())
    return download(content, name)


@bp.get("/argent/clients/<uuid:user_id>")
@staff_required(Role.SHOPKEEPER)
def ledger(user_id: uuid.UUID) -> str:
    """Every movement of a customer's account, with the balance after each."""
    user = found_or_404(db.session.get(User, user_id))
    return render_template("staff/money/ledger.html", user=user, entries=queries.ledger(user.id))


@bp.get("/argent/clients/<uuid:user_id>/export.csv")
@staff_required(Role.SHOPKEEPER)
def ledger_export(user_id: uuid.UUID) -> Response:
    """The same as a file."""
    entries = queries.ledger(found_or_404(db.session.get(User, user_id)).id)
    return _file(ledger_csv(entries), "compte-client.csv", len(entries))


# Refunds of an order


def _order(reference: str) -> Order:
    return found_or_404(orders.by_reference(reference))


def _address(reference: str) -> str:
    return f"/gestion/commandes/{reference}"


@bp.get("/commandes/<reference>/remboursement")
@staff_required(Role.SHOPKEEPER)
def refund_form(reference: str) -> str:
    """What can go back, before anything is decided."""
    found = _order(reference)
    form = RefundForm(formdata=None)
    form.demande.data = str(uuid.uuid4())
    form.due_on.data = rules.due_on(paris_date(clock.now()))
    return _refund_page(found, form, LineAmounts({}, _positions(found)))


def _positions(order: Order) -> dict[int, uuid.UUID]:
    return {line.position: line.id for line in order.lines if line.gross_minor > 0}


def _refund_page(found: Order, form: RefundForm, amounts: LineAmounts) -> str:
    return render_template(
        "staff/money/refund.html",
        order=found,
        form=form,
        amounts=amounts,
        givable=queries.givable(found),
    )


@bp.post("/commandes/<reference>/remboursement")
@staff_required(Role.SHOPKEEPER)
def refund(reference: str) -> str | BaseResponse | tuple[str, int]:
    """Show what would go back; then, confirmed, give it back. A second click changes nothing."""
    found, form, now = _order(reference), RefundForm(), clock.now()
    amounts = LineAmounts(request.form, _positions(found))
    done = service.refunds_of_request(found.id, form.request_id)
    if done:
        flash("Ce remboursement est déjà demandé : le voici.", "info")
        return redirect(f"{_address(reference)}#remboursements", 303)
    decision = _decision(found, form, amounts) if form.validate_on_submit() else None
    if decision is None or request.form.get("etape") == "modifier":
        status = 200 if decision else 422
        return _refund_page(found, form, amounts), status
    if request.form.get("etape") != "confirmer":
        return render_template(
            "staff/money/check.html",
            order=found,
            form=form,
            amounts=amounts,
            decision=decision,
            lines={line.id: line for line in found.lines},
            payments=_taken_from(found, decision),
        )
    order_id = found.id
    try:
        with transaction():
            made = service.refund_order(order_id, decision, asked_by=current_user.id, now=now)
            refund_ids = [one.id for one in made]
    except RefundTooHigh:
        form.scope.errors = ["Il ne reste plus autant à rendre : quelqu’un vient d’en rendre."]
        return _refund_page(_order(reference), form, amounts), 409
    payment_jobs.send_at_once(refund_ids, now)
    _tell(refund_ids)
    return redirect(f"{_address(reference)}#remboursements", 303)


def _taken_from(order: Order, decision: Decision) -> list[tuple[Any, int]]:
    held = queries.holding(order.id)
    left = [(payment.id, payment.refundable.minor) for payment in held]
    by_id = {payment.id: payment for payment in held}
    taken = rules.spread(decision.amount_minor, left)
    return [(by_id[payment_id], minor) for payment_id, minor in taken]


def _decision(order: Order, form: RefundForm, amounts: LineAmounts) -> Decision | None:
    """What the form asks for; None with its errors in place when it cannot be."""
    left = queries.givable(order)
    parts: list[tuple[uuid.UUID, int]] = []
    scope = form.text("scope")
    if scope == WHOLE:
        minor = left.total.minor
        if not minor:
            form.scope.errors = ["Il ne reste rien à rendre sur cette commande."]
    elif scope == LINES:
        parts = amounts.read(left.lines, order.currency)
        minor = sum(amount for _, amount in parts)
        if not minor or amounts.errors:
            form.scope.errors = ["Écrivez ce qui est rendu sur au moins un article."]
            if amounts.errors:
                form.scope.errors = ["Un montant est à corriger dans les articles."]
        elif minor > left.total.minor:
            form.scope.errors = ["C’est plus que ce qui a été payé et n’est pas encore rendu."]
    else:
        minor = minor_of(form.text("amount"), order.currency) or 0
        if minor <= 0:
            form.amount.errors = [UNREADABLE]
        elif minor > left.total.minor:
            form.amount.errors = ["C’est plus que ce qui a été payé et n’est pas encore rendu."]
    if scope not in (WHOLE, LINES, AMOUNT) or form.errors:
        return None
    return Decision(
        amount_minor=minor,
        reason=RefundReason(form.text("reason")),
        request_id=form.request_id,
        due_on=form.due_on.data,
        words=form.text("words"),
        parts=tuple(parts),
    )


def _tell(refund_ids: list[uuid.UUID]) -> None:
    """What became of it, in one sentence."""
    states = {db.session.get_one(Refund, refund_id).status for refund_id in refund_ids}
    if states == {RefundStatus.SUCCEEDED}:
        flash("C’est remboursé. Le client reçoit un message et l’avoir.", "success")
    elif RefundStatus.REFUSED in states:
        flash("Le prestataire refuse ce remboursement : voyez ci-dessous que faire.", "refusal")
    else:
        flash("Le remboursement est demandé ; la suite s’affiche ici d’elle-même.", "info")


def _refund(reference: str, refund_id: uuid.UUID) -> Refund:
    found = found_or_404(db.session.get(Refund, refund_id))
    return found_or_404(found if found.order_id == _order(reference).id else None)


@bp.post("/commandes/<reference>/remboursements/<uuid:refund_id>/accepter")
@staff_required(Role.SHOPKEEPER)
def approve(reference: str, refund_id: uuid.UUID) -> BaseResponse:
    """Give back money that was proposed for refund."""
    now = clock.now()
    with transaction():
        payments.approve(
            payments.locked_refund(_refund(reference, refund_id).id),
            asked_by=current_user.id,
            now=now,
        )
    payment_jobs.send_at_once([refund_id], now)
    _tell([refund_id])
    return redirect(f"{_address(reference)}#remboursements", 303)


@bp.post("/commandes/<reference>/remboursements/<uuid:refund_id>/ecarter")
@staff_required(Role.SHOPKEEPER)
def dismiss(reference: str, refund_id: uuid.UUID) -> BaseResponse:
    """Keep money that was proposed for refund: what it pays is settled otherwise."""
    try:
        with transaction():
            found = payments.locked_refund(_refund(reference, refund_id).id)
            payments.dismiss(found, now=clock.now())
        flash("La proposition est écartée : rien n’est rendu.", "success")
    except WrongMove:
        flash("Ce remboursement est déjà demandé : il ne s’écarte plus.", "refusal")
    return redirect(f"{_address(reference)}#remboursements", 303)


@bp.post("/commandes/<reference>/remboursements/<uuid:refund_id>/virement")
@staff_required(Role.SHOPKEEPER)
def record_transfer(reference: str, refund_id: uuid.UUID) -> BaseResponse:
    """Money was sent back by hand: when, and under which reference."""
    form, now = TransferForm(), clock.now()
    _refund(reference, refund_id)
    sent_on = form.sent_on.data
    late = sent_on is not None and sent_on > paris_date(now)
    if not form.validate_on_submit() or late:
        errors = [f"« {form.text('reference')[:60]} » : référence trop longue."]
        errors = errors if form.reference.errors else ["Écrivez la date d’un envoi déjà fait."]
        flash(errors[0], "refusal")
        return redirect(f"{_address(reference)}#remboursements", 303)
    try:
        with transaction():
            found = payments.locked_refund(refund_id)
            payments.record_transfer(found, form.text("reference"), sent_on=sent_on, now=now)
        flash("Le virement est noté. Le client reçoit un message et l’avoir.", "success")
    except WrongMove:
        flash("Ce remboursement ne se fait pas par virement.", "refusal")
    return redirect(f"{_address(reference)}#remboursements", 303)


@bp.post("/commandes/<reference>/remboursements/<uuid:refund_id>/autrement")
@staff_required(Role.SHOPKEEPER)
def by_transfer(reference: str, refund_id: uuid.UUID) -> BaseResponse:
    """The provider refused: give it back by transfer, once the customer agreed (L221-24)."""
    now = clock.now()
    try:
        with transaction():
            refused = payments.locked_refund(_refund(reference, refund_id).id)
            service.by_transfer(refused, asked_by=current_user.id, now=now)
        flash("Le virement est à faire : notez-le ici une fois parti.", "success")
    except RefundTooHigh:
        flash("Cette somme est déjà rendue ou en train de l’être.", "refusal")
    return redirect(f"{_address(reference)}#remboursements", 303)
