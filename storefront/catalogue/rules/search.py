"""Which products answer to the words of a visitor, and how well."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[a-z0-9]+")
_STEMMER = snowballstemmer.stemmer("french")
# Words that say nothing about what is looked for.
_EMPTY = frozenset("a au aux avec ce d de des du en et l la le les ou par pour sur un une".split())


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    stem: str = _STEMMER.stemWord(word)
    return stem


def search_stems(text: str) -> list[str]:
    """The words of a text as a search compares them: no accents, no endings, no empty words."""
    folded = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return [_stem(word) for word in _WORD.findall(plain) if word not in _EMPTY]


def search_score(wanted: Iterable[str], texts: Sequence[tuple[int, str]]) -> int:
    """How well texts (weight, text) answer the wanted stems; 0 unless each word is found.

    The beginning of a word counts for half of the whole word.
    """
    best: dict[str, int] = dict.fromkeys(wanted, 0)
    for weight, text in texts:
        for stem in search_stems(text):
            for word in best:
                if stem == word:
                    best[word] = max(best[word], 2 * weight)
                elif len(word) > 2 and stem.startswith(word):
                    best[word] = max(best[word], weight)
    return sum(best.values()) if best and all(best.values()) else 0
