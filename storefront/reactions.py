"""Which event makes whom react: the one table of consequences. Reactions are idempotent."""

from __future__ import annotations

from functools import partial

from flask import Flask

from storefront.arrears import emails as arrears_emails
from storefront.arrears import service as arrears
from storefront.arrears.events import (
    ArrearsSettled,
    DeferralGranted,
    PlanResumed,
    PlanSuspended,
    RestFellDue,
)
from storefront.checkout import emails as checkout_emails
from storefront.credits import emails as credits
from storefront.credits.events import HoursExpired, HoursExpiring
from storefront.fulfilment import emails as fulfilment_emails
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.events import AccessOpened, SupplyRevoked
from storefront.infra import outbox
from storefront.instalments import emails as instalment_emails
from storefront.instalments import service as instalments
from storefront.instalments.events import (
    InstalmentFailed,
    InstalmentPaid,
    MoneyNotDue,
    PartReceived,
)
from storefront.invoicing import service as invoicing
from storefront.invoicing.events import (
    CreditNoteIssued,
    CreditNoteStored,
    InvoiceIssued,
    InvoiceStored,
    NothingToCredit,
)
from storefront.notifications.events import EmailSent
from storefront.orders.events import OrderCancelled, OrderConfirmed
from storefront.payments.events import (
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    MethodSetUp,
    MoreArrived,
    PartArrived,
    PaymentAwaited,
    PaymentFailed,
    PaymentSucceeded,
    RefundReturned,
    RefundSucceeded,
)
from storefront.refunds import emails as refund_emails
from storefront.refunds import service as refunds
from storefront.subscriptions import emails as subscription_emails
from storefront.subscriptions import service as subscriptions
from storefront.subscriptions.events import (
    ChangeAnnounced,
    EndScheduled,
    EndTakenBack,
    HolderStops,
    NoticeClosed,
    NoticeEffective,
    NoticeGiven,
    OutageCreditLeft,
    PeriodPaid,
    PeriodUnused,
    PlanChanged,
    PlanChangeScheduled,
    PlanChangeTakenBack,
    RenewalNear,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionResumed,
    SubscriptionSuspended,
    SubscriptionUnpaused,
    TermNotRenewed,
    TermRenewed,
)
from storefront.tickets import emails as tickets
from storefront.tickets.events import (
    InterventionCancelled,
    InterventionConfirmed,
    InterventionProposed,
    InterventionReported,
    ProposalAnswered,
    TicketAnswered,
    TicketOpened,
    TicketRefused,
)
from storefront.withdrawals import emails as withdrawals
from storefront.withdrawals import service as withdrawal_service
from storefront.withdrawals.events import (
    CancellationMatched,
    CancellationNotified,
    ReasonDecided,
    WithdrawalDecided,
    WithdrawalDeclared,
)


