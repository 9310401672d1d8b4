"""Staff write the texts that the shop sells under, see what changes, and publish (R-01, R-04)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.catalogue import queries as catalogue
from storefront.catalogue import service as shop
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import StaleWrite
from storefront.legal import queries, rules, service
from storefront.legal.models import TermsDraft, TermsVersion
from storefront.legal.rules import TERMS, Parameters, TermsSource, UnpublishableTerms
from storefront.legal.service import (
    Decision,
    NothingChanged,
    PublicationPlanned,
    WarningsNotAccepted,
    WrongPublicationDay,
)
from storefront.staff.terms.forms import (
    BeginForm,
    DraftForm,
    ReleaseForm,
    draft_form,
    problem_message,
    whole,
)
from storefront.subscriptions import queries as subscriptions

bp = Blueprint("staff_terms", __name__, url_prefix="/gestion/conditions")

Answer = str | Response | tuple[str, int]
HOME = "/gestion/conditions"
PREVIEW = "apercu"


def _list(form: BeginForm) -> str:
    latest, drafts = queries.latest_versions(), queries.drafts()
    documents = [*rules.KNOWN, *sorted((latest.keys() | drafts.keys()) - rules.KNOWN.keys())]
    return render_template(
        "staff/terms/list.html",
        documents=documents,
        latest=latest,
        drafts=drafts,
        products=catalogue.names_by_particular_terms(),
        form=form,
    )


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def documents() -> str:
    """Every document with the version in force, and what is being written."""
    return _list(BeginForm(formdata=None))


@bp.post("")
@staff_required(Role.SHOPKEEPER)
def begin() -> Answer:
    """Begin particular terms that there were none of yet."""
    form = BeginForm()
    if not form.validate_on_submit():
        return _list(form), 422
    name = form.text("document")
    if not _exists(name):
        edit = service.Edit(form.text("title"), "", Parameters())
        with transaction():
            service.save_draft(name, edit, seen=0, by=current_user.id, now=clock.now())
    return redirect(f"{HOME}/{name}/brouillon", 303)


def _exists(document: str) -> bool:
    return (
        document in rules.KNOWN
        or queries.draft_of(document) is not None
        or bool(queries.versions(document))
    )


def _check_exists(document: str) -> None:
    if not _exists(document):
        abort(404)


@bp.get("/<document>")
@staff_required(Role.SHOPKEEPER)
def overview(document: str) -> str:
    """One document: what is in force, what is written, what is planned, who is concerned."""
    versions, draft = queries.versions(document), queries.draft_of(document)
    if not versions and draft is None and document not in rules.KNOWN:
        abort(404)
    return render_template(
        "staff/terms/document.html",
        document=document,
        versions=versions,
        draft=draft,
        particular=_is_particular(document),
        products=catalogue.names_by_particular_terms().get(document, []),
        concerned=_concerned(versions[0]) if versions else 0,
    )


def _is_particular(document: str) -> bool:
    return rules.facts_of(document).path.startswith(rules.PARTICULAR_TERMS)


def _concerned(version: TermsVersion) -> int:
    """How many running subscriptions could be told of this version (R-06)."""
    if version.document != TERMS:
        return 0
    now = clock.now()
    return subscriptions.preview(version, now, paris_date(now)).told


@bp.route("/<document>/brouillon", methods=["GET", "POST"])
@staff_required(Role.SHOPKEEPER)
def draft(document: str) -> Answer:
    """Text and parameters side by side; look at what they give, or keep them."""
    _check_exists(document)
    kind = rules.facts_of(document).parameters
    if request.method == "GET":
        form, found = draft_form(kind, formdata=None), queries.draft_of(document)
        if found is not None and found.publish_at is not None:
            return redirect(f"{HOME}/{document}", 303)
        if (source := queries.written(document)) is not None:
            form.show(source, found.version if found else 0)
        return _draft_page(document, form)
    form = draft_form(kind)
    edit = form.edit() if form.validate_on_submit() else None
    if edit is None:
        form.edit()  # whatever else is wrong stands beside its field too
        return _draft_page(document, form), 422
    source = TermsSource(document, edit.title, edit.parameters, edit.body.strip() + "\n")
    if request.form.get("etape") == PREVIEW:
        return _draft_page(document, form, seen=_looked_at(source))
    try:
        with transaction():
            service.save_draft(
                document, edit, seen=form.seen_version, by=current_user.id, now=clock.now()
            )
    except (StaleWrite, PublicationPlanned):
        return _collision(document, form, source), 409
    flash("Le brouillon est enregistré. Rien n’est publié.", "success")
    return redirect(f"{HOME}/{document}/brouillon", 303)


def _draft_page(document: str, form: DraftForm, **context: Any) -> str:
    return render_template(
        "staff/terms/draft.html",
        document=document,
        form=form,
        problem_message=problem_message,
        latest=next(iter(queries.versions(document)), None),
        **context,
    )


def _collision(document: str, form: DraftForm, typed: TermsSource) -> str:
    """Nothing is lost: what was typed stays typed, and what the other one saved is shown."""
    theirs = queries.draft_of(document)
    form.seen.data = str(theirs.version if theirs else 0)
    between = None
    if theirs is not None:
        saved = (theirs.body, vars(queries.parameters_of_draft(theirs)))
        between = rules.differences((typed.body, vars(typed.parameters)), saved)
    return _draft_page(document, form, collision=True, theirs=theirs, between=between)


def _looked_at(source: TermsSource) -> dict[str, Any]:
    """What a source gives, what it changes, and what stands against it."""
    found = queries.examine(source, paris_date(clock.now()))
    changed = prose = None
    if found.filled is not None and found.text is not None:
        changed = queries.changes_by(found.filled, found.text)
        prose = rules.typeset(found.text).markup
    return {"examination": found, "changed": changed, "prose": prose}


@bp.post("/<document>/brouillon/abandon")
@staff_required(Role.SHOPKEEPER)
def discard(document: str) -> Response:
    """Give the draft up."""
    with transaction():
        service.discard_draft(document, seen=_seen(), now=clock.now())
    flash("Le brouillon est abandonné. La version en vigueur n’a pas bougé.", "success")
    return redirect(f"{HOME}/{document}", 303)


def _seen() -> int:
    return whole(request.form.get("seen", ""))


@bp.route("/<document>/publication", methods=["GET", "POST"])
@staff_required(Role.SHOPKEEPER)
def release(document: str) -> Answer:
    """Everything that a draft changes and risks, on one page; then publish it, now or later."""
    found = queries.draft_of(document)
    if found is None or found.publish_at is not None:
        return redirect(f"{HOME}/{document}", 303)
    form = ReleaseForm()
    if not form.is_submitted():
        latest = next(iter(queries.versions(document)), None)
        form.seen.data = str(found.version)
        form.over.data = str(latest.number if latest else 0)
        return _release_page(found, form)
    if not form.is_complete():
        return _release_page(found, form), 422
    decision = Decision(
        on=form.on,
        accepted=bool(form.accepted.data),
        seen=whole(form.text("seen")),
        over=whole(form.text("over")),
    )
    try:
        with transaction():
            made = service.release(document, decision, now=clock.now())
    except WarningsNotAccepted:
        form.accepted.errors = ["Cochez cette case pour publier malgré les risques signalés."]
    except WrongPublicationDay:
        form.day.errors = ["Choisissez un jour à venir, dans les douze mois."]
    except NothingChanged:
        form.when.errors = ["Ce brouillon dit la même chose que la version en vigueur."]
    except UnpublishableTerms:
        form.when.errors = ["Corrigez d’abord ce qui empêche la publication."]
    except StaleWrite:
        flash("Le brouillon ou la version en vigueur vient de changer : relisez-les.", "refusal")
        return redirect(f"{HOME}/{document}/publication", 303)
    else:
        return _published(document, made)
    return _release_page(queries.draft_of(document) or found, form), 422


def _release_page(found: TermsDraft, form: ReleaseForm) -> str:
    return render_template(
        "staff/terms/release.html",
        draft=found,
        form=form,
        problem_message=problem_message,
        seen=_looked_at(queries.source_of(found)),
    )


def _published(document: str, made: TermsVersion | None) -> Response:
    """To whom a new version of the general terms concerns already, else back to the document."""
    if made is None:
        flash("La publication est prévue. Vous pouvez la retirer jusque-là.", "success")
        return redirect(f"{HOME}/{document}", 303)
    number = made.number
    flash(f"La version {number} est en vigueur pour les commandes à venir.", "success")
    if _concerned(made):
        return redirect(f"/gestion/abonnements/conditions/{number}/annonce", 303)
    return redirect(f"{HOME}/{document}", 303)


@bp.post("/<document>/publication/retrait")
@staff_required(Role.SHOPKEEPER)
def withdraw(document: str) -> Response:
    """Plan nothing any more; the draft is edited again."""
    try:
        with transaction():
            service.withdraw_release(document, seen=_seen(), now=clock.now())
    except StaleWrite:
        flash("Cette publication a déjà eu lieu, ou le brouillon a changé.", "refusal")
    else:
        flash("La publication prévue est retirée. Le brouillon est gardé.", "success")
    return redirect(f"{HOME}/{document}", 303)


@bp.route("/<document>/articles", methods=["GET", "POST"])
@staff_required(Role.SHOPKEEPER)
def articles(document: str) -> Answer:
    """Which products are sold under these particular terms (R-04)."""
    if not _is_particular(document) or not queries.versions(document):
        abort(404)
    if request.method == "POST":
        wanted, seen = request.form.getlist("article"), request.form.get("seen", "").split()
        try:
            with transaction():
                shop.attach_particular_terms(document, wanted, seen=seen, now=clock.now())
        except StaleWrite:
            flash("Quelqu’un vient de changer ces articles : relisez la liste.", "refusal")
            return redirect(f"{HOME}/{document}/articles", 303)
        flash("C’est enregistré, pour les commandes à venir.", "success")
        return redirect(f"{HOME}/{document}", 303)
    return render_template(
        "staff/terms/articles.html",
        document=document,
        latest=queries.versions(document)[0],
        products=catalogue.products_to_attach(),
    )
