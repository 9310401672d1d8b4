"""Totals, shipping, withdrawal and patience, without a database."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from storefront.catalogue.rules import (
    NotSoldThere,
    PriceBasis,
    ProductKind,
    SellerVat,
    Territory,
    VatClass,
    WithdrawalKind,
)
from storefront.orders.rules import (
    BuyerKind,
    SaleLine,
    TooHeavyToShip,
    price_order,
    shipping_fee,
    wait_again,
    withdrawal_until,
)

BANDS = {
    "metropole": [(500, 495), (2000, 895)],
    "overseas": [(500, 1295), (2000, 2995)],
    "european_union": [(500, 895), (2000, 1495)],
}
CONCLUDED = datetime(2026, 11, 7, 10, tzinfo=UTC)


def line(kind=ProductKind.PAPER_GUIDE, price=3900, quantity=1, **fields):
    return SaleLine(
        product_id=uuid.uuid4(),
        variant_id=uuid.uuid4(),
        kind=kind,
        name="Article",
        quantity=quantity,
        unit_price_minor=price,
        price_basis=fields.pop("basis", PriceBasis.GROSS),
        vat_class=fields.pop("vat_class", VatClass.BOOK),
        withdrawal_kind=WithdrawalKind.GOODS,
        **fields,
    )


def priced(*lines, territory=Territory.METROPOLE, professional=False):
    return price_order(
        lines,
        currency="EUR",
        territory=territory,
        professional=professional,
        seller=SellerVat(),
        bands=BANDS,
    )


def test_the_whole_is_the_sum_of_its_lines_and_shipping():
    order = priced(
        line(quantity=2, weight_g=520),
        line(ProductKind.TEMPLATE, 8900, vat_class=VatClass.STANDARD),
    )
    assert order.shipping.gross == 895
    assert order.gross == 7800 + 8900 + 895
    assert order.net + order.vat == order.gross


def test_nothing_to_carry_costs_no_shipping():
    order = priced(line(ProductKind.TEMPLATE, 8900, vat_class=VatClass.STANDARD))
    assert order.shipping is None


def test_shipping_is_taxed_like_what_it_carries():
    assert priced(line(weight_g=100)).shipping.rate_bp == 550
    assert priced(line(weight_g=100, vat_class=VatClass.STANDARD)).shipping.rate_bp == 2000


def test_a_mixed_parcel_is_taxed_at_the_higher_rate():
    order = priced(line(weight_g=100), line(weight_g=100, vat_class=VatClass.STANDARD))
    assert order.shipping.rate_bp == 2000


def test_overseas_goods_and_their_shipping_go_without_tax():
    order = priced(line(price=4220, weight_g=100), territory=Territory.ANTILLES_REUNION)
    assert order.vat == 0
    assert order.shipping.exemption == "export"


@pytest.mark.parametrize(
    ("weight", "territory", "fee"),
    [
        (0, Territory.METROPOLE, 495),
        (500, Territory.METROPOLE, 495),
        (501, Territory.CORSICA, 895),
        (500, Territory.GUYANE_MAYOTTE, 1295),
        (501, Territory.EUROPEAN_UNION, 1495),
    ],
)
def test_shipping_goes_by_weight_and_zone(weight, territory, fee):
    assert shipping_fee(weight, territory, BANDS) == fee


def test_a_parcel_too_heavy_is_refused():
    with pytest.raises(TooHeavyToShip) as refused:
        priced(line(quantity=20, weight_g=520))
    assert refused.value.details == {"weight_g": 10400, "heaviest_g": 2000}


def test_what_cannot_be_sold_there_refuses_the_whole_order():
    with pytest.raises(NotSoldThere):
        priced(line(weight_g=1), line(ProductKind.HOUR_PACK), territory=Territory.EUROPEAN_UNION)


@pytest.mark.parametrize(
    ("kind", "regime", "buyer", "last_day"),
    [
        (ProductKind.HOUR_PACK, WithdrawalKind.SERVICE, BuyerKind.CONSUMER, date(2026, 11, 23)),
        (ProductKind.E_LEARNING, WithdrawalKind.TRAINING, BuyerKind.CONSUMER, date(2026, 11, 23)),
        (ProductKind.PAPER_GUIDE, WithdrawalKind.GOODS, BuyerKind.CONSUMER, None),
        (ProductKind.HOUR_PACK, WithdrawalKind.SERVICE, BuyerKind.PROFESSIONAL, None),
        (
            ProductKind.PLAN,
            WithdrawalKind.DIGITAL_SERVICE,
            BuyerKind.PROFESSIONAL,
            date(2026, 11, 23),
        ),
        (None, None, BuyerKind.CONSUMER, None),
    ],
)
def test_who_can_withdraw_until_when(kind, regime, buyer, last_day):
    found = withdrawal_until(kind, regime, buyer, concluded_at=CONCLUDED, days=14, training_days=10)
    assert found == last_day


def test_a_training_has_the_later_of_its_two_periods():
    found = withdrawal_until(
        ProductKind.E_LEARNING,
        WithdrawalKind.TRAINING,
        BuyerKind.CONSUMER,
        concluded_at=CONCLUDED,
        days=14,
        training_days=30,
    )
    assert found == date(2026, 12, 7)


def test_patience_grows_with_the_wait_and_has_an_end():
    placed = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert wait_again(placed, placed) == placed + timedelta(minutes=15)
    assert wait_again(placed, placed + timedelta(hours=2)) == placed + timedelta(hours=4)
    later = placed + timedelta(days=9)
    assert wait_again(placed, later) == later + timedelta(days=1)
