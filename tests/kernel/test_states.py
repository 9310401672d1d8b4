"""Lifecycles allow what their table says and nothing else."""

from enum import StrEnum

import pytest

from storefront.kernel.errors import WrongMove
from storefront.kernel.states import Lifecycle


class Parcel(StrEnum):
    PACKED = "packed"
    SENT = "sent"
    RECEIVED = "received"
    LOST = "lost"


class Letter(StrEnum):
    WRITTEN = "written"


MOVES: dict[Parcel, set[Parcel]] = {
    Parcel.PACKED: {Parcel.SENT},
    Parcel.SENT: {Parcel.RECEIVED, Parcel.LOST},
    Parcel.RECEIVED: set(),
    Parcel.LOST: set(),
}
PARCELS = Lifecycle("parcel", MOVES)


def test_exactly_the_listed_moves_are_allowed() -> None:
    allowed = {(one, other) for one in Parcel for other in Parcel if PARCELS.can(one, other)}
    assert allowed == {(one, other) for one, others in MOVES.items() for other in others}


def test_an_allowed_move_passes_the_check() -> None:
    PARCELS.check(Parcel.PACKED, Parcel.SENT)


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (Parcel.RECEIVED, Parcel.SENT),
        (Parcel.PACKED, Parcel.LOST),
        (Parcel.SENT, Parcel.SENT),
    ],
)
def test_a_wrong_move_is_refused_with_its_facts(current: Parcel, wanted: Parcel) -> None:
    with pytest.raises(WrongMove) as refusal:
        PARCELS.check(current, wanted)
    assert refusal.value.details == {
        "lifecycle": "parcel",
        "current": current.value,
        "wanted": wanted.value,
    }


def test_final_states_are_those_nothing_follows() -> None:
    assert PARCELS.final == {Parcel.RECEIVED, Parcel.LOST}
    assert PARCELS.states == set(Parcel)


def test_a_forgotten_state_is_found_when_the_table_is_built() -> None:
    with pytest.raises(ValueError, match=r"forgets.*lost"):
        Lifecycle("parcel", {state: set() for state in Parcel if state is not Parcel.LOST})


def test_a_state_of_something_else_is_found_when_the_table_is_built() -> None:
    mixed = {**MOVES, Parcel.LOST: {Letter.WRITTEN}}
    with pytest.raises(ValueError, match=r"mixes in.*written"):
        Lifecycle("parcel", mixed)  # type: ignore[arg-type]


def test_a_lifecycle_without_states_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no state"):
        Lifecycle[Parcel]("nothing", {})


def test_the_table_cannot_be_changed_afterwards() -> None:
    moves = {state: set(others) for state, others in MOVES.items()}
    parcels = Lifecycle("parcel", moves)
    moves[Parcel.RECEIVED].add(Parcel.PACKED)
    assert not parcels.can(Parcel.RECEIVED, Parcel.PACKED)
