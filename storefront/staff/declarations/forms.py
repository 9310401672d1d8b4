"""Which order a declaration is about, what came by post, and what is decided of its lines."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from wtforms import EmailField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional

from storefront.identity.forms import EMAIL_WRONG, name_field
from storefront.infra.forms import UNREADABLE, DayField, ShopForm, minor_of
from storefront.infra.templating import money_fr
from storefront.withdrawals.forms import contract_field, withdrawal_in
from storefront.withdrawals.models import Channel, Proof
from storefront.withdrawals.queries import Proposal, Row
from storefront.withdrawals.service import Act, Choice, Received, Withdrawal

LONGEST_REASON = 300
SOONER_THAN_SENT = "La réception ne peut pas précéder l’envoi."
IN_THE_FUTURE = "Ce jour n’est pas encore venu."


class MatchForm(ShopForm):
    """The reference of the order that staff found."""

    order = StringField(
        "Référence de la commande",
        validators=[
            DataRequired("Saisissez la référence de la commande, par exemple CMD-2026-000123."),
            Length(max=60, message="Une seule référence, par exemple CMD-2026-000123."),
        ],
        render_kw={"spellcheck": "false", "autocomplete": "off"},
    )


class ReasonForm(ShopForm):
    """What staff found of a reason to leave a commitment early, in words for the customer."""

    decision = RadioField(
        "Votre décision",
        choices=[
            ("retenu", "Motif retenu"),
            ("ecarte", "Motif non retenu"),
        ],
        validators=[InputRequired("Choisissez si le motif est retenu.")],
    )
    explanation = TextAreaField(
        "Explication, que le client lira",
        validators=[Length(max=2000, message="Au plus 2 000 caractères.")],
        render_kw={"rows": "4", "maxlength": "2000"},
    )

    @property
    def accepted(self) -> bool:
        """Whether the reason was found good."""
        return bool(self.decision.data == "retenu")

    def check(self) -> bool:
        """Whether it can be recorded: a refusal says why."""
        good: bool = self.validate()
        if good and not self.accepted and not self.text("explanation"):
            self.explanation.errors = ["Expliquez au client pourquoi son motif n’est pas retenu."]
            return False
        return good


class ProofForm(ShopForm):
    """What staff saw of the goods, and on which day."""

    proof = RadioField(
        "Ce que vous avez vu",
        [InputRequired("Choisissez ce que vous avez vu.")],
        choices=[
            (Proof.RETURNED.value, "Le colis est revenu"),
            (Proof.DISPATCHED.value, "Une preuve de son envoi"),
        ],
    )
    seen_on = DayField("Le", "Indiquez le jour.")

    def check(self, today: date) -> bool:
        """Whether it can be recorded on this day."""
        good: bool = self.validate()
        return good and not_to_come(self.seen_on, today)


class RecordForm(ShopForm):
    """A declaration that came by post or by e-mail, as its writer worded it."""

    channel = RadioField(
        "Reçue",
        [InputRequired("Choisissez comment elle est arrivée.")],
        choices=[(Channel.EMAIL.value, "Par e-mail"), (Channel.POST.value, "Par la poste")],
    )
    sent_on = DayField("Envoyée le", "Indiquez le jour de l’envoi : c’est lui qui compte.")
    received_on = DayField("Reçue le", "Indiquez le jour où elle nous est parvenue.")
    name = name_field("Nom et prénom")
    contract = contract_field("Contrat")
    email = EmailField("Adresse e-mail", [Optional(), Email(EMAIL_WRONG), Length(max=254)])
    remark = TextAreaField(
        "Texte de la déclaration",
        [Optional(), Length(max=1000, message="Au plus 1 000 signes.")],
    )

    def check(self, today: date) -> bool:
        """Whether it can be recorded on this day; errors stand beside their fields."""
        good: bool = self.validate()
        if self.channel.data == Channel.EMAIL and not self.text("email") and not self.email.errors:
            self.email.errors = ["Recopiez l’adresse d’où elle vient : l’accusé y est envoyé."]
            good = False
        for field in (self.sent_on, self.received_on):
            good = not_to_come(field, today) and good
        sent, received = self.sent_on.data, self.received_on.data
        if sent and received and received < sent:
            self.received_on.errors = [SOONER_THAN_SENT]
            good = False
        return good

    def declared(self) -> Withdrawal:
        """What was declared."""
        return withdrawal_in(self)

    def received(self) -> Received:
        """How and when it came."""
        return Received(
            Channel(self.text("channel")), day_of(self.sent_on), day_of(self.received_on)
        )


def day_of(field: DayField) -> date:
    """The day that was typed in a field that was checked. Raises ValueError without one."""
    if field.data is None:
        raise ValueError(f"no day in {field.name}")
    return field.data


def not_to_come(field: DayField, today: date) -> bool:
    """Whether a day is not in the future; says so beside its field."""
    if field.data and field.data > today:
        field.errors = [IN_THE_FUTURE]
        return False
    return True


class DecisionForm:
    """What was typed for each line that can be decided; `errors` by position, in French.

    Made of the proposal alone, it holds what is proposed.
    """

    def __init__(self, proposal: Proposal, typed: Mapping[str, str] | None = None) -> None:
        self.rows: Sequence[Row] = proposal.open_rows
        self.currency = proposal.order.currency
        self.errors: dict[int, str] = {}
        self.whole_error = ""
        self.fresh = typed is None
        given = typed or {}
        try:
            self.id = uuid.UUID(given.get("demande", ""))
        except ValueError:
            self.id = uuid.uuid4()
        self.ticked = {
            row.line.id for row in proposal.rows if f"ligne-{row.line.position}" in given
        }
        # Ticked on a page that was older than somebody's decision.
        self.gone = [
            row.line.name
            for row in proposal.rows
            if row not in self.rows and row.line.id in self.ticked
        ]
        self.words = given.get("sans-suite", "").replace("\0", "").strip()
        self._typed = given

    def chosen(self, row: Row) -> bool:
        """Whether the line's box is ticked."""
        return row.chosen if self.fresh else f"ligne-{row.line.position}" in self._typed

    def amount(self, row: Row) -> str:
        """What stands in the line's field: empty for the amount that is proposed."""
        return self._typed.get(f"montant-{row.line.position}", "").strip()

    def reason(self, row: Row) -> str:
        """Why another amount."""
        text = self._typed.get(f"motif-{row.line.position}", "")
        return text.replace("\0", "").strip()

    def act(self) -> Act | None:
        """What is decided; None with its errors in place when it cannot be."""
        chosen = [self._choice(row) for row in self.rows if self.chosen(row)]
        if self.gone:
            self.whole_error = (
                f"Quelqu’un a décidé entre-temps de : {', '.join(self.gone)}. Rien de plus n’a été "
                "rendu : relisez ce qui reste."
            )
        elif not chosen and not self.words:
            self.whole_error = (
                "Cochez au moins une ligne, ou écrivez pourquoi la déclaration est sans suite."
            )
        if len(self.words) > LONGEST_REASON:
            self.whole_error = "Au plus 300 signes pour dire pourquoi elle est sans suite."
        choices = tuple(choice for choice in chosen if choice is not None)
        if self.errors or self.whole_error:
            return None
        return Act(self.id, choices, "" if choices else self.words)

    def _choice(self, row: Row) -> Choice | None:
        at = row.line.position
        typed, reason = self.amount(row), self.reason(row)
        proposed = self._shown(row)
        minor = minor_of(typed, self.currency) if typed else proposed
        if minor is None or minor < 0:
            self.errors[at] = UNREADABLE
        elif minor > row.left_minor:
            left = money_fr(row.left_minor, self.currency)
            self.errors[at] = f"Au plus {left} : c’est ce qui a été payé et n’est pas rendu."
        elif minor != proposed and not reason:
            self.errors[at] = "Écrivez pourquoi ce montant diffère : le client le lira."
        elif len(reason) > LONGEST_REASON:
            self.errors[at] = "Au plus 300 signes pour le motif."
        else:
            changed = reason if minor != proposed else ""
            return Choice(row.line.id, proposed, minor, changed)
        return None

    def _shown(self, row: Row) -> int:
        """The amount that the page showed, for the act to compare."""
        shown = self._typed.get(f"calcul-{row.line.position}", "")
        return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 12 else -1
