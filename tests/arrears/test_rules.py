"""The steps and the sums, as pure functions."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.arrears import rules
from storefront.arrears.rules import Debt, DunningStep, Planned
from storefront.catalogue.rules import ProductKind
from storefront.kernel.money import Money
from storefront.legal.rules import TermsParameters, read_source
from tests.factories import TERMS

PARAMETERS = read_source((TERMS / "cgv-1.md").read_text(encoding="utf-8")).parameters
assert isinstance(PARAMETERS, TermsParameters)
OWED_ON = date(2026, 6, 30)


def debt(**changed: object) -> Debt:
    plain = Debt(
        principal=Money(100_000),
        owed_on=OWED_ON,
        professional=True,
        annual_contract=False,
        notice_ended_on=None,
        invoice="F-1",
    )
    return dataclasses.replace(plain, **changed)


def total(of: Debt, today: date, *, with_fee: bool = True) -> tuple[int, int]:
    claim = rules.claim(of, PARAMETERS, today, with_fee=with_fee)
    return claim.interest.total.minor, claim.fee.minor


def test_a_professional_owes_nothing_more_on_the_due_date_itself() -> None:
    assert total(debt(), OWED_ON) == (0, 0)


def test_the_fee_is_due_from_the_day_after_without_a_reminder() -> None:
    assert total(debt(), OWED_ON + timedelta(days=1)) == (0, 4000)
    # 1,000 EUR at 3 × 2.75 %, one day.
    assert total(debt(), OWED_ON + timedelta(days=2)) == (23, 4000)


def test_a_consumer_owes_no_interest_without_a_notice_and_never_a_fee() -> None:
    assert total(debt(professional=False), date(2026, 12, 1)) == (0, 0)


def test_a_consumers_interest_starts_after_the_time_that_the_notice_gave() -> None:
    given_until = date(2026, 8, 31)
    consumer = debt(professional=False, notice_ended_on=given_until)
    assert total(consumer, date(2026, 9, 1)) == (0, 0)
    # 1,000 EUR at 2.75 %, thirty days.
    assert total(consumer, date(2026, 10, 1)) == (226, 0)


def test_an_annual_contract_bears_the_rate_of_its_terms_where_that_is_more() -> None:
    """10 % a year is more than 3 × 2.75 % (S10)."""
    year = total(debt(annual_contract=True), date(2026, 12, 31))[0]
    assert year == round(100_000 * 10 / 100 * 183 / 365)
    consumer = debt(annual_contract=True, professional=False, notice_ended_on=OWED_ON)
    assert total(consumer, date(2026, 12, 31))[0] == round(100_000 * 0.0275 * 183 / 365)


def test_interest_stops_where_no_rate_is_known_and_says_so() -> None:
    claim = rules.claim(debt(), PARAMETERS, date(2027, 3, 1), with_fee=True)
    assert claim.stops_on == date(2027, 1, 1)
    assert claim.interest.segments[-1].ends_on == date(2027, 1, 1)
    early = rules.claim(debt(), PARAMETERS, date(2026, 12, 31), with_fee=True)
    assert early.stops_on is None


def steps(*, professional: bool, graced: bool = False, **changed: object) -> list[str]:
    parameters = dataclasses.replace(PARAMETERS, **changed)
    pauses = rules.dunning(parameters, professional=professional, graced=graced)
    return [pause.step.value for pause in pauses]


@pytest.mark.parametrize("acceleration", ["never", "after_notice"])
def test_a_consumer_always_has_a_notice_before_anything_is_stopped(acceleration: str) -> None:
    made = steps(professional=False, consumer_acceleration=acceleration)
    assert made[:3] == ["reminder", "formal_notice", "suspension"]
    assert ("acceleration" in made) == ("acceleration_notice" in made)
    assert made[3:] == ([] if acceleration == "never" else ["acceleration_notice", "acceleration"])


@pytest.mark.parametrize(
    ("acceleration", "after"),
    [
        ("never", []),
        ("after_notice", ["acceleration_notice", "acceleration"]),
        ("at_once", ["acceleration"]),
    ],
)
def test_a_professionals_rest_follows_the_accepted_terms(
    acceleration: str, after: list[str]
) -> None:
    made = steps(professional=True, professional_acceleration=acceleration)
    assert made == ["reminder", "suspension", *after]


def test_a_months_service_is_stopped_by_its_own_grace_days() -> None:
    assert steps(professional=True, graced=True) == ["reminder"]
    assert steps(professional=False, graced=True) == ["reminder", "formal_notice"]


@given(
    st.integers(0, 200), st.integers(0, 200), st.booleans(), st.sampled_from(["never", "at_once"])
)
def test_however_late_the_worker_is_no_step_loses_its_time(
    late_by: int, later_by: int, professional: bool, acceleration: str
) -> None:
    parameters = dataclasses.replace(PARAMETERS, professional_acceleration=acceleration)
    pauses = rules.dunning(parameters, professional=professional, graced=False)
    done: dict[DunningStep, date] = {}
    for number, pause in enumerate(pauses):
        planned = rules.next_step(rules.timeline(pauses, OWED_ON, done))
        assert planned is not None
        assert planned.step is pause.step
        delay = (late_by, later_by)[number % 2]
        done[planned.step] = planned.on + timedelta(days=delay)
    made = rules.timeline(pauses, OWED_ON, done)
    assert rules.next_step(made) is None
    days = [OWED_ON, *(one.on for one in made)]
    for pause, before, after in zip(pauses, days[:-1], days[1:], strict=True):
        assert (after - before).days >= pause.days


def test_the_last_day_to_pay_is_the_one_before_what_follows() -> None:
    day = date(2026, 7, 10)
    made = (
        Planned(DunningStep.SUSPENSION, day, True),
        Planned(DunningStep.ACCELERATION_NOTICE, day, False),
        Planned(DunningStep.ACCELERATION, day + timedelta(days=31), False),
    )
    assert rules.answer_by(made, DunningStep.SUSPENSION) == day + timedelta(days=30)
    assert rules.answer_by(made, DunningStep.ACCELERATION) is None


def test_what_is_goods_and_what_is_a_service() -> None:
    free = {ProductKind.PAPER_GUIDE, ProductKind.DIGITAL_PRODUCT, ProductKind.TEMPLATE}
    assert {kind for kind in ProductKind if not rules.is_service(kind)} == free


def test_a_deferral_names_a_later_day_within_a_year() -> None:
    assert rules.deferral_bounds(date(2026, 7, 1), date(2026, 8, 1)) == (
        date(2026, 8, 2),
        date(2027, 8, 1),
    )
    assert rules.deferral_bounds(date(2026, 9, 1), date(2026, 8, 1))[0] == date(2026, 9, 2)


@pytest.mark.parametrize(("days", "band"), [(1, 0), (15, 0), (16, 1), (30, 1), (90, 3), (91, 4)])
def test_bands_of_lateness(days: int, band: int) -> None:
    assert rules.age_band(days) == band
