"""Downloads and courses, for their owner only; each opening is logged."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, send_from_directory
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.fulfilment import queries, service
from storefront.fulfilment.models import Access
from storefront.fulfilment.rules import AccessKind
from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import client_ip, owned_or_404, user_agent

bp = Blueprint("fulfilment", __name__)


def _use(code: str, kind: AccessKind) -> Access:
    with transaction():
        access = owned_or_404(queries.by_code(code), current_user.id)
        owned_or_404(access if access.kind is kind else None, current_user.id)
        service.use_access(access, ip=client_ip(), user_agent=user_agent(), now=clock.now())
    return access


@bp.get("/telechargements/<code>")
@signed_in
def download(code: str) -> Response:
    """The file, as an attachment."""
    access = _use(code, AccessKind.DOWNLOAD)
    folder = current_app.config["SETTINGS"].files_folder
    response: Response = send_from_directory(folder, access.item, as_attachment=True)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/cours/<code>")
@signed_in
def course(code: str) -> str:
    """The lesson, on a page of its own."""
    access = _use(code, AccessKind.COURSE)
    folder = current_app.config["SETTINGS"].files_folder
    text = (folder / access.item).read_text(encoding="utf-8")
    return render_template("fulfilment/course.html", access=access, text=text)
