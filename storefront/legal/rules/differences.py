"""What changed between two texts: the paragraphs that differ, word by word, and the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from typing import Any

from storefront.legal.rules.prose import Paragraph, paragraphs

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
ALIKE = 0.5  # below this two paragraphs are not one that was rewritten


class Mark(StrEnum):
    """What became of some words."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True)
class Piece:
    """Some words of a paragraph, and what became of them."""

    mark: Mark
    words: str


@dataclass(frozen=True)
class Change:
    """One paragraph that differs. `under`: its heading in the newer text, or in the older one."""

    under: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class NewFigure:
    """A parameter that differs; None where one of the two texts has no such parameter."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Differences:
    """All that differs between two texts; `unchanged` counts the paragraphs that do not."""

    changes: tuple[Change, ...]
    figures: tuple[NewFigure, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.changes or self.figures)


def differences(
    before: tuple[str, Mapping[str, Any]], after: tuple[str, Mapping[str, Any]]
) -> Differences:
    """Compare two texts as they are read, with their parameters: (Markdown, name → value)."""
    (old, old_figures), (new, new_figures) = before, after
    changes, unchanged = _changes(old, new)
    names = [*new_figures, *(name for name in old_figures if name not in new_figures)]
    figures = tuple(
        NewFigure(name, old_figures.get(name), new_figures.get(name))
        for name in names
        if _plain(old_figures.get(name)) != _plain(new_figures.get(name))
    )
    return Differences(changes, figures, unchanged)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@lru_cache(maxsize=32)
def _changes(old: str, new: str) -> tuple[tuple[Change, ...], int]:
    one, other = paragraphs(old), paragraphs(new)
    matcher = SequenceMatcher(
        None, [each.words for each in one], [each.words for each in other], autojunk=False
    )
    changes: list[Change] = []
    unchanged = 0
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            unchanged += end - start
        else:
            changes += _rewritten(one[start:end], other[new_start:new_end])
    return tuple(changes), unchanged


def _rewritten(gone: Sequence[Paragraph], new: Sequence[Paragraph]) -> Iterator[Change]:
    """Pair what was rewritten with what it became, in order; the rest went or came whole."""
    left = list(gone)
    for paragraph in new:
        at = next((i for i, old in enumerate(left) if _alike(old.words, paragraph.words)), None)
        if at is None:
            yield Change(paragraph.under, (Piece(Mark.NEW, paragraph.words),))
            continue
        for dropped in left[:at]:
            yield Change(dropped.under, (Piece(Mark.GONE, dropped.words),))
        yield Change(paragraph.under, _pieces(left[at].words, paragraph.words))
        del left[: at + 1]
    for dropped in left:
        yield Change(dropped.under, (Piece(Mark.GONE, dropped.words),))


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, _WORD.findall(one), _WORD.findall(other), autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _pieces(old: str, new: str) -> tuple[Piece, ...]:
    """The words of both; what changed on both sides of a space is one change."""
    one, other = _WORD.findall(old), _WORD.findall(new)
    pieces: list[Piece] = []
    gone = came = ""

    def tell() -> None:
        pieces.extend(
            Piece(mark, words) for mark, words in ((Mark.GONE, gone), (Mark.NEW, came)) if words
        )

    for _, start, end, new_start, new_end in SequenceMatcher(
        None, one, other, autojunk=False
    ).get_opcodes():
        before, after = "".join(one[start:end]), "".join(other[new_start:new_end])
        if before == after and not (before.isspace() and (gone or came)):
            tell()
            gone = came = ""
            pieces.append(Piece(Mark.SAME, before))
        else:
            gone, came = gone + before, came + after
    tell()
    return tuple(pieces)
