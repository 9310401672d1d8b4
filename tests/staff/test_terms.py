"""Staff write the next terms, see what they change and risk, and publish them (R-01, R-04)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from storefront import worker
from storefront.catalogue.models import Product
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.legal import queries
from storefront.legal.models import TermsDraft, TermsVersion
from tests import factories
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.subscriptions.telling import subscribe

CGV = "/gestion/conditions/cgv"
FORCED = {"over": "1", "when": "maintenant", "accepted": "oui"}
FIELD = re.compile(
    r'<(?:input|textarea|select)[^>]*?name="(?P<name>p_\w+|seen|over|title|body)"[^>]*>'
)


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    with transaction():
        factories.terms(now)
    return at_work(app, Role.SHOPKEEPER, now)


def typed(client: FlaskClient, url: str = f"{CGV}/brouillon", **changed: str) -> dict[str, str]:
    """The form as the page shows it, with changes; `p_` stands before a parameter's name."""
    page = client.get(url).text
    found = {}
    for tag in FIELD.finditer(page):
        name, whole = tag["name"], tag[0]
        if whole.startswith("<textarea"):
            text = page[tag.end() :].partition("</textarea>")[0]
            found[name] = unescape(text).removeprefix("\r\n").removeprefix("\n")
        elif whole.startswith("<select"):
            options = page[tag.end() :].partition("</select>")[0]
            chosen = re.search(r'<option selected value="(\w+)"', options)
            found[name] = chosen[1] if chosen else ""
        else:
            value = re.search(r'value="([^"]*)"', whole)
            found[name] = unescape(value[1]) if value else ""
    return {**found, **changed}


def save(client: FlaskClient, **changed: str) -> None:
    answer = client.post(f"{CGV}/brouillon", data=typed(client, **changed))
    assert answer.status_code == 303, shown(answer.text)


def decide(client: FlaskClient, document: str = "cgv", **given: str) -> dict[str, str]:
    url = f"/gestion/conditions/{document}/publication"
    return {**typed(client, url), "when": "maintenant", **given}


def row_version() -> str:
    """Of the draft as it is now: what its pages carry."""
    db.session.rollback()
    draft = queries.draft_of("cgv")
    assert draft
    return str(draft.version)


def references() -> list[str]:
    db.session.rollback()
    return [one.reference for one in db.session.scalars(select(TermsVersion))]


def journalled(kind: str) -> list[dict[str, object]]:
    db.session.rollback()
    rows = db.session.scalars(select(JournalEntry).where(JournalEntry.kind == kind))
    return [json.loads(row.payload) for row in rows]


def test_the_form_gives_back_the_terms_in_force_as_they_are(client: FlaskClient) -> None:
    """Every parameter goes to the page and back unchanged: saving what is shown changes nothing."""
    save(client)

    answer = client.post(f"{CGV}/publication", data=decide(client))

    assert answer.status_code == 422
    assert "dit la même chose que la version en vigueur" in shown(answer.text)
    assert references() == ["cgv-1"]


