"""Sign-in, passwords, second factor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import segno
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    session,
)
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.identity import emails, forms, queries, service
from storefront.identity.models import Role, User
from storefront.identity.rules import normal_email
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.seller import seller
from storefront.infra.templating import time_fr
from storefront.infra.throttle import TooManyTries, count_try, forget
from storefront.infra.web import client_ip, user_agent

bp = Blueprint("identity", __name__)
login_manager = LoginManager()

Answer = str | BaseResponse | tuple[str, int]
View = TypeVar("View", bound=Callable[..., Any])

WINDOW = timedelta(minutes=15)
SECOND_FACTOR_LIFETIME = timedelta(hours=12)
LINK_SENT = "Si cette adresse est la bonne, un lien vient de vous être envoyé. Il sert une fois."
WRONG_SIGN_IN = (
    "Adresse ou mot de passe inconnus. Vérifiez les deux, ou choisissez un autre mot de passe."
)


def init_app(app: Flask) -> None:
    """Start flask-login: sessions are ended by raising a person's epoch."""
    login_manager.init_app(app)
    login_manager.user_loader(queries.by_session_id)
    login_manager.unauthorized_handler(_ask_to_sign_in)


def signed_in(view: View) -> View:
    """Only for somebody who signed in; others are asked to, then come back here."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return _ask_to_sign_in()
        return view(*args, **kwargs)

    return cast(View, guarded)


def staff_required(*roles: Role) -> Callable[[View], View]:
    """Only for staff of these roles (any, when none is named) who gave a second factor."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            refused = _refuse_staff(frozenset(roles))
            return refused if refused is not None else view(*args, **kwargs)

        return cast(View, guarded)

    return decorate


def _refuse_staff(roles: frozenset[Role]) -> BaseResponse | None:
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if not current_user.is_staff:
        abort(404)
    given = session.get("second_factor_at")
    if given is None or datetime.fromisoformat(given) + SECOND_FACTOR_LIFETIME < clock.now():
        session["next"] = _this_page("/gestion")
        return redirect("/connexion/code")
    if roles and current_user.role not in roles | {Role.MANAGER}:
        abort(403)
    return None


def _ask_to_sign_in() -> BaseResponse:
    session["next"] = _this_page("/compte")
    return redirect("/connexion")


def _this_page(otherwise: str) -> str:
    """Where to come back to; a form that was sent cannot be sent again by itself."""
    return request.full_path.rstrip("?") if request.method == "GET" else otherwise


def _enter(user: User) -> BaseResponse:
    """Begin this browser's session: a second factor given before, by whomever, is void."""
    session.pop("second_factor_at", None)
    login_user(user)
    return redirect("/connexion/code" if user.is_staff else _next_page(user))


def _next_page(user: User) -> str:
    wanted = session.pop("next", None) or ("/gestion" if user.is_staff else "/compte")
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc
    return wanted if inside else "/compte"


def _count(key: str, limit: int, now: datetime) -> None:
    """Counted in a transaction of its own: a refusal must not undo the count."""
    with transaction():
        count_try(key, limit=limit, window=WINDOW, now=now)


def _digest(email: str) -> str:
    """An address in a key: neither kept nor longer than the column."""
    return hashlib.sha256(normal_email(email).encode()).hexdigest()


