"""Orders for staff: found, seen whole, shipped, refused, exported."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.documents import queries as documents
from storefront.evidence import queries as evidence
from storefront.fulfilment import queries as fulfilment
from storefront.fulfilment import service as parcels
from storefront.fulfilment.models import Shipment
from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import db, transaction
from storefront.infra.spreadsheet import download
from storefront.infra.web import found_or_404
from storefront.instalments import queries as instalments
from storefront.invoicing import queries as invoices
from storefront.kernel.errors import WrongMove
from storefront.legal import queries as legal
from storefront.notifications import queries as notifications
from storefront.orders import queries
from storefront.orders.models import Order
from storefront.payments import jobs as payment_jobs
from storefront.payments import queries as payments
from storefront.payments.models import RefundStatus
from storefront.refunds import queries as refund_queries
from storefront.refunds import service as refunds
from storefront.staff.journal.service import readable_facts
from storefront.staff.orders.forms import RefuseForm, SearchForm, ShipForm
from storefront.staff.orders.service import orders_csv

bp = Blueprint("staff_orders", __name__, url_prefix="/gestion/commandes")

PAGE = 50
EXPORTED_AT_MOST = 20_000


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def order_list() -> str:
    """Orders, the last one first, by status and words."""
    form = SearchForm(request.args)
    before = request.args.get("avant", "")
    found = queries.search(text=form.text("q"), status=form.status, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    return render_template(
        "staff/orders/list.html",
        form=form,
        orders=shown,
        paid=instalments.paid_of_orders(order.id for order in shown),
        before=before,
        after=shown[-1].reference if len(found) > PAGE else None,
    )


@bp.get("/export.csv")
@staff_required(Role.SHOPKEEPER)
def export() -> Response:
    """The same list as a file for a spreadsheet; who took it stands in the journal."""
    form = SearchForm(request.args)
    found = queries.search(text=form.text("q"), status=form.status, limit=EXPORTED_AT_MOST)
    content = orders_csv(found, instalments.paid_of_orders(order.id for order in found))
    with transaction():
        journal.record("orders.exported", current_user, {"count": len(found)}, now=clock.now())
    return download(content, "commandes.csv")


@bp.get("/<reference>")
@staff_required(Role.SHOPKEEPER)
def order(reference: str) -> str:
    """Everything that is known of one order."""
    return _page(_order(reference))


def _order(reference: str) -> Order:
    return found_or_404(queries.by_reference(reference))


def _page(found: Order, **forms: Any) -> str:
    attempts = payments.of_order(found.id)
    parts = instalments.of_order(found.id)
    messages = notifications.of_order(found.id)
    shipments = fulfilment.shipments_of(found.id)
    issued = invoices.of_order(found.id)
    accesses = fulfilment.of_order(found.id)
    suspensions = fulfilment.suspensions_of(found.id)
    given, contested = payments.refunds_of_order(found.id), payments.disputes_of_order(found.id)
    corrections = invoices.credit_notes_of_order(found.id)
    parts_of_it = (
        *(found.lines, attempts, parts, messages, shipments, issued, accesses, suspensions),
        *(given, contested, corrections, payments.arrivals_of_order(found.id)),
    )
    subjects = [found.id, *(row.id for rows in parts_of_it for row in rows)]
    entries = journal.about(subjects)
    return render_template(
        "staff/orders/order.html",
        order=found,
        payments=attempts,
        instalments=parts,
        paid=instalments.paid_of_orders([found.id]).get(found.id, 0),
        acceptances=legal.acceptances_of(found.id),
        emails=messages,
        invoices=issued,
        credit_notes=corrections,
        refunds=given,
        retried={refund.request_id for refund in given},
        returned={refund.id for refund in given if refund.status is RefundStatus.RETURNED},
        disputes=contested,
        givable=refund_queries.givable(found).total,
        accesses=accesses,
        suspensions=suspensions,
        shipments={shipment.order_line_id: shipment for shipment in shipments},
        evidence=evidence.made_of(found.id),
        entries=entries,
        facts=readable_facts(entries),
        actors=people.names_of_actors(entry.actor for entry in entries),
        ship_form=forms.get("ship_form") or ShipForm(formdata=None),
        refuse_form=forms.get("refuse_form") or RefuseForm(formdata=None),
    )


@bp.get("/<reference>/factures/<number>.pdf")
@staff_required(Role.SHOPKEEPER)
def invoice_pdf(reference: str, number: str) -> Response:
    """An invoice or a credit note as its customer received it."""
    found, stored = _order(reference), None
    if (invoice := invoices.by_number(number)) and invoice.order_id == found.id:
        stored = invoices.pdf_of(invoice)
    if (note := invoices.credit_note_by_number(number)) and note.order_id == found.id:
        stored = invoices.pdf_of_credit_note(note)
    document = documents.with_content(found_or_404(stored).id)
    response = Response(document.content, content_type=document.media_type)
    response.headers.set("Content-Disposition", "inline", filename=document.filename)
    return response


def _shipment(found: Order, shipment_id: uuid.UUID) -> Shipment:
    shipment = found_or_404(db.session.get(Shipment, shipment_id))
    return found_or_404(shipment if shipment.order_line.order_id == found.id else None)


@bp.post("/<reference>/colis/<uuid:shipment_id>/expedier")
@staff_required(Role.SHOPKEEPER)
def ship(reference: str, shipment_id: uuid.UUID) -> BaseResponse | tuple[str, int]:
    """A parcel left."""
    form, found = ShipForm(), _order(reference)
    if not form.validate_on_submit():
        return _page(found, ship_form=form), 422
    with transaction():
        parcels.ship(_shipment(found, shipment_id), form.text("tracking"), now=clock.now())
    flash("Le colis est noté comme expédié.", "success")
    return redirect(f"/gestion/commandes/{reference}", 303)


@bp.post("/<reference>/colis/<uuid:shipment_id>/livrer")
@staff_required(Role.SHOPKEEPER)
def deliver(reference: str, shipment_id: uuid.UUID) -> BaseResponse:
    """A parcel arrived: a consumer's withdrawal period starts."""
    found = _order(reference)
    with transaction():
        parcels.deliver(_shipment(found, shipment_id), now=clock.now())
    flash("La livraison est notée ; le délai de rétractation court depuis aujourd’hui.", "success")
    return redirect(f"/gestion/commandes/{reference}", 303)


@bp.post("/<reference>/refuser")
@staff_required(Role.SHOPKEEPER)
def refuse(reference: str) -> BaseResponse | tuple[str, int]:
    """Refuse an order, paid or not, with the reason that its customer reads (R-07)."""
    form, found, now = RefuseForm(), _order(reference), clock.now()
    order_id = found.id
    if not form.validate_on_submit():
        return _page(found, refuse_form=form), 422
    try:
        with transaction():
            made = refunds.refuse_order(
                order_id, form.text("reason"), asked_by=current_user.id, now=now
            )
            refund_ids = [refund.id for refund in made]
    except WrongMove:
        form.reason.errors = ["Cette commande est déjà terminée : elle reste comme elle est."]
        return _page(_order(reference), refuse_form=form), 409
    payment_jobs.send_at_once(refund_ids, now)
    flash("La commande est refusée, rien ne reste réservé, le client est prévenu.", "success")
    if refund_ids:
        flash("Tout ce qui a été payé est rendu : suivez-le dans les remboursements.", "info")
    return redirect(f"/gestion/commandes/{reference}", 303)
