"""The two declarations. Only what the law lists is asked; the shape alone is checked here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import current_app
from wtforms import (
    DateField,
    EmailField,
    Field,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import Form as AnyForm
from wtforms.validators import DataRequired, Email, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput

from storefront.identity.forms import AUTOCOMPLETE, EMAIL_WRONG, email_field, name_field
from storefront.infra.forms import ShopForm
from storefront.infra.templating import date_fr
from storefront.withdrawals.rules import order_reference
from storefront.withdrawals.service import Cancellation, ChosenLine, Withdrawal

OTHER_REASON = "autre"
FURTHEST_WISH = timedelta(days=5 * 366)
CONTRACT_MISSING = (
    "Indiquez la référence de la commande (elle commence par CMD) ou décrivez-la : "
    "ce que vous avez commandé, et quand."
)
_LINK = re.compile(r"(https?://|\bwww\.)(\S*)", re.IGNORECASE)


def _no_foreign_link(_form: AnyForm, field: Field) -> None:
    """What is typed goes out in an e-mail: nobody has us send their links (our own may stand)."""
    ours = current_app.config["SETTINGS"].base_url.partition("://")[2]
    if any(not rest.startswith(ours) for _, rest in _LINK.findall(field.data or "")):
        raise ValidationError("Retirez le lien internet : la référence ou quelques mots suffisent.")


class MayBeEmpty(Optional):
    """Like `Optional`, for a field that another one can replace: its label does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.field_flags: dict[str, Any] = {}


def contract_field(label: str) -> StringField:
    """Which contract, by its reference or in words."""
    return StringField(
        label,
        validators=[
            DataRequired(CONTRACT_MISSING),
            Length(
                max=300, message="Au plus 300 signes : la référence ou quelques mots suffisent."
            ),
            _no_foreign_link,
        ],
        render_kw={"spellcheck": "false", "maxlength": "300"},
    )


class DeclarationForm(ShopForm):
    """A page that is filled in, read again, then sent once: `token` names what it will make."""

    token = HiddenField()

    def page_token(self) -> str:
        """The page's own secret; a new one when it was altered or is missing."""
        if not re.fullmatch(r"[\w-]{43}", self.token.data or "", re.ASCII):
            self.token.data = secrets.token_urlsafe(32)
        return str(self.token.data)

    @property
    def typed(self) -> list[tuple[str, str]]:
        """Names and values to carry from the page that is read again."""
        pairs = []
        for field in self:
            if isinstance(field, SelectMultipleField):
                pairs += [(field.name, value) for value in field.data or ()]
            elif field.name != "csrf_token":
                value = field._value() if hasattr(field, "_value") else field.data or ""
                pairs.append((field.name, value))
        return pairs


