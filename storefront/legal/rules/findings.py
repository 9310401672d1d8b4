"""What the linter of terms says: which rule, how grave, where, and by which words it was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from storefront.legal.rules.parameters import Parameters
from storefront.legal.rules.prose import Paragraph, paragraphs

_SPACES = re.compile(r"\s+")


class Level(StrEnum):
    """An error keeps a text from being published; a warning wants an explicit yes."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Rule:
    """One thing that the linter looks for. `law`: its id in the law's notes; `source`: the article
    that speaks of it."""

    name: str
    law: str
    source: str
    level: Level = Level.WARNING


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `place`: a heading or a parameter; `words`: the text's own."""

    rule: Rule
    place: str = ""
    words: str = ""
    instead: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it keeps the text from being published."""
        return self.rule.level is Level.ERROR


@dataclass(frozen=True)
class Text:
    """What is looked at: a text with its placeholders filled in, its parameters, and for whom.

    `on`: the day from which it would hold. `consumers`: whether the shop sells to them too.
    """

    document: str
    body: str
    parameters: Parameters
    facts: Mapping[str, Any]
    on: date
    consumers: bool = True

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """Its words with plain spaces and apostrophes, so that one pattern finds them all."""
        return _plain_paragraphs(self.body)

    @property
    def words(self) -> str:
        """All of them, a paragraph a line."""
        return "\n".join(one.words for one in self.paragraphs)


Look = Callable[[Text], Iterator[Finding]]


def plain(words: str) -> str:
    """The same words with plain spaces and apostrophes."""
    return _SPACES.sub(" ", words.replace("’", "'"))


@lru_cache(maxsize=64)
def _plain_paragraphs(body: str) -> tuple[Paragraph, ...]:
    return tuple(Paragraph(one.under, plain(one.words)) for one in paragraphs(body))


def around(words: str, match: re.Match[str], margin: int = 40) -> str:
    """The words of a match with a little of what stands beside them."""
    start, end = max(0, match.start() - margin), match.end() + margin
    cut = words[start:end]
    if start:
        cut = "…" + cut.partition(" ")[2]
    if end < len(words):
        cut = cut.rpartition(" ")[0] + "…"
    return cut
