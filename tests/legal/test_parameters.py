"""What terms may promise: typed, bounded by the law, and stated in the text (R-01)."""

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from storefront.legal.rules import (
    TermsParameters,
    TrainingParameters,
    UnpublishableTerms,
    fill_in,
    read_parameters,
    read_source,
    restore_parameters,
    typeset,
    write_parameters,
)
from tests.factories import TERMS

FACTS = {
    "seller": tomllib.loads((TERMS.parent / "seller.toml").read_text()),
    "base_url": "https://boutique.example",
}
CGV = (TERMS / "cgv-1.md").read_text()
TRAINING = (TERMS / "formation-1.md").read_text()
FIELDS = [field.name for field in dataclasses.fields(TermsParameters)]


def parameters(source: str = CGV) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(source.split("+++")[1])["parameters"]
    return found


def problems_of(given: Mapping[str, Any], kind: Any = TermsParameters) -> tuple[str, ...]:
    with pytest.raises(UnpublishableTerms) as refused:
        read_parameters(kind, given)
    return refused.value.problems


def source(body: str, **given: object) -> str:
    """A document of its own with these parameters of trainings."""
    lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    head = f'document = "conditions-formation"\ntitle = "Essai"\n[parameters]\n{lines}'
    return f"+++\n{head}\n+++\n{body}\n"


FORMATION = {
    "training_withdrawal_days": 10,
    "training_first_share_max_bp": 3000,
    "withdrawal_days": 14,
    "refund_days": 14,
}
STATED = (
    "{{ training_withdrawal_days | days }} {{ training_first_share_max_bp | percent }} "
    "{{ withdrawal_days | days }} {{ refund_days | days }}"
)


def filled(body: str, **given: object) -> str:
    return fill_in(read_source(source(body, **{**FORMATION, **given})), FACTS)[1]


def refused(body: str) -> tuple[str, ...]:
    with pytest.raises(UnpublishableTerms) as refusal:
        filled(body)
    return refusal.value.problems


@pytest.mark.parametrize("path", sorted(TERMS.glob("*.md")), ids=lambda path: path.stem)
def test_the_demo_terms_can_be_published(path):
    document, text = fill_in(read_source(path.read_text()), FACTS)
    assert "{{" not in text
    restored = restore_parameters(type(document.parameters), write_parameters(document.parameters))
    assert restored == document.parameters


@pytest.mark.parametrize("name", FIELDS)
def test_every_parameter_is_needed(name: str):
    given = parameters()
    del given[name]
    assert problems_of(given) == (f"{name}: missing",)


@pytest.mark.parametrize("name", FIELDS)
def test_every_parameter_must_stand_in_the_text(name: str):
    """The terms without the one placeholder that states it cannot be published."""
    head, body = CGV.split("\n+++\n", 1)
    # No parameter stands inside another's name.
    without = "\n".join(line for line in body.splitlines() if f"{{{{ {name} " not in line)
    assert without != body
    others = " ".join(f"{{{{ {other} }}}}" for other in FIELDS if other != name)
    with pytest.raises(UnpublishableTerms) as refusal:
        fill_in(read_source(f"{head}\n+++\n{without}\n{others}\n"), FACTS)
    assert refusal.value.problems == (f"{name}: the text does not state it",)


# Monthly is the only interval that there is.
@pytest.mark.parametrize("name", sorted({*FIELDS} - {"instalment_interval"}))
def test_changing_any_parameter_changes_the_text(name: str):
    changed: Any = {
        "expiry_reminder_days": (90, 45),
        "debit_retry_days": (2, 5),
        "early_exit_reasons": ("un départ",),
        "consumer_acceleration": "after_notice",
        "professional_acceleration": "after_notice",
        "pro_withdrawal": "none",
    }.get(name, 0)
    read = read_source(CGV)
    now = getattr(read.parameters, name)
    if changed == 0:
        changed = f"{now} Vraiment." if isinstance(now, str) else now + 1
    other = dataclasses.replace(
        read, parameters=dataclasses.replace(read.parameters, **{name: changed})
    )
    assert fill_in(read, FACTS)[1] != fill_in(other, FACTS)[1]


def test_unknown_parameters_are_refused_by_name():
    assert problems_of({**parameters(), "refund_day": 3}) == ("refund_day: no such parameter",)


def test_all_problems_are_told_at_once():
    given = {**parameters(), "refund_days": 15, "withdrawal_days": "14", "x": 1}
    assert problems_of(given) == (
        "x: no such parameter",
        "withdrawal_days: '14' is not a whole number",
        "refund_days: 15 is not between 1 and 14",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("withdrawal_days", 13),  # C. conso. L221-18
        ("refund_days", 15),  # C. conso. L221-24
        ("professional_interest_multiplier", 2),  # C. com. L441-10
        ("recovery_fee_minor", 4001),  # C. com. D441-5
        ("retention_accounting_years", 9),  # C. com. L123-22
        ("retention_prospect_months", 37),  # DAT-04
        ("price_notice_days", 29),
        ("hour_slice_minutes", 0),
        ("hour_slice_minutes", 60.0),
        ("hour_slice_minutes", True),
        ("expiry_reminder_days", []),
        ("expiry_reminder_days", [30, "7"]),
        ("expiry_reminder_days", [7, 30]),
        ("expiry_reminder_days", [30, 30]),
        ("debit_retry_days", 3),
        ("instalment_interval", "week"),
        ("early_exit_reasons", [""]),
        ("acceptance_sentence", "   "),
        ("intervention_min_hours", 73),
    ],
)
def test_what_the_law_or_good_sense_forbids_is_refused(name: str, value: object):
    [problem] = problems_of({**parameters(), name: value})
    assert problem.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("training_withdrawal_days", 9), ("training_first_share_max_bp", 3001)],  # L6353-5, -6
)
def test_the_law_of_trainings_binds_too(name: str, value: int):
    [problem] = problems_of({**parameters(TRAINING), name: value}, TrainingParameters)
    assert problem.startswith(f"{name}: ")


