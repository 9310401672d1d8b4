"""One click for staff: everything that proves an order (X-01)."""

from __future__ import annotations

from tempfile import TemporaryFile

from flask import Blueprint, Response, send_file

from storefront.evidence import jobs
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.web import found_or_404

bp = Blueprint("evidence", __name__)


@bp.post("/gestion/commandes/<reference>/preuves")
@staff_required(Role.SHOPKEEPER)
def export(reference: str) -> Response:
    """The evidence file; who took it, and its manifest's hash, stand in the journal."""
    file = TemporaryFile()  # noqa: SIM115 - closed by the response, once it was sent
    made = found_or_404(jobs.export(reference, file, clock.now()))
    file.seek(0)
    response = send_file(
        file, mimetype="application/zip", as_attachment=True, download_name=made.filename
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
