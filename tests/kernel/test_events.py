"""Events survive the outbox unchanged, or are refused loudly."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.events import JSON, Event, MalformedPayload, from_payload, to_payload


@dataclass(frozen=True)
class ParcelSent(Event):
    parcel_id: UUID
    at: datetime
    due: date
    weight_grams: int
    carrier: str
    signed: bool
    replaces: UUID | None
    checked_at: datetime | None
    stops: tuple[date, ...]
    size: tuple[int, int]
    note: str = ""


@dataclass(frozen=True)
class Weighed(Event):
    weight: float


@dataclass(frozen=True)
class Undecided(Event):
    when: date | str


ID = UUID("3f2c1a9e-5a77-4b0e-9d1c-0c1f6f0a2b11")
SENT = ParcelSent(
    parcel_id=ID,
    at=datetime(2026, 11, 21, 12, 30, tzinfo=UTC),
    due=date(2026, 11, 23),
    weight_grams=1200,
    carrier="Colis été",
    signed=True,
    replaces=None,
    checked_at=datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=UTC),
    stops=(date(2026, 11, 22), date(2026, 11, 23)),
    size=(30, 20),
)
PAYLOAD: dict[str, JSON] = {
    "parcel_id": str(ID),
    "at": "2026-11-21T12:30:00+00:00",
    "due": "2026-11-23",
    "weight_grams": 1200,
    "carrier": "Colis été",
    "signed": True,
    "replaces": None,
    "checked_at": "2026-11-21T12:00:00.000005+00:00",
    "stops": ["2026-11-22", "2026-11-23"],
    "size": [30, 20],
    "note": "",
}


def test_an_event_is_written_as_plain_json() -> None:
    assert to_payload(SENT) == PAYLOAD


def test_an_event_is_read_back_equal() -> None:
    assert from_payload(ParcelSent, json.loads(json.dumps(PAYLOAD))) == SENT


@given(
    st.builds(
        ParcelSent,
        at=st.datetimes(timezones=st.just(UTC)),
        checked_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    )
)
def test_every_event_survives_the_outbox(event: ParcelSent) -> None:
    assert from_payload(ParcelSent, json.loads(json.dumps(to_payload(event)))) == event


def test_instants_are_written_in_utc() -> None:
    rabat = timezone(timedelta(hours=1))
    event = ParcelSent(**{**vars(SENT), "at": datetime(2026, 11, 21, 13, 30, tzinfo=rabat)})
    assert to_payload(event)["at"] == "2026-11-21T12:30:00+00:00"


def test_a_field_added_later_takes_its_default_from_older_rows() -> None:
    older = {key: value for key, value in PAYLOAD.items() if key != "note"}
    assert from_payload(ParcelSent, older) == SENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "2026-11-21T12:30:00"},
        {"at": "2026-11-21"},
        {"at": 5},
        {"checked_at": "2026-11-21T12:30:00"},
        {"due": "2026-11-21T12:30:00+00:00"},
        {"due": "23/11/2026"},
        {"parcel_id": "7"},
        {"parcel_id": None},
        {"weight_grams": "1200"},
        {"weight_grams": 1200.0},
        {"weight_grams": True},
        {"signed": 1},
        {"carrier": None},
        {"replaces": ""},
        {"stops": "2026-11-22"},
        {"stops": [None]},
        {"size": [30]},
        {"size": [30, "20"]},
        {"unheard_of": 1},
    ],
)
def test_a_payload_that_does_not_fit_is_refused(wrong: dict[str, JSON]) -> None:
    with pytest.raises(MalformedPayload):
        from_payload(ParcelSent, {**PAYLOAD, **wrong})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(MalformedPayload, match="carrier"):
        from_payload(ParcelSent, {k: v for k, v in PAYLOAD.items() if k != "carrier"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": datetime(2026, 11, 21, 12, 30)},  # noqa: DTZ001
        {"checked_at": datetime(2026, 11, 21, 12, 30)},  # noqa: DTZ001
        {"due": datetime(2026, 11, 23, tzinfo=UTC)},
        {"weight_grams": 1200.0},
        {"weight_grams": True},
        {"stops": [date(2026, 11, 22)]},
        {"size": (30, 20, 10)},
        {"parcel_id": str(ID)},
        {"carrier": None},
    ],
)
def test_a_value_that_does_not_fit_its_field_is_never_written(wrong: dict[str, object]) -> None:
    with pytest.raises(MalformedPayload):
        to_payload(ParcelSent(**{**vars(SENT), **wrong}))


def test_a_field_that_cannot_be_read_back_with_certainty_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="float"):
        to_payload(Weighed(weight=1.5))
    with pytest.raises(TypeError, match="one type"):
        to_payload(Undecided(when="soon"))
    with pytest.raises(TypeError, match="one type"):
        from_payload(Undecided, {"when": "2026-11-21"})
