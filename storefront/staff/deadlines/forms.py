"""How the queue of deadlines is narrowed, and what is to be simulated."""

from __future__ import annotations

from enum import StrEnum

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired

from storefront.arrears.rules import DunningStep
from storefront.credits import rules as credits
from storefront.fulfilment import rules as fulfilment
from storefront.infra.forms import DayField, ShopForm
from storefront.instalments import rules as instalments
from storefront.kernel.moments import By
from storefront.orders import rules as orders
from storefront.refunds import rules as refunds
from storefront.subscriptions import rules as subscriptions
from storefront.tickets import rules as tickets
from storefront.timeline.queries import Wanted
from storefront.withdrawals import rules as withdrawals

BY_NAMES = {
    By.SOFTWARE: "La boutique, d’elle-même",
    By.STAFF: "L’équipe",
    By.CUSTOMER: "Le client",
    By.TIME: "Personne : une date passe",
}

# What stands in the queue, in the order of the list.
KIND_NAMES: dict[StrEnum, str] = {
    instalments.Happens.ANNOUNCEMENT: "Annonces d’échéances",
    instalments.Happens.DEBIT: "Prélèvements",
    instalments.Happens.RETRY: "Nouveaux essais",
    instalments.Happens.TO_PAY: "À payer par le client",
    DunningStep.REMINDER: "Rappels d’impayés",
    DunningStep.FORMAL_NOTICE: "Mises en demeure",
    DunningStep.SUSPENSION: "Suspensions pour impayé",
    DunningStep.ACCELERATION_NOTICE: "Mises en demeure sur le solde",
    DunningStep.ACCELERATION: "Soldes qui deviennent exigibles",
    credits.Happens.REMINDER: "Rappels d’heures",
    credits.Happens.EXPIRY: "Heures qui expirent",
    fulfilment.Happens.OPENING: "Accès qui s’ouvrent",
    fulfilment.Happens.TO_DELIVER: "Livraisons",
    orders.Happens.ENDED: "Commandes non payées",
    orders.Happens.WITHDRAWAL_END: "Fins de rétractation",
    orders.Happens.SESSION: "Sessions",
    subscriptions.Happens.PERIOD: "Périodes qui commencent",
    subscriptions.Happens.RENEWAL_NOTICE: "Informations de reconduction",
    subscriptions.Happens.RENEWAL_ANSWER: "Réponses attendues sur la suite",
    subscriptions.Happens.GRACE_END: "Fins du délai de grâce",
    subscriptions.Happens.END: "Fins de contrat",
    tickets.Happens.TO_ANSWER: "Réponses de l’assistance",
    tickets.Happens.TO_PROPOSE: "Rendez-vous à proposer",
    tickets.Happens.PROPOSAL_EXPIRY: "Propositions sans réponse",
    tickets.Happens.APPOINTMENT: "Interventions",
    tickets.Happens.TO_REPORT: "Comptes rendus à envoyer",
    tickets.Happens.SILENCE: "Comptes rendus sans remarque",
    withdrawals.Happens.TO_DECIDE: "Rétractations à traiter",
    refunds.Happens.TO_REFUND: "Remboursements",
}


class FilterForm(ShopForm):
    """Which deadlines; read from the address, so that a list can be kept."""

    class Meta(ShopForm.Meta):
        csrf = False

    q = StringField("Commande ou client")
    nature = SelectField(
        "Nature",
        choices=[("", "Toutes"), *((kind.value, name) for kind, name in KIND_NAMES.items())],
    )
    qui = SelectField(
        "Qui agit", choices=[("", "Tous"), *((by.value, name) for by, name in BY_NAMES.items())]
    )
    retard = SelectField("Quand", choices=[("", "Toutes"), ("oui", "En retard")])

    @property
    def wanted(self) -> Wanted:
        """What the queue shows; what is unknown narrows nothing."""
        kinds = {kind.value: kind for kind in KIND_NAMES}
        doers = {by.value: by for by in By}
        return Wanted(
            kind=kinds.get(self.text("nature")),
            by=doers.get(self.text("qui")),
            late=self.text("retard") == "oui",
            text=self.text("q"),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self.wanted != Wanted()


class DraftForm(ShopForm):
    """A product as somebody would buy it, under a published text."""

    class Meta(ShopForm.Meta):
        csrf = False

    produit = SelectField("Produit", validators=[DataRequired("Choisissez un produit.")])
    conditions = SelectField("Conditions", validators=[DataRequired("Choisissez une version.")])
    acheteur = SelectField(
        "Acheteur", choices=[("consumer", "Particulier"), ("professional", "Professionnel")]
    )
    jour = DayField("Jour de la commande", "Indiquez le jour de la commande.")
    paiements = SelectField(
        "Paiements", choices=[(str(count), str(count)) for count in range(1, 13)], default="1"
    )
    anticipe = BooleanField("Demande un accès ou un début immédiat")
