"""The figures of the terms, typed and bounded: what the text says is what the engine reads (R-01).

Bounds are the law's where the law sets one, good sense elsewhere: a typing error must not promise
900 days. A version keeps its own parameters for ever; every rule reads those that the order
accepted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from storefront.legal.rules.problems import Problem, UnpublishableTerms


@dataclass(frozen=True)
class Between:
    """Both bounds are allowed. `law`: the article that sets one of them, where one does."""

    low: int
    high: int
    law: str = ""


Days = Annotated[int, Between(1, 365)]
Hours = Annotated[int, Between(1, 720)]
Minutes = Annotated[int, Between(1, 240)]
Months = Annotated[int, Between(1, 60)]


@dataclass(frozen=True)
class Parameters:
    """What a document promises that the engine acts on: nothing, unless it says more."""


@dataclass(frozen=True)
class TermsParameters(Parameters):
    """The general terms of sale. Units are in the names: `_bp` basis points, `_minor` cents."""

    hour_pack_validity_months: Months  # C-06, K-02
    hour_slice_minutes: Minutes  # C-04, K-03
    expiry_reminder_days: tuple[Days, ...]  # K-02, furthest first
    seat_hold_minutes: Minutes  # C-03
    instalments_max_products: Annotated[int, Between(1, 4)]  # M-02
    instalments_max_trainings: Annotated[int, Between(1, 12)]  # M-02
    instalment_interval: Literal["month"]  # M-02
    debit_notice_days: Annotated[int, Between(1, 30)]  # M-03
    debit_retry_days: tuple[Annotated[int, Between(1, 30)], ...]  # M-03, each after the one before
    reply_business_days: Annotated[int, Between(1, 10)]  # I-02
    intervention_min_hours: Hours  # I-02
    intervention_max_hours: Hours  # I-02
    withdrawal_days: Annotated[int, Between(14, 365, "C. conso. L221-18")]  # W-01
    refund_days: Annotated[int, Between(1, 14, "C. conso. L221-24")]  # W-04
    late_cancellation_hours: Annotated[int, Between(0, 720)]  # K-07
    late_cancellation_minutes: Annotated[int, Between(0, 240)]  # K-07
    warranty_deduction_minutes: Annotated[int, Between(0, 240)]  # K-06
    complaint_hours: Hours  # I-07, a courtesy: never a limit to rights (LX10)
    amicable_days: Annotated[int, Between(1, 60)]  # I-07
    commitment_months: Annotated[int, Between(1, 24)]  # B-02
    subscription_grace_days: Annotated[int, Between(0, 60)]  # B-04
    price_notice_days: Annotated[int, Between(30, 365, "C. conso. R212-4")]  # R-06, MRE-05
    offer_validity_days: Days  # O-06
    recovery_fee_minor: Annotated[int, Between(0, 4000, "C. com. D441-5")]  # M-05
    professional_interest_multiplier: Annotated[int, Between(3, 10, "C. com. L441-10")]  # M-05
    acceleration_notice_days: Annotated[int, Between(15, 365)]  # SUB-06
    termination_notice_hours: Hours  # B-05
    breach_cure_days: Annotated[int, Between(1, 90)]  # B-08
    outage_credit_hours: Hours  # B-06
    availability_target_bp: Annotated[int, Between(0, 10_000)]
    retention_prospect_months: Annotated[int, Between(1, 36, "CNIL")]  # DAT-04
    retention_accounting_years: Annotated[int, Between(10, 30, "C. com. L123-22")]  # V-04
    early_exit_reasons: tuple[str, ...]  # SUB-04
    acceptance_sentence: str
    early_start_sentence: str  # W-02, WDR-08
    digital_waiver_sentence: str  # W-03, WDR-10
    # What is unpaid (M-04, M-05, SUB-06). Days are counted from the due date, or from the notice.
    late_reminder_days: Annotated[int, Between(1, 60)] = 10
    formal_notice_days: Annotated[int, Between(2, 120)] = 15
    consumer_notice_days: Annotated[int, Between(15, 365)] = 30
    professional_suspension_days: Annotated[int, Between(2, 120)] = 15
    # A consumer's rest never falls due without a notice of its own (Cass. 1re civ., 21-16.044).
    consumer_acceleration: Literal["never", "after_notice"] = "never"
    professional_acceleration: Literal["never", "after_notice", "at_once"] = "at_once"
    # A year's rate for a contract paid by the month, where it is above the legal multiple (S10).
    annual_contract_interest_bp: Annotated[int, Between(0, 2000)] = 1000
    # By transfer or cheque: how long an order is kept for its money, and before which its buyer is
    # reminded; also how long before its day a later part is announced (M-09).
    offline_payment_days: Annotated[int, Between(3, 60)] = 7
    offline_reminder_days: Annotated[int, Between(1, 30)] = 2
    # Until how long before its term the renewal of a contract can be refused (B-09, SUB-02).
    renewal_opt_out_days: Annotated[int, Between(1, 90)] = 30
    # B-05; 0 for a shop that Règl. (UE) 2019/1150 does not concern, else 30 at least (art. 4).
    platform_notice_days: Annotated[int, Between(0, 365)] = 0
    # What a professional may withdraw from, whom the law gives nothing at a distance (LX5, WDR-01):
    # nothing, or a plan of which nothing that is paid was used (MRE-07).
    pro_withdrawal: Literal["none", "contractual"] = "none"


@dataclass(frozen=True)
class TrainingParameters(Parameters):
    """The particular terms of trainings (W-05, FOR-02, FOR-03)."""

    training_withdrawal_days: Annotated[int, Between(10, 365, "C. trav. L6353-5")]
    training_first_share_max_bp: Annotated[int, Between(0, 3000, "C. trav. L6353-6")]
    withdrawal_days: Annotated[int, Between(14, 365, "C. conso. L221-18")]
    refund_days: Annotated[int, Between(1, 14, "C. conso. L221-24")]


# What the law itself says of trainings that are sold without particular terms of their own.
STATUTORY_TRAINING = TrainingParameters(
    training_withdrawal_days=10,
    training_first_share_max_bp=3000,
    withdrawal_days=14,
    refund_days=14,
)

PLATFORM_NOTICE_AT_LEAST = 30  # Règl. (UE) 2019/1150, art. 4, 2

P = TypeVar("P", bound=Parameters)


def read_parameters(cls: type[P], given: Mapping[str, Any]) -> P:
    """Check what a source states, every name and every value.

    Raises `UnpublishableTerms` naming each unknown, missing or unlawful parameter.
    """
    hints = get_type_hints(cls, include_extras=True)
    problems = [Problem(name, "unknown") for name in given if name not in hints]
    problems += [Problem(name, "missing") for name in hints if name not in given]
    values = {}
    for name, hint in hints.items():
        if name in given:
            try:
                values[name] = _checked(name, given[name], hint)
            except _Wrong as wrong:
                problems.append(wrong.problem)
    if problems:
        raise UnpublishableTerms(problems=tuple(problems))
    parameters = cls(**values)
    if disagreements := tuple(_disagreements(parameters)):
        raise UnpublishableTerms(problems=disagreements)
    return parameters


def write_parameters(parameters: Parameters) -> str:
    """The canonical JSON that a version keeps; `restore_parameters` gives the same object back."""
    return json.dumps(asdict(parameters), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def restore_parameters(cls: type[P], text: str) -> P:
    """The parameters of a published version, as they were: bounds set since do not reach back.

    A parameter added since takes the default of its field, one dropped since is left out.
    """
    stored: dict[str, Any] = json.loads(text)
    known: dict[str, Any] = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in fields(cls)
        if (value := stored.get(field.name)) is not None
    }
    return cls(**known)


@dataclass(frozen=True)
class Shape:
    """What a parameter can be: a whole number or one of some words, once or as a list.

    Neither `bounds` nor `choices`: free words.
    """

    many: bool
    bounds: Between | None = None
    choices: tuple[str, ...] = ()


def shapes(cls: type[Parameters]) -> dict[str, Shape]:
    """Every parameter of a document with its shape, in the order in which they are declared."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: _shape(hint) for name, hint in hints.items()}


