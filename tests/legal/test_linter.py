"""What the law would say of a text before it is published (SUB-07, LX21, PRI-06, § 12)."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from storefront.legal.rules import (
    Parameters,
    TermsParameters,
    Text,
    UnpublishableTerms,
    errors_of,
    fill_in,
    inspect,
    read_source,
    refuse_errors,
)
from storefront.legal.rules.citations import DEAD_PLATFORM, OUTDATED, REPEALED
from storefront.legal.rules.contents import REQUIREMENTS
from storefront.legal.rules.warnings import ACCELERATION, CLAUSES, PROMISES, SHORT_ACCELERATION
from tests.factories import TERMS
from tests.house.sources import TEMPLATES

PAGES = TERMS.parent / "pages"
FACTS: dict[str, Any] = {
    "seller": tomllib.loads((TERMS.parent / "seller.toml").read_text()),
    "base_url": "https://boutique.example",
}
TODAY = date(2026, 11, 24)
RULES = {
    REPEALED,
    OUTDATED,
    DEAD_PLATFORM,
    ACCELERATION,
    SHORT_ACCELERATION.rule,
    *(one.rule for one in (*CLAUSES, *PROMISES, *REQUIREMENTS)),
}


def demo(path: Path, **changed: Any) -> Text:
    source = read_source(path.read_text())
    source = dataclasses.replace(
        source, parameters=dataclasses.replace(source.parameters, **changed)
    )
    filled, body = fill_in(source, FACTS)
    return Text(filled.document, body, filled.parameters, FACTS, TODAY)


def found(body: str, document: str = "conditions-atelier", **changed: Any) -> list[str]:
    text = Text(document, body, Parameters(), FACTS, TODAY)
    return [one.rule.name for one in inspect(dataclasses.replace(text, **changed))]


@pytest.mark.parametrize(
    "path", [*sorted(TERMS.glob("*.md")), *sorted(PAGES.glob("*.md"))], ids=lambda path: path.stem
)
def test_the_texts_of_the_demo_pass_without_a_warning(path: Path) -> None:
    assert inspect(demo(path)) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("unilateral_change", "Le vendeur peut modifier les présentes à tout moment."),
        ("unilateral_change", "Nous pouvons à tout moment modifier nos prix."),
        ("liability_limited", "La responsabilité du vendeur ne saurait être engagée."),
        ("liability_limited", "Notre responsabilité est limitée au montant de la commande."),
        ("liability_limited", "La société décline toute responsabilité."),
        (
            "complaint_time_limit",
            "Toute réclamation est faite sous 24 heures, à peine de forclusion.",
        ),
        ("complaint_time_limit", "Passé ce délai, la prestation est réputée conforme."),
        ("burden_of_proof", "Il appartient au client de prouver la faute."),
        ("deposit_kept", "L’acompte reste acquis au vendeur."),
        ("no_refund", "Le compte est alors fermé sans remboursement."),
        ("guarantee_suspended", "La garantie cesse en cas de défaut de paiement."),
        ("non_compete", "Le client accepte une clause de non-concurrence."),
        ("ended_without_notice", "Nous pouvons résilier le contrat sans préavis."),
        ("withdrawal_waived", "Le client renonce expressément à son droit de rétractation."),
        ("withdrawal_waived", "L’acheteur ne peut bénéficier du droit de rétractation."),
        ("recovery_fee_for_all", "Une indemnité forfaitaire de 40 € est due en cas de retard."),
        ("acceleration_at_once", "Le solde devient exigible, sans mise en demeure."),
        ("court_imposed", "Le tribunal de Limoges est seul compétent."),
        ("implied_acceptance", "Le paiement vaut acceptation des présentes conditions."),
        ("two_vat_bases", "TVA non applicable, article 293 B ou article 261 du CGI."),
    ],
)
def test_a_clause_of_the_list_is_found_by_its_words(rule: str, sentence: str) -> None:
    assert found(sentence) == [rule]
    assert found(sentence, consumers=False) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Entre professionnels, le tribunal de Limoges est seul compétent.",
        "**Si vous êtes professionnel.** Une indemnité forfaitaire de 40 € est due.",
        "Envers les professionnels, notre responsabilité est limitée aux sommes payées.",
        "Ces garanties ne dépendent pas du paiement des échéances.",
        "Vous pouvez résilier à tout moment.",
        "Si vous demandez l’accès immédiat, vous renoncez à votre droit de rétractation.",
    ],
)
def test_a_clause_that_is_lawful_is_left_alone(sentence: str) -> None:
    assert found(sentence) == []


def test_a_sentence_about_consumers_and_traders_alike_is_not_taken_for_a_traders_clause() -> None:
    said = "Que vous soyez consommateur ou professionnel, une indemnité forfaitaire est due."
    assert found(said) == ["recovery_fee_for_all"]


@pytest.mark.parametrize(
    ("citation", "instead"),
    [
        ("article L121-21 du code de la consommation", "L221-18"),
        ("article L. 121-21-8", "L221-28"),
        ("art. L 441-6 du code de commerce", "L441-10"),
        ("article 1316-1 du code civil", "1366"),
        ("inscrit au Répertoire des Métiers", "RNE"),
        ("la liste Bloctel", "L223-1"),
    ],
)
def test_a_dead_citation_says_where_it_went(citation: str, instead: str) -> None:
    text = Text("x", f"## 3. Divers\n\nVoir {citation}.", Parameters(), FACTS, TODAY)
    (finding,) = inspect(text)
    assert (finding.instead, finding.place, finding.is_error) == (instead, "3. Divers", False)
    assert citation.replace("’", "'") in finding.words


@pytest.mark.parametrize(
    "citation", ["L221-21", "L1121-21", "L121-210", "L121-21-99", "L441-60", "1316-10", "11316-1"]
)
def test_another_article_is_not_taken_for_a_repealed_one(citation: str) -> None:
    assert found(f"Voir {citation}.") == []


def test_a_citation_is_dead_from_the_day_of_its_repeal_only() -> None:
    said = "Voir l’article L441-6 du code de commerce."
    assert found(said, on=date(2019, 4, 25)) == []
    assert found(said, on=date(2019, 4, 26)) == ["repealed_citation"]


@pytest.mark.parametrize(
    "words",
    [
        "https://ec.europa.eu/consumers/odr/",
        "[ici](https://webgate.ec.europa.eu/odr)",
        "la plateforme de règlement en ligne des litiges",
    ],
)
def test_the_platform_that_closed_is_an_error(words: str) -> None:
    text = Text("x", f"Saisissez {words}.", Parameters(), FACTS, TODAY)
    with pytest.raises(UnpublishableTerms, match="dead_odr_platform"):
        refuse_errors(errors_of(text))


@pytest.mark.parametrize(
    ("document", "cut", "rule"),
    [
        ("cgv-2", "/retractation", "no_withdrawal_address"),
        ("cgv-2", "sur un support durable (par exemple", "no_withdrawal_receipt"),
        ("cgv-2", "notifie/notifions", "no_withdrawal_form"),
        ("cgv-2", "Médiation des Comptoirs", "no_mediator"),
        ("cgv-2", "mediation-comptoirs.example", "no_mediator_site"),
        ("cgv-2", "/resiliation", "no_cancellation_address"),
        ("cgv-2", "Article L215-3.", "no_renewal_articles"),
        ("cgv-2", "01 99 00 41 27", "no_seller_phone"),
        ("formation-1", "L6353-6", "no_training_payment"),
        ("mentions-legales", "Hébergerie", "no_host"),
        ("confidentialite", "CNIL", "no_privacy_complaint"),
    ],
)
def test_what_must_be_said_is_missed_when_it_is_cut(document: str, cut: str, rule: str) -> None:
    path = (TERMS if (TERMS / f"{document}.md").exists() else PAGES) / f"{document}.md"
    text = demo(path)
    assert cut in text.body
    shorter = dataclasses.replace(text, body=text.body.replace(cut, "…"))
    names = [one.rule.name for one in inspect(shorter)]
    assert rule in names
    with pytest.raises(UnpublishableTerms, match=rule):
        refuse_errors(inspect(shorter))


def test_without_tacit_renewal_its_articles_need_not_be_reproduced() -> None:
    text = demo(TERMS / "cgv-2.md")
    body = text.body.partition("## Annexe 4")[0]
    assert "no_renewal_articles" in found(body, "cgv")
    silent = re.sub("(?i)reconduction tacite|reconduit tacitement", "…", body)
    assert "no_renewal_articles" not in found(silent, "cgv")


def test_a_shop_for_professionals_owes_consumers_nothing() -> None:
    text = demo(TERMS / "cgv-2.md")
    shorter = dataclasses.replace(text, body=text.body.replace("/retractation", "…"))
    assert inspect(dataclasses.replace(shorter, consumers=False)) == []


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("risky_hour_pack_validity_months", {"hour_pack_validity_months": 6}),
        ("risky_late_cancellation_minutes", {"late_cancellation_minutes": 90}),
        ("risky_hour_slice_minutes", {"hour_slice_minutes": 120}),
        ("risky_commitment_months", {"commitment_months": 24}),
        ("risky_consumer_notice_days", {"consumer_notice_days": 15}),
        ("risky_subscription_grace_days", {"subscription_grace_days": 0}),
        ("risky_recovery_fee_minor", {"recovery_fee_minor": 2000}),
        ("consumer_acceleration", {"consumer_acceleration": "after_notice"}),
        (
            "consumer_acceleration short_acceleration_notice",
            {"consumer_acceleration": "after_notice", "acceleration_notice_days": 15},
        ),
    ],
)
def test_a_hard_figure_is_a_warning_that_names_it(rule: str, changed: dict[str, Any]) -> None:
    text = demo(TERMS / "cgv-2.md", **changed)
    assert isinstance(text.parameters, TermsParameters)
    findings = inspect(text)
    assert " ".join(one.rule.name for one in findings) == rule
    assert {one.place for one in findings} == set(changed)
    assert not any(one.is_error for one in findings)


def test_every_rule_has_its_own_name_and_its_french_sentence() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) > 40
    wording = (TEMPLATES / "staff" / "terms" / "findings.html").read_text()
    assert not [name for name in names if f'"{name}": "' not in wording]
