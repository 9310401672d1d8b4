"""What a customer is told of what is unpaid: before anything happens, then what happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storefront.arrears import queries
from storefront.arrears.events import ArrearsSettled, DeferralGranted
from storefront.arrears.models import ArrearsCase, Deferral, DunningAct
from storefront.arrears.rules import DunningStep
from storefront.infra.db import db
from storefront.instalments.models import Instalment
from storefront.legal.queries import parameters_of
from storefront.notifications.service import queue

SUBJECTS = {
    DunningStep.REMINDER: "Une échéance reste à régler",
    DunningStep.FORMAL_NOTICE: "Mise en demeure de payer",
    DunningStep.SUSPENSION: "Votre achat est suspendu",
    DunningStep.ACCELERATION_NOTICE: "Mise en demeure avant exigibilité du solde",
    DunningStep.ACCELERATION: "Le solde est devenu exigible",
}


def tell_step(act: DunningAct, *, now: datetime) -> None:
    """A step was made: what it means, what follows and when, how to pay now."""
    case = act.case
    _queue(
        f"arrears_{act.step.value}",
        f"{case.id}",
        SUBJECTS[act.step],
        case.instalment,
        {"act": act, "case": case, "steps": queries.timeline_of(case)},
        [act.document_id] if act.document_id else [],
        now,
    )


def tell_settled(event: ArrearsSettled, *, now: datetime) -> None:
    """It is paid: what was to follow does not, what was suspended is open again."""
    case = db.session.get_one(ArrearsCase, event.case_id)
    still = queries.stops(case.order_id)
    facts = {"suspended": case.act(DunningStep.SUSPENSION) is not None, "still_stopped": still}
    _queue(
        "arrears_settled",
        f"{case.id}",
        "Votre situation est à jour",
        case.instalment,
        facts,
        [],
        now,
    )


def confirm_deferral(event: DeferralGranted, *, now: datetime) -> None:
    """The seller waits until another day: which, and that nothing happens before (M-05)."""
    deferral = db.session.get_one(Deferral, event.deferral_id)
    part = deferral.instalment
    _queue(
        "arrears_deferred",
        f"{deferral.id}",
        "Votre report d’échéance",
        part,
        {"deferral": deferral},
        [],
        now,
    )


def _queue(
    kind: str,
    key: str,
    subject: str,
    instalment: Instalment,
    facts: dict[str, Any],
    documents: list[Any],
    now: datetime,
) -> None:
    order = instalment.order
    queue(
        kind,
        key=f"{kind}:{key}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"{subject} – commande {order.reference}",
        context={
            "instalment": instalment,
            "order": order,
            "terms": parameters_of(order.terms_version),
            **facts,
        },
        documents=documents,
        now=now,
    )