class WithdrawalForm(DeclarationForm):
    """Who, which contract, where to acknowledge (L221-21). No reason is asked."""

    name = name_field("Nom et prénom")
    contract = contract_field("Contrat auquel vous renoncez")
    lines = SelectMultipleField(
        "Ce à quoi vous renoncez",
        choices=(),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    email = email_field("Adresse e-mail où recevoir l’accusé de réception")
    remark = TextAreaField(
        "Précisions",
        validators=[
            Optional(),
            Length(max=1000, message="Au plus 1 000 signes."),
            _no_foreign_link,
        ],
        render_kw={"rows": "3", "maxlength": "1000"},
    )

    def offer(self, reference: str, lines: Sequence[tuple[str, str]]) -> None:
        """Let them choose lines of their own order, by id and name: all of them at first.

        One line needs no choice, and nothing is chosen of a contract that is named otherwise.
        """
        self.reference, self.offered = reference, dict(lines)
        if len(lines) > 1:
            self.lines.choices = list(lines)
            if not self.is_submitted():
                self.lines.data = list(self.offered)

    def validate(self, extra_validators: Any = None) -> bool:
        """The shape of what was typed, and a line at least of those that can be chosen."""
        good: bool = super().validate(extra_validators)
        if self.lines.choices and self._names_order and not self._chosen():
            self.lines.errors = ["Cochez au moins un article."]
            return False
        return good

    @property
    def _names_order(self) -> bool:
        return order_reference(self.text("contract")) == getattr(self, "reference", None)

    def _chosen(self) -> tuple[ChosenLine, ...]:
        offered = getattr(self, "offered", {})
        chosen = self.lines.data or ()
        return tuple(ChosenLine(line, name) for line, name in offered.items() if line in chosen)

    def declared(self) -> Withdrawal:
        """What is declared."""
        said = withdrawal_in(self)
        chosen = self._chosen() if self.lines.choices and self._names_order else ()
        return replace(said, lines=chosen)


def withdrawal_in(form: ShopForm) -> Withdrawal:
    """What a form says of a withdrawal, whoever filled it in; no lines."""
    return Withdrawal(
        name=form.text("name"),
        email=form.text("email"),
        contract=form.text("contract"),
        remark=form.text("remark"),
    )


class CancellationForm(DeclarationForm):
    """Who, how to be answered, which contract, when, and why if early (D215-2)."""

    name = name_field("Nom et prénom")
    contract = contract_field("Contrat que vous résiliez")
    email = EmailField(
        "Adresse e-mail",
        validators=[MayBeEmpty(), Email(EMAIL_WRONG), Length(max=254)],
        render_kw=AUTOCOMPLETE,
    )
    postal_address = TextAreaField(
        "Adresse postale",
        validators=[MayBeEmpty(), Length(max=400, message="Au plus 400 signes."), _no_foreign_link],
        render_kw={"rows": "3", "maxlength": "400", "autocomplete": "street-address"},
    )
    wanted_on = DateField(
        "Date de fin souhaitée", format=["%Y-%m-%d", "%d/%m/%Y"], validators=[Optional()]
    )
    reason = SelectField("Motif légitime de résiliation anticipée", validate_choice=False)
    reason_text = TextAreaField(
        "Votre motif, en quelques mots",
        validators=[
            Optional(),
            Length(max=1000, message="Au plus 1 000 signes."),
            _no_foreign_link,
        ],
        render_kw={"rows": "3", "maxlength": "1000"},
    )

    def offer(self, reasons: Iterable[str]) -> None:
        """Fill the list of reasons that the terms accept."""
        listed = [(reason, reason[:1].upper() + reason[1:]) for reason in reasons]
        none = ("", "Aucun : je ne demande pas de fin anticipée")
        self.reason.choices = [none, *listed, (OTHER_REASON, "Un autre motif")]
        self.offered = {"", OTHER_REASON, *(reason for reason, _ in listed)}

    def check(self, today: date) -> bool:
        """Whether the form can be sent on this day; errors stand beside their fields."""
        good: bool = self.validate()
        unreachable = not self.text("email") and not self.text("postal_address")
        if unreachable and not self.email.errors:
            good = self._refuse(
                self.email,
                "Indiquez une adresse e-mail ou postale : la confirmation y est envoyée.",
            )
        if self.wanted_on.data and not self.wanted_on.errors:
            good = self._check_day(self.wanted_on.data, today) and good
        elif self.wanted_on.errors:
            self.wanted_on.errors = ["Saisissez une date du calendrier, par exemple 31/01/2027."]
        if (self.reason.data or "") not in self.offered:
            good = self._refuse(
                self.reason, "Choisissez un motif de la liste, ou « Un autre motif »."
            )
        if self.reason.data == OTHER_REASON and not self.text("reason_text"):
            good = self._refuse(self.reason_text, "Dites en quelques mots quel est ce motif.")
        return good

    def _check_day(self, day: date, today: date) -> bool:
        if day < today:
            return self._refuse(
                self.wanted_on,
                f"Choisissez une date à partir d’aujourd’hui, {date_fr(today)}, "
                "ou laissez la case vide : le contrat prend alors fin le plus tôt possible.",
            )
        if day > today + FURTHEST_WISH:
            return self._refuse(self.wanted_on, "Choisissez une date dans les cinq ans.")
        return True

    def _refuse(self, field: Any, message: str) -> bool:
        field.errors = [*field.errors, message]
        return False

    @property
    def whole_reason(self) -> str:
        """The reason in words: the one of the list, what was added to it, or nothing."""
        chosen = self.reason.data or ""
        parts = [chosen if chosen != OTHER_REASON else "", self.text("reason_text")]
        return " – ".join(part for part in parts if part)

    def declared(self) -> Cancellation:
        """What is notified."""
        return Cancellation(
            name=self.text("name"),
            email=self.text("email"),
            postal_address=self.text("postal_address"),
            contract=self.text("contract"),
            wanted_on=self.wanted_on.data,
            reason=self.whole_reason,
        )
