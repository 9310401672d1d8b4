"""What a declaration is about and whether it is in time."""

from datetime import date, datetime, timedelta

import pytest

from storefront.catalogue.rules import WithdrawalKind
from storefront.kernel.calendar import PARIS
from storefront.withdrawals.rules import (
    LinePeriod,
    Timing,
    order_reference,
    overall,
    refund_by,
    same_person,
    submission_key,
    timing,
)

LAST = date(2026, 12, 8)
SERVICE = LinePeriod("Forfait", WithdrawalKind.SERVICE, LAST)


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("CMD-2026-000123", "CMD-2026-000123"),
        ("cmd 2026 123", "CMD-2026-000123"),
        ("ma commande n° CMD–2026–000123 du 3 mai", "CMD-2026-000123"),
        ("CMD-2026-000123, je répète : CMD-2026-000123", "CMD-2026-000123"),
        ("CMD-2026-000123 ou CMD-2026-000124", None),
        ("le guide des fleurs, commandé en mai", None),
        ("", None),
    ],
)
def test_the_reference_is_found_however_it_is_typed(typed: str, reference: str | None):
    assert order_reference(typed) == reference


@pytest.mark.parametrize(
    ("declared", "known"),
    [
        ("ESSAI Claire", "Claire Essai"),
        ("Mme Hélène Le Goff", "helene le-goff"),
        ("Claire Marie Essai", "Claire Essai"),
    ],
)
def test_one_person_may_be_written_in_several_ways(declared: str, known: str):
    assert same_person(declared, known)


@pytest.mark.parametrize("declared", ["Paul Essai", "Claire", "", "M.", "Claire Autre Personne"])
def test_another_name_is_another_person(declared: str):
    assert not same_person(declared, "Claire Essai")


def test_the_last_day_counts_until_its_last_second_in_paris():
    last_second = datetime(2026, 12, 8, 23, 59, 59, tzinfo=PARIS)
    assert timing(SERVICE, last_second) is Timing.IN_TIME
    assert timing(SERVICE, last_second + timedelta(seconds=1)) is Timing.LATE


def test_goods_without_proof_of_delivery_have_no_end_yet():
    book = LinePeriod("Guide", WithdrawalKind.GOODS, None)
    assert timing(book, datetime(2029, 1, 1, tzinfo=PARIS)) is Timing.NOT_STARTED


def test_a_declaration_stands_as_well_as_its_best_line():
    assert overall([Timing.LATE, Timing.IN_TIME]) is Timing.IN_TIME
    assert overall([Timing.LATE, Timing.NOT_STARTED]) is Timing.NOT_STARTED
    assert overall([Timing.LATE, Timing.NO_PERIOD]) is Timing.LATE
    assert overall([]) is Timing.NO_PERIOD


def test_the_refund_counts_from_the_day_in_paris():
    """23:30 UTC on 24 November is 25 November in Paris."""
    late_evening = datetime.fromisoformat("2026-11-24T23:30:00+00:00")
    assert refund_by(late_evening, 14) == date(2026, 12, 9)


def test_the_same_page_makes_one_key_and_a_corrected_one_another():
    content = {"name": "Claire", "contract": "CMD-2026-000001"}
    assert submission_key("secret", content) == submission_key("secret", dict(content))
    assert submission_key("secret", content) != submission_key("secret", content | {"name": "C"})
    assert submission_key("secret", content) != submission_key("other", content)
