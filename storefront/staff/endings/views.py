"""How subscriptions end and stand still, for staff (B-03, B-05, B-08)."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.templating import date_fr, datetime_fr
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.orders import queries as orders
from storefront.staff.endings.forms import (
    GROUND_NAMES,
    NOTICES,
    HolderEndForm,
    NoticeForm,
    PauseForm,
)
from storefront.subscriptions import queries, rules, service
from storefront.subscriptions.models import Subscription, Termination
from storefront.subscriptions.rules import Ground
from storefront.subscriptions.service import BadPauseDate, EndAnnounced

bp = Blueprint("staff_endings", __name__, url_prefix="/gestion/fins")

NOT_YET = "La demande ne peut pas être arrivée après aujourd’hui."


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def following() -> str:
    """What is about to end or stands still, what runs by product, and a way to any contract."""
    return _list(PauseForm(formdata=None))


def _list(form: PauseForm, product_id: uuid.UUID | None = None) -> str:
    reference = request.args.get("commande", "").strip()
    order = orders.by_reference(reference) if reference else None
    return render_template(
        "staff/endings/list.html",
        reference=reference,
        found=queries.of_order(order.id) if order else [],
        rows=[(one, queries.announced(one.id)) for one in queries.to_follow()],
        products=queries.running_products(),
        form=form,
        chosen=product_id,
        ground_names=GROUND_NAMES,
    )


def _subscription(subscription_id: uuid.UUID) -> Subscription:
    return found_or_404(db.session.get(Subscription, subscription_id))


@bp.get("/<uuid:subscription_id>")
@staff_required(Role.SHOPKEEPER)
def one(subscription_id: uuid.UUID) -> str:
    """One contract: what stands, what each end would do today, its past."""
    return _page(_subscription(subscription_id))


def _page(
    subscription: Subscription,
    *,
    end_form: HolderEndForm | None = None,
    notice_form: NoticeForm | None = None,
    pause_form: PauseForm | None = None,
) -> str:
    now = clock.now()
    notice = service.notice_of(subscription)
    history = queries.terminations_of(subscription.id)
    actors = {f"user:{known.notice.recorded_by}" for known in history if known.notice.recorded_by}
    return render_template(
        "staff/endings/one.html",
        subscription=subscription,
        order=subscription.order,
        ending=queries.ending_of(subscription, paris_date(now)),
        history=history,
        pauses=queries.pauses_of(subscription.id),
        names=people.names_of_actors(actors),
        effects={
            ground.value: rules.announced(ground, notice, now, subscription.committed_until)
            for ground in NOTICES
        },
        end_form=end_form or HolderEndForm(formdata=None),
        notice_form=notice_form or NoticeForm(formdata=None),
        pause_form=pause_form or PauseForm(formdata=None),
        ground_names=GROUND_NAMES,
    )


def _back(subscription_id: uuid.UUID, message: str) -> Response:
    flash(message, "success")
    return redirect(f"/gestion/fins/{subscription_id}", 303)


@bp.post("/<uuid:subscription_id>/demande")
@staff_required(Role.SHOPKEEPER)
def record_end(subscription_id: uuid.UUID) -> Response | tuple[str, int]:
    """Write down the end that a customer asked for by e-mail or by post (B-03)."""
    subscription, form, now = _subscription(subscription_id), HolderEndForm(), clock.now()
    if not form.validate_on_submit() or form.received_on.data is None:
        return _page(subscription, end_form=form), 422
    if form.received_on.data > paris_date(now):
        form.received_on.errors = [NOT_YET]
        return _page(subscription, end_form=form), 422
    with transaction():
        termination = service.end_by_holder(
            subscription_id,
            notified_on=form.received_on.data,
            recorded_by=current_user.id,
            statement=form.text("how"),
            now=now,
        )
        ends_on = paris_date(termination.effective_at)
    return _back(
        subscription_id, f"Fin enregistrée au {date_fr(ends_on)} ; le client en a la confirmation."
    )


@bp.post("/<uuid:subscription_id>/preavis")
@staff_required(Role.SHOPKEEPER)
def give_notice(subscription_id: uuid.UUID) -> Response | tuple[str, int]:
    """Announce an end with its reasons, or a breach with time to put it right (B-05, B-08)."""
    subscription, form, now = _subscription(subscription_id), NoticeForm(), clock.now()
    if not form.validate_on_submit():
        return _page(subscription, notice_form=form), 422
    received_on = form.received_on.data or paris_date(now)
    if received_on > paris_date(now):
        form.received_on.errors = [NOT_YET]
        return _page(subscription, notice_form=form), 422
    try:
        with transaction():
            termination = service.give_notice(
                subscription_id,
                Ground(form.text("ground")),
                form.text("statement"),
                notified_on=received_on,
                recorded_by=current_user.id,
                now=now,
            )
            effective_at = termination.effective_at
    except EndAnnounced as refused:
        when = datetime_fr(refused.details["effective_at"])  # type: ignore[arg-type]
        form.ground.errors = [f"Une fin est déjà annoncée pour le {when} : retirez-la d’abord."]
        return _page(_subscription(subscription_id), notice_form=form), 409
    return _back(
        subscription_id,
        f"Envoyé au client avec son motif ; prend effet le {datetime_fr(effective_at)}.",
    )


@bp.post("/preavis/<uuid:termination_id>/<any(repare,retire):how>")
@staff_required(Role.SHOPKEEPER)
def close_notice(termination_id: uuid.UUID, how: str) -> Response:
    """It was put right in time, or we take back what we announced."""
    known = found_or_404(db.session.get(Termination, termination_id))
    with transaction():
        service.close_notice(
            termination_id, cured=how == "repare", by=current_user.id, now=clock.now()
        )
    return _back(known.subscription_id, "Le contrat continue ; le client en est informé.")


@bp.post("/<uuid:subscription_id>/interrompre")
@staff_required(Role.SHOPKEEPER)
def pause(subscription_id: uuid.UUID) -> Response | tuple[str, int]:
    """It cannot be supplied for a while (B-08)."""
    subscription, form = _subscription(subscription_id), PauseForm()
    if not form.validate_on_submit() or form.starts_on.data is None:
        return _page(subscription, pause_form=form), 422
    try:
        with transaction():
            service.pause(
                subscription_id,
                form.starts_on.data,
                form.text("reason"),
                by=current_user.id,
                now=clock.now(),
            )
    except BadPauseDate as refused:
        form.starts_on.errors = [_bounds(refused)]
        return _page(_subscription(subscription_id), pause_form=form), 422
    return _back(subscription_id, "Interrompu : rien n’est plus prélevé, le client est informé.")


def _bounds(refused: BadPauseDate) -> str:
    first, last = refused.details["first"], refused.details["last"]
    return f"Choisissez un jour du {date_fr(first)} au {date_fr(last)}."  # type: ignore[arg-type]


@bp.post("/<uuid:subscription_id>/reprendre")
@staff_required(Role.SHOPKEEPER)
def resume(subscription_id: uuid.UUID) -> Response:
    """It is supplied again: the days that were lost are added."""
    _subscription(subscription_id)
    with transaction():
        service.resume(subscription_id, by=current_user.id, now=clock.now())
    return _back(subscription_id, "Repris : les jours perdus sont rendus, le client est informé.")


@bp.post("/articles/<uuid:product_id>/interrompre")
@staff_required(Role.SHOPKEEPER)
def pause_all(product_id: uuid.UUID) -> Response | tuple[str, int]:
    """Nothing of a product can be supplied for a while."""
    form = PauseForm()
    if not form.validate_on_submit() or form.starts_on.data is None:
        return _list(form, product_id), 422
    try:
        with transaction():
            rows = service.pause_all(
                product_id,
                form.starts_on.data,
                form.text("reason"),
                by=current_user.id,
                now=clock.now(),
            )
    except BadPauseDate as refused:
        form.starts_on.errors = [_bounds(refused)]
        return _list(form, product_id), 422
    flash(f"Interrompu pour {len(rows)} client(s), qui en sont informés.", "success")
    return redirect("/gestion/fins", 303)


@bp.post("/articles/<uuid:product_id>/reprendre")
@staff_required(Role.SHOPKEEPER)
def resume_all(product_id: uuid.UUID) -> Response:
    """A product can be supplied again."""
    with transaction():
        rows = service.resume_all(product_id, by=current_user.id, now=clock.now())
    flash(f"Repris pour {len(rows)} client(s), qui en sont informés.", "success")
    return redirect("/gestion/fins", 303)
