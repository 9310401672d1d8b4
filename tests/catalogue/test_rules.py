"""Rates, quantities and words of the catalogue, without a database."""

import pytest

from storefront.catalogue.rules import (
    KIND_FACTS,
    LineAmounts,
    NotSoldThere,
    PriceBasis,
    ProductKind,
    QuantityRefused,
    SellerVat,
    Territory,
    VatClass,
    VatRate,
    checked_quantity,
    home_rate,
    price_of,
    search_score,
    search_stems,
    shown_rate,
    territory_of,
    vat_rate,
)

SELLER = SellerVat()


def rate(kind, vat_class, territory, professional=False, seller=SELLER):
    return vat_rate(kind, vat_class, territory=territory, professional=professional, seller=seller)


def test_every_kind_has_its_facts():
    assert set(KIND_FACTS) == set(ProductKind)


@pytest.mark.parametrize(
    ("country", "postcode", "territory"),
    [
        ("FR", "75011", Territory.METROPOLE),
        ("FR", "20000", Territory.CORSICA),
        ("FR", "97110", Territory.ANTILLES_REUNION),
        ("FR", "97400", Territory.ANTILLES_REUNION),
        ("FR", "97300", Territory.GUYANE_MAYOTTE),
        ("FR", "97600", Territory.GUYANE_MAYOTTE),
        ("FR", "97150", Territory.COLLECTIVITY),
        ("FR", "97500", Territory.COLLECTIVITY),
        ("FR", "98800", Territory.COLLECTIVITY),
        ("BE", "1000", Territory.EUROPEAN_UNION),
        ("MA", "20000", Territory.ELSEWHERE),
        ("CH", "1200", Territory.ELSEWHERE),
        ("MC", "98000", Territory.MONACO),
        ("RE", "97400", Territory.ANTILLES_REUNION),
        ("YT", "97600", Territory.GUYANE_MAYOTTE),
        ("NC", "98800", Territory.COLLECTIVITY),
    ],
)
def test_a_postcode_tells_the_tax_territory(country, postcode, territory):
    assert territory_of(country, postcode) is territory


# VAT-02, row by row: kind, class, territory, professional, rate in basis points, exemption.
TABLE = [
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.METROPOLE, False, 550, ""),
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.CORSICA, False, 210, ""),
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.ANTILLES_REUNION, False, 0, "export"),
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.GUYANE_MAYOTTE, True, 0, "export"),
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.COLLECTIVITY, False, 0, "export"),
    (ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.EUROPEAN_UNION, False, 550, ""),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.METROPOLE, False, 2000, ""),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.CORSICA, False, 2000, ""),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.ANTILLES_REUNION, False, 850, ""),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.GUYANE_MAYOTTE, False, 0, "overseas"),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.COLLECTIVITY, False, 0, "outside"),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.EUROPEAN_UNION, False, 2000, ""),
    (ProductKind.HOUR_PACK, VatClass.STANDARD, Territory.METROPOLE, True, 2000, ""),
    (ProductKind.HOUR_PACK, VatClass.STANDARD, Territory.ANTILLES_REUNION, False, 2000, ""),
    (ProductKind.HOUR_PACK, VatClass.STANDARD, Territory.ANTILLES_REUNION, True, 850, ""),
    (ProductKind.HOUR_PACK, VatClass.STANDARD, Territory.GUYANE_MAYOTTE, True, 0, "overseas"),
    (ProductKind.HOUR_PACK, VatClass.STANDARD, Territory.COLLECTIVITY, True, 0, "outside"),
    (ProductKind.E_LEARNING, VatClass.TRAINING_EXEMPT, Territory.METROPOLE, False, 0, "training"),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.MONACO, False, 2000, ""),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.ELSEWHERE, False, 0, "outside"),
    (ProductKind.TEMPLATE, VatClass.STANDARD, Territory.ELSEWHERE, True, 0, "third_country"),
    (ProductKind.PLAN, VatClass.STANDARD, Territory.METROPOLE, True, 2000, ""),
    (ProductKind.PLAN, VatClass.STANDARD, Territory.ANTILLES_REUNION, True, 850, ""),
    (ProductKind.PLAN, VatClass.STANDARD, Territory.EUROPEAN_UNION, True, 2000, ""),
    (ProductKind.PLAN, VatClass.STANDARD, Territory.ELSEWHERE, True, 0, "third_country"),
]


@pytest.mark.parametrize(
    ("kind", "vat_class", "territory", "professional", "rate_bp", "why"), TABLE
)
def test_the_rate_follows_the_table(kind, vat_class, territory, professional, rate_bp, why):
    assert rate(kind, vat_class, territory, professional) == VatRate(rate_bp, why)


@pytest.mark.parametrize(
    ("kind", "territory", "professional", "reason"),
    [
        (ProductKind.HOUR_PACK, Territory.EUROPEAN_UNION, False, "support"),
        (ProductKind.SUPPORT_CONTRACT, Territory.ELSEWHERE, False, "support"),
        (ProductKind.E_LEARNING, Territory.EUROPEAN_UNION, False, "training"),
        (ProductKind.HOUR_PACK, Territory.MONACO, False, "support"),
        (ProductKind.PAPER_GUIDE, Territory.EUROPEAN_UNION, True, "eu_business"),
        (ProductKind.PAPER_GUIDE, Territory.ELSEWHERE, False, "country"),
    ],
)
def test_what_is_not_sold_there_is_refused(kind, territory, professional, reason):
    with pytest.raises(NotSoldThere) as refused:
        rate(kind, VatClass.STANDARD, territory, professional)
    assert refused.value.details["reason"] == reason


