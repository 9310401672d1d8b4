"""Catalogue pages: home, shelves, products, prices, plans, search. They carry no session."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from flask import Blueprint, Response, current_app, render_template, request

from storefront.catalogue import queries
from storefront.catalogue.queries import Card, Offer
from storefront.catalogue.rules import HOME_CURRENCY, KIND_FACTS, ProductKind, Supply
from storefront.infra import clock
from storefront.infra.web import found_or_404

bp = Blueprint("catalogue", __name__)

TRAININGS = [kind for kind, facts in KIND_FACTS.items() if facts.supply is Supply.TRAINING]
HOURS = [kind for kind, facts in KIND_FACTS.items() if facts.grants_minutes]
PLANS = [ProductKind.PLAN]
FOR_ROBOTS = """User-agent: *
Disallow: /panier
Disallow: /commande
Disallow: /compte
Disallow: /gestion
Disallow: /recherche

Sitemap: {base_url}/sitemap.xml
"""


@dataclass(frozen=True)
class Way:
    """A way into the shop: what is bought that way, the cheapest first price."""

    name: str
    cards: list[Card]

    @property
    def cheapest(self) -> Offer | None:
        """The lowest price that is asked this way; None when everything is free."""
        offers = [card.first for card in self.cards if card.first]
        paid = [offer for offer in offers if not offer.price.is_zero]
        return min(paid, key=lambda offer: offer.price, default=None)


@bp.get("/")
def home() -> str:
    """The three things that can be bought here, each with a first price and a first step."""
    cards = [one for one in queries.cards(clock.now()) if one.currency == HOME_CURRENCY]
    ways = [
        Way(name, [card for card in cards if card.kind in kinds])
        for name, kinds in (("former", TRAININGS), ("depanner", HOURS), ("connaitre", PLANS))
    ]
    coming = sorted(
        (card for card in cards if card.next_session_at), key=attrgetter("next_session_at")
    )
    return render_template(
        "catalogue/home.html", ways=[way for way in ways if way.cards], coming=coming[:3]
    )


@bp.get("/catalogue")
def catalogue() -> str:
    """Every shelf with what stands on it."""
    cards = queries.cards(clock.now())
    by_shelf = {
        shelf: [card for card in cards if card.shelf == shelf.slug] for shelf in queries.shelves()
    }
    return render_template("catalogue/catalogue.html", shelves=by_shelf)


@bp.get("/catalogue/<slug>")
def shelf(slug: str) -> str:
    """One shelf."""
    found = found_or_404(queries.shelf(slug))
    cards = queries.cards_of_shelf(slug, clock.now())
    return render_template("catalogue/shelf.html", shelf=found, cards=cards)


@bp.get("/produits/<slug>")
def product(slug: str) -> str:
    """Everything that must be known before buying (C-02)."""
    page = found_or_404(queries.product_page(slug, clock.now()))
    return render_template("catalogue/product.html", page=page, card=page.card)


@bp.get("/tarifs")
def prices() -> str:
    """All prices on one page (C-04)."""
    cards = queries.cards(clock.now())
    by_shelf = {
        shelf: [card for card in cards if card.shelf == shelf.slug] for shelf in queries.shelves()
    }
    return render_template("catalogue/prices.html", shelves=by_shelf)


@bp.get("/offres")
def plans() -> str:
    """Plans side by side, in euros or in the currency that was asked for (C-08)."""
    asked = request.args.get("devise", "").upper()
    return render_template("catalogue/plans.html", page=queries.plans(asked, clock.now()))


@bp.get("/recherche")
def search() -> str:
    """Products by words, whatever their accents and endings."""
    text = request.args.get("q", "").strip()[: queries.LONGEST_SEARCH]
    found = queries.search(text, clock.now())
    return render_template("catalogue/search.html", text=text, found=found)


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """The addresses that search engines may show."""
    base_url = current_app.config["SETTINGS"].base_url
    fixed = ["/", "/catalogue", "/tarifs", "/offres", "/conditions-generales", "/mentions-legales"]
    page = render_template(
        "catalogue/sitemap.xml", base_url=base_url, addresses=[*fixed, *queries.addresses()]
    )
    return Response(page, mimetype="application/xml")


@bp.get("/robots.txt")
def robots() -> Response:
    """What robots should leave alone."""
    base_url = current_app.config["SETTINGS"].base_url
    return Response(FOR_ROBOTS.format(base_url=base_url), mimetype="text/plain")
