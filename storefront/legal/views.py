"""Terms and legal pages: the version in force, every older one, and their PDFs (R-02)."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug import Response

from storefront.documents import queries as documents
from storefront.infra import clock
from storefront.infra.web import found_or_404
from storefront.legal import queries, rules
from storefront.legal.forms import LABELS
from storefront.legal.models import TermsVersion

bp = Blueprint("legal", __name__)

UNCHANGING = "public, max-age=31536000, immutable"


def current(document: str) -> str:
    """The version in force; 404 before the first one."""
    return _page(queries.in_force(document, clock.now()))


def version(document: str, number: int) -> str:
    """One version, at the address that it keeps for ever."""
    return _page(found_or_404(queries.find(document, number)))


def pdf(document: str, number: int) -> Response:
    """The very file that was sent to those who accepted this version."""
    found = found_or_404(queries.find(document, number))
    stored = documents.with_content(found.pdf_id)
    response = Response(stored.content, mimetype=stored.media_type)
    response.headers.set("Content-Disposition", "inline", filename=stored.filename)
    response.headers["Cache-Control"] = UNCHANGING
    response.set_etag(stored.sha256)
    return response.make_conditional(request)


def changes(document: str, number: int) -> str:
    """What a version changed of the one before it, for who accepted that one."""
    found = queries.with_text(document, number - 1, number)
    if len(found) < 2:
        abort(404)
    before, after = found
    return render_template(
        "legal/changes.html",
        before=before,
        after=after,
        changed=queries.changes_between(before, after),
    )


@bp.app_template_filter("parameter_fr")
def parameter_fr(name: str) -> str:
    """A parameter of the terms by its French name."""
    return LABELS.get(name, name)


@bp.app_template_filter("figure_fr")
def figure_fr(value: Any, name: str) -> str:
    """Its value with its unit, as the text says it."""
    return "aucun" if value is None else rules.show_value(name, value)


def _page(shown: TermsVersion) -> str:
    versions = queries.versions(shown.document)
    return render_template(
        "legal/version.html",
        version=shown,
        contents=json.loads(shown.contents),
        versions=versions,
        latest=versions[0],
    )


def _serve(path: str, defaults: dict[str, str] | None) -> None:
    bp.add_url_rule(path, "current", current, defaults=defaults or {})
    one = f"{path}/<int(max=999999):number>"
    bp.add_url_rule(one, "version", version, defaults=defaults or {})
    bp.add_url_rule(f"{one}/changements", "changes", changes, defaults=defaults or {})
    bp.add_url_rule(f"{one}.pdf", "pdf", pdf, defaults=defaults or {})


# A document with an address of its own is redirected to it from that of particular terms.
for _document, _facts in rules.KNOWN.items():
    if not _facts.path.startswith(rules.PARTICULAR_TERMS):
        _serve(_facts.path, {"document": _document})
_serve(f"{rules.PARTICULAR_TERMS}/<document>", None)
