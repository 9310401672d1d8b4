"""Refusals carry a status, a name and facts."""

import pytest

from storefront.kernel import errors
from storefront.kernel.errors import NoOpeningDay, Refusal, StaleWrite, WrongMove


class InsufficientCredit(Refusal):
    """Not enough minutes."""


def test_a_refusal_keeps_its_facts_and_says_them_in_logs() -> None:
    refusal = InsufficientCredit(wanted=120, left=60)
    assert refusal.details == {"wanted": 120, "left": 60}
    assert str(refusal) == "InsufficientCredit(wanted=120, left=60)"


def test_a_refusal_is_named_after_its_class() -> None:
    assert Refusal.name == "refusal"
    assert InsufficientCredit.name == "insufficient_credit"
    assert NoOpeningDay.name == "no_opening_day"


@pytest.mark.parametrize("conflict", [StaleWrite, WrongMove])
def test_what_was_possible_a_moment_ago_is_a_conflict(conflict: type[Refusal]) -> None:
    assert conflict.status == 409


def test_a_refusal_is_unprocessable_unless_it_says_otherwise() -> None:
    assert InsufficientCredit.status == 422


def test_no_two_refusals_of_the_kernel_share_a_name() -> None:
    names = [
        refusal.name
        for refusal in vars(errors).values()
        if isinstance(refusal, type) and issubclass(refusal, Refusal)
    ]
    assert len(names) == len(set(names)) > 5
