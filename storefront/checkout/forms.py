"""The checkout's two forms: who and where, then what is accepted and how it is paid."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from babel import Locale
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as BadNumber
from stdnum.fr import siren as fr_siren
from wtforms import Field, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Length, ValidationError

from storefront.catalogue.rules import (
    EU_COUNTRIES,
    OVERSEAS_COUNTRIES,
    NotSoldThere,
    is_subscription,
)
from storefront.checkout.queries import Review
from storefront.checkout.rules import Consents, PricedElsewhere, ProfessionalsOnly
from storefront.identity.forms import MARKETING_SENTENCE, email_field, name_field
from storefront.infra.forms import ConsentField, ShopForm, Ticked
from storefront.kernel.errors import Refusal
from storefront.legal.models import TermsVersion
from storefront.orders.models import Order
from storefront.orders.rules import Buyer, BuyerKind, vat_prefix
from storefront.payments.providers.base import Provider
from storefront.payments.rules import NotOffered, ways_to_pay

FIVE_DIGITS = re.compile(r"[0-9]{5}")
COUNTING_FIVE = {"FR": "français", "MC": "monégasque", "MA": "marocain"}
ICE = re.compile(r"[0-9]{15}")
POSTCODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,10}")
PHONE = re.compile(r"\+?[0-9][0-9 .()-]{5,22}")


@lru_cache(maxsize=1)
def countries() -> list[SelectChoice]:
    """Every country by its French name, France first, then the European Union.

    Overseas France is France: the postcode tells where.
    """
    none = {"EU", "EZ", "UN", "XA", "XB", "ZZ"} | OVERSEAS_COUNTRIES
    names = {
        code: name
        for code, name in Locale("fr").territories.items()
        if len(code) == 2 and code.isalpha() and code not in none
    }
    by_name = sorted(names.items(), key=lambda pair: (pair[0] not in EU_COUNTRIES, pair[1]))
    first = [("FR", names["FR"]), *(pair for pair in by_name if pair[0] != "FR")]
    return [SelectChoice(code, name) for code, name in first]


def _short(most: int) -> Length:
    return Length(max=most, message=f"Au plus {most} caractères.")


class DetailsForm(ShopForm):
    """Who buys and where (O-03, O-05)."""

    buyer_kind = RadioField(
        "Vous commandez",
        choices=[
            SelectChoice(BuyerKind.CONSUMER.value, "Pour vous, à titre privé"),
            SelectChoice(BuyerKind.PROFESSIONAL.value, "Pour votre activité professionnelle"),
        ],
        validators=[DataRequired("Dites-nous si vous commandez à titre privé ou professionnel.")],
        validate_choice=True,
    )
    company = StringField("Entreprise", validators=[_short(160)])
    siren = StringField("Numéro SIREN", validators=[_short(20)])
    ice = StringField("Numéro ICE", validators=[_short(30)])
    vat_number = StringField("Numéro de TVA intracommunautaire", validators=[_short(24)])
    name = name_field()
    email = email_field()
    phone = StringField(
        "Téléphone",
        validators=[DataRequired("Saisissez un numéro où vous joindre."), _short(30)],
    )
    trainee = StringField("Personne qui suivra la formation", validators=[_short(120)])
    street = StringField(
        "Adresse", validators=[DataRequired("Saisissez le numéro et la rue."), _short(200)]
    )
    street_2 = StringField("Complément d’adresse", validators=[_short(200)])
    postcode = StringField(
        "Code postal", validators=[DataRequired("Saisissez le code postal."), _short(12)]
    )
    city = StringField("Ville", validators=[DataRequired("Saisissez la ville."), _short(120)])
    country = SelectField("Pays", choices=countries, default="FR")

    @property
    def professional(self) -> bool:
        """Whether the buyer said to be a professional."""
        return bool(self.buyer_kind.data == BuyerKind.PROFESSIONAL.value)

    def validate_company(self, field: Field) -> None:
        """A professional order names the company."""
        if self.professional and not field.data:
            raise ValidationError("Saisissez le nom de votre entreprise.")

    def validate_siren(self, field: Field) -> None:
        """Nine digits whose key is right; every French company has one."""
        if not self.professional or self.country.data == "MA":
            return
        if not field.data:
            if self.country.data == "FR":
                raise ValidationError("Saisissez les neuf chiffres du SIREN de votre entreprise.")
            return
        try:
            field.data = fr_siren.validate(field.data)
        except BadNumber:
            raise ValidationError(
                "Ce SIREN n’existe pas : vérifiez ses neuf chiffres sur votre extrait Kbis."
            ) from None

    def validate_ice(self, field: Field) -> None:
        """Fifteen digits: every Moroccan company has them."""
        if not self.professional or self.country.data != "MA":
            return
        digits = re.sub(r"[\s.-]", "", field.data or "")
        if not ICE.fullmatch(digits):
            raise ValidationError(
                "Saisissez les quinze chiffres de l’ICE de votre entreprise : "
                "ils figurent sur vos factures."
            )
        field.data = digits

    def validate_vat_number(self, field: Field) -> None:
        """The form and the key of the number; whether it is alive is not asked here."""
        if not self.professional or not field.data or self.country.data == "MA":
            return
        try:
            field.data = eu_vat.validate(field.data)
        except BadNumber:
            raise ValidationError(
                "Ce numéro de TVA n’est pas valable. Exemple : FR11123456782. "
                "Laissez vide si vous n’en avez pas."
            ) from None
        wrong_siren = field.data.startswith("FR") and not field.data.endswith(self.siren.data or "")
        if wrong_siren:
            raise ValidationError("Ce numéro de TVA ne correspond pas au SIREN indiqué.")
        country = self.country.data
        prefix = vat_prefix(country)
        if country in EU_COUNTRIES and not field.data.startswith(prefix):
            raise ValidationError(
                f"Les numéros de TVA de ce pays commencent par {prefix}. "
                "Corrigez le numéro ou le pays."
            )

    def validate_phone(self, field: Field) -> None:
        """Digits, spaces and the international sign."""
        digits = sum(letter.isdigit() for letter in field.data or "")
        if not PHONE.fullmatch(field.data or "") or not 6 <= digits <= 15:
            raise ValidationError("Saisissez un numéro de téléphone, par exemple 06 12 34 56 78.")

    def validate_postcode(self, field: Field) -> None:
        """Five digits in France and in Morocco."""
        if of := COUNTING_FIVE.get(self.country.data):
            if not FIVE_DIGITS.fullmatch(field.data or ""):
                raise ValidationError(f"Un code postal {of} compte cinq chiffres.")
        elif not POSTCODE.fullmatch(field.data or ""):
            raise ValidationError("Ce code postal n’est pas valable pour ce pays.")

    def buyer(self) -> Buyer:
        """What was typed, once validated; a private buyer has no company."""
        return buyer_from(self.kept())

    def kept(self) -> dict[str, str]:
        """What is remembered with the cart."""
        left_out = {"csrf_token", *_foreign_to(self.professional, self.country.data)}
        return {
            field.name: field.data or ""
            for field in self
            if field.name not in left_out and isinstance(field.data, str | None)
        }


DETAILS = (
    "name",
    "email",
    "phone",
    "street",
    "street_2",
    "postcode",
    "city",
    "country",
    "company",
    "siren",
    "ice",
    "vat_number",
)


def _foreign_to(professional: bool, country: str) -> tuple[str, ...]:
    """The details that this kind of buyer does not have: left from another choice."""
    if not professional:
        return ("company", "siren", "ice", "vat_number")
    return ("siren", "vat_number") if country == "MA" else ("ice",)


def buyer_from(details: dict[str, Any]) -> Buyer:
    """The buyer of remembered details."""
    texts = {name: str(details.get(name, "")) for name in DETAILS}
    kind = BuyerKind(details["buyer_kind"])
    texts |= dict.fromkeys(_foreign_to(kind is BuyerKind.PROFESSIONAL, texts["country"]), "")
    return Buyer(kind=kind, **texts)


class ReviewForm(ShopForm):
    """What the order click sends: choices, boxes, and what the buyer saw (R-03)."""

    total = HiddenField()
    versions = HiddenField()
    instalments = RadioField("En combien de fois payez-vous ?", coerce=str)
    provider = RadioField("Comment payez-vous ?", coerce=str)
    terms = ConsentField(
        validators=[Ticked("Pour commander, lisez et acceptez les conditions générales de vente.")]
    )

    marketing = ConsentField(MARKETING_SENTENCE)

    @property
    def particular(self) -> list[Field]:
        """The boxes of particular terms, in the order of their documents."""
        return [field for field in self if field.name.startswith("particular_")]

    def consents(self) -> Consents:
        """The boxes as they were sent."""
        return Consents(
            terms=bool(self.terms.data),
            particular=[bool(field.data) for field in self.particular],
            early_start="early_start" in self and bool(self["early_start"].data),
            digital_waiver="digital_waiver" in self and bool(self["digital_waiver"].data),
            marketing=MARKETING_SENTENCE if self.marketing.data else "",
        )

    def untick(self, review: Review, texts: Collection[TermsVersion]) -> None:
        """Ask for the boxes of these texts again: what was ticked was ticked for others."""
        pairs = [(self.terms, review.terms), *zip(self.particular, review.particular, strict=True)]
        for field, version in pairs:
            if version in texts:
                said = "le texte a été mis à jour. Relisez-le, puis acceptez-le à nouveau."
                field.data, field.errors = False, [f"{version.title} : {said}"]
        if review.terms in texts:
            for name in ("early_start", "digital_waiver"):
                if name in self:
                    self[name].data = False

    def chosen_count(self) -> int:
        """In how many parts; one when there was nothing to choose."""
        return int(self.instalments.data) if "instalments" in self else 1

    def chosen_provider(self) -> str:
        """By which means; none when nothing is due."""
        return str(self.provider.data) if "provider" in self else ""


class PayAgainForm(ShopForm):
    """Another attempt on an order that waits for its payment."""

    not_offered: Sequence[tuple[Provider, NotOffered]] = ()
    provider = RadioField(
        "Comment payez-vous ?", validators=[DataRequired("Choisissez un moyen de paiement.")]
    )

    @classmethod
    def for_order(
        cls, order: Order, providers: Sequence[Provider], *, due_at_order: bool
    ) -> PayAgainForm:
        """The means that can pay this order, the last one chosen first; `not_offered` holds those
        that cannot, with why."""
        form = cls(provider=order.payment_provider)
        debited_later = order.instalment_count > 1 or any(
            is_subscription(line.kind) for line in order.lines
        )
        ways = ways_to_pay(
            providers, order.currency, debited_later=debited_later, due_today=due_at_order
        )
        form.provider.choices = [
            SelectChoice(provider.key, provider.name_fr) for provider in ways.offered
        ]
        form.not_offered = ways.not_offered
        return form


_NOT_THERE = {
    "support": (
        "L’assistance à distance est réservée aux équipements situés en France, "
        "métropolitaine ou d’outre-mer. Changez l’adresse ou retirez-la du panier."
    ),
    "training": "Nos formations se vendent en France seulement pour le moment.",
    "eu_business": (
        "Pour une entreprise établie hors de France, écrivez-nous : nous établirons un devis."
    ),
    "country": "Nous ne vendons pas encore dans ce pays.",
}


def refusal_message(refused: Refusal) -> str:
    """Why the cart cannot be sold to this buyer, and what can be done."""
    if isinstance(refused, ProfessionalsOnly):
        return (
            f"« {refused.details['name']} » est réservé aux professionnels : indiquez votre "
            "entreprise, ou retirez-le du panier."
        )
    if isinstance(refused, PricedElsewhere):
        return (
            f"« {refused.details['name']} » a un prix pour les clients d’un autre pays : "
            "ce produit ne peut pas être commandé à cette adresse."
        )
    if isinstance(refused, NotSoldThere):
        return _NOT_THERE[str(refused.details["reason"])]
    return "Ce colis est trop lourd pour être expédié là : commandez en deux fois ou écrivez-nous."


def review_form(review: Review) -> ReviewForm:
    """The form with exactly the boxes that this order needs, none ticked in advance."""
    members: dict[str, Any] = {}
    for position, version in enumerate(review.particular):
        members[f"particular_{position}"] = ConsentField(
            review.particular_sentence(version),
            validators=[Ticked(f"Pour commander, lisez et acceptez : {version.title}.")],
        )
    if review.boxes.early_start:
        needed = [Ticked(EARLY_START_NEEDED)] if review.boxes.early_start_required else []
        members["early_start"] = ConsentField(
            review.parameters.early_start_sentence, validators=needed
        )
    if review.boxes.digital_waiver:
        members["digital_waiver"] = ConsentField(review.parameters.digital_waiver_sentence)
    form: ReviewForm = type("ThisReviewForm", (ReviewForm,), members)()
    form.terms.label.text = review.parameters.acceptance_sentence
    form.instalments.choices = [
        SelectChoice(
            str(offer.count), "En une fois" if offer.count == 1 else f"En {offer.count} fois"
        )
        for offer in review.offered
    ]
    form.provider.choices = [
        SelectChoice(provider.key, provider.name_fr) for provider in review.providers
    ]
    if not form.is_submitted():
        form.instalments.data = form.instalments.data or str(review.offered[0].count)
        if len(review.providers) == 1:
            form.provider.data = review.providers[0].key
    if review.priced.gross == 0:
        del form.instalments, form.provider
    else:
        form.instalments.validators = [DataRequired("Choisissez en combien de fois vous payez.")]
        form.provider.validators = [DataRequired("Choisissez un moyen de paiement.")]
    return form


EARLY_START_NEEDED = (
    "Cette session a lieu avant la fin de votre délai de rétractation : pour y assister, "
    "demandez que la prestation commence avant. Sinon, choisissez une session plus lointaine."
)
