"""The webhooks: verified, stored, then looked up at the provider."""

from __future__ import annotations

import logging

from flask import Blueprint, abort, request
from sqlalchemy.exc import SQLAlchemyError

from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.web import csrf
from storefront.payments import jobs, service
from storefront.payments.providers.base import InvalidSignature, ProviderUnavailable

log = logging.getLogger(__name__)

bp = Blueprint("payments", __name__)
csrf.exempt(bp)  # a provider proves itself by its signature


@bp.post("/webhooks/<provider>")
def webhook(provider: str) -> tuple[str, int]:
    """200 once stored, whatever it is about; 400 when forged; 503 when it could not be checked."""
    known = jobs.providers().get(provider)
    if known is None:
        abort(404)
    now = clock.now()
    try:
        notice = known.read_webhook(dict(request.headers), request.get_data(), now)
    except InvalidSignature as error:
        log.warning("webhook refused for %s: %s", provider, error)
        return "bad signature", 400
    except ProviderUnavailable:
        return "try again", 503
    with transaction():
        receipt_id = service.store_notice(provider, notice, now=now)
    if receipt_id is not None:
        try:
            jobs.handle_notice(receipt_id, now)
        except SQLAlchemyError:
            # Stored: the worker handles it; the provider need not send it again.
            log.exception("webhook %s left to the worker", receipt_id)
            db.session.rollback()
    return "ok", 200
