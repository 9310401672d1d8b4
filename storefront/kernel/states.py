"""Lifecycles: one table per thing saying which state may follow which."""

from collections.abc import Collection, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Generic, TypeVar

from storefront.kernel.errors import WrongMove

State = TypeVar("State", bound=Enum)


class Lifecycle(Generic[State]):
    """The allowed moves between the states of one thing.

    Every member of the enum has its line, a final state an empty one: a table that forgets a new
    status raises `ValueError` when it is built, that is at import.
    Staying in the same state is a move like any other and must be listed to be allowed.
    """

    def __init__(self, name: str, moves: Mapping[State, Collection[State]]) -> None:
        if not moves:
            raise ValueError(f"the lifecycle {name!r} has no state")
        states = frozenset(type(next(iter(moves))))
        named = frozenset(moves).union(*moves.values())
        if strangers := named - states:
            raise ValueError(f"the lifecycle {name!r} mixes in {sorted(map(str, strangers))}")
        if forgotten := states - frozenset(moves):
            raise ValueError(f"the lifecycle {name!r} forgets {sorted(map(str, forgotten))}")
        self.name = name
        self.moves: Mapping[State, frozenset[State]] = MappingProxyType(
            {state: frozenset(followers) for state, followers in moves.items()}
        )

    @property
    def states(self) -> frozenset[State]:
        """Every state of the thing."""
        return frozenset(self.moves)

    @property
    def final(self) -> frozenset[State]:
        """The states nothing follows."""
        return frozenset(state for state, followers in self.moves.items() if not followers)

    def can(self, current: State, wanted: State) -> bool:
        """Whether `wanted` may follow `current`."""
        return wanted in self.moves[current]

    def check(self, current: State, wanted: State) -> None:
        """Raise `WrongMove` unless `wanted` may follow `current`."""
        if not self.can(current, wanted):
            raise WrongMove(lifecycle=self.name, current=current.value, wanted=wanted.value)

    def __repr__(self) -> str:
        return f"Lifecycle({self.name!r})"
