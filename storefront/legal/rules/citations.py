"""Citations that lead nowhere any more: repealed articles (LX21), services that closed (PRI-06)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from storefront.legal.rules.findings import Finding, Level, Rule, Text, around

REPEALED = Rule("repealed_citation", "LX21", "ord. 2016-131, 2016-301 et 2019-359")
OUTDATED = Rule("outdated_mention", "PRI-07", "")
DEAD_PLATFORM = Rule("dead_odr_platform", "PRI-06", "règl. (UE) 2024/3228", Level.ERROR)


@dataclass(frozen=True)
class Repealed:
    """An article that says something else since a day, or nothing; `instead`: where it went."""

    article: str
    since: date
    instead: str
    code: str = ""  # a word of the code's name where the bare number could be another's


_CONSUMER = date(2016, 7, 1)  # ord. 2016-301: the consumer code in its new order
_CIVIL = date(2016, 10, 1)  # ord. 2016-131: the law of obligations
_TRADE = date(2019, 4, 26)  # ord. 2019-359: title IV of book IV of the trade code

TABLE = (
    Repealed("L114-1", _CONSUMER, "L216-1", "consommation"),
    Repealed("L121-20", _CONSUMER, "L221-18", "rétractation"),
    Repealed("L121-20-3", _CONSUMER, "L216-1"),
    Repealed("L121-21", _CONSUMER, "L221-18"),
    Repealed("L121-21-1", _CONSUMER, "L221-20"),
    Repealed("L121-21-2", _CONSUMER, "L221-21"),
    Repealed("L121-21-3", _CONSUMER, "L221-23"),
    Repealed("L121-21-4", _CONSUMER, "L221-24"),
    Repealed("L121-21-5", _CONSUMER, "L221-25"),
    Repealed("L121-21-8", _CONSUMER, "L221-28"),
    Repealed("L132-1", _CONSUMER, "L212-1", "consommation"),
    Repealed("L136-1", _CONSUMER, "L215-1", "consommation"),
    Repealed("L152-1", _CONSUMER, "L612-1", "consommation"),
    Repealed("R132-1", _CONSUMER, "R212-1"),
    Repealed("R132-2", _CONSUMER, "R212-2"),
    Repealed("1316-1", _CIVIL, "1366"),
    Repealed("1316-4", _CIVIL, "1367"),
    Repealed("1369-4", _CIVIL, "1127-1"),
    Repealed("1369-5", _CIVIL, "1127-2"),
    Repealed("1382", _CIVIL, "1240", "code civil"),
    Repealed("L441-3", _TRADE, "L441-9", "factur"),
    Repealed("L441-6", _TRADE, "L441-10"),
)


@dataclass(frozen=True)
class Outdated:
    """Words that name what no longer is."""

    words: re.Pattern[str]
    since: date
    instead: str


MENTIONS = (
    Outdated(re.compile(r"répertoire des métiers", re.I), date(2023, 1, 1), "RNE"),
    Outdated(re.compile(r"\bbloctel\b", re.I), date(2026, 8, 11), "L223-1"),
    Outdated(re.compile(r"déclar\w+ (?:à|auprès de) la CNIL", re.I), date(2018, 5, 25), "RGPD"),
    Outdated(
        re.compile(r"article 6[^.]{0,60}(?:2004-575|LCEN|économie numérique)", re.I),
        date(2024, 5, 23),
        "art. 1-1",
    ),
)

_ODR = re.compile(
    r"ec\.europa\.eu/(?:consumers/)?odr|524/2013|"
    r"plate-?forme (?:européenne )?de (?:règlement|résolution) (?:en ligne )?des litiges",
    re.I,
)


def _pattern(article: str) -> re.Pattern[str]:
    letter, number = re.fullmatch(r"([LR]?)(.+)", article).groups()  # type: ignore[union-attr]
    before = rf"\b{letter}\.? ?" if letter else r"(?<![\d\w-])"
    return re.compile(rf"{before}{re.escape(number)}(?![\d-]*\d)")


_PATTERNS = [(_pattern(one.article), one) for one in TABLE]


def dead_citations(text: Text) -> Iterator[Finding]:
    """Every citation that is dead on the day from which the text would hold."""
    for paragraph in text.paragraphs:
        words = paragraph.words
        for pattern, repealed in _PATTERNS:
            if text.on < repealed.since or repealed.code not in words:
                continue
            for match in pattern.finditer(words):
                said = around(words, match)
                yield Finding(REPEALED, paragraph.under, said, repealed.instead)
        for outdated in MENTIONS:
            if text.on >= outdated.since and (found := outdated.words.search(words)):
                said = around(words, found)
                yield Finding(OUTDATED, paragraph.under, said, outdated.instead)
        if found := _ODR.search(words):
            yield Finding(DEAD_PLATFORM, paragraph.under, around(words, found))
