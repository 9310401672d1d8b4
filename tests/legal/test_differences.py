"""What changed between two texts, as people read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from storefront.legal.forms import GROUPS, LABELS
from storefront.legal.rules import (
    Differences,
    TermsParameters,
    TrainingParameters,
    differences,
    fill_in,
    is_document_name,
    read_source,
    reread_source,
    show_value,
    write_source,
)
from tests.factories import TERMS
from tests.legal.test_linter import FACTS

NONE: Mapping[str, Any] = {}


def between(old: str, new: str) -> Differences:
    return differences((old, NONE), (new, NONE))


def marked(found: Differences) -> list[str]:
    """Each change as one line: -gone- and +new+."""
    marks = {"same": "{}", "gone": "-{}-", "new": "+{}+"}
    return [
        "".join(marks[piece.mark.value].format(piece.words) for piece in change.pieces)
        for change in found.changes
    ]


def test_the_same_text_has_no_difference() -> None:
    found = between("# A\n\nUn mot.", "# A\n\nUn   mot.")
    assert not found
    assert found.unchanged == 2


def test_one_word_is_marked_in_its_paragraph_under_its_heading() -> None:
    found = between("# A\n\nUn délai de 12 mois.\n\nFin.", "# A\n\nUn délai de 6 mois.\n\nFin.")
    assert marked(found) == ["Un délai de -12-+6+ mois."]
    assert found.changes[0].under == "A"


def test_words_that_follow_one_another_are_one_change() -> None:
    found = between(
        "Vous avez le choix de partir demain matin.", "Vous avez le choix de rester ce soir matin."
    )
    assert marked(found) == ["Vous avez le choix de -partir demain-+rester ce soir+ matin."]


def test_paragraphs_come_and_go_whole() -> None:
    found = between("Un.\n\nTout autre chose ici.\n\nTrois.", "Un.\n\nTrois.\n\n- Quatre\n- Cinq")
    assert marked(found) == ["-Tout autre chose ici.-", "+Quatre+", "+Cinq+"]


def test_what_only_looks_different_is_no_difference() -> None:
    assert not between("Un **mot**\nsimple.", "Un mot simple.")


def test_a_link_that_leads_elsewhere_is_a_difference() -> None:
    found = between("Voir [ici](https://a.example).", "Voir [ici](https://b.example).")
    assert "-a-+b+" in marked(found)[0]


def test_a_row_of_a_table_is_one_piece() -> None:
    table = "| A | B |\n|---|---|\n| un | {} |\n"
    assert marked(between(table.format("deux"), table.format("trois"))) == ["un | -deux-+trois+"]


def test_figures_are_told_with_their_old_and_new_value() -> None:
    found = differences(("", {"a": 1, "b": (2, 3), "c": 4}), ("", {"a": 1, "b": [2, 5], "d": 6}))
    assert [(one.name, one.before, one.after) for one in found.figures] == [
        ("b", (2, 3), [2, 5]),
        ("d", None, 6),
        ("c", 4, None),
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("hour_pack_validity_months", 12, "12 mois"),
        ("recovery_fee_minor", 4000, "40,00 €"),
        ("availability_target_bp", 9950, "99,5 %"),
        ("expiry_reminder_days", (60, 30, 7), "60, 30 et 7 jours"),
        ("reply_business_days", 1, "1 jour ouvré"),
        ("instalments_max_products", 2, "2"),
        ("early_exit_reasons", ("un départ", "un deuil"), "un départ et un deuil"),
        ("consumer_acceleration", "never", "ne devient jamais exigible d’avance"),
    ],
)
def test_a_figure_is_shown_with_its_unit(name: str, value: Any, said: str) -> None:
    assert show_value(name, value).replace("\u00a0", " ").replace("\u202f", " ") == said


def test_every_parameter_has_one_french_name() -> None:
    known = {
        field.name
        for kind in (TermsParameters, TrainingParameters)
        for field in dataclasses.fields(kind)
    }
    assert set(LABELS) == known
    assert sum(len(names) for names in GROUPS.values()) == len(known)
    assert len(set(LABELS.values())) == len(known)


@pytest.mark.parametrize("path", sorted(TERMS.glob("*.md")), ids=lambda path: path.stem)
def test_a_source_that_is_written_reads_back_the_same(path: Any) -> None:
    source = read_source(path.read_text())
    assert read_source(write_source(source)) == source == reread_source(path.read_text())
    assert fill_in(read_source(write_source(source)), FACTS) == fill_in(source, FACTS)


def test_what_people_type_does_not_break_the_source() -> None:
    source = read_source((TERMS / "formation-1.md").read_text())
    odd = dataclasses.replace(
        source, title='Un "titre" \\ avec ’ et \t et \x7f', body="+++\na\n+++\n"
    )
    assert read_source(write_source(odd)) == odd


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("conditions-atelier", True),
        ("Atelier", False),
        ("atelier-2", False),
        ("a/b", False),
        ("", False),
    ],
)
def test_a_document_is_called_as_its_address_can_be(name: str, fits: bool) -> None:
    assert is_document_name(name) is fits
