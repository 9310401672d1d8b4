"""A support client: hours bought, a request, an appointment, a report, and more hours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import TECHNICIAN, LiveShop, Serving
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

NOUR = Customer("Nour Belkacem", "nour@exemple.example")
DECLARATIONS = ("own_equipment", "legal_licences", "backup_made", "guarantees_checked")


@pytest.fixture(scope="module")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """A shop of these journeys' own, since they move its clock."""
    with serving() as shop:
        yield shop


def test_three_hours_are_used_through_a_request_and_a_second_one_leads_to_buying_more(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    client, staff = visit(), visit()
    buy_hours(client, "forfait-3-heures")
    shop.letter(NOUR.email, "est confirmée")
    acts.choose_password(client, NOUR)
    client.open("/compte/heures")
    client.sees("3 h", "mercredi 24 novembre 2027")

    client.open("/assistance")
    client.follow("Ouvrir une demande")
    client.page.locator("[name=lot]").first.check(force=True)
    client.fill(
        subject="Plus de son depuis la mise à jour",
        description="Ni haut-parleurs ni casque.\n\nJ’ai redémarré deux fois.",
    )
    client.press("Envoyer la demande")
    reference = acts.reference_on(client)
    client.sees("Notre réponse, au plus tard le mercredi 25 novembre 2026")

    acts.enter_as_staff(staff, TECHNICIAN)
    staff.picture("staff-day")
    staff.follow("Demandes")
    staff.sees("Répondre", "mercredi 25 novembre 2026", NOUR.name)
    staff.picture("staff-queue")
    staff.follow("Plus de son depuis la mise à jour")
    staff.fill(body="Bonjour, la mise à jour a remplacé le pilote. Réglons cela ensemble.")
    staff.press("Envoyer au client")
    assert "pilote" in acts.text_of(shop.letter(NOUR.email, f"Réponse à votre demande {reference}"))
    propose(staff, "2026-11-26", "10:00", "90")
    staff.picture("staff-ticket")

    client.open(f"/assistance/{reference}")
    client.sees("Rendez-vous proposé le jeudi 26 novembre 2026 à 10 h")
    client.picture("ticket")
    client.tick(*DECLARATIONS)
    client.press("Accepter et réserver 2 h")
    client.sees("Rendez-vous le jeudi 26 novembre 2026 à 10 h")
    letter = shop.letter(NOUR.email, "Rendez-vous confirmé")
    calendar = next(file for name, file in acts.attachments(letter).items() if "ics" in name)
    assert "DTSTART" in str(calendar)
    client.open("/compte/heures")
    client.sees("Gardé pour une intervention")
    client.picture("hours")

    shop.advance_to("2026-11-26T10:00")
    # Two days later the second factor is asked for again.
    staff.open(f"/gestion/assistance/{reference}")
    staff.fill(code=shop.code(TECHNICIAN))
    staff.press("Entrer")
    staff.press("Commencer l’intervention")
    client.open(f"/assistance/{reference}")
    client.sees("L’intervention est en cours")
    shop.advance_to("2026-11-26T11:10")
    staff.press("Arrêter le temps")
    staff.fill(report="Pilote audio remis en place, essais faits avec le casque.")
    staff.press("Envoyer le compte rendu et décompter")

    client.open(f"/assistance/{reference}")
    client.sees("Compte rendu", "2 h, par tranche commencée de 1 h")
    client.press("Confirmer ce compte rendu")
    client.open("/compte/heures")
    client.sees("−2 h", "1 h")

    ask_again(client)
    second = acts.reference_on(client)
    staff.open(f"/gestion/assistance/{second}")
    propose(staff, "2026-11-30", "14:00", "120")
    client.open(f"/assistance/{second}")
    client.sees("Il vous manque 1 h pour ce rendez-vous")
    client.press(re.compile("Ajouter .* au panier"))
    client.follow("Passer à la commande")
    finish_order(client)
    client.open(f"/assistance/{second}")
    client.tick(*DECLARATIONS)
    client.press("Accepter et réserver 2 h")
    client.sees("Rendez-vous le lundi 30 novembre 2026 à 14 h")


def buy_hours(client: Visitor, slug: str) -> None:
    """Buy a pack by PayPal and ask to start before the end of the withdrawal period."""
    acts.put_in_cart(client, slug)
    finish_order(client)


def finish_order(client: Visitor) -> None:
    """From the checkout's first step to the confirmed order."""
    acts.say_who(client, NOUR)
    client.choose("provider", "paypal")
    client.tick("terms", "early_start")
    client.press(acts.ORDER)
    acts.pay_by_paypal(client)
    client.sees("Votre commande est confirmée")


def propose(staff: Visitor, day: str, at: str, minutes: str) -> None:
    """Propose a time on the request whose page is open."""
    form = staff.page.locator("form[action$='/proposer']")
    form.locator("[name=description]").fill("Remise en place du pilote audio, essais.")
    staff.fill(day=day, at=at, minutes=minutes)
    staff.press("Proposer au client")
    staff.sees("Le client peut répondre")


def ask_again(client: Visitor) -> None:
    """A second request, on what is left."""
    client.open("/assistance/nouveau")
    client.page.locator("[name=lot]").first.check(force=True)
    client.fill(subject="Sauvegarde à mettre en place", description="Deux disques, un ordinateur.")
    client.press("Envoyer la demande")
