"""What is sold, and what follows from its kind alone (C-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from storefront.kernel.errors import Refusal


class ProductKind(StrEnum):
    """C-01. What each kind implies stands in `KIND_FACTS`."""

    CLASSROOM_TRAINING = "classroom_training"
    E_LEARNING = "e_learning"
    PAPER_GUIDE = "paper_guide"
    DIGITAL_PRODUCT = "digital_product"
    TEMPLATE = "template"
    HOUR_PACK = "hour_pack"
    ONE_SHOT_PACK = "one_shot_pack"
    SUPPORT_CONTRACT = "support_contract"
    PLAN = "plan"
    BUNDLE = "bundle"


HOME_CURRENCY = "EUR"


class PriceBasis(StrEnum):
    """Whether a catalogue price includes the tax of mainland France."""

    GROSS = "gross"
    NET = "net"


class VatClass(StrEnum):
    """How a product is taxed in mainland France (VAT-02, VAT-05, INV-06)."""

    STANDARD = "standard"
    BOOK = "book"
    TRAINING_EXEMPT = "training_exempt"


class WithdrawalKind(StrEnum):
    """Which withdrawal regime applies to a consumer (WDR-11)."""

    GOODS = "goods"
    SERVICE = "service"
    DIGITAL_CONTENT = "digital_content"
    DIGITAL_SERVICE = "digital_service"
    TRAINING = "training"


class Supply(StrEnum):
    """What is supplied, as the tax law sees it (VAT-02): one row of its table each."""

    GOODS = "goods"
    ELECTRONIC = "electronic"
    REMOTE_SERVICE = "remote_service"
    TRAINING = "training"


InstalmentFamily = Literal["training", "product"]


@dataclass(frozen=True)
class KindFacts:
    """What follows from a product's kind alone.

    `quantity_limit` is per order line; what is personal is sold one at a time (O-08).
    `early_start_applies`: a service that waits for the end of the withdrawal period unless the
    consumer asks otherwise (W-02). `digital_waiver_applies`: content that opens at once only
    when the consumer gives the right up (W-03). `instalment_family` names the parameter of the
    terms that limits instalments; None: paid in one go (M-02, M-06).
    """

    supply: Supply
    quantity_limit: int = 1
    needs_shipping: bool = False
    has_sessions: bool = False
    is_subscription: bool = False
    grants_minutes: bool = False
    is_remote_support: bool = False
    early_start_applies: bool = False
    digital_waiver_applies: bool = False
    instalment_family: InstalmentFamily | None = None


_TRAINING = KindFacts(Supply.TRAINING, early_start_applies=True, instalment_family="training")
_DIGITAL = KindFacts(Supply.ELECTRONIC, digital_waiver_applies=True, instalment_family="product")

KIND_FACTS: Mapping[ProductKind, KindFacts] = {
    ProductKind.CLASSROOM_TRAINING: KindFacts(
        Supply.TRAINING,
        has_sessions=True,
        early_start_applies=True,
        instalment_family="training",
    ),
    ProductKind.E_LEARNING: _TRAINING,
    ProductKind.BUNDLE: _TRAINING,
    ProductKind.PAPER_GUIDE: KindFacts(
        Supply.GOODS, quantity_limit=20, needs_shipping=True, instalment_family="product"
    ),
    ProductKind.DIGITAL_PRODUCT: _DIGITAL,
    ProductKind.TEMPLATE: _DIGITAL,
    ProductKind.HOUR_PACK: KindFacts(
        Supply.REMOTE_SERVICE,
        quantity_limit=5,
        grants_minutes=True,
        is_remote_support=True,
        early_start_applies=True,
    ),
    ProductKind.ONE_SHOT_PACK: KindFacts(
        Supply.REMOTE_SERVICE,
        grants_minutes=True,
        is_remote_support=True,
        early_start_applies=True,
    ),
    ProductKind.SUPPORT_CONTRACT: KindFacts(
        Supply.REMOTE_SERVICE,
        is_subscription=True,
        is_remote_support=True,
        early_start_applies=True,
    ),
    ProductKind.PLAN: KindFacts(Supply.ELECTRONIC, is_subscription=True, early_start_applies=True),
}


def is_subscription(kind: ProductKind | None) -> bool:
    """Whether a line of this kind goes on period after period; None is a charge of its own."""
    return kind is not None and KIND_FACTS[kind].is_subscription


class QuantityRefused(Refusal):
    """Not a quantity that can be bought. Details: typed, limit, kind."""


def checked_quantity(typed: str, kind: ProductKind) -> int:
    """The quantity that was typed, between 1 and what the kind allows.

    Raises `QuantityRefused` for zero, a negative number, a thousand million, or no number at all.
    """
    limit = KIND_FACTS[kind].quantity_limit
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not 1 <= int(text) <= limit:
        raise QuantityRefused(typed=text[:40], limit=limit, kind=kind)
    return int(text)


# The last of an individual's payments is bounded by law (PRE-10); a company's first one by the
# longest term that the commercial code lets be agreed (C. com. L441-10).