def register(app: Flask) -> None:
    """Subscribe every reaction."""
    on = partial(outbox.subscribe, app)
    on_many = partial(outbox.subscribe, app, many=True)

    on_many(PaymentSucceeded, instalments.settle)
    on(MethodSetUp, instalments.begin)
    on(PaymentFailed, instalments.note_failure)
    on(PaymentAwaited, instalment_emails.how_to_pay)
    on(PartArrived, instalments.note_part)
    on(PartReceived, instalment_emails.part_received)
    on_many(InstalmentPaid, arrears.note_paid)
    on(InstalmentFailed, arrears.note_failed)
    on(PlanSuspended, fulfilment.follow_arrears)
    on(PlanResumed, fulfilment.follow_arrears)
    on(ArrearsSettled, arrears_emails.tell_settled)
    on(DeferralGranted, arrears_emails.confirm_deferral)
    on(PlanSuspended, subscriptions.follow_arrears)
    on(PlanResumed, subscriptions.follow_arrears)
    on(RestFellDue, subscriptions.open_rest)
    on(DeferralGranted, subscriptions.note_deferred)
    on(InstalmentPaid, instalment_emails.receipt)
    on_many(InstalmentPaid, subscriptions.note_paid)
    on(InstalmentFailed, instalment_emails.failure, subscriptions.note_failed)

    on(InstalmentPaid, subscriptions.note_change_paid)
    on(PaymentFailed, subscriptions.note_page_closed)

    on(OrderConfirmed, invoicing.issue_for_order)
    on(OrderConfirmed, fulfilment.prepare_order, subscriptions.start_for_order)
    on(InvoiceIssued, invoicing.store_pdf)
    on(OrderCancelled, checkout_emails.order_cancelled, invoicing.credit_rest)
    on(InvoiceStored, checkout_emails.confirm_order, subscription_emails.month_invoice)
    on(EmailSent, fulfilment.open_after_confirmation, subscriptions.note_told)
    on(AccessOpened, fulfilment_emails.access_opened)

    on(MoneyNotDue, refunds.propose)
    on(MoreArrived, refunds.propose_extra)
    on(RefundSucceeded, invoicing.credit_refund)
    on(RefundReturned, refunds.propose_again, refund_emails.tell_returned)
    on(NothingToCredit, refund_emails.tell_refund)
    on(CreditNoteIssued, invoicing.store_credit_note_pdf)
    on(CreditNoteStored, refund_emails.tell_credit)
    on(DisputeOpened, refunds.freeze, refund_emails.tell_dispute)
    on(DisputeWon, refunds.thaw, refund_emails.tell_dispute)
    on(DisputeLost, refunds.end, refund_emails.tell_dispute)

    on(SupplyRevoked, subscriptions.end_revoked)

    on(PeriodPaid, subscriptions.grant_month, subscriptions.invoice_month)
    on(PeriodPaid, subscriptions.give_back_late)
    on(PlanChangeScheduled, subscription_emails.change_scheduled)
    on(PlanChangeTakenBack, subscription_emails.change_taken_back)
    on(PlanChanged, subscriptions.invoice_change, subscription_emails.change_done)
    on(InvoiceStored, subscription_emails.change_invoice)
    on(ChangeAnnounced, subscription_emails.change)
    on(RenewalNear, subscription_emails.renewal)
    on(TermRenewed, subscription_emails.renewed)
    on(TermNotRenewed, subscription_emails.not_renewed)
    on(HolderStops, subscription_emails.left)
    on(PeriodPaid, subscriptions.reconsider_outages)
    on(OutageCreditLeft, refunds.propose_credit)
    on(SubscriptionPastDue, subscription_emails.past_due)
    on(SubscriptionSuspended, subscription_emails.suspended)
    on(SubscriptionResumed, subscription_emails.resumed)
    on(EndScheduled, subscription_emails.end_scheduled)
    on(EndTakenBack, subscription_emails.end_kept)
    on(NoticeGiven, subscription_emails.notice_given)
    on(NoticeClosed, subscription_emails.notice_closed)
    on(NoticeEffective, subscription_emails.notice_effective)
    on(PeriodUnused, refunds.propose_unused)
    on(SubscriptionPaused, subscription_emails.paused)
    on(SubscriptionUnpaused, subscription_emails.unpaused)

    on(HoursExpiring, credits.remind)
    on(HoursExpired, credits.tell_expired)

    on(TicketOpened, tickets.acknowledge)
    on(TicketAnswered, tickets.tell_answer)
    on(TicketRefused, tickets.tell_refusal)
    on(InterventionProposed, tickets.propose)
    on(ProposalAnswered, tickets.tell_proposal_answer)
    on(InterventionConfirmed, tickets.confirm)
    on(InterventionReported, tickets.report)
    on(InterventionCancelled, tickets.tell_cancellation)

    on(WithdrawalDeclared, withdrawals.acknowledge_withdrawal)
    on(WithdrawalDecided, withdrawals.tell_decision)
    on(WithdrawalDecided, withdrawal_service.credit_unpaid)
    on(CancellationNotified, withdrawals.confirm_cancellation)
    on(CancellationMatched, withdrawals.tell_end)
    on(ReasonDecided, withdrawals.tell_reason)