def test_a_draft_is_written_looked_at_and_published(client: FlaskClient) -> None:
    page = client.get(CGV)
    assert "Préparer la version 2" in shown(page.text)
    form = typed(client, p_debit_notice_days="5", p_availability_target_bp="99,9")
    form["body"] = form["body"].replace("Nous les avons écrites pour être lues.", "Lisez-les.")

    preview = client.post(f"{CGV}/brouillon", data={**form, "etape": "apercu"})
    assert preview.status_code == 200
    assert "[supprimé : Nous" in shown(preview.text)
    assert "Annonce d’un prélèvement 2 jours 5 jours" in shown(preview.text)
    assert "vous prévient 5 jours avant" in shown(preview.text)
    assert queries.draft_of("cgv") is None

    assert client.post(f"{CGV}/brouillon", data=form).status_code == 303
    assert references() == ["cgv-1"]
    assert "99,9" in typed(client)["p_availability_target_bp"]

    done = client.post(f"{CGV}/publication", data=decide(client))
    assert done.location == CGV
    assert references() == ["cgv-1", "cgv-2"]
    assert queries.draft_of("cgv") is None
    version = queries.by_reference("cgv-2")
    assert version is not None
    assert queries.parameters_of(version).debit_notice_days == 5
    assert "Lisez-les." in version.text
    (decided,) = journalled("terms.release_decided")
    assert (decided["document"], decided["warnings_accepted"]) == ("cgv", [])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (
            "p_withdrawal_days",
            "13",
            "Délai de rétractation : entre 14 jours et 365 jours (C. conso. L221-18)",
        ),
        ("p_refund_days", "quinze", "écrivez un nombre entier"),
        ("p_refund_days", "", "écrivez un nombre entier"),
        ("p_recovery_fee_minor", "50", "entre 0,00 € et 40,00 € (C. com. D441-5)"),
        ("p_recovery_fee_minor", "beaucoup", "écrivez un nombre comme 40 ou 99,5"),
        ("p_availability_target_bp", "101", "entre 0 % et 100 %"),
        ("p_expiry_reminder_days", "7, 30", "du plus lointain au plus proche"),
        ("p_expiry_reminder_days", "bientôt", "écrivez des nombres entiers"),
        ("p_consumer_acceleration", "at_once", "choisissez dans la liste"),
        ("p_intervention_min_hours", "200", "pas plus que « Intervention : au plus tard"),
        ("p_platform_notice_days", "12", "écrivez 0, ou 30 au moins"),
        ("p_early_exit_reasons", " ", "Motifs de fin anticipée : à remplir"),
        ("p_refund_days", "9" * 400, "écrivez un nombre entier"),
        ("title", "", "Donnez un titre"),
        ("body", "", "Écrivez le texte"),
    ],
)
def test_what_cannot_be_is_said_beside_it_and_kept(
    client: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = client.post(
        f"{CGV}/brouillon", data=typed(client, **{field: value, "p_debit_notice_days": "9"})
    )

    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert f'href="#{field}"' in answer.text
    if value.strip():
        assert value in answer.text
    assert 'value="9"' in answer.text
    assert queries.draft_of("cgv") is None


def test_a_text_that_cannot_be_published_is_kept_as_a_draft_and_says_why(
    client: FlaskClient,
) -> None:
    form = typed(client)
    form["body"] = (
        form["body"].replace("{{ refund_days | days }}", "vite")
        + "\n\nSelon {{ seller.nothing }} et {{ mystery }}.\n"
        + "\nhttps://ec.europa.eu/consumers/odr\n"
    )
    preview = client.post(f"{CGV}/brouillon", data={**form, "etape": "apercu"})
    said = shown(preview.text)
    assert "Le texte ne dit nulle part « Délai de remboursement »" in said
    assert "{{ mystery }} ne nomme rien" in said
    assert client.post(f"{CGV}/brouillon", data=form).status_code == 303

    page = client.get(f"{CGV}/publication")
    assert "Ce qui empêche la publication" in shown(page.text)
    assert "Publier la version 2</button>" not in page.text
    assert (
        client.post(f"{CGV}/publication", data={**FORCED, "seen": row_version()}).status_code == 422
    )
    assert references() == ["cgv-1"]


def test_what_the_law_forbids_is_not_published_whatever_is_ticked(client: FlaskClient) -> None:
    save(client, body=typed(client)["body"] + "\n\nhttps://ec.europa.eu/consumers/odr\n")

    answer = client.post(f"{CGV}/publication", data={**FORCED, "seen": row_version()})

    assert answer.status_code == 422
    assert "La plateforme européenne de règlement des litiges est fermée" in shown(answer.text)
    assert references() == ["cgv-1"]


def test_a_risk_is_published_only_with_a_yes_that_the_journal_keeps(client: FlaskClient) -> None:
    body = typed(client)["body"] + "\n\nVoir l’article L. 121-21 du code de la consommation.\n"
    save(client, body=body, p_hour_pack_validity_months="6")
    page = client.get(f"{CGV}/publication")
    assert "Cet article n’existe plus" in shown(page.text)
    assert "Aujourd’hui : L221-18" in shown(page.text)
    assert "Validité d’un forfait d’heures : 6 mois" in shown(page.text)
    assert 'id="accepted"' in page.text
    assert "checked" not in re.findall(r'<input[^>]*id="accepted"[^>]*>', page.text)[0]

    refused = client.post(f"{CGV}/publication", data=decide(client))
    assert refused.status_code == 422
    assert "Cochez cette case" in shown(refused.text)
    assert references() == ["cgv-1"]

    client.post(f"{CGV}/publication", data=decide(client, accepted="oui"))
    assert references() == ["cgv-1", "cgv-2"]
    (decided,) = journalled("terms.release_decided")
    assert decided["warnings_accepted"] == ["repealed_citation", "risky_hour_pack_validity_months"]


def test_two_who_write_at_once_are_told_and_lose_nothing(client: FlaskClient) -> None:
    mine = typed(client, p_debit_notice_days="5", title="Mon titre")
    save(client, p_debit_notice_days="4", p_offer_validity_days="45")

    answer = client.post(f"{CGV}/brouillon", data=mine)

    assert answer.status_code == 409
    said = shown(answer.text)
    assert "Quelqu’un a modifié ce document" in said
    assert "Marie shopkeeper a enregistré ce brouillon" in said
    assert "Annonce d’un prélèvement 5 jours 4 jours" in said
    assert "Validité d’un devis 30 jours 45 jours" in said
    assert 'value="Mon titre"' in answer.text
    kept = queries.draft_of("cgv")
    assert kept is not None
    assert kept.title == "Conditions générales de vente"
    seen = re.search(r'name="seen"[^>]*value="(\d+)"', answer.text)
    assert seen
    assert client.post(f"{CGV}/brouillon", data={**mine, "seen": seen[1]}).status_code == 303
    assert typed(client)["title"] == "Mon titre"


def test_a_draft_that_was_published_meanwhile_is_not_saved_over(client: FlaskClient) -> None:
    save(client, p_debit_notice_days="5")
    mine = typed(client, p_debit_notice_days="7")
    client.post(f"{CGV}/publication", data=decide(client))

    answer = client.post(f"{CGV}/brouillon", data=mine)

    assert answer.status_code == 409
    assert "Le brouillon a été publié ou abandonné" in shown(answer.text)
    assert re.search(r'name="p_debit_notice_days"[^>]*value="7"', answer.text)


def test_a_decision_on_what_is_no_longer_there_publishes_nothing(
    client: FlaskClient, now: datetime
) -> None:
    save(client, p_debit_notice_days="5")
    decision = decide(client)
    with transaction():
        factories.terms(now + timedelta(hours=1), hour_slice_minutes=30)

    answer = client.post(f"{CGV}/publication", data=decision, follow_redirects=True)

    assert "vient de changer : relisez-les" in shown(answer.text)
    assert references() == ["cgv-1", "cgv-2"]


def test_a_publication_is_planned_seen_withdrawn_and_lived_through(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    save(client, p_debit_notice_days="5")
    day = (now + timedelta(days=10)).date()
    planned = client.post(
        f"{CGV}/publication", data=decide(client, when="date", day=day.isoformat())
    )
    assert planned.location == CGV
    page = shown(client.get(CGV).text)
    assert "Publication prévue le vendredi 4 décembre 2026 à 0 h" in page
    assert "publication prévue le 4 déc. 2026" in shown(client.get("/gestion/conditions").text)
    assert client.get(f"{CGV}/brouillon").location == CGV
    assert client.get(f"{CGV}/publication").location == CGV
    draft = queries.draft_of("cgv")
    assert draft is not None
    assert draft.publish_at is not None
    assert worker.next_due(now) == draft.publish_at
    due, seen = draft.publish_at, draft.version

    again = client.post(f"{CGV}/publication/retrait", data={"seen": str(seen)})
    assert again.location == CGV
    worker.run_due(due)
    assert references() == ["cgv-1"]

    client.post(f"{CGV}/publication", data=decide(client, when="date", day=day.isoformat()))
    worker.run_due(due - timedelta(seconds=1))
    assert references() == ["cgv-1"]
    assert worker.run_due(due)["legal.publish_planned"] == 1
    assert references() == ["cgv-1", "cgv-2"]
    assert queries.in_force("cgv", due).reference == "cgv-2"
    assert queries.in_force("cgv", due - timedelta(seconds=1)).reference == "cgv-1"
    assert queries.draft_of("cgv") is None

    late = client.post(
        f"{CGV}/publication/retrait", data={"seen": str(seen)}, follow_redirects=True
    )
    assert "Cette publication a déjà eu lieu" in shown(late.text)
    kinds = set(db.session.scalars(select(JournalEntry.kind)))
    assert {"terms.drafted", "terms.release_decided", "terms.release_withdrawn"} <= kinds


@pytest.mark.parametrize("day", ["", "2026-11-24", "2026-11-01", "2029-01-01", "demain"])
def test_a_day_that_does_not_suit_is_said(client: FlaskClient, day: str) -> None:
    save(client, p_debit_notice_days="5")

    answer = client.post(f"{CGV}/publication", data=decide(client, when="date", day=day))

    assert answer.status_code == 422
    assert re.search(r'id="day-error"', answer.text)
    assert references() == ["cgv-1"]


def test_a_planned_text_is_not_written_over_and_what_was_typed_stays(client: FlaskClient) -> None:
    save(client, p_debit_notice_days="5")
    mine = typed(client, p_debit_notice_days="7")
    client.post(f"{CGV}/publication", data=decide(client, when="date", day="2026-12-10"))

    answer = client.post(f"{CGV}/brouillon", data=mine)

    assert answer.status_code == 409
    assert re.search(r'name="p_debit_notice_days"[^>]*value="7"', answer.text)
    discarded = client.post(f"{CGV}/brouillon/abandon", data={"seen": row_version()})
    assert discarded.status_code == 409
    assert "Une publication est prévue" in shown(discarded.text)


def test_what_can_no_longer_be_published_on_its_day_waits_for_staff(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    save(client, p_debit_notice_days="5")
    client.post(f"{CGV}/publication", data=decide(client, when="date", day="2026-12-10"))
    with transaction() as session:
        session.execute(TermsDraft.__table__.update().values(body="Plus rien."))

    assert worker.run_due(now + timedelta(days=20))["legal.publish_planned"] == 1

    assert references() == ["cgv-1"]
    assert "n’a pas pu être publié" in shown(client.get(CGV).text)
    assert "n’a pas pu être publié" in shown(client.get("/gestion").text)
    assert journalled("terms.release_failed")
    assert worker.run_due(now + timedelta(days=21))["legal.publish_planned"] == 0


def test_a_draft_is_given_up(client: FlaskClient) -> None:
    save(client, p_debit_notice_days="5")
    assert client.post(f"{CGV}/brouillon/abandon", data={"seen": "7"}).status_code == 409
    assert client.post(f"{CGV}/brouillon/abandon", data={"seen": row_version()}).location == CGV
    assert queries.draft_of("cgv") is None
    assert typed(client)["p_debit_notice_days"] == "2"


def test_new_terms_lead_to_the_announcement_where_subscriptions_run(
    client: FlaskClient, now: datetime
) -> None:
    subscribe(now, {"entitlements": ["page"], "limits": {}})
    save(client, p_debit_notice_days="5")

    done = client.post(f"{CGV}/publication", data=decide(client))

    assert done.location == "/gestion/abonnements/conditions/2/annonce"
    assert "1 abonné" in shown(client.get(done.location).text)
    assert "1 contrat en cours" in shown(client.get(CGV).text)


def test_particular_terms_are_begun_published_and_attached_to_products(
    client: FlaskClient, app: Flask
) -> None:
    with transaction():
        factories.product(factories.ProductKind.PAPER_GUIDE, slug="guide")
        factories.product(factories.ProductKind.E_LEARNING, slug="cours", particular_terms="autre")
    wrong = client.post("/gestion/conditions", data={"document": "Atelier 2", "title": "Atelier"})
    assert wrong.status_code == 422
    assert 'value="Atelier 2"' in wrong.text

    here = "/gestion/conditions/conditions-atelier"
    begun = client.post(
        "/gestion/conditions",
        data={"document": "conditions-atelier", "title": "Conditions d’atelier"},
    )
    assert begun.location == f"{here}/brouillon"
    assert client.get(f"{here}/articles").status_code == 404
    text = typed(client, begun.location, body="Apportez vos {{ seller.name }} outils.")
    assert client.post(begun.location, data=text).status_code == 303
    done = client.post(f"{here}/publication", data=decide(client, "conditions-atelier"))
    assert done.location == here
    assert references() == ["cgv-1", "conditions-atelier-1"]

    page = client.get(f"{here}/articles")
    assert "Vendu sous « autre »" in shown(page.text)
    kept = client.post(f"{here}/articles", data={"seen": "", "article": ["guide", "cours"]})
    assert kept.location == here
    attached = dict(db.session.execute(select(Product.slug, Product.particular_terms)).all())
    assert attached == {"guide": "conditions-atelier", "cours": "autre"}
    product = client.get("/produits/guide").text
    assert 'href="/conditions-particulieres/conditions-atelier/1"' in product
    assert "Conditions d’atelier" in product

    stale = client.post(f"{here}/articles", data={"seen": "", "article": []}, follow_redirects=True)
    assert "Quelqu’un vient de changer ces articles" in shown(stale.text)
    client.post(f"{here}/articles", data={"seen": "guide"})
    assert client.get("/produits/guide").text.count("conditions-atelier") == 0


def test_everybody_reads_what_each_version_changed(client: FlaskClient, now: datetime) -> None:
    with transaction():
        factories.terms(now + timedelta(hours=1), hour_pack_validity_months=6)
    visitor = client.application.test_client()
    assert "/conditions-generales/2/changements" in visitor.get("/conditions-generales").text

    page = shown(visitor.get("/conditions-generales/2/changements").text)

    assert "Validité d’un forfait d’heures 12 mois 6 mois" in page
    assert "[supprimé : 12 ]" in page
    assert "[ajouté : 6 ]" in page
    assert visitor.get("/conditions-generales/1/changements").status_code == 404
    assert visitor.get("/conditions-generales/3/changements").status_code == 404


def test_it_is_no_business_of_a_technician_nor_of_a_visitor(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    technician = at_work(app, Role.TECHNICIAN, now)
    for path in ("", "/cgv", "/cgv/brouillon", "/cgv/publication"):
        assert technician.get(f"/gestion/conditions{path}").status_code == 403
        assert app.test_client().get(f"/gestion/conditions{path}").status_code in (302, 303)
    assert technician.post(f"{CGV}/publication", data={"when": "maintenant"}).status_code == 403
    for path in ("rien", "rien/brouillon", "cgv/articles"):
        assert client.get(f"/gestion/conditions/{path}").status_code == 404


def test_pages_ask_the_database_a_few_questions_whatever_they_show(
    client: FlaskClient, now: datetime
) -> None:
    save(client, p_debit_notice_days="5")
    for hours in range(3):
        with transaction():
            factories.terms(now + timedelta(hours=2 + hours), hour_slice_minutes=30 + hours)
    questions: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: questions.append(a[2]))

    def asked(path: str) -> int:
        questions.clear()
        assert client.get(path).status_code == 200
        return sum(one.lstrip().upper().startswith("SELECT") for one in questions)

    assert asked("/gestion/conditions") <= 6
    assert asked(CGV) <= 8
    assert asked(f"{CGV}/brouillon") <= 7
    assert asked(f"{CGV}/publication") <= 7
    assert asked("/conditions-generales/2/changements") <= 4
