"""What a payer can pay with on the stand-in's approval page, and what comes of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """What the payer pays with. `capture`: how it ends; `later`: how payments by the saved account
    end; `guest`: a card without account, which leaves nothing to save."""

    label: str
    capture: str = "COMPLETED"
    later: str = "COMPLETED"
    guest: bool = False


INSTRUMENT_DECLINED = "INSTRUMENT_DECLINED"
SOURCES = {
    "account": Source("Mon compte PayPal : le paiement est accepté"),
    "account_declined": Source(
        "Mon compte PayPal, carte refusée : la banque refuse", INSTRUMENT_DECLINED
    ),
    "account_pending": Source("Mon compte PayPal : le paiement reste en attente", "PENDING"),
    "account_later_declined": Source(
        "Mon compte PayPal : accepté aujourd’hui, refusé aux échéances suivantes",
        later=INSTRUMENT_DECLINED,
    ),
    "guest_card": Source("Carte bancaire sans compte : le paiement est accepté", guest=True),
    "guest_card_declined": Source(
        "Carte bancaire sans compte : la banque refuse", "DECLINED", guest=True
    ),
}
