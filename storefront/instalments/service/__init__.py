"""Schedules: made at order, settled by payments, ended or paused with their order."""

from storefront.instalments.service.endings import announce_again, cancel, cancel_rest, move_to
from storefront.instalments.service.schedules import (
    PAYABLE,
    NothingToPay,
    PaymentUnderWay,
    announce,
    attempt,
    begin,
    change_method,
    claim,
    describe,
    locked,
    more_to_come,
    note_failure,
    owe,
    pay_now,
    schedule,
    settle,
)

__all__ = [
    "PAYABLE",
    "NothingToPay",
    "PaymentUnderWay",
    "announce",
    "announce_again",
    "attempt",
    "begin",
    "cancel",
    "cancel_rest",
    "change_method",
    "claim",
    "describe",
    "locked",
    "more_to_come",
    "move_to",
    "note_failure",
    "owe",
    "pay_now",
    "schedule",
    "settle",
]
