"""What the seller's file and the environment say of how the shop is paid (M-09)."""

from __future__ import annotations

from pathlib import Path

import pytest
from stdnum.exceptions import ValidationError

from storefront.infra.config import DEMO_SELLER, UnsafeSettings, load_settings
from storefront.infra.seller import load_seller

TEXT = DEMO_SELLER.read_text(encoding="utf-8")
PRODUCTION = {
    "STOREFRONT_ENV": "production",
    "STOREFRONT_SECRET_KEY": "x" * 40,
    "STOREFRONT_DATABASE_URL": "postgresql+psycopg:///shop",
    "STOREFRONT_BASE_URL": "https://boutique.fr",
    "STOREFRONT_SMTP_URL": "smtp://localhost",
    "STOREFRONT_MAIL_FROM": "boutique@boutique.fr",
}

pytestmark = pytest.mark.once


def written(folder: Path, text: str) -> Path:
    path = folder / "seller.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_ways_that_the_file_does_not_name_do_not_exist(tmp_path):
    before, _, rest = TEXT.partition("[offline]")
    shipping = rest[rest.index("[shipping.rates]") :]
    offline = load_seller(written(tmp_path, before + shipping)).offline
    assert (offline.transfer, offline.cheque, offline.on_request) == (None, None, False)


def test_a_mistyped_account_keeps_the_shop_from_starting(tmp_path):
    wrong = TEXT.replace("0004 924", "0004 925")
    assert wrong != TEXT
    with pytest.raises(ValidationError):
        load_seller(written(tmp_path, wrong))


def test_a_shop_can_sell_before_it_has_a_provider(tmp_path):
    settings = {**PRODUCTION, "STOREFRONT_SELLER_FILE": str(written(tmp_path, TEXT))}
    assert load_settings(settings, tmp_path).stripe_secret_key == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "sk_live_1"),
        ("STRIPE_SECRET_KEY", "sk_test_sandbox"),
        ("PAYPAL_CLIENT_ID", "client"),
        ("PAYPAL_WEBHOOK_ID", "WH-SANDBOX"),
    ],
)
def test_a_provider_named_in_part_keeps_the_shop_from_starting(tmp_path, name, value):
    settings = {**PRODUCTION, "STOREFRONT_SELLER_FILE": str(written(tmp_path, TEXT))}
    with pytest.raises(UnsafeSettings, match=r"STRIPE|PAYPAL"):
        load_settings({**settings, f"STOREFRONT_{name}": value}, tmp_path)
