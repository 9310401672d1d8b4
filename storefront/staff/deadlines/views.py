"""The queue of deadlines, the calendar of one order, and simulations before anything is sold."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import Blueprint, Response, render_template, request
from flask_login import current_user

from storefront.catalogue import queries as catalogue
from storefront.checkout import queries as checkout
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import transaction
from storefront.infra.spreadsheet import download
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date, paris_instant
from storefront.legal import queries as legal
from storefront.legal.rules import TERMS, TermsParameters
from storefront.orders import queries as orders
from storefront.orders.rules import BuyerKind
from storefront.staff.deadlines.forms import KIND_NAMES, DraftForm, FilterForm
from storefront.staff.deadlines.service import deadlines_csv
from storefront.timeline import queries
from storefront.timeline.rules import Entry, by_day, horizon

bp = Blueprint("staff_deadlines", __name__, url_prefix="/gestion")

PAGE = 50
EXPORTED_AT_MOST = 20_000
# The hour at which a simulated order is confirmed: shops are visited in the day.
NOON = time(12)
DRAFT = "brouillon"


@bp.get("/echeances")
@staff_required(Role.SHOPKEEPER)
def queue() -> str:
    """Every deadline, the soonest first: by itself or by a person, late, by words."""
    form, now = FilterForm(request.args), clock.now()
    after = request.args.get("apres", "")
    found = queries.deadlines(queries.SOURCES, now, form.wanted, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return render_template(
        "staff/deadlines/queue.html",
        form=form,
        deadlines=shown,
        kind_names=KIND_NAMES,
        first=not after,
        following=shown[-1].mark if len(found) > PAGE else None,
        now=now,
    )


@bp.get("/echeances/export.csv")
@staff_required(Role.SHOPKEEPER)
def export() -> Response:
    """The same list as a file for a spreadsheet; who took it stands in the journal."""
    now = clock.now()
    wanted = FilterForm(request.args).wanted
    found = queries.deadlines(queries.SOURCES, now, wanted, limit=EXPORTED_AT_MOST)
    with transaction():
        journal.record("deadlines.exported", current_user, {"count": len(found)}, now=now)
    return download(deadlines_csv(found), "echeances.csv")


@bp.get("/commandes/<reference>/dates")
@staff_required(Role.SHOPKEEPER)
def of_order(reference: str) -> str:
    """What was done about an order, and what it will come to (X-03, X-04)."""
    order = found_or_404(orders.by_reference(reference))
    line = queries.of_order(order.id, clock.now())
    return render_template("staff/deadlines/order.html", order=order, line=line)


@bp.get("/simulation")
@staff_required(Role.SHOPKEEPER)
def simulation() -> str | tuple[str, int]:
    """What a product would come to under a version of the terms, before anybody buys it (X-04)."""
    now = clock.now()
    form = _draft_form(now)
    if not request.args:
        return render_template("staff/deadlines/simulation.html", form=form, days=None)
    if not form.validate():
        return render_template("staff/deadlines/simulation.html", form=form, days=None), 422
    return _simulated(form, now)


def _draft_form(now: datetime) -> DraftForm:
    form = DraftForm(request.args if request.args else None)
    form.produit.choices = [
        ("", "Choisir"),
        *((card.slug, card.name) for card in catalogue.cards(now)),
    ]
    versions, draft = legal.versions(TERMS), legal.draft_of(TERMS)
    form.conditions.choices = [
        *([(DRAFT, "Brouillon, tel qu’il est enregistré")] if draft else []),
        *((version.reference, f"Version {version.number}") for version in versions),
    ]
    if not request.args:
        form.jour.data = paris_date(now)
    return form


def _terms_of(chosen: str) -> tuple[str, TermsParameters]:
    """How a text is called, and what it promises: a version, or the draft that is not one yet."""
    if chosen == DRAFT:
        draft = found_or_404(legal.draft_of(TERMS))
        return f"{draft.title}, brouillon", legal.general_parameters_of_draft(draft)
    version = found_or_404(legal.by_reference(chosen))
    return f"{version.title}, version {version.number}", legal.parameters_of(version)


def _simulated(form: DraftForm, now: datetime) -> str | tuple[str, int]:
    day = form.jour.data or paris_date(now)
    at = paris_instant(day, NOON)
    page = found_or_404(catalogue.product_page(form.text("produit"), min(at, now)))
    title, terms = _terms_of(form.text("conditions"))
    buyer = BuyerKind(form.text("acheteur"))
    offered = page.card.first
    if offered is None:
        form.produit.errors = ["Ce produit n’a rien à vendre en ce moment."]
        return render_template("staff/deadlines/simulation.html", form=form, days=None), 422
    plans = checkout.payable_in(page, offered, terms, buyer, at)
    plan = next((one for one in plans if str(one.count) == form.text("paiements")), None)
    if plan is None:
        counts = " ou ".join(str(one.count) for one in plans)
        form.paiements.errors = [f"Pour cet acheteur, ce jour-là, choisissez {counts}."]
        return render_template("staff/deadlines/simulation.html", form=form, days=None), 422
    until = horizon(at)
    found = checkout.foreseen(
        page,
        offered,
        terms,
        plan,
        buyer=buyer,
        consented=bool(form.anticipe.data),
        at=at,
        until=until,
    )
    return render_template(
        "staff/deadlines/simulation.html",
        form=form,
        days=by_day(Entry(moment, "") for moment in found),
        start=day,
        until=paris_date(until - timedelta(seconds=1)),
        title=title,
    )
