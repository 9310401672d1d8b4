"""What the law forbids or a judge would strike out between a trader and a consumer (SUB-07, § 12).

A clause is looked for by its words, one sentence at a time, and by what the parameters promise. A
clause that is meant for professionals says so in its own sentence, or at the head of its paragraph.
What stands here is a warning, because words alone prove nothing: somebody reads it and decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storefront.legal.rules.findings import Finding, Rule, Text, around
from storefront.legal.rules.parameters import TermsParameters


@dataclass(frozen=True)
class Clause:
    """Words that make a clause suspect. `but`: words of the same paragraph that clear it."""

    rule: Rule
    words: re.Pattern[str]
    but: re.Pattern[str] | None = None


def _clause(name: str, law: str, source: str, *words: str, but: str = "") -> Clause:
    """`…` in a pattern stands for whatever the same sentence says between two things."""
    pattern = "|".join(words).replace(" …", r"\b[^.;]{0,90}")
    return Clause(
        Rule(name, law, source),
        re.compile(pattern, re.I),
        re.compile(but, re.I) if but else None,
    )


WE = r"(?:vendeur|prestataire|société|organisme|entreprise|nous)"
YOU = r"(?:client|consommateur|acheteur|vous)"
DEMAND = r"(?:mise en demeure|formalité|préavis)"

CLAUSES = (
    _clause(
        "unilateral_change",
        "SUB-05",
        "C. conso. R212-1, 3°",
        rf"{WE} …(?:modifier|changer|évoluer) …(?:à tout moment|sans préavis|unilatéralement)",
        rf"{WE} …(?:à tout moment|sans préavis|unilatéralement) …(?:modifier|changer|évoluer)",
        but=r"commandes à venir|nouvelles commandes|nouveaux contrats",
    ),
    _clause(
        "liability_limited",
        "SUB-07",
        "C. conso. R212-1, 6°",
        r"déclin\w+ …responsabilité",
        r"(?:notre|sa|la) responsabilité …(?:limitée|plafonnée|exclue)",
        r"(?:notre|sa|la) responsabilité …ne (?:saur|pourr|peu)",
        rf"{WE} …ne (?:saur|pourr|peu)\w+ …responsables?\b",
    ),
    _clause(
        "complaint_time_limit",
        "SUB-07",
        "C. conso. R212-1, 6° et R212-2, 10°",
        r"(?:réclamation|réserve|contestation)s? …(?:irrecevable|forclusion|peine de|\bacquise?\b)",
        r"(?:réclamation|réserve|contestation)s? …ne ser\w+ …(?:acceptée|recevable|admise|prise)",
        r"(?:passé|au-delà de) ce délai …(?:aucune réclamation|réputée?)",
    ),
    _clause(
        "burden_of_proof",
        "SUB-07",
        "C. conso. R212-1, 12°",
        rf"(?:incombe|appartient) …{YOU} …(?:prouver|preuve|établir|démontrer)",
        rf"(?:charge de la )?preuve …(?:incombe|appartient) …{YOU}",
    ),
    _clause(
        "deposit_kept",
        "SUB-07",
        "C. conso. R212-2, 2°",
        r"(?:acompte|arrhes|dépôt|somme)s? …(?:acquis|conservé|non remboursable|perdu)e?s?\b",
    ),
    _clause(
        "no_refund",
        "SUB-07",
        "C. conso. R212-2, 3° et L221-28, 1°",
        r"(?:sans|aucun) remboursement",
        r"(?:jamais|non|ni) rembours",
    ),
    _clause(
        "guarantee_suspended",
        "SUB-07",
        "C. conso. R212-1, 6°",
        r"garanties? …(?:suspendu|cesse|perdu|caduque)\w* …(?:paiement|impayé|échéance|régl)",
    ),
    _clause(
        "non_compete",
        "SUB-07",
        "C. civ. 1171",
        r"non[- ]concurrence",
        r"ne pas (?:exercer|concurrencer|ouvrir) …(?:monde|sans limite|toute durée)",
    ),
    _clause(
        "ended_without_notice",
        "SUB-07",
        "C. conso. R212-2, 4°",
        rf"{WE} …(?:résilier|mettre fin|interrompre|supprimer) …(?:sans préavis|à tout moment)",
        but=r"manquement grave",
    ),
    _clause(
        "withdrawal_waived",
        "SUB-07",
        "C. conso. L221-29",
        r"renonc\w+ …(?:droit de rétractation|rétracter)",
        r"ne (?:peu|pourr|bénéfici)\w+ …(?:droit de rétractation|rétracter)",
        but=r"contenus? numériques?|si vous (?:le )?demandez",
    ),
    _clause(
        "recovery_fee_for_all",
        "LAT-02",
        "CPCE L111-8 ; C. com. D441-5",
        r"indemnité forfaitaire",
        r"frais de recouvrement",
        but=r"ne vous réclamons",
    ),
    _clause(
        "acceleration_at_once",
        "SUB-06",
        "Cass. 1re civ., 22 mars 2023, n° 21-16.044",
        rf"(?:exigible|déchéance du terme) …sans {DEMAND}",
        rf"sans {DEMAND} …(?:exigible|déchéance du terme)",
    ),
    _clause(
        "court_imposed",
        "LX20",
        "C. conso. R631-3",
        r"(?:tribuna|juridiction)\w+ …seule?s? compétent",
        r"compétence exclusive",
    ),
    _clause(
        "implied_acceptance",
        "LX13",
        "C. conso. L121-17 et R212-1, 1°",
        r"(?:paiement|commande|connexion|accès|navigation|utilisation) "
        r"…(?:vaut|emporte|implique) …(?:acceptation|adhésion)",
    ),
    _clause(
        "two_vat_bases",
        "LX16",
        "CGI 293 B et 261, 4, 4° a",
        r"293 ?B …\bou\b …261",
    ),
)

_SENTENCE = re.compile(r"(?<=[.;!?]) +")
_FOR_TRADERS = re.compile(r"professionnels?|entre commerçants", re.I)
_FOR_CONSUMERS = re.compile(r"consommateur|particulier|non-professionnel", re.I)


def suspect_clauses(text: Text) -> Iterator[Finding]:
    """Every sentence that looks like a clause of the list, unless it is for professionals only."""
    if not text.consumers:
        return
    for paragraph in text.paragraphs:
        sentences = _SENTENCE.split(paragraph.words)
        for clause in CLAUSES:
            if clause.but and clause.but.search(paragraph.words):
                continue
            for sentence in sentences:
                if _is_for_traders(sentence) or _is_for_traders(sentences[0]):
                    continue
                if match := clause.words.search(sentence):
                    yield Finding(clause.rule, paragraph.under, around(sentence, match))


def _is_for_traders(sentence: str) -> bool:
    return bool(_FOR_TRADERS.search(sentence)) and not _FOR_CONSUMERS.search(sentence)


@dataclass(frozen=True)
class Promise:
    """A figure that the law leaves open and that a judge may find too hard, from a bound on."""

    rule: Rule
    name: str
    least: int | None = None
    most: int | None = None

    def crossed(self, value: int) -> bool:
        """Whether the figure is beyond what is safe."""
        below = self.least is not None and value < self.least
        return below or (self.most is not None and value > self.most)


def _risk(law: str, source: str, name: str, **bounds: int) -> Promise:
    return Promise(Rule(f"risky_{name}", law, source), name, **bounds)


PROMISES = (
    _risk("SUB-08", "C. conso. L212-1", "hour_pack_validity_months", least=12),
    _risk("LX27", "C. conso. R212-2, 3°", "late_cancellation_minutes", most=60),
    _risk("SUB-07", "C. conso. R212-2, 3°", "hour_slice_minutes", most=60),
    _risk("SUB-04", "C. conso. L212-1", "commitment_months", most=12),
    _risk("SUB-06", "Cass. 1re civ., 29 mai 2024, n° 23-12.904", "consumer_notice_days", least=30),
    _risk("LX9", "C. conso. R212-2, 4°", "subscription_grace_days", least=7),
    _risk("LAT-01", "C. com. D441-5", "recovery_fee_minor", least=4000),
)

ACCELERATION = Rule("consumer_acceleration", "SUB-06", "Cass. 1re civ., 22 mars 2023, n° 21-16.044")
SHORT_ACCELERATION = Promise(
    Rule("short_acceleration_notice", "SUB-06", "Cass. 1re civ., 29 mai 2024, n° 23-12.904"),
    "acceleration_notice_days",
    least=30,
)


def risky_promises(text: Text) -> Iterator[Finding]:
    """Every figure of the general terms that is lawful, perhaps, but hard on a consumer."""
    terms: Any = text.parameters
    if not isinstance(terms, TermsParameters) or not text.consumers:
        return
    promises = list(PROMISES)
    if terms.consumer_acceleration != "never":
        yield Finding(ACCELERATION, "consumer_acceleration")
        promises.append(SHORT_ACCELERATION)
    for promise in promises:
        value = getattr(terms, promise.name)
        if promise.crossed(value):
            bound = promise.least if promise.least is not None else promise.most
            yield Finding(promise.rule, promise.name, str(value), str(bound))