# VAT-07: kind, seller, whether a VAT number was given, rate, exemption.
NUMBERED = [
    (ProductKind.PLAN, SellerVat(), True, VatRate(0, "reverse_charge")),
    (ProductKind.TEMPLATE, SellerVat(), True, VatRate(0, "reverse_charge")),
    (ProductKind.TEMPLATE, SellerVat(franchise=True), True, VatRate(0, "reverse_charge")),
    (ProductKind.PLAN, SellerVat(), False, VatRate(2000)),
    (ProductKind.PLAN, SellerVat(vies_required=True), False, VatRate(2000)),
]


@pytest.mark.parametrize(("kind", "seller", "numbered", "expected"), NUMBERED)
def test_a_business_of_the_union_owes_the_tax_itself_when_it_gives_its_number(
    kind, seller, numbered, expected
):
    found = vat_rate(
        kind,
        VatClass.STANDARD,
        territory=Territory.EUROPEAN_UNION,
        professional=True,
        seller=seller,
        has_vat_number=numbered,
    )
    assert found == expected


def test_a_seller_who_wants_vies_asked_first_sells_nothing_on_a_number_alone():
    with pytest.raises(NotSoldThere) as refused:
        vat_rate(
            ProductKind.PLAN,
            VatClass.STANDARD,
            territory=Territory.EUROPEAN_UNION,
            professional=True,
            seller=SellerVat(vies_required=True),
            has_vat_number=True,
        )
    assert refused.value.details["reason"] == "eu_business"


@pytest.mark.parametrize("territory", [Territory.METROPOLE, Territory.ELSEWHERE])
def test_a_vat_number_changes_nothing_outside_the_other_countries_of_the_union(territory):
    given = [
        vat_rate(
            ProductKind.PLAN,
            VatClass.STANDARD,
            territory=territory,
            professional=True,
            seller=SellerVat(),
            has_vat_number=numbered,
        )
        for numbered in (True, False)
    ]
    assert given[0] == given[1]


def test_a_price_is_shown_as_those_pay_it_who_can_have_it():
    for features, shown in (
        ({}, VatRate(2000)),
        ({"countries": ["FR", "BE"]}, VatRate(2000)),
        ({"countries": ["MA"], "professionals_only": True}, VatRate(0, "third_country")),
        ({"countries": ["MA"]}, VatRate(0, "outside")),
    ):
        rate = shown_rate(ProductKind.PLAN, VatClass.STANDARD, features, SellerVat())
        assert rate == shown


def test_a_seller_under_franchise_charges_no_tax_on_anything():
    franchise = SellerVat(franchise=True)
    assert home_rate(VatClass.STANDARD, franchise) == VatRate(0, "franchise")
    assert rate(
        ProductKind.PAPER_GUIDE, VatClass.BOOK, Territory.ANTILLES_REUNION, seller=franchise
    ) == VatRate(0, "franchise")


def test_a_gross_price_is_what_the_customer_pays_at_home():
    amounts = price_of(15900, 2, PriceBasis.GROSS, home_bp=2000, rate=VatRate(2000))
    assert amounts == LineAmounts(26500, 5300, 31800, 2000)


def test_overseas_buyers_of_goods_pay_the_price_before_tax():
    amounts = price_of(4220, 1, PriceBasis.GROSS, home_bp=550, rate=VatRate(0, "export"))
    assert amounts == LineAmounts(4000, 0, 4000, 0, "export")


def test_a_net_price_has_the_tax_added():
    amounts = price_of(1900, 1, PriceBasis.NET, home_bp=2000, rate=VatRate(2000))
    assert amounts == LineAmounts(1900, 380, 2280, 2000)


@pytest.mark.parametrize(
    "typed",
    ["0", "-1", "1000000000", "21", "", "deux", "1.5", "1e3", "２", "²", "0x10", "9" * 5000],
)
def test_what_is_no_quantity_is_refused_with_the_limit(typed):
    with pytest.raises(QuantityRefused) as refused:
        checked_quantity(typed, ProductKind.PAPER_GUIDE)
    assert refused.value.details["limit"] == 20


def test_a_quantity_is_read_with_its_spaces():
    assert checked_quantity(" 3 ", ProductKind.PAPER_GUIDE) == 3


def test_accents_endings_and_case_do_not_matter_to_a_search():
    assert search_stems("Décors de cérémonies") == search_stems("decor CEREMONIE")
    assert search_stems("Œuvre") == search_stems("oeuvres")


def test_every_word_must_be_found():
    texts = [(6, "Organiser un mariage, en ligne"), (2, "Le métier appris chez vous")]
    assert search_score(search_stems("mariages ligne"), texts) > 0
    assert search_score(search_stems("mariage plomberie"), texts) == 0
    assert search_score(search_stems("mari"), texts) > 0
    assert search_score([], texts) == 0
