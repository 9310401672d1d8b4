"""What the customer's plans allow, for views, templates and other programs (C-08)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, g, jsonify
from flask_login import current_user

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, service
from storefront.subscriptions.queries import NOTHING, Granted

bp = Blueprint("rights", __name__)

View = TypeVar("View", bound=Callable[..., Any])


def granted() -> Granted:
    """What the plans of whoever asks allow now, read once a request; nothing to a visitor."""
    if not current_user.is_authenticated:
        return NOTHING
    known = g.get("rights")
    if known is None or known[0] != current_user.id:
        found = queries.granted(current_user.id, clock.now())
        g.rights = known = (current_user.id, found)
    return cast(Granted, known[1])


@bp.app_template_global()
def may(entitlement: str) -> bool:
    """Whether the signed-in customer may use this now: `{% if may("messaging") %}`."""
    return entitlement in granted().entitlements


@bp.app_template_global()
def limit(name: str) -> int | None:
    """How many the signed-in customer may have: 0 without a plan, none without limit."""
    return granted().limits.get(name, 0)


def entitled(entitlement: str) -> Callable[[View], View]:
    """Only for somebody whose plan has this; others are told which plan does.

    The first use is kept: it ends what the terms give a professional who changes their mind.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @signed_in
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if entitlement not in granted().entitlements:
                raise queries.not_entitled(entitlement, clock.now())
            if never_used := granted().unused.get(entitlement):
                with transaction():
                    service.note_use(never_used, now=clock.now())
                g.pop("rights")
            return view(*args, **kwargs)

        return cast(View, guarded)

    return decorate


@bp.get("/api/droits")
def rights() -> Response:
    """The same for other programs, in the customer's own session."""
    if not current_user.is_authenticated:
        answer = jsonify(error="not_signed_in")
        answer.status_code = 401
    else:
        today = paris_date(clock.now())
        answer = jsonify(day=today.isoformat(), **granted().as_json())
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
