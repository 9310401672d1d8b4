"""Staff see what is due of a withdrawal, line by line, and decide it in one act (W-02..W-08)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits.models import HourLot
from storefront.identity.models import Role
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.instalments import queries as instalments
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.invoicing.models import CreditNote
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.orders.models import FulfilmentStatus, OrderStatus
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.models import Payment, RefundReason, RefundStatus
from storefront.payments.providers.base import PAGE_LIFETIME
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.tickets.models import BusyCell, Intervention
from storefront.tickets.rules import InterventionStatus
from tests import factories, paying
from tests.identity import people
from tests.subscriptions import running
from tests.withdrawals.deciding import (
    CONTRACT,
    DESK,
    GUIDE,
    LESSONS,
    PACK,
    TOOLBOX,
    agreed,
    bought,
    decisions,
    form_of,
    line_of,
    opened,
    order_of,
    refunds,
    shipped,
    words_of,
    worked,
)
from tests.withdrawals.declaring import messages, withdrawn_at

pytestmark = pytest.mark.once

REFERENCE = "RET-2026-000001"


@pytest.fixture
def staff(app: Flask, now: datetime) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, now)


def decide(staff: FlaskClient, reference: str = REFERENCE, **changed: str) -> str:
    """Send the page's own form, with changes, and return what the next page says."""
    answer = staff.post(
        f"{DESK}/{reference}/decider", data={**form_of(staff, reference), **changed}
    )
    assert answer.status_code == 303, answer.text
    return words_of(staff, reference)