def test_bounds_set_since_do_not_reach_back_to_a_published_version():
    read = read_source(CGV).parameters
    assert isinstance(read, TermsParameters)
    old = dataclasses.replace(read, refund_days=20)
    assert restore_parameters(TermsParameters, write_parameters(old)) == old


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{{ withdrawal_day }}", "withdrawal_day: no such parameter"),
        ("{% if withdrawal_days %}x{% endif %}", "line 2: only placeholders"),
        ("{{ withdrawal_days + 1 }}", "line 2: only placeholders"),
        ("{{ range(3) }}", "line 2: only placeholders"),
        ("{{ withdrawal_days | weeks }}", "line 2: No filter named 'weeks'."),
        ("{{ withdrawal_days | days(2) }}", "line 2: only placeholders"),
        ("{{ seller.moustache }}", "'dict object' has no attribute 'moustache'"),
        ("{{ seller.__class__ }}", "access to attribute"),
        ("{{ unfinished", "line 2: "),
        ("{{ seller.name | days }}", "a filter does not fit its parameter"),
    ],
)
def test_what_is_not_a_known_placeholder_is_refused(body: str, problem: str):
    assert any(said.startswith(problem) for said in refused(f"{STATED}\n{body}"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ withdrawal_days | days }}", "14 jours"),
        ("{{ training_first_share_max_bp | percent }}", "30 %"),
        ("{{ seller.capital_minor | money }}", "8 000,00 €"),
    ],
)
def test_figures_are_written_in_french(body: str, said: str):
    text = filled(f"{STATED}\n\n>{body}<").replace("\u00a0", " ").replace("\u202f", " ")
    assert f">{said}<" in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"late_cancellation_minutes": 0}, "0 minute."),
        ({"subscription_grace_days": 1}, "1 jour "),
        ({"expiry_reminder_days": [7]}, "d’expiration 7 jours"),
        ({"expiry_reminder_days": [90, 60, 30]}, "90, 60 et 30 jours"),
        ({"early_exit_reasons": ["a, b", "c", "d"]}, "a, b ; c et d"),
        ({"reply_business_days": 2}, "2 jours ouvrés"),
        ({"hour_pack_validity_months": 1}, "valable 1 mois"),
    ],
)
def test_one_and_several_are_told_apart(given: dict[str, object], said: str):
    read = read_source(CGV)
    wanted = read_parameters(TermsParameters, {**parameters(), **given})
    text = fill_in(dataclasses.replace(read, parameters=wanted), FACTS)[1]
    assert said in text.replace("\u00a0", " ")


def test_a_sentence_may_name_another_parameter():
    document, text = fill_in(read_source(CGV), FACTS)
    assert isinstance(document.parameters, TermsParameters)
    assert "délai de rétractation de 14\u00a0jours" in document.parameters.early_start_sentence
    assert document.parameters.early_start_sentence in text


def test_a_value_cannot_become_markup():
    facts = {**FACTS, "seller": {**FACTS["seller"], "name": "*A* [b](http://c) <i>\n# d & `e`"}}
    text = fill_in(read_source(source(f"{STATED}\n\n{{{{ seller.name }}}}", **FORMATION)), facts)[1]
    html = typeset(text).html
    assert "*A* [b](http://c) &lt;i&gt; # d &amp; `e`" in html
    assert "<h1" not in html
    assert "<a " not in html


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# Sans en-tête", "the source must start with TOML between +++"),
        ("+++\ndocument = \n+++\ntexte", "the TOML part cannot be read"),
        ('+++\ndocument = "CGV"\ntitle = "T"\n+++\ntexte', "document: small letters"),
        ('+++\ndocument = "cgv-2"\ntitle = "T"\n+++\ntexte', "document: the number at its end"),
        ('+++\ndocument = "a/b"\ntitle = "T"\n+++\ntexte', "document: small letters"),
        ('+++\ndocument = "cgu"\n+++\ntexte', "title: missing"),
        ('+++\ndocument = "cgu"\ntitle = "T"\nversion = 2\n+++\ntexte', "version: no such entry"),
    ],
)
def test_a_source_that_cannot_be_read_says_why(text: str, problem: str):
    with pytest.raises(UnpublishableTerms) as refusal:
        read_source(text)
    assert any(said.startswith(problem) for said in refusal.value.problems)
