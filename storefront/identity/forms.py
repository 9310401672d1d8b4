"""Sign-in forms."""

from __future__ import annotations

from wtforms import EmailField, Form, PasswordField, StringField
from wtforms.validators import DataRequired, Email, EqualTo, Length, ValidationError

from storefront.identity.rules import looks_like_a_name
from storefront.infra.forms import ShopForm

EMAIL_MISSING = "Saisissez votre adresse e-mail."
EMAIL_WRONG = "Saisissez une adresse e-mail complète, par exemple nom@exemple.fr."
# Kept word for word with each choice (DAT-05).
MARKETING_SENTENCE = (
    "Je souhaite recevoir par e-mail vos offres et nouveautés. Je peux arrêter à tout moment."
)
AUTOCOMPLETE = {"autocomplete": "email", "spellcheck": "false"}


def email_field(label: str = "Adresse e-mail") -> EmailField:
    """An address, said plainly when it is not one."""
    return EmailField(
        label,
        validators=[DataRequired(EMAIL_MISSING), Email(EMAIL_WRONG), Length(max=254)],
        render_kw=AUTOCOMPLETE,
    )


def _a_name(_form: Form, field: StringField) -> None:
    if not looks_like_a_name(field.data or ""):
        raise ValidationError("Saisissez un nom, sans adresse ni lien.")


def name_field(label: str = "Prénom et nom") -> StringField:
    """A person's name."""
    return StringField(
        label,
        validators=[
            DataRequired("Saisissez votre prénom et votre nom."),
            Length(max=120, message="Au plus 120 caractères : abrégez un prénom."),
            _a_name,
        ],
        render_kw={"autocomplete": "name"},
    )


class SignInForm(ShopForm):
    """Address and password."""

    email = email_field()
    password = PasswordField(
        "Mot de passe",
        validators=[DataRequired("Saisissez votre mot de passe."), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(ShopForm):
    """The six digits of the authenticator application."""

    code = StringField(
        "Code à six chiffres",
        validators=[DataRequired("Saisissez le code à six chiffres de votre application.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "9"},
    )


class AskPasswordForm(ShopForm):
    """Where to send the link."""

    email = email_field()


class SignUpForm(ShopForm):
    """Name and address; the password is chosen by the link that proves the address."""

    name = name_field()
    email = email_field()


class ChoosePasswordForm(ShopForm):
    """The new password, twice."""

    password = PasswordField(
        "Nouveau mot de passe",
        validators=[DataRequired("Choisissez un mot de passe."), Length(max=200)],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "Le même, une seconde fois",
        validators=[
            DataRequired("Saisissez le mot de passe une seconde fois."),
            EqualTo("password", "Les deux mots de passe sont différents : saisissez le même."),
        ],
        render_kw={"autocomplete": "new-password"},
    )
