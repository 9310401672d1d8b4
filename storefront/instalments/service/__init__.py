"""Schedules: made at order, settled by payments, ended or paused with their order."""

from storefront.instalments.service.by_hand import (
    ask_for,
    last_day,
    note_part,
    reminder,
    wait_for,
)
from storefront.instalments.service.claims import Claimed, claim
from storefront.instalments.service.endings import (
    announce_again,
    cancel,
    cancel_rest,
    hold,
    move_to,
    release,
)
from storefront.instalments.service.owing import notice_of, owe, schedule
from storefront.instalments.service.schedules import (
    PAYABLE,
    NothingToPay,
    PaymentUnderWay,
    announce,
    attempt,
    begin,
    change_method,
    describe,
    locked,
    locked_all,
    more_to_come,
    note_failure,
    pay_now,
    settle,
)

__all__ = [
    "PAYABLE",
    "Claimed",
    "NothingToPay",
    "PaymentUnderWay",
    "announce",
    "announce_again",
    "ask_for",
    "attempt",
    "begin",
    "cancel",
    "cancel_rest",
    "change_method",
    "claim",
    "describe",
    "hold",
    "last_day",
    "locked",
    "locked_all",
    "more_to_come",
    "move_to",
    "note_failure",
    "note_part",
    "notice_of",
    "owe",
    "pay_now",
    "release",
    "reminder",
    "schedule",
    "settle",
    "wait_for",
]
