"""For the staff: the plans that buyers are offered today, with the reasons that they are told."""

from __future__ import annotations

from flask import Blueprint, render_template

from storefront.catalogue import queries as catalogue
from storefront.checkout.queries import Promises, promises_to
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.web import found_or_404
from storefront.instalments.rules import SOURCES

bp = Blueprint("staff_plans", __name__, url_prefix="/gestion/echeanciers")


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def products() -> str:
    """Every product on sale, to look at its plans."""
    now = clock.now()
    shelves = [(shelf, catalogue.cards_of_shelf(shelf.slug, now)) for shelf in catalogue.shelves()]
    return render_template("staff/plans/products.html", shelves=shelves)


@bp.get("/<slug>")
@staff_required(Role.SHOPKEEPER)
def product(slug: str) -> str:
    """What a private person and a company are offered for one product ordered today."""
    now = clock.now()
    page = found_or_404(catalogue.product_page(slug, now))
    buyers: list[tuple[str, Promises | None]] = [
        ("Une entreprise", promises_to(page, now, consumer=False))
    ]
    if not page.card.features.get("professionals_only"):
        buyers.insert(0, ("Un particulier", promises_to(page, now, consumer=True)))
    return render_template("staff/plans/product.html", page=page, buyers=buyers, sources=SOURCES)
