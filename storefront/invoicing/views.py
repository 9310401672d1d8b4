"""Invoice downloads: the stored bytes, for the owner, a guest with the order's token, or staff."""

from __future__ import annotations

from flask import Blueprint, request
from flask_login import current_user
from werkzeug import Response

from storefront.documents import queries as documents
from storefront.identity.views import staff_required
from storefront.infra.web import found_or_404
from storefront.invoicing import queries
from storefront.invoicing.models import CreditNote, Invoice

bp = Blueprint("invoicing", __name__)


@bp.get("/compte/factures/<number>.pdf")
def invoice_pdf(number: str) -> Response:
    """An invoice or a credit note as it was issued (V-01); somebody else's does not exist."""
    if current_user.is_authenticated and current_user.is_staff:
        answer: Response = _for_staff(number)
        return answer
    user_id = current_user.id if current_user.is_authenticated else None
    token = request.args.get("jeton")
    found = queries.visible(number, user_id=user_id, token=token)
    if found is not None:
        return _download(found)
    note = queries.visible_credit_note(number, user_id=user_id, token=token)
    return _download(found_or_404(note))


@staff_required()
def _for_staff(number: str) -> Response:
    found = queries.by_number(number)
    if found is not None:
        return _download(found)
    return _download(found_or_404(queries.credit_note_by_number(number)))


def _download(invoice: Invoice | CreditNote) -> Response:
    stored = (
        queries.pdf_of(invoice)
        if isinstance(invoice, Invoice)
        else queries.pdf_of_credit_note(invoice)
    )
    if stored is None:
        raise queries.InvoiceNotReady(number=invoice.number)
    response = Response(documents.with_content(stored.id).content, mimetype=stored.media_type)
    response.headers.set("Content-Disposition", "inline", filename=stored.filename)
    response.headers["Cache-Control"] = "private, no-store"
    return response
