"""What a buyer is sent: the contract on a durable medium, or the end of an order (O-04, PRE-05)."""

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.documents.models import StoredDocument
from storefront.infra.db import db, transaction
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.models import Order
from tests import factories
from tests.checkout.shopping import COMPANY, YES, add, click, give_details


@pytest.fixture
def paid(shop, browser, sandbox, now):
    """The confirmation of an order of this kind, once paid."""

    def buy(kind, details=None, provider="stripe", fields=None, **boxes):
        with shop.app_context(), transaction():
            made = factories.product(kind, name="Le produit", **(fields or {})).id
        add(browser, made)
        give_details(browser, **(details or {}))
        answer = click(browser, provider=provider, **boxes)
        back = sandbox.pay_by_card(answer.location).headers["Location"]
        browser.get("/" + back.split("/", 3)[3])
        with shop.app_context():
            worker.run_due(now)
            found = db.session.scalars(
                select(Email).where(Email.kind == "order_confirmation")
            ).one()
            names = [
                db.session.get_one(StoredDocument, one.document_id).filename
                for one in found.attachments
            ]
            return found, names

    return buy


def test_the_confirmation_carries_invoice_and_accepted_terms(paid):
    email, names = paid(
        ProductKind.E_LEARNING,
        fields={"particular_terms": "conditions-formation"},
        particular_0=YES,
        early_start=YES,
        instalments="2",
    )
    assert [name.split("-")[0] for name in names] == ["facture", "cgv", "conditions"]
    assert email.recipient == "claire@exemple.fr"


def test_every_consent_is_repeated_word_for_word(paid):
    email, _ = paid(ProductKind.TEMPLATE, digital_waiver=YES)
    for body in (email.text, email.html):
        assert "J’ai lu et j’accepte les conditions générales de vente" in body
        assert "je reconnais que je perds mon droit de rétractation" in body


def test_the_withdrawal_form_of_the_law_is_there_for_consumers(paid):
    email, _ = paid(ProductKind.TEMPLATE)
    for body in (email.text, email.html):
        for line in (
            "vous notifie/notifions (*) par la présente ma/notre (*) rétractation du contrat",
            "Signature (uniquement en cas de notification du présent formulaire sur papier)",
            "(*) Rayez la mention inutile.",
            "/retractation",
        ):
            assert line in body
    assert "jusqu’au mardi 8 décembre 2026 à minuit" in email.text


def test_a_professional_is_promised_no_withdrawal(paid):
    email, _ = paid(ProductKind.TEMPLATE, details=COMPANY)
    assert "Rayez la mention inutile" not in email.text


def test_amounts_paid_and_to_come_are_said(paid):
    training = ProductKind.E_LEARNING
    email, _ = paid(training, details=COMPANY, fields={"price": 10000}, instalments="3")
    words = email.text.replace("\u202f", " ").replace("\xa0", " ")
    assert "Reçu : 33,34 €" in words
    assert "À venir jeudi 24 décembre 2026 : 33,33 €" in words


@pytest.mark.parametrize(
    ("kind", "boxes", "sentence"),
    [
        (ProductKind.TEMPLATE, {"digital_waiver": YES}, "Vos fichiers s’ouvrent aussitôt"),
        (ProductKind.TEMPLATE, {}, "Vos fichiers s’ouvrent après le mardi 8 décembre 2026"),
        (ProductKind.HOUR_PACK, {"early_start": YES}, "Vos heures sont sur votre compte"),
        (ProductKind.PAPER_GUIDE, {}, "Expédié sous 2 jours ouvrés"),
    ],
)
def test_what_happens_next_is_said(paid, kind, boxes, sentence):
    email, _ = paid(kind, **boxes)
    assert sentence in email.text


def test_one_confirmation_whatever_runs_again(shop, paid, now):
    paid(ProductKind.TEMPLATE)
    with shop.app_context():
        worker.run_due(now)
        found = db.session.scalars(select(Email).where(Email.kind == "order_confirmation")).all()
        assert len(found) == 1


def test_the_end_of_an_unpaid_order_is_told_with_nothing_debited(shop, browser, sandbox, now):
    with shop.app_context(), transaction():
        made = factories.product(ProductKind.TEMPLATE).id
    add(browser, made)
    give_details(browser)
    click(browser)
    with shop.app_context():
        with transaction():
            orders.cancel(db.session.scalars(select(Order)).one(), "unpaid", now=now)
        worker.run_due(now)
        email = db.session.scalars(select(Email).where(Email.kind == "order_cancelled")).one()
    assert "Elle n’a pas été payée à temps" in email.text
    assert "Rien n’a été débité" in email.text
