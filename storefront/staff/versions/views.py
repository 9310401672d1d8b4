"""A new version of a plan for new orders; and, if staff say so, for who runs already (R-06)."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.catalogue import queries as catalogue
from storefront.catalogue import service as shop
from storefront.catalogue.models import Product
from storefront.catalogue.service import Revision
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import StaleWrite
from storefront.kernel.money import Money
from storefront.legal import queries as legal
from storefront.legal.rules import TERMS
from storefront.staff.versions.forms import UNLIMITED, AnnounceForm, VersionForm
from storefront.subscriptions import queries, rules, service
from storefront.subscriptions.models import Announcement, NoticeStatus
from storefront.subscriptions.queries import Target

bp = Blueprint("staff_versions", __name__, url_prefix="/gestion/abonnements")

Answer = str | Response | tuple[str, int]


@bp.get("/versions")
@staff_required(Role.SHOPKEEPER)
def versions() -> str:
    """Every plan with its versions and their subscribers, and what was announced."""
    return render_template(
        "staff/versions/list.html",
        plans=[queries.plan(product) for product in catalogue.monthly_products()],
        terms=legal.versions(TERMS),
        announcements=[(one, queries.progress(one)) for one in queries.announcements()],
    )


def _product(slug: str) -> Product:
    return found_or_404(catalogue.monthly_product(slug))


@bp.get("/versions/<slug>")
@staff_required(Role.SHOPKEEPER)
def plan(slug: str) -> Answer:
    """One plan: its versions, and the form of the next."""
    product = _product(slug)
    contract = rules.contract_of(product.features)
    limits = (
        f"{name} = {UNLIMITED if most is None else most}" for name, most in contract.limits.items()
    )
    form = VersionForm(
        formdata=None,
        seen=str(product.version),
        price=Money(product.price_minor, product.currency).major_string().replace(".", ","),
        entitlements="\n".join(product.features.get("entitlements", ())),
        limits="\n".join(limits),
        included_minutes=product.features.get("included_minutes"),
        validity=product.validity,
    )
    return _plan_page(product, form)


def _plan_page(product: Product, form: VersionForm) -> str:
    return render_template("staff/versions/plan.html", plan=queries.plan(product), form=form)


@bp.post("/versions/<slug>")
@staff_required(Role.SHOPKEEPER)
def publish(slug: str) -> Answer:
    """Sell this version from now on; nothing changes for who runs (C-05)."""
    product, form, now = _product(slug), VersionForm(), clock.now()
    valid = form.validate_on_submit()
    price = form.price_minor(product.currency) if form.text("price") else None
    if not valid or price is None:
        return _plan_page(product, form), 422
    seen = form.text("seen")
    product_id, revision = product.id, Revision(price, form.features, form.text("validity"))
    try:
        with transaction():
            before = db.session.get_one(Product, product_id)
            known = service.publish_version(before, now=now).id
            revised = shop.revise(
                product_id, revision, seen=int(seen) if seen.isdecimal() else 0, now=now
            )
            version = service.publish_version(revised, now=now)
            number, same = version.number, version.id == known
    except StaleWrite:
        flash("Quelqu’un vient de changer cette offre : relisez-la avant de publier.", "refusal")
        return _plan_page(_product(slug), form), 409
    if same:
        flash("Rien ne change : c’est déjà la version en vente.", "info")
        return redirect(f"/gestion/abonnements/versions/{slug}", 303)
    flash(
        f"La version {number} est en vente. Les abonnés en cours gardent la leur, "
        "sauf si vous la leur annoncez.",
        "success",
    )
    return redirect(f"/gestion/abonnements/versions/{slug}/{number}/annonce", 303)


@bp.route("/versions/<slug>/<int:number>/annonce", methods=["GET", "POST"])
@staff_required(Role.SHOPKEEPER)
def announce_version(slug: str, number: int) -> Answer:
    """Whom a version would reach and from when; then tell them."""
    product = _product(slug)
    version = found_or_404(queries.version_numbered(product.id, number))
    title = f"Annoncer {product.name}, version {number}"
    return _announce(version, title, f"/gestion/abonnements/versions/{slug}")


@bp.route("/conditions/<int:number>/annonce", methods=["GET", "POST"])
@staff_required(Role.SHOPKEEPER)
def announce_terms(number: int) -> Answer:
    """The same for a version of the terms of sale."""
    version = found_or_404(legal.find(TERMS, number))
    title = f"Annoncer les conditions générales, version {number}"
    return _announce(version, title, "/gestion/abonnements/versions")


def _announce(target: Target, title: str, back: str) -> Answer:
    form, now = AnnounceForm(), clock.now()
    seen = queries.preview(target, now, paris_date(now))
    if form.is_submitted() and form.validate() and seen.told:
        with transaction():
            made = service.announce(target, form.lines, announced_by=current_user.id, now=now)
            made_id = made.id
        flash("L’annonce est lancée : les messages partent l’un après l’autre.", "success")
        return redirect(f"/gestion/abonnements/annonces/{made_id}", 303)
    page = render_template(
        "staff/versions/announce.html",
        target=target,
        is_terms=not hasattr(target, "price_minor"),
        title=title,
        back=back,
        form=form,
        seen=seen,
    )
    return page, 422 if form.errors or (form.is_submitted() and not seen.told) else 200


@bp.get("/annonces/<uuid:announcement_id>")
@staff_required(Role.SHOPKEEPER)
def announcement(announcement_id: uuid.UUID) -> str:
    """How far an announcement is: who was told, who cannot be and why."""
    found = found_or_404(db.session.get(Announcement, announcement_id))
    seen = queries.progress(found)
    return render_template(
        "staff/versions/announcement.html",
        announcement=found,
        seen=seen,
        counts={status.value: seen.statuses[status] for status in NoticeStatus},
        again=_again(found),
    )


def _again(announcement: Announcement) -> str:
    """Where the same version is announced once more, to who could not be told."""
    version, terms = announcement.to_version, announcement.terms_version
    if version is None:
        return f"/gestion/abonnements/conditions/{found_or_404(terms).number}/annonce"
    product = db.session.get_one(Product, version.product_id)
    return f"/gestion/abonnements/versions/{product.slug}/{version.number}/annonce"