def test_a_guide_a_toolbox_hours_and_a_training_each_by_its_own_rule(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    """The order of the issue, for which nothing was sent yet."""
    start = now - timedelta(days=5)
    order_id = bought(start, GUIDE, TOOLBOX, PACK, LESSONS)
    opened(order_id, start)
    worked(order_id, start + timedelta(days=1), 120, now=start)
    coming = agreed(order_id, now + timedelta(days=2), 60, now=now)
    reference = order_of(order_id).reference
    withdrawn_at(now, reference)

    words = words_of(staff, REFERENCE)
    assert "5 h × 60 = 300 minutes, dont 120 vraiment travaillées" in words
    assert "449,00 € × 120 ÷ 300 = 179,60 €" in words
    assert "449,00 € payés − 179,60 € fournis = 269,40 €" in words
    assert "il reste acquis et n’est pas remboursé (article L221-28, 13°)" in words
    assert "rien n’est retenu (article L6353-5 du code du travail)" in words
    # 29.00 guide, 269.40 hours, 690.00 training, 6.90 delivery: the parcel never left.
    assert "Proposé maintenant 995,30 €" in words
    assert "À rembourser avant la fin du mardi 8 décembre 2026" in words

    words = decide(staff)
    worker.run_due(now)
    (decision,) = decisions()
    assert (decision.due_minor, decision.final) == (99530, True)
    (refund,) = refunds()
    assert (refund.amount_minor, refund.reason) == (99530, RefundReason.WITHDRAWAL)
    assert (refund.provider, refund.due_on) == ("offline", date(2026, 12, 8))
    assert "995,30 € par virement" in words

    # W-08: what was agreed is off at no cost, the technician is free, the hours are gone.
    assert db.session.get_one(Intervention, coming).status is InterventionStatus.CANCELLED
    assert not db.session.scalar(
        select(func.count(BusyCell.staff_id)).where(BusyCell.intervention_id == coming)
    )
    lot = db.session.scalars(select(HourLot)).one()
    assert credits.balance(lot.id) == 0
    assert lot.revoked_at is not None
    states = {line.kind: line.fulfilment for line in order_of(order_id).lines}
    assert states[ProductKind.E_LEARNING] is FulfilmentStatus.REVOKED
    assert states[ProductKind.PAPER_GUIDE] is FulfilmentStatus.REVOKED
    assert states[ProductKind.DIGITAL_PRODUCT] is FulfilmentStatus.OPEN  # bought for good
    assert order_of(order_id).status is OrderStatus.CONFIRMED

    (told,) = messages("withdrawal_decided")
    assert told.recipient == "claire@exemple.example"
    assert "449,00 € × 120 ÷ 300 = 179,60 €".replace(" €", "\u00a0€") in told.text
    assert "par le moyen de paiement utilisé, au plus tard le mardi 8 décembre 2026" in told.text
    off = messages("intervention_cancelled")[0]
    assert "Vous avez renoncé aux heures" in off.text
    assert list(journal.verify()) == []


def test_the_refund_goes_back_on_the_card_with_a_credit_note_of_the_lines(
    app: Flask, staff: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    order_id = paying.bought(sandbox, ProductKind.HOUR_PACK, now, price=15900)
    withdrawn_at(now, order_of(order_id).reference)
    words = decide(staff)
    worker.run_due(now)
    assert "159,00 € sur la carte utilisée" in words
    (refund,) = refunds()
    assert refund.status is RefundStatus.SUCCEEDED
    assert sandbox.control("ledger")["stripe"]["refunded"][0]["amount"] == 15900
    note = db.session.scalars(select(CreditNote)).one()
    assert (note.total_minor, note.cause) == (15900, f"refund:{refund.id}")
    # Everything was withdrawn from: the order is over, and its customer hears it once.
    order = order_of(order_id)
    assert (order.status, order.end_reason) == (OrderStatus.CANCELLED, "withdrawn")
    assert messages("order_cancelled") == []
    assert len(messages("withdrawal_decided")) == 1
    assert "Argent à rendre" not in staff.get("/gestion").text


def test_a_second_click_and_a_second_person_give_nothing_more(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK)
    withdrawn_at(now, order_of(order_id).reference)
    form = form_of(staff, REFERENCE)
    other = {**form_of(staff, REFERENCE)}
    assert other["demande"] != form["demande"]
    address = f"{DESK}/{REFERENCE}/decider"
    assert staff.post(address, data=form).status_code == 303
    assert staff.post(address, data=form).status_code == 303
    late = staff.post(address, data=other)
    assert late.status_code == 422
    assert "Quelqu’un a décidé entre-temps de : Forfait 5 heures." in late.text
    assert len(decisions()) == 1
    assert len(refunds()) == 1


def test_a_form_sent_again_with_another_line_is_no_second_click(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK, TOOLBOX)
    withdrawn_at(now, order_of(order_id).reference)
    both, address = form_of(staff, REFERENCE), f"{DESK}/{REFERENCE}/decider"
    one = {name: value for name, value in both.items() if name != "ligne-2"}
    assert staff.post(address, data=one).status_code == 303
    again = staff.post(address, data=both)
    assert again.status_code == 422
    assert "Quelqu’un a décidé entre-temps de : Forfait 5 heures." in again.text
    assert both["demande"] not in again.text
    other = {name: value for name, value in both.items() if name != "ligne-1"}
    assert staff.post(address, data=other).status_code == 409
    assert len(decisions()) == 1


def test_the_delivery_goes_back_once_the_whole_parcel_was_withdrawn_from_in_two_declarations(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    trees = (ProductKind.PAPER_GUIDE, {"price": 3100, "name": "Guide des arbres"})
    order_id = bought(now - timedelta(days=1), GUIDE, trees)
    order = order_of(order_id)
    first, second = [line for line in order.lines if line.kind is ProductKind.PAPER_GUIDE]
    withdrawn_at(now, order.reference, first)
    decide(staff)
    later = withdrawn_at(now + timedelta(hours=1), order.reference, second)
    decide(staff, later)
    assert [one.amount_minor for one in refunds()] == [2900, 3100 + 690]


def test_a_payment_page_that_is_open_is_waited_for(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now, PACK, TOOLBOX, count=2, provider="stripe")
    withdrawn_at(now, order_of(order_id).reference, line_of(order_id, ProductKind.HOUR_PACK))
    form = form_of(staff, REFERENCE)
    with transaction():
        second = instalments.of_order(order_id)[-1]
        payments.reserve(
            order_id=order_id,
            user_id=second.order.user_id,
            provider="stripe",
            amount=Money(second.amount_minor, second.currency),
            order_reference=second.order.reference,
            description=second.order.reference,
            instalment_id=second.id,
            save_method=False,
            expires_at=now + PAGE_LIFETIME,
            now=now,
        )
    answer = staff.post(f"{DESK}/{REFERENCE}/decider", data=form)
    assert answer.status_code == 409
    assert "Une page de paiement est ouverte" in answer.text
    assert decisions() == []


def test_another_amount_wants_a_reason_which_its_customer_reads(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK)
    withdrawn_at(now, order_of(order_id).reference)
    address = f"{DESK}/{REFERENCE}/decider"
    for typed, told in (
        ("400", "Écrivez pourquoi ce montant diffère"),
        ("500", "Au plus 449,00"),
        ("douze", "Écrivez un montant comme 12,50."),
    ):
        answer = staff.post(address, data={**form_of(staff, REFERENCE), "montant-1": typed})
        assert answer.status_code == 422
        assert told in answer.text
        assert f'value="{typed}"' in answer.text
    assert decisions() == []

    decide(staff, **{"montant-1": "400", "motif-1": "Une carte cadeau en faisait partie."})
    worker.run_due(now)
    (decision,) = decisions()
    (line,) = decision.lines
    assert (line.computed_minor, line.due_minor) == (44900, 40000)
    assert [one.amount_minor for one in refunds()] == [40000]
    (told_them,) = messages("withdrawal_decided")
    assert "Une carte cadeau en faisait partie." in told_them.text


def test_figures_that_moved_are_refused_and_shown_again(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    start = now - timedelta(days=1)
    order_id = bought(start, PACK)
    withdrawn_at(now + timedelta(hours=6), order_of(order_id).reference)
    form = form_of(staff, REFERENCE)
    worked(order_id, now + timedelta(hours=1), 60, now=now)  # before the declaration
    answer = staff.post(f"{DESK}/{REFERENCE}/decider", data=form)
    assert answer.status_code == 409
    assert "Les montants ont changé" in answer.text
    assert refunds() == []
    decide(staff)
    assert [one.amount_minor for one in refunds()] == [44900 - 8980]


def test_goods_wait_for_their_return_and_the_rest_does_not(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    start = now - timedelta(days=20)
    order_id = bought(start, GUIDE, PACK)
    shipped(order_id, now - timedelta(days=3))
    with transaction():
        line_of(order_id, ProductKind.HOUR_PACK).withdrawal_until = date(2026, 12, 8)
    withdrawn_at(now, order_of(order_id).reference)
    words = words_of(staff, REFERENCE)
    assert "Retour attendu" in words
    assert "Proposé maintenant 449,00 €" in words
    decide(staff)
    worker.run_due(now)
    (decision,) = decisions()
    assert not decision.final
    assert "Le reste attend le retour de l’article" in messages("withdrawal_decided")[0].text

    pay_back(refunds()[0].id, now)
    assert "Le remboursement attend le retour" in words_of(staff, REFERENCE)
    wrong = staff.post(f"{DESK}/{REFERENCE}/colis", data={"proof": "returned", "seen_on": ""})
    assert wrong.status_code == 422
    tomorrow = {"proof": "returned", "seen_on": "2026-11-25"}
    assert "pas encore venu" in staff.post(f"{DESK}/{REFERENCE}/colis", data=tomorrow).text
    seen = {"proof": "dispatched", "seen_on": "2026-11-24"}
    assert staff.post(f"{DESK}/{REFERENCE}/colis", data=seen).status_code == 303
    assert staff.post(f"{DESK}/{REFERENCE}/colis", data=seen).status_code == 303
    words = words_of(staff, REFERENCE)
    assert "Preuve d’expédition vue le mardi 24 novembre 2026" in words
    assert "Proposé maintenant 35,90 €" in words  # the guide and its delivery
    decide(staff)
    assert [one.amount_minor for one in refunds()] == [44900, 3590]
    assert decisions()[-1].final
    assert order_of(order_id).status is OrderStatus.CANCELLED


def pay_back(refund_id: uuid.UUID, now: datetime) -> None:
    """Staff made the transfer."""
    with transaction():
        payments.record_transfer(payments.locked_refund(refund_id), "", now=now)
    worker.run_due(now)


def test_one_line_of_a_plan_of_payments_ends_and_the_others_go_on_for_less(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    """Two parts, one paid: half of the guide goes back, the other half is never asked for."""
    order_id = bought(now, GUIDE, TOOLBOX, count=2)
    order = order_of(order_id)
    assert order.total_minor == 2900 + 4900 + 690
    withdrawn_at(now, order.reference, line_of(order_id, ProductKind.PAPER_GUIDE))
    decide(staff)
    worker.run_due(now)
    due = sum(one.amount_minor for one in refunds())
    assert due == (2900 + 690) // 2
    second = instalments.of_order(order_id)[-1]
    db.session.refresh(second)
    assert second.amount_minor == 4900 // 2
    assert second.status is InstalmentStatus.SCHEDULED
    assert order_of(order_id).debits_stopped_at is None  # what goes on is paid again
    notes = db.session.scalars(select(CreditNote)).all()
    assert [note.cause.partition(":")[0] for note in notes] == ["withdrawal"]
    pay_back(refunds()[0].id, now)
    notes = db.session.scalars(select(CreditNote)).all()
    assert sum(note.total_minor for note in notes) == 2900 + 690

    # The toolbox too, later: what was paid of it goes back, the whole invoice is credited.
    second_declaration = withdrawn_at(now + timedelta(hours=1), order.reference)
    assert "24,50 € payés, 24,50 € rendus" in words_of(staff, second_declaration)
    decide(staff, second_declaration)
    worker.run_due(now)
    pay_back(refunds()[-1].id, now)
    assert sum(one.amount_minor for one in refunds()) == (2900 + 690 + 4900) // 2
    notes = db.session.scalars(select(CreditNote)).all()
    assert sum(note.total_minor for note in notes) == order_of(order_id).total_minor
    assert order_of(order_id).status is OrderStatus.CANCELLED


def test_nothing_is_debited_while_another_declaration_waits(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK, LESSONS)
    reference = order_of(order_id).reference
    withdrawn_at(now, reference, line_of(order_id, ProductKind.HOUR_PACK))
    second = withdrawn_at(now + timedelta(minutes=1), reference)
    decide(staff)
    assert decisions()[0].final
    assert order_of(order_id).debits_stopped_at is not None
    assert "Forfait 5 heures" not in form_names(staff, second)
    decide(staff, second, **{"ligne-2": ""})
    assert order_of(order_id).status is OrderStatus.CANCELLED


def test_what_was_declared_and_not_decided_stays_to_be_answered_until_it_is_or_is_closed(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK, TOOLBOX)
    withdrawn_at(now, order_of(order_id).reference)
    form = form_of(staff, REFERENCE)
    form.pop("ligne-2")
    assert staff.post(f"{DESK}/{REFERENCE}/decider", data=form).status_code == 303
    worker.run_due(now)
    assert not decisions()[0].final
    assert order_of(order_id).debits_stopped_at is not None
    assert REFERENCE in staff.get("/gestion").text
    (told,) = messages("withdrawal_decided")
    assert "Le reste de votre déclaration est encore à l’étude" in told.text

    rest = {**form_of(staff, REFERENCE), "sans-suite": "La cliente garde sa boîte à outils."}
    rest.pop("ligne-2")
    assert staff.post(f"{DESK}/{REFERENCE}/decider", data=rest).status_code == 303
    assert decisions()[-1].final
    assert order_of(order_id).debits_stopped_at is None


def form_names(staff: FlaskClient, reference: str) -> str:
    """What can still be decided of a declaration."""
    return (
        words_of(staff, reference).partition("Calcul, ligne par ligne")[2].partition("Classer")[0]
    )


def test_a_monthly_contract_costs_the_days_supplied_and_stops(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    start = now - timedelta(days=5)  # 19 November: a period of thirty days
    order_id = bought(start, CONTRACT)
    withdrawn_at(now, order_of(order_id).reference)
    assert "30,00 € × 6 ÷ 30 = 6,00 €" in words_of(staff, REFERENCE)
    decide(staff)
    worker.run_due(now)
    assert [one.amount_minor for one in refunds()] == [2400]
    found = db.session.scalars(select(Subscription)).one()
    assert found.status is SubscriptionStatus.ENDED


def test_what_is_due_of_an_article_is_not_taken_from_the_months_of_a_contract(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=40), GUIDE, CONTRACT)
    running.live(paris_date(now - timedelta(days=40)), paris_date(now))
    running.pay_month(2, now)
    order = order_of(order_id)
    guide = next(line for line in order.lines if line.kind is ProductKind.PAPER_GUIDE)
    withdrawn_at(now, order.reference, guide)

    decide(staff, **{f"ligne-{guide.position}": "oui"})

    (refund,) = refunds()
    paid = db.session.get_one(Payment, refund.payment_id)
    assert paid.instalment_id is not None
    assert db.session.get_one(Instalment, paid.instalment_id).schedule == PRICE


def test_a_professional_has_what_the_terms_say(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    company = factories.buyer(BuyerKind.PROFESSIONAL, company="Essai SARL")
    order_id = bought(
        now - timedelta(days=1), (ProductKind.PLAN, {"price": 2280}), who=company, provider="stripe"
    )
    withdrawn_at(now, order_of(order_id).reference)
    assert "qui n’a utilisé aucune fonction payante" in words_of(staff, REFERENCE)
    assert "Proposé maintenant 22,80 €" in words_of(staff, REFERENCE)
    with transaction():
        db.session.execute(update(Subscription).values(first_used_at=now - timedelta(hours=1)))
    assert "l’une d’elles l’a été" in words_of(staff, REFERENCE)
    assert "Proposé maintenant 0,00 €" in words_of(staff, REFERENCE)


def test_who_never_had_the_confirmation_pays_for_nothing_and_has_longer(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    start = now - timedelta(days=40)
    order_id = bought(start, PACK, confirmed=False)
    withdrawn_at(now, order_of(order_id).reference)
    words = words_of(staff, REFERENCE)
    assert "Hors délai" in words
    assert "La confirmation de la commande n’était pas partie à temps" in words
    assert "Proposé maintenant 449,00 €" in words


def test_too_late_is_answered_with_its_reason_and_changes_nothing(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    start = now - timedelta(days=40)
    order_id = bought(start, PACK)
    withdrawn_at(now, order_of(order_id).reference)
    assert "Proposé maintenant 0,00 €" in words_of(staff, REFERENCE)
    decide(staff)
    worker.run_due(now)
    assert refunds() == []
    (told,) = messages("withdrawal_decided")
    assert "Le dernier jour pour se rétracter était le jeudi 29 octobre 2026" in told.text
    assert "a pris fin" not in told.text
    assert line_of(order_id, ProductKind.HOUR_PACK).fulfilment is FulfilmentStatus.OPEN
    assert REFERENCE not in staff.get("/gestion").text


def test_a_declaration_that_was_taken_back_is_closed_with_a_reason(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=1), PACK)
    withdrawn_at(now, order_of(order_id).reference)
    form = form_of(staff, REFERENCE)
    form.pop("ligne-1")
    empty = staff.post(f"{DESK}/{REFERENCE}/decider", data=form)
    assert empty.status_code == 422
    assert "Cochez au moins une ligne" in empty.text
    form["sans-suite"] = "La cliente garde ses heures, par e-mail du 24 novembre."
    assert staff.post(f"{DESK}/{REFERENCE}/decider", data=form).status_code == 303
    worker.run_due(now)
    assert messages("withdrawal_decided") == []
    assert refunds() == []
    assert order_of(order_id).debits_stopped_at is None
    assert REFERENCE not in staff.get("/gestion").text


def test_the_desk_shows_the_deadline_and_what_the_law_adds_once_it_is_over(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=2), PACK)
    withdrawn_at(now, order_of(order_id).reference)
    page = staff.get("/gestion").text
    assert REFERENCE in page
    assert "8 déc. 2026" in page
    app.extensions["clock"].move_to(now + timedelta(days=26))  # twelve days late
    again = people.sign_in(
        app,
        db.session.scalars(select(people.User).where(people.User.role == Role.SHOPKEEPER)).one(),
    )
    again.get("/connexion/code")
    shopkeeper = db.session.scalars(
        select(people.User).where(people.User.role == Role.SHOPKEEPER)
    ).one()
    code = people.code_of(shopkeeper, now + timedelta(days=26))
    again.post("/connexion/code", data={"code": code})
    words = words_of(again, REFERENCE)
    assert "c’est passé" in words
    assert "12 jours de retard : à 449,00 € s’ajoutent 22,45 €, soit 5 % (article L242-4)" in words
    assert "En retard" in again.get("/gestion").text