def _shape(hint: Any) -> Shape:
    many = get_origin(hint) is tuple
    one = get_args(hint)[0] if many else hint
    if get_origin(one) is Annotated:
        return Shape(many, bounds=get_args(one)[1])
    return Shape(many, choices=get_args(one) if get_origin(one) is Literal else ())


class _Wrong(Exception):
    def __init__(self, name: str, code: str, **facts: Any) -> None:
        super().__init__(name)
        self.problem = Problem(name, code, **facts)


def _checked(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or not value:
            raise _Wrong(name, "no_list", value=value)
        return tuple(_checked(name, item, get_args(hint)[0]) for item in value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = ", ".join(map(repr, get_args(hint)))
            raise _Wrong(name, "no_choice", value=value, choices=choices)
        return value
    if get_origin(hint) is Annotated:
        kind, bounds = get_args(hint)
        # Not isinstance: `true` is an int for Python.
        if type(value) is not kind:
            raise _Wrong(name, "not_whole", value=value)
        if not bounds.low <= value <= bounds.high:
            raise _Wrong(name, "out_of_bounds", value=value, **asdict(bounds))
        return value
    if type(value) is not str or not value.strip():
        raise _Wrong(name, "no_sentence", value=value)
    return value.strip()


def _disagreements(parameters: object) -> list[Problem]:
    """What no value alone can tell."""
    if not isinstance(parameters, TermsParameters):
        return []
    found = []
    if parameters.intervention_min_hours > parameters.intervention_max_hours:
        found.append(Problem("intervention_min_hours", "more_than", other="intervention_max_hours"))
    for after in ("formal_notice_days", "professional_suspension_days"):
        if getattr(parameters, after) <= parameters.late_reminder_days:
            found.append(Problem(after, "not_after", other="late_reminder_days"))
    if parameters.offline_reminder_days >= parameters.offline_payment_days:
        found.append(
            Problem("offline_reminder_days", "not_before_end", other="offline_payment_days")
        )
    if 0 < parameters.platform_notice_days < PLATFORM_NOTICE_AT_LEAST:
        found.append(
            Problem("platform_notice_days", "none_or_at_least", least=PLATFORM_NOTICE_AT_LEAST)
        )
    days = parameters.expiry_reminder_days
    if list(days) != sorted(set(days), reverse=True):
        found.append(Problem("expiry_reminder_days", "not_descending"))
    return found
