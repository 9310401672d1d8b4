"""What is decided about products from their kind, class and stock: pure functions."""

from __future__ import annotations

from enum import StrEnum


class ProductKind(StrEnum):
    """C-01. What each kind implies stands in `catalogue.rules.KIND_FACTS`."""

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


class PriceBasis(StrEnum):
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
