"""The sandbox's clock: the real one plus an offset, so that it can follow the demo's."""

from datetime import UTC, datetime, timedelta

from sandbox.state import Store


class Clock:
    """Tells the time of the stand-in; the offset survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        offset = timedelta(seconds=self._store.setting("clock_offset", 0.0))
        return datetime.now(UTC) + offset

    def timestamp(self) -> int:
        """Whole seconds since 1970, as Stripe counts time."""
        return int(self.now().timestamp())

    def iso(self) -> str:
        """The instant in PayPal's manner: 2026-11-22T10:00:00Z."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def set_now(self, instant: datetime | None) -> None:
        """Make `instant` the present; None goes back to the real clock."""
        offset = 0.0 if instant is None else (instant - datetime.now(UTC)).total_seconds()
        self._store.set("clock_offset", offset)
