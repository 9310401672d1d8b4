"""Signatures of webhooks, made the way each provider makes them."""

import base64
import hashlib
import hmac
import json
import zlib
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.state import Store

CERTIFICATE_PATH = "/v1/notifications/certs/CERT-SANDBOX"


def stripe_signature(body: bytes, timestamp: int, secrets: list[str]) -> str:
    """The Stripe-Signature header: HMAC SHA-256 of `timestamp.body` with each secret."""
    signed = str(timestamp).encode() + b"." + body
    parts = [f"t={timestamp}"]
    for secret in secrets:
        parts.append("v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())
    return ",".join(parts)


def paypal_message(transmission_id: str, time: str, webhook_id: str, body: bytes) -> bytes:
    """What PayPal signs: the body only counts through its CRC32 in decimal."""
    return f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()


class PayPalSigner:
    """The sandbox's RSA key and self-made certificate, created when first needed and kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def _pair(self) -> tuple[rsa.RSAPrivateKey, str]:
        with self._store.transaction():
            kept = self._store.setting("paypal_key")
            if kept is None:
                kept = _make_key_and_certificate()
                self._store.set("paypal_key", kept)
        key = serialization.load_pem_private_key(kept["key"].encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the kept PayPal key is not an RSA key")
        return key, kept["certificate"]

    @property
    def certificate(self) -> str:
        """The certificate in PEM, as served at PAYPAL-CERT-URL."""
        return self._pair[1]

    def sign(self, message: bytes) -> str:
        signature = self._pair[0].sign(message, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()

    def verifies(self, message: bytes, signature: str) -> bool:
        try:
            self._pair[0].public_key().verify(
                base64.b64decode(signature, validate=True),
                message,
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (InvalidSignature, ValueError):
            return False
        return True


def raw_member(body: str, name: str) -> str | None:
    """The exact text of a top-level member of a JSON object, not parsed and written again.

    PayPal's signature covers the CRC32 of the bytes it sent, so verification must see those bytes.
    """
    decoder = json.JSONDecoder()
    position = body.find("{") + 1
    while 0 < position < len(body):
        position = _skip(body, position, " \t\r\n,")
        if body[position : position + 1] != '"':
            return None
        key, position = decoder.raw_decode(body, position)
        position = _skip(body, position, " \t\r\n:")
        start = position
        _, position = decoder.raw_decode(body, position)
        if key == name:
            return body[start:position]
    return None


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _make_key_and_certificate() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.sandbox")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * 40))
        .sign(key, hashes.SHA256())
    )
    return {
        "key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }
