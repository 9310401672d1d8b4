"""What an invoice must say, and what its lines add up to."""

import pytest

from storefront.catalogue.rules import ProductKind
from storefront.invoicing import rules
from storefront.invoicing.rules import Mention, RateTotal
from tests.house.sources import TEMPLATES


def said(
    *kinds: ProductKind | None,
    exemptions: tuple[str, ...] = (),
    professional: bool = False,
    on_debits: bool = False,
    simulation: bool = False,
) -> set[Mention]:
    return set(
        rules.mentions(
            exemptions=exemptions,
            kinds=kinds,
            professional=professional,
            on_debits=on_debits,
            simulation=simulation,
        )
    )


@pytest.mark.parametrize("mention", Mention)
def test_every_mention_has_its_french(mention: Mention):
    assert (TEMPLATES / "invoicing" / "mentions" / f"{mention}.txt").read_text().strip()


def test_a_consumer_reads_nothing_of_penalties():
    assert said(ProductKind.HOUR_PACK) == {Mention.CATEGORY_SERVICES}


def test_a_professional_reads_discount_penalties_and_recovery_fee():
    assert said(ProductKind.HOUR_PACK, professional=True) == {
        Mention.CATEGORY_SERVICES,
        Mention.NO_DISCOUNT,
        Mention.LATE_PENALTIES,
        Mention.RECOVERY_FEE,
    }


def test_goods_stay_the_sellers_until_they_are_paid():
    assert said(ProductKind.PAPER_GUIDE, None) == {
        Mention.CATEGORY_GOODS,
        Mention.RETENTION_OF_TITLE,
    }


def test_goods_and_services_together_are_mixed():
    assert Mention.CATEGORY_MIXED in said(ProductKind.PAPER_GUIDE, ProductKind.E_LEARNING)


def test_a_training_names_the_declaration_and_its_exemption():
    assert said(ProductKind.E_LEARNING, exemptions=("training",)) == {
        Mention.TRAINING,
        Mention.TRAINING_DECLARATION,
        Mention.CATEGORY_SERVICES,
    }


@pytest.mark.parametrize(
    "code",
    ["franchise", "training", "export", "overseas", "outside", "third_country", "reverse_charge"],
)
def test_every_reason_for_no_vat_is_explained(code: str):
    assert Mention(code) in said(ProductKind.DIGITAL_PRODUCT, exemptions=("", code))


def test_an_untaxed_line_that_nothing_explains_is_no_invoice():
    with pytest.raises(ValueError, match="because"):
        said(ProductKind.HOUR_PACK, exemptions=("because",))


def test_the_option_for_debits_and_a_simulation_are_said():
    found = said(ProductKind.HOUR_PACK, on_debits=True, simulation=True)
    assert {Mention.DEBITS, Mention.SIMULATION} <= found


def test_totals_are_sums_of_lines_per_rate_highest_first():
    totals = rules.totals_by_rate(
        [
            (0, "training", 10000, 0),
            (2000, "", 833, 167),
            (550, "", 3318, 182),
            (2000, "", 833, 167),
        ]
    )
    assert totals == (
        RateTotal(2000, "", 1666, 334),
        RateTotal(550, "", 3318, 182),
        RateTotal(0, "training", 10000, 0),
    )


@pytest.mark.parametrize(
    ("net", "quantity", "unit"), [(9953, 3, 3318), (100, 3, 33), (101, 2, 51), (0, 1, 0)]
)
def test_the_unit_price_before_tax_is_rounded_half_up(net: int, quantity: int, unit: int):
    assert rules.unit_net(net, quantity) == unit


def test_french_tax_is_never_stated_in_another_currency():
    rules.check_tax_currency("EUR", 3317)
    rules.check_tax_currency("MAD", 0)
    with pytest.raises(ValueError, match="stated in EUR"):
        rules.check_tax_currency("MAD", 3317)
