"""Declarations are kept as they were made, then matched, then decided: three separate acts."""

from storefront.withdrawals.service.deciding import (
    Act,
    AmountsMoved,
    Choice,
    DebitUnderWay,
    LineDecided,
    NothingChosen,
    credit_unpaid,
    decide,
    resume_debits,
)
from storefront.withdrawals.service.declaring import (
    Cancellation,
    ChosenLine,
    DeclarationMatched,
    Received,
    Withdrawal,
    cancel,
    cancellation_key,
    match_cancellation,
    match_withdrawal,
    record_withdrawal,
    withdraw,
    withdrawal_key,
)
from storefront.withdrawals.service.goods import record_proof
from storefront.withdrawals.service.reasons import ReasonAlreadyDecided, decide_reason

__all__ = [
    "Act",
    "AmountsMoved",
    "Cancellation",
    "Choice",
    "ChosenLine",
    "DebitUnderWay",
    "DeclarationMatched",
    "LineDecided",
    "NothingChosen",
    "ReasonAlreadyDecided",
    "Received",
    "Withdrawal",
    "cancel",
    "cancellation_key",
    "credit_unpaid",
    "decide",
    "decide_reason",
    "match_cancellation",
    "match_withdrawal",
    "record_proof",
    "record_withdrawal",
    "resume_debits",
    "withdraw",
    "withdrawal_key",
]
