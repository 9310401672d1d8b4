"""What templates can say: money, dates and durations in French."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency
from flask import Flask
from markdown_it import MarkdownIt
from markupsafe import Markup

from storefront.infra import clock
from storefront.kernel.calendar import PARIS
from storefront.kernel.money import Money

LOCALE = "fr_FR"
NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=4096)
def money_fr(minor: int | Money, currency: str = "EUR") -> str:
    """An amount as a French reader expects it: `1 234,50 €`. `minor` in minor units."""
    amount = minor if isinstance(minor, Money) else Money(minor, currency)
    text: str = format_currency(amount.major_string(), amount.currency, locale=LOCALE)
    return text


def date_fr(day: date | datetime) -> str:
    """A full date in Paris: `mardi 8 décembre 2026`."""
    day = day.astimezone(PARIS).date() if isinstance(day, datetime) else day
    return _ordinal(day, "EEEE d MMMM y")


def date_short_fr(day: date | datetime) -> str:
    """A date in Paris without its weekday: `8 déc. 2026`."""
    day = day.astimezone(PARIS).date() if isinstance(day, datetime) else day
    return _ordinal(day, "d MMM y")


def iso_day_fr(text: str) -> str:
    """A full date that was kept as text, in JSON."""
    return date_fr(date.fromisoformat(text))


def _ordinal(day: date, pattern: str) -> str:
    text: str = format_date(day, pattern, locale=LOCALE)
    return text.replace("1 ", "1er ", 1) if day.day == 1 else text


@lru_cache(maxsize=512)
def month_fr(day: date) -> str:
    """A month: `déc. 2026`."""
    text: str = format_date(day, "MMM y", locale=LOCALE)
    return text


def datetime_fr(instant: datetime) -> str:
    """An instant in Paris: `mardi 8 décembre 2026 à 14 h 05`."""
    return f"{date_fr(instant)} à {time_fr(instant)}"


def time_fr(instant: datetime) -> str:
    """The hour in Paris: `14 h`, `9 h 05`."""
    local = instant.astimezone(PARIS)
    hour = f"{local.hour}{NO_BREAK_SPACE}h"
    return hour if local.minute == 0 else f"{hour}{NO_BREAK_SPACE}{local.minute:02d}"


def iso_local(instant: datetime) -> str:
    """An instant for a `<time datetime>` attribute."""
    text: str = format_datetime(instant, "yyyy-MM-dd'T'HH:mm:ssxxx", tzinfo=PARIS, locale=LOCALE)
    return text


def minutes_fr(minutes: int) -> str:
    """A duration: `45 min`, `2 h`, `1 h 30`."""
    sign, minutes = ("−" if minutes < 0 else ""), abs(minutes)
    hours, rest = divmod(minutes, 60)
    if hours == 0:
        return f"{sign}{rest}{NO_BREAK_SPACE}min"
    text = f"{sign}{hours}{NO_BREAK_SPACE}h"
    return text if rest == 0 else f"{text}{NO_BREAK_SPACE}{rest:02d}"


def percent_fr(basis_points: int) -> str:
    """A rate in basis points: `5,5 %`."""
    whole, rest = divmod(basis_points, 100)
    decimals = f",{rest:02d}".rstrip("0") if rest else ""
    return f"{whole}{decimals}{NARROW_SPACE}%"


@lru_cache(maxsize=300)
def country_fr(code: str) -> str:
    """A country by its French name, from its ISO code."""
    return str(Locale("fr").territories.get(code, code))


@lru_cache(maxsize=512)
def markdown_html(text: str) -> Markup:
    """Markdown of our own catalogue and terms as HTML; raw HTML in it is shown, never run."""
    return Markup(_markdown.render(text))  # noqa: S704


FILTERS: dict[str, Any] = {
    "money": money_fr,
    "date_fr": date_fr,
    "date_short_fr": date_short_fr,
    "iso_day_fr": iso_day_fr,
    "month_fr": month_fr,
    "datetime_fr": datetime_fr,
    "time_fr": time_fr,
    "iso_local": iso_local,
    "minutes_fr": minutes_fr,
    "percent_fr": percent_fr,
    "country_fr": country_fr,
    "markdown": markdown_html,
}


def init_app(app: Flask) -> None:
    """Give every template the filters above, the shop's address and, in a demo, its date."""
    settings = app.config["SETTINGS"]
    app.jinja_env.globals["base_url"] = settings.base_url
    if settings.env == "demo":
        app.context_processor(lambda: {"demo_now": clock.now().astimezone(PARIS)})
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
