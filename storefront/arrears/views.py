"""The customer's statement of what is due, as a page and as a PDF (V-03)."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask_login import current_user

from storefront.arrears import queries, service
from storefront.documents.service import render_pdf
from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.kernel.calendar import paris_date

bp = Blueprint("arrears", __name__, url_prefix="/compte/echeances")


@bp.after_request
def _not_kept(response: Response) -> Response:
    """What one person sees stays out of every cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@bp.get("/releve")
@signed_in
def statement() -> str:
    """What is due today: principal, interest by half-year, fee, total; and what follows."""
    today = paris_date(clock.now())
    return render_template(
        "arrears/statement.html", statement=queries.statement(current_user.id, today)
    )


@bp.get("/releve.pdf")
@signed_in
def statement_pdf() -> Response:
    """The same, to keep or to give to an accountant."""
    now = clock.now()
    today = paris_date(now)
    due = queries.statement(current_user.id, today)
    content = render_pdf(
        "statement",
        service.page_of(due, current_user.name),
        title="Relevé de ce qui est dû",
        now=now,
    )
    response = Response(content, content_type="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=f"releve-{today}.pdf")
    return response
