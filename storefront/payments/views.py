"""The webhooks, verified, stored, then looked up; and what pages show of paying by hand."""

from __future__ import annotations

import logging
from decimal import Decimal

import segno.helpers
from flask import Blueprint, abort, request
from sqlalchemy.exc import SQLAlchemyError

from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.seller import seller
from storefront.infra.web import csrf
from storefront.payments import jobs, service
from storefront.payments.models import Payment
from storefront.payments.providers.base import InvalidSignature, ProviderUnavailable
from storefront.payments.providers.offline import TRANSFER

log = logging.getLogger(__name__)

bp = Blueprint("payments", __name__)


@bp.app_template_filter("in_fours")
def in_fours(number: str) -> str:
    """An IBAN as people read and type it, in groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


@bp.app_template_global()
def transfer_code(payment: Payment) -> str | None:
    """The EPC code that a banking app reads: who, where, how much, and the reference to quote.

    None for a way or a currency that it does not know.
    """
    account = seller().offline.transfer
    if account is None or payment.provider != TRANSFER or payment.currency != "EUR":
        return None
    code = segno.helpers.make_epc_qr(
        name=account.holder[:70],
        iban=account.iban,
        bic=account.bic,
        amount=Decimal(payment.missing.major_string()),
        text=payment.page_reference,
    )
    image: str = code.svg_data_uri(scale=4, border=4, light="#ffffff")
    return image


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
