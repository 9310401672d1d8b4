"""The test cards of the stand-in, with Stripe's published numbers, and what each one does.

`PENDING` is the sandbox's own: a payment by it stays `processing` until it is settled on command.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why an issuer refuses: Stripe's `code`, `decline_code` and `advice_code`, and its words."""

    code: str
    decline_code: str | None
    advice_code: str | None
    message: str
    french: str


_DECLINED = "Your card was declined."
GENERIC = Refusal(
    "card_declined",
    "generic_decline",
    "try_again_later",
    _DECLINED,
    "Votre carte a été refusée. Essayez avec une autre carte.",
)
FUNDS = Refusal(
    "card_declined",
    "insufficient_funds",
    "try_again_later",
    "Your card has insufficient funds.",
    "Le solde disponible sur votre carte ne suffit pas. Essayez avec une autre carte.",
)
EXPIRED = Refusal(
    "expired_card",
    "expired_card",
    "confirm_card_data",
    "Your card has expired.",
    "Votre carte a expiré. Essayez avec une autre carte.",
)
STOLEN = Refusal(
    "card_declined",
    "stolen_card",
    "do_not_try_again",
    _DECLINED,
    "Votre carte a été refusée définitivement. Essayez avec une autre carte.",
)
CVC = Refusal(
    "incorrect_cvc",
    "incorrect_cvc",
    "confirm_card_data",
    "Your card's security code is incorrect.",
    "Le cryptogramme est incorrect. Vérifiez-le ou essayez avec une autre carte.",
)
PROCESSING = Refusal(
    "processing_error",
    "processing_error",
    "try_again_later",
    "An error occurred while processing your card. Try again in a little bit.",
    "La banque n’a pas pu traiter le paiement. Réessayez dans un instant.",
)
AUTHENTICATION_REQUIRED = Refusal(
    "authentication_required",
    "authentication_required",
    None,
    "Your card was declined. This transaction requires authentication.",
    "Votre banque demande une authentification.",
)
AUTHENTICATION_FAILED = Refusal(
    "payment_intent_authentication_failure",
    None,
    None,
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or"
    " a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    "L’authentification a été refusée. Réessayez, ou payez avec une autre carte.",
)


@dataclass(frozen=True)
class Card:
    """A test card. `refusal` befalls every payment, `later_refusal` those off session only.
    `challenge`: 3-D Secure on session; `always_challenge`: required off session too, even when the
    card was set up. `slow_refund`: refunds stay pending until they are settled. `token`: the ready
    payment method the API accepts for it."""

    number: str
    effect: str
    token: str
    brand: str = "visa"
    refusal: Refusal | None = None
    later_refusal: Refusal | None = None
    challenge: bool = False
    always_challenge: bool = False
    disputed: bool = False
    pending: bool = False
    slow_refund: bool = False


CARDS = (
    Card("4242424242424242", "le paiement est accepté", "pm_card_visa"),
    Card(
        "5555555555554444",
        "le paiement est accepté (Mastercard)",
        "pm_card_mastercard",
        brand="mastercard",
    ),
    Card(
        "4000002500003155",
        "3-D Secure à l’écran, puis les échéances passent",
        "pm_card_authenticationRequiredOnSetup",
        challenge=True,
    ),
    Card(
        "4000002760003184",
        "3-D Secure à l’écran et à chaque échéance",
        "pm_card_authenticationRequired",
        challenge=True,
        always_challenge=True,
    ),
    Card(
        "4000000000000002",
        "la banque refuse",
        "pm_card_visa_chargeDeclined",
        refusal=GENERIC,
    ),
    Card(
        "4000000000009995",
        "le solde ne suffit pas",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        refusal=FUNDS,
    ),
    Card(
        "4000000000000069",
        "la carte a expiré",
        "pm_card_chargeDeclinedExpiredCard",
        refusal=EXPIRED,
    ),
    Card(
        "4000000000009979",
        "carte volée : refus définitif",
        "pm_card_visa_chargeDeclinedStolenCard",
        refusal=STOLEN,
    ),
    Card(
        "4000000000000127",
        "le cryptogramme est refusé",
        "pm_card_chargeDeclinedIncorrectCvc",
        refusal=CVC,
    ),
    Card(
        "4000000000000119",
        "la banque ne répond pas correctement",
        "pm_card_chargeDeclinedProcessingError",
        refusal=PROCESSING,
    ),
    Card(
        "4000000000000341",
        "accepté aujourd’hui, refusé aux échéances suivantes",
        "pm_card_chargeCustomerFail",
        later_refusal=GENERIC,
    ),
    Card(
        "4000000000000259",
        "accepté, puis contesté par le titulaire",
        "pm_card_createDispute",
        disputed=True,
    ),
    Card(
        "4000000000008005",
        "le paiement reste en attente (propre à ce bac à sable)",
        "pm_card_sandboxPending",
        pending=True,
    ),
    Card(
        "4000000000007726",
        "le paiement est accepté, ses remboursements attendent",
        "pm_card_refundPending",
        slow_refund=True,
    ),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {card.token: card for card in CARDS}


def spaced(number: str) -> str:
    """4242 4242 4242 4242."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def is_card_number(digits: str) -> bool:
    """Whether the last digit agrees with the others (Luhn)."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = int(character) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return 12 <= len(digits) <= 19 and total % 10 == 0
