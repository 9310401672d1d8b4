"""What a document must say, whoever writes it: the article that asks, and how it is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storefront.legal.rules.documents import TERMS, TRAINING_CONTRACT, TRAINING_TERMS
from storefront.legal.rules.findings import Finding, Level, Rule, Text, plain

Said = Callable[[Text], bool]


@dataclass(frozen=True)
class Requirement:
    """Something that these documents must say. `when`: only then; `consumers`: only to them."""

    rule: Rule
    documents: tuple[str, ...]
    said: Said
    when: Said | None = None
    consumers: bool = True


def _says(pattern: str) -> Said:
    found = re.compile(pattern, re.I)
    return lambda text: bool(found.search(text.words))


def _names(*path: str) -> Said:
    """The text names a fact of the seller's file; a fact that is not there cannot be named."""

    def named(text: Text) -> bool:
        fact = text.facts["seller"]
        for step in path:
            fact = fact.get(step, "") if hasattr(fact, "get") else ""
        return bool(fact) and plain(str(fact)) in text.words

    return named


def _address(path: str) -> Said:
    return lambda text: f"{text.facts['base_url']}{path}" in text.words


def _must(
    name: str,
    law: str,
    source: str,
    documents: tuple[str, ...],
    said: Said,
    *,
    level: Level = Level.ERROR,
    when: Said | None = None,
    consumers: bool = True,
) -> Requirement:
    return Requirement(Rule(name, law, source, level), documents, said, when, consumers)


SALE = (TERMS,)
NOTICES = ("mentions-legales",)
PRIVACY = ("confidentialite",)
TRAININGS = (TRAINING_TERMS, TRAINING_CONTRACT)

REQUIREMENTS = (
    _must(
        "no_withdrawal_address",
        "WDR-06",
        "C. conso. L221-5 et R221-3",
        SALE,
        _address("/retractation"),
    ),
    _must(
        "no_withdrawal_receipt",
        "WDR-06",
        "C. conso. R221-3, annexe",
        SALE,
        _says(r"accusé de réception de la rétractation sur un support durable"),
    ),
    _must(
        "no_withdrawal_form",
        "WDR-07",
        "C. conso. R221-1, annexe",
        SALE,
        _says(r"notifie/notifions"),
    ),
    _must(
        "no_mediator",
        "PRI-05",
        "C. conso. L616-1 et R616-1",
        (*SALE, *NOTICES),
        _names("mediator", "name"),
    ),
    _must(
        "no_mediator_site",
        "PRI-05",
        "C. conso. R616-1",
        (*SALE, *NOTICES),
        _names("mediator", "website"),
    ),
    _must(
        "no_conformity",
        "PRI-03",
        "C. conso. L211-2, D211-2 et D211-3",
        SALE,
        _says(r"garantie légale de conformité"),
    ),
    _must("no_hidden_defects", "PRI-03", "C. civ. 1641", SALE, _says(r"vices cachés")),
    _must(
        "no_cancellation_address",
        "SUB-01",
        "C. conso. L215-1-1 et D215-1",
        SALE,
        _address("/resiliation"),
        when=_says(r"abonnement|offres? mensuelles?|contrat[^.]{0,30}mensuel"),
    ),
    _must(
        "no_renewal_articles",
        "SUB-02",
        "C. conso. L215-4",
        SALE,
        lambda text: all(
            re.search(rf"article L\.? ?{number}\b(?!-\d)\.", text.words, re.I)
            for number in ("215-1", "215-2", "215-3")
        ),
        when=_says(r"(?:reconduction|renouvellement) tacite|tacitement re\w+|re\w+ tacitement"),
    ),
    _must(
        "no_payment_button",
        "PRE-03",
        "C. conso. L221-14",
        SALE,
        _says(r"obligation de paiement"),
        level=Level.WARNING,
    ),
    _must(
        "no_seller_name",
        "PRE-01",
        "C. conso. L111-1 et L221-5",
        (*SALE, *NOTICES),
        _names("name"),
        consumers=False,
    ),
    _must(
        "no_seller_address",
        "PRE-01",
        "C. conso. L221-5",
        (*SALE, *NOTICES),
        _names("address", "one_line"),
        consumers=False,
    ),
    _must(
        "no_seller_phone",
        "PRE-01",
        "C. conso. L221-5",
        (*SALE, *NOTICES),
        _names("phone"),
        consumers=False,
    ),
    _must(
        "no_seller_email",
        "PRE-01",
        "C. conso. L221-5",
        (*SALE, *NOTICES),
        _names("email"),
        consumers=False,
    ),
    _must("no_registration", "PRI-07", "LCEN, art. 1-1", NOTICES, _names("rcs"), consumers=False),
    _must(
        "no_publication_director",
        "PRI-07",
        "LCEN, art. 1-1",
        NOTICES,
        _names("publication_director"),
        consumers=False,
    ),
    _must(
        "no_host", "PRI-07", "LCEN, art. 1-1", NOTICES, _names("hosting", "name"), consumers=False
    ),
    _must(
        "no_host_phone",
        "PRI-07",
        "LCEN, art. 1-1",
        NOTICES,
        _names("hosting", "phone"),
        consumers=False,
    ),
    _must(
        "no_privacy_contact",
        "DAT-07",
        "RGPD, art. 13",
        PRIVACY,
        _names("privacy_email"),
        consumers=False,
    ),
    _must(
        "no_privacy_complaint",
        "DAT-07",
        "RGPD, art. 13",
        PRIVACY,
        _says(r"saisir (?:la CNIL|la Commission nationale)"),
        consumers=False,
    ),
    _must(
        "no_privacy_rights",
        "DAT-02",
        "RGPD, art. 15 à 22",
        PRIVACY,
        _says(r"effacer|effacement"),
        level=Level.WARNING,
        consumers=False,
    ),
    _must(
        "no_training_withdrawal", "FOR-02", "C. trav. L6353-5", TRAININGS, _says(r"L\.? ?6353-5\b")
    ),
    _must("no_training_payment", "FOR-03", "C. trav. L6353-6", TRAININGS, _says(r"L\.? ?6353-6\b")),
    _must(
        "no_training_force_majeure",
        "FOR-04",
        "C. trav. L6353-7",
        TRAININGS,
        _says(r"force majeure"),
    ),
    _must(
        "no_declaration_number",
        "FOR-06",
        "C. trav. R6351-6",
        TRAININGS,
        _names("training", "declaration_mention"),
        consumers=False,
    ),
)


def missing_contents(text: Text) -> Iterator[Finding]:
    """Everything that this document must say and does not."""
    for one in REQUIREMENTS:
        if text.document not in one.documents or (one.consumers and not text.consumers):
            continue
        if (one.when is None or one.when(text)) and not one.said(text):
            yield Finding(one.rule)
