"""Recurring revenue, churn, cohorts: docs/algorithms/subscription-figures.md, on both databases."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from time import process_time

from flask import Flask

from storefront.infra.db import db, transaction
from storefront.kernel.calendar import add_months, paris_date
from storefront.subscriptions import queries
from storefront.subscriptions.models import Pause, Subscription, SubscriptionStatus
from storefront.subscriptions.queries import MovementKind
from tests.kernel.worked_examples import table
from tests.subscriptions.rows import Row, Span, months, write

PAGE = "subscription-figures.md"
TODAY = date(2026, 11, 24)
PERIOD = re.compile(r"(\d\d-\d\d): (\d+\.\d\d)(?:/(\d+))?(-?)")


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


def day(month_and_day: str) -> date:
    return date.fromisoformat(f"2026-{month_and_day}")


def documented() -> list[Row]:
    """The subscriptions of the worked example."""
    rows = []
    for _, periods, ended, state in table(PAGE, "subscription", "periods", "ended", "state"):
        found = PERIOD.findall(periods)
        assert len(found) == len(periods.split(", "))
        spans = [Span(day(first), minor(net), paid=not late) for first, net, _, late in found]
        rows.append(
            Row(
                spans,
                SubscriptionStatus(state),
                day(ended) if ended else None,
                months=int(found[0][2] or 1),
            )
        )
    return rows


def test_the_worked_example_holds_line_by_line(app: Flask, now: datetime) -> None:
    write(documented(), now)
    kinds = [kind.value for kind in MovementKind]
    expected = table(PAGE, "month", *kinds, "at its end")

    curve = queries.curve(queries.movements(TODAY), "EUR", TODAY, months=len(expected))

    for (month, *moved, at_the_end), point in zip(expected, curve, strict=True):
        assert f"{point.month:%Y-%m}" == month
        moves = [point.moves[kind].minor if kind in point.moves else 0 for kind in MovementKind]
        assert moves == [minor(amount) for amount in moved], month
        assert point.minor == minor(at_the_end), month


def test_the_churn_of_the_worked_example(app: Flask, now: datetime) -> None:
    write(documented(), now)

    assert queries.customers_lost(TODAY) == (5, 1)
    assert queries.revenue_lost(*queries.curve(queries.movements(TODAY), "EUR", TODAY)[-2:]) == (
        18600,
        7900,
    )


def test_the_cohorts_of_the_worked_example(app: Flask, now: datetime) -> None:
    write(documented(), now)
    expected = table(PAGE, "began in", "started", "after 1 month", "after 2 months")

    cohorts = queries.cohorts(TODAY)

    shown = [(f"{one.month:%Y-%m}", one.started, list(one.kept)) for one in cohorts]
    assert shown == [
        (month, int(started), [int(count) for count in kept if count])
        for month, started, *kept in expected
    ]
    assert queries.retention(cohorts) == [(6, 7), (4, 5)]


def test_what_is_late_stands_beside_what_recurs(app: Flask, now: datetime) -> None:
    write(documented(), now)

    found = {one.status: (one.count, one.minor) for one in queries.standings()}
    assert [one.status for one in queries.standings() if one.counts] == [SubscriptionStatus.ACTIVE]
    assert found == {
        SubscriptionStatus.ACTIVE: (4, 10700),
        SubscriptionStatus.SUSPENDED: (1, 1900),
    }
    (late,) = queries.failing()
    assert (late.periods, late.minor, late.next_attempt_on) == (2, 3800, date(2026, 10, 25))


def test_the_morning_before_the_months_are_opened_nobody_has_left(
    app: Flask, now: datetime
) -> None:
    """The month that begins today is opened later in the day."""
    write([Row([Span(add_months(TODAY, -1))])], now)

    assert queries.curve(queries.movements(TODAY), "EUR", TODAY)[-1].minor == 1900


def test_an_end_that_is_set_for_later_is_no_loss_yet(app: Flask, now: datetime) -> None:
    first = date(2026, 10, 28)
    write([Row([Span(first)], ends_on=add_months(first, 1))], now)

    assert queries.curve(queries.movements(TODAY), "EUR", TODAY)[-1].minor == 1900
    assert queries.customers_lost(TODAY) == (1, 0)
    assert [one.ends_on for one in queries.coming(TODAY)] == [date(2026, 11, 28)]


def test_a_month_cut_short_counts_until_the_end(app: Flask, now: datetime) -> None:
    """Revoked on the 12th, in a month paid until the 28th."""
    ended = Row([Span(date(2026, 10, 28))], SubscriptionStatus.ENDED, date(2026, 11, 12))
    write([ended], now)

    (october, november) = queries.curve(queries.movements(TODAY), "EUR", TODAY)[-2:]
    assert (october.minor, november.minor) == (1900, 0)
    assert november.moves[MovementKind.LOST].count == 1


def test_what_is_paused_is_not_counted_until_it_resumes(app: Flask, now: datetime) -> None:
    """Days without service and without billing, however long they last."""
    (paused, _) = write([Row(months(date(2026, 9, 10), 2)), Row(months(date(2026, 9, 10), 3))], now)
    with transaction():
        staff = db.session.get_one(Subscription, paused).user_id
        pause = Pause(
            subscription_id=paused,
            starts_on=date(2026, 10, 20),
            reason="Incendie.",
            recorded_by=staff,
            recorded_at=now,
        )
        db.session.add(pause)

    (october, november) = queries.curve(queries.movements(TODAY), "EUR", TODAY)[-2:]
    assert (october.minor, november.minor) == (1900, 1900)
    assert october.moves[MovementKind.HALTED].minor == -1900
    beside = [(one.paused, one.count) for one in queries.standings() if not one.counts]
    assert beside == [(True, 1)]


def test_an_empty_shop_has_a_flat_curve(app: Flask) -> None:
    curve = queries.curve(queries.movements(TODAY), "EUR", TODAY)
    assert [point.minor for point in curve] == [0] * 13
    assert (queries.cohorts(TODAY), queries.customers_lost(TODAY)) == ([], (0, 0))


def test_a_thousand_subscriptions_of_thirteen_months_take_a_moment(
    app: Flask, now: datetime
) -> None:
    """The board has 300 ms of CPU for two thousand."""
    today = paris_date(now)
    rows = [Row(months(add_months(today, -12), 13)) for _ in range(1000)]
    write(rows, now)
    db.session.remove()

    started = process_time()
    moves = queries.movements(today)
    queries.customers_lost(today)
    queries.cohorts(today)
    queries.standings()
    spent = process_time() - started

    assert queries.curve(moves, "EUR", today)[-1].minor == 1000 * 1900
    assert spent < 0.4, spent  # 0.1 s on a quiet machine
