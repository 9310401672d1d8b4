"""The local mailbox: what was said to whom, and whether it left."""

from __future__ import annotations

import uuid

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as BaseResponse

from storefront.documents import queries as documents
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import found_or_404
from storefront.kernel.errors import WrongMove
from storefront.notifications import queries, service
from storefront.notifications.models import Email
from storefront.staff.mail.forms import SearchForm

bp = Blueprint("staff_mail", __name__, url_prefix="/gestion/courrier")

PAGE = 50
# A message is shut in: no script, no form, no network; our own page alone may frame it.
IN_FRAME = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; sandbox"
)
# Whoever reads such a message can take its account over.
SECRET_KINDS = frozenset({"choose_password"})


def _email(email_id: uuid.UUID) -> Email:
    return found_or_404(queries.get(email_id))


def _readable(email: Email) -> bool:
    """Whether staff may read it: a link that opens an account is its addressee's alone, except
    in the demo, whose mailbox is here."""
    demo = current_app.config["SETTINGS"].env == "demo"
    return demo or email.kind not in SECRET_KINDS


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def message_list() -> str:
    """Messages, the last one first, by state and words."""
    form = SearchForm(request.args)
    before = request.args.get("avant", type=uuid.UUID)
    found = queries.search(text=form.text("q"), status=form.status, before=before, limit=PAGE + 1)
    return render_template(
        "staff/mail/list.html",
        form=form,
        emails=found[:PAGE],
        before=before,
        after=found[PAGE - 1].id if len(found) > PAGE else None,
    )


@bp.get("/<uuid:email_id>")
@staff_required(Role.SHOPKEEPER)
def message(email_id: uuid.UUID) -> Response:
    """One message as its addressee reads it, with its attachments."""
    email = _email(email_id)
    page = render_template("staff/mail/message.html", email=email, readable=_readable(email))
    response = make_response(page)
    policy = current_app.extensions["csp"]
    response.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return response


@bp.get("/<uuid:email_id>/contenu")
@staff_required(Role.SHOPKEEPER)
def body(email_id: uuid.UUID) -> Response:
    """The HTML of a message, shut in: only our own page may frame it."""
    email = _email(email_id)
    if not _readable(email):
        abort(404)
    response = make_response(email.html)
    response.headers["Content-Security-Policy"] = IN_FRAME
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@bp.get("/<uuid:email_id>.eml")
@staff_required(Role.SHOPKEEPER)
def source(email_id: uuid.UUID) -> Response:
    """The message exactly as it leaves, for a mail reader."""
    email = _email(email_id)
    if not _readable(email):
        abort(404)
    return Response(
        bytes(service.compose(email.id)),
        content_type="message/rfc822",
        headers={"Content-Disposition": f"attachment; filename={email.id}.eml"},
    )


@bp.get("/<uuid:email_id>/pieces/<int:position>")
@staff_required(Role.SHOPKEEPER)
def attachment(email_id: uuid.UUID, position: int) -> Response:
    """A document that was sent with a message."""
    found = {part.position: part.document_id for part in _email(email_id).attachments}
    document = documents.with_content(found_or_404(found.get(position)))
    response = Response(document.content, content_type=document.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=document.filename)
    return response


@bp.post("/<uuid:email_id>/renvoyer")
@staff_required(Role.SHOPKEEPER)
def send_again(email_id: uuid.UUID) -> BaseResponse:
    """Try a message that was given up from the start."""
    try:
        with transaction():
            service.send_again(_email(email_id), now=clock.now())
    except WrongMove:
        flash("Ce message n’est pas en échec : il est parti ou va partir.", "info")
    else:
        flash("Le message repart dans la file d’envoi.", "success")
    return redirect(f"/gestion/courrier/{email_id}", 303)