@bp.after_request
def _never_kept(response: Response) -> Response:
    """Links, secrets and codes stay out of every cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@bp.route("/connexion", methods=["GET", "POST"])
def sign_in() -> Answer:
    """Address and password; staff then give their code."""
    if current_user.is_authenticated:
        return redirect("/gestion" if current_user.is_staff else "/compte")
    if request.args.get("suite", "").startswith("/"):
        session["next"] = request.args["suite"]
    form = forms.SignInForm()
    if not form.validate_on_submit():
        return render_template("identity/sign_in.html", form=form), 422 if form.errors else 200
    now, email, password = clock.now(), form.text("email"), form.text("password")
    here = f"signin:{_digest(email)}:{client_ip()}"
    try:
        _count(here, 10, now)
        _count(f"signin:{_digest(email)}", 30, now)
        _count(f"signin-from:{client_ip()}", 100, now)
    except TooManyTries as refusal:
        form.email.errors = [_too_many(refusal, "ou choisissez un nouveau mot de passe")]
        return render_template("identity/sign_in.html", form=form), refusal.status
    user = service.authenticate(email, password)
    if user is None:
        form.password.errors = [WRONG_SIGN_IN]
        return render_template("identity/sign_in.html", form=form), 422
    with transaction():
        forget(here)
    return _enter(user)


def _too_many(refusal: TooManyTries, way_out: str) -> str:
    retry_at = cast(datetime, refusal.details["retry_at"])
    return f"Trop d’essais : recommencez à {time_fr(retry_at)}, {way_out}."


@bp.route("/connexion/code", methods=["GET", "POST"])
@signed_in
def second_factor() -> Answer:
    """The one-time code of staff; the first time, the secret to scan."""
    user = cast(User, current_user)
    if not user.is_staff:
        return redirect("/compte")
    form, now = forms.CodeForm(), clock.now()
    if form.validate_on_submit():
        try:
            _count(f"code:{user.id}", 6, now)
            with transaction():
                service.use_code(user, form.text("code"), now=now)
                forget(f"code:{user.id}")
            session["second_factor_at"] = now.isoformat()
            return redirect(_next_page(user))
        except service.WrongCode:
            form.code.errors = ["Ce code n’est pas le bon ou a déjà servi. Attendez le suivant."]
        except TooManyTries as refusal:
            form.code.errors = [_too_many(refusal, "avec un nouveau code")]
    enrolment = None
    if user.totp_confirmed_at is None:
        with transaction():
            secret = service.start_second_factor(user)
        enrolment = {"secret": secret, "image": _qr(service.provisioning_uri(user, seller().name))}
    page = render_template("identity/second_factor.html", form=form, enrolment=enrolment)
    return page, 422 if form.errors else 200


def _qr(uri: str) -> str:
    image: str = segno.make(uri, error="m").svg_data_uri(scale=5, border=2, light="#ffffff")
    return image


@bp.post("/deconnexion")
def sign_out() -> Answer:
    """End this browser's session; the cart stays."""
    logout_user()
    session.pop("second_factor_at", None)
    flash("Vous êtes déconnecté. À bientôt.", "info")
    return redirect("/")


@bp.route("/inscription", methods=["GET", "POST"])
def sign_up() -> Answer:
    """An account by a link that proves the address; known addresses get the same answer."""
    form, now = forms.SignUpForm(), clock.now()
    if not form.validate_on_submit():
        return render_template("identity/sign_up.html", form=form), 422 if form.errors else 200
    _count_link(form.text("email"), now)
    with transaction():
        user = service.find_or_create_customer(form.text("email"), form.text("name"), "", now=now)
        if user.is_active:
            emails.choose_password(user, now=now)
    flash(LINK_SENT, "success")
    return redirect("/connexion")


def _count_link(email: str, now: datetime) -> None:
    """Nobody's mailbox is filled from here, whether the address is known or not."""
    _count(f"link:{_digest(email)}", 5, now)
    _count(f"link-from:{client_ip()}", 30, now)


@bp.route("/mot-de-passe", methods=["GET", "POST"])
def ask_password() -> Answer:
    """Send a link to choose a new password; never says whether the address is known."""
    form, now = forms.AskPasswordForm(), clock.now()
    if not form.validate_on_submit():
        return render_template("identity/ask_password.html", form=form), 422 if form.errors else 200
    _count_link(form.text("email"), now)
    user = queries.by_email(form.text("email"))
    if user is not None and user.is_active:
        with transaction():
            emails.choose_password(user, now=now)
    flash(LINK_SENT, "success")
    return redirect("/connexion")


@bp.route("/mot-de-passe/<token>", methods=["GET", "POST"])
def choose_password(token: str) -> Answer:
    """Choose the password by the link; the link then is void."""
    form, now = forms.ChoosePasswordForm(), clock.now()
    service.read_password_token(token, now=now)
    if form.validate_on_submit():
        try:
            with transaction():
                user = service.read_password_token(token, now=now)
                service.set_password(user, form.text("password"), now=now)
        except service.WeakPassword as refusal:
            form.password.errors = [
                f"Au moins {refusal.details['shortest']} caractères variés, et pas votre adresse."
            ]
        else:
            flash("Votre mot de passe est enregistré.", "success")
            return _enter(user)
    page = render_template("identity/choose_password.html", form=form)
    return page, 422 if form.errors else 200


@bp.route("/offres-par-courriel/<token>", methods=["GET", "POST"])
def stop_marketing(token: str) -> Answer:
    """Stop offers by the link of an e-mail, without an account: one button (D-03)."""
    person = service.who_stops(token)
    if request.method == "POST":
        with transaction():
            service.choose_marketing(
                person,
                False,
                forms.MARKETING_SENTENCE,
                "link",
                ip=client_ip(),
                user_agent=user_agent(),
                now=clock.now(),
            )
    choice = queries.marketing_choice(person)
    return render_template("identity/stop_marketing.html", wanted=bool(choice and choice.wanted))
