"""What is overdue, for staff: listed, followed, deferred, exported."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.arrears import queries, rules, service
from storefront.arrears.service import BadDeferralDate
from storefront.documents import queries as documents
from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import db, transaction
from storefront.infra.spreadsheet import download
from storefront.infra.templating import date_fr
from storefront.infra.web import found_or_404
from storefront.instalments.models import Instalment
from storefront.instalments.service import NothingToPay, PaymentUnderWay
from storefront.kernel.calendar import paris_date
from storefront.staff.arrears.forms import STEP_NAMES, DeferralForm, FilterForm
from storefront.staff.arrears.service import overdue_csv

bp = Blueprint("staff_arrears", __name__, url_prefix="/gestion/impayes")

PAGE = 50
EXPORTED_AT_MOST = 20_000
UNDER_WAY = "Un paiement est en cours pour cette échéance : attendez sa réponse, puis réessayez."
SETTLED = "Cette échéance n’est plus à payer : il n’y a rien à reporter."


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def overdue_list() -> str:
    """What is overdue, longest first, by the last step made; how much by age."""
    form, today = FilterForm(request.args), paris_date(clock.now())
    after = request.args.get("apres", "")
    page = queries.overdue_page(today, step=form.step, after=after, limit=PAGE)
    return render_template(
        "staff/arrears/list.html",
        form=form,
        rows=page.rows,
        before=after,
        after=page.after,
        today=today,
        step_names=STEP_NAMES,
        limits=rules.AGES,
        ages=queries.ages(today),
    )


@bp.get("/export.csv")
@staff_required(Role.SHOPKEEPER)
def export() -> Response:
    """The same list as a file for a spreadsheet; who took it stands in the journal."""
    now = clock.now()
    step = FilterForm(request.args).step
    page = queries.overdue_page(paris_date(now), step=step, limit=EXPORTED_AT_MOST)
    content = overdue_csv(page.rows, paris_date(now))
    with transaction():
        journal.record("arrears.exported", current_user, {"count": len(page.rows)}, now=now)
    return download(content, "impayes.csv")


def _instalment(instalment_id: uuid.UUID) -> Instalment:
    return found_or_404(db.session.get(Instalment, instalment_id))


@bp.get("/<uuid:instalment_id>")
@staff_required(Role.SHOPKEEPER)
def case(instalment_id: uuid.UUID) -> str:
    """One sum: what was done, what follows, what it comes to, and the form of a deferral."""
    return _page(_instalment(instalment_id), DeferralForm(formdata=None))


def _page(part: Instalment, form: DeferralForm) -> str:
    today = paris_date(clock.now())
    late = part.status in queries.LATE and part.owed_on < today
    found = queries.open_case(part.id)
    of_order = queries.cases_of_order(part.order_id)
    deferrals = [
        one for one in queries.deferrals_of_order(part.order_id) if one.instalment_id == part.id
    ]
    actors = {one.granted_by: f"user:{one.granted_by}" for one in deferrals}
    names = people.names_of_actors(actors.values())
    return render_template(
        "staff/arrears/case.html",
        part=part,
        order=part.order,
        case=found,
        steps=queries.timeline_of(found) if found else (),
        cases=[one for one in of_order if one.instalment_id == part.id],
        due=queries.statement_of([part], today).lines[0] if late else None,
        deferrals=deferrals,
        names={user_id: names.get(actor, "") for user_id, actor in actors.items()},
        bounds=rules.deferral_bounds(part.owed_on, today),
        form=form,
        step_names=STEP_NAMES,
    )


@bp.post("/<uuid:instalment_id>/report")
@staff_required(Role.SHOPKEEPER)
def defer(instalment_id: uuid.UUID) -> BaseResponse | tuple[str, int]:
    """Agree in writing to wait; the customer has it confirmed by e-mail (M-05)."""
    form, part = DeferralForm(), _instalment(instalment_id)
    if not form.validate_on_submit() or form.until.data is None:
        return _page(part, form), 422
    try:
        with transaction():
            service.defer(
                instalment_id,
                form.until.data,
                form.text("reason"),
                by=current_user.id,
                now=clock.now(),
            )
    except BadDeferralDate as refused:
        first, last = refused.details["first"], refused.details["last"]
        message = f"Choisissez un jour du {date_fr(first)} au {date_fr(last)}."  # type: ignore[arg-type]
        form.until.errors = [message]
        return _page(_instalment(instalment_id), form), 422
    except PaymentUnderWay:
        form.until.errors = [UNDER_WAY]
        return _page(_instalment(instalment_id), form), 409
    except NothingToPay:
        form.until.errors = [SETTLED]
        return _page(_instalment(instalment_id), form), 409
    flash("Le report est accordé ; le client en reçoit la confirmation par courriel.", "success")
    return redirect(f"/gestion/impayes/{instalment_id}", 303)


@bp.get("/<uuid:instalment_id>/documents/<uuid:document_id>")
@staff_required(Role.SHOPKEEPER)
def document(instalment_id: uuid.UUID, document_id: uuid.UUID) -> Response:
    """A formal notice as its customer received it."""
    part = _instalment(instalment_id)
    known = {
        act.document_id
        for one in queries.cases_of_order(part.order_id)
        if one.instalment_id == part.id
        for act in one.acts
    }
    found_or_404(document_id if document_id in known else None)
    stored = documents.with_content(document_id)
    response = Response(stored.content, content_type=stored.media_type)
    response.headers.set("Content-Disposition", "inline", filename=stored.filename)
    return response
