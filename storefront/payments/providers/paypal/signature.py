"""Who sent this PayPal webhook, checked on its raw bytes.

PayPal signs `transmission id | time | webhook id | CRC32 of the body` with the key of a certificate
whose address stands in a header. Two weaknesses are met here and one cannot be:

* the address is the sender's word: only PayPal's own hosts are asked, over TLS, without following
  redirections, and the certificate must be PayPal's and valid today;
* nothing bounds the time: transmissions older than PayPal's own retries, or dated in the future,
  are refused;
* a CRC32 can be forged: whoever has seen one transmission can fit another body to it. So a verified
  body proves that PayPal spoke, never what it said, and only references are read from it.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID, NameOID

from storefront.payments.providers.base import InvalidSignature, ProviderUnavailable, header

_PAYPAL_ORIGINS = frozenset(
    f"https://{host}"
    for host in (
        "api.paypal.com",
        "api-m.paypal.com",
        "api.sandbox.paypal.com",
        "api-m.sandbox.paypal.com",
    )
)
_CERTIFICATES = "/v1/notifications/certs/"
_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ALGORITHM = "SHA256withRSA"
_OLDEST = timedelta(days=3)  # PayPal sends an event again for three days
_FUTURE = timedelta(minutes=5)
_TIMEOUT_SECONDS = (5.0, 10.0)
_LARGEST_CERTIFICATE = 64 * 1024
_CACHED_CERTIFICATES = 8


class TransmissionCheck:
    """Checks transmissions for one webhook; `webhook_ids` are several while one is replaced."""

    def __init__(self, webhook_ids: tuple[str, ...], api_base: str) -> None:
        self._webhook_ids = webhook_ids
        self._certificates = _Certificates(api_base)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raise `InvalidSignature`, or `ProviderUnavailable` without PayPal's certificate."""
        if header(headers, "PAYPAL-AUTH-ALGO") != _ALGORITHM:
            raise InvalidSignature("unknown algorithm")
        sent_at = header(headers, "PAYPAL-TRANSMISSION-TIME")
        _check_time(sent_at, now)
        try:
            text = header(headers, "PAYPAL-TRANSMISSION-SIG")
            signature = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidSignature("unreadable signature") from error
        key = self._certificates.key(header(headers, "PAYPAL-CERT-URL"), now)
        transmission = header(headers, "PAYPAL-TRANSMISSION-ID")
        checksum = zlib.crc32(body)
        if not any(
            _is_signed(key, signature, f"{transmission}|{sent_at}|{webhook_id}|{checksum}")
            for webhook_id in self._webhook_ids
        ):
            raise InvalidSignature("not signed by PayPal for this webhook")


class _Certificates:
    """PayPal's signing certificates, by address, fetched once."""

    def __init__(self, api_base: str) -> None:
        own = urlsplit(api_base)
        self._own_origin = f"{own.scheme}://{own.netloc}"
        self._known: dict[str, x509.Certificate] = {}
        self._lock = threading.Lock()

    def key(self, url: str, now: datetime) -> RSAPublicKey:
        """The public key at `url`, if that is an address and a certificate of PayPal's."""
        origin, _, name = url.partition(_CERTIFICATES)
        if origin not in _PAYPAL_ORIGINS | {self._own_origin}:
            raise InvalidSignature("the certificate is not at PayPal's")
        if not _CERTIFICATE_NAME.fullmatch(name):
            raise InvalidSignature("not the address of a certificate")
        certificate = self._known.get(url)
        if certificate is None:
            certificate = _fetch(url)
            if origin in _PAYPAL_ORIGINS and not is_paypals(certificate):
                raise InvalidSignature("the certificate is not PayPal's")
            with self._lock:
                if len(self._known) >= _CACHED_CERTIFICATES:
                    self._known.clear()
                self._known[url] = certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise InvalidSignature("the certificate is not valid today")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise InvalidSignature("not an RSA certificate")
        return key


def _check_time(sent_at: str, now: datetime) -> None:
    try:
        instant = datetime.fromisoformat(sent_at)
    except ValueError as error:
        raise InvalidSignature("unreadable time") from error
    if instant.tzinfo is None:
        raise InvalidSignature("a time without its zone")
    if not now - _OLDEST <= instant <= now + _FUTURE:
        raise InvalidSignature("sent too long ago, or in the future")


def _fetch(url: str) -> x509.Certificate:
    """The first certificate of the bundle at `url`; each must be issued by the next.

    TLS proves that PayPal's host gave it; the bundle need not hold its root.
    """
    try:
        with requests.get(
            url, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as response:
            if response.status_code >= 500:
                raise ProviderUnavailable("PayPal's certificate cannot be fetched now")
            if response.status_code != 200:
                raise InvalidSignature("no certificate at this address")
            pem = response.raw.read(_LARGEST_CERTIFICATE, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise ProviderUnavailable("PayPal's certificate cannot be fetched now") from error
    try:
        leaf, *issuers = x509.load_pem_x509_certificates(pem)
        for certificate, issuer in zip((leaf, *issuers), issuers, strict=False):
            certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, WrongSignature) as error:
        raise InvalidSignature("no certificate at this address") from error
    return leaf


def is_paypals(certificate: x509.Certificate) -> bool:
    """Whether a certificate bears a name under paypal.com."""
    names = [
        str(attribute.value)
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except x509.ExtensionNotFound:
        pass
    else:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names += extension.value.get_values_for_type(x509.DNSName)
    return any(name == "paypal.com" or name.endswith(".paypal.com") for name in names)


def _is_signed(key: RSAPublicKey, signature: bytes, message: str) -> bool:
    try:
        key.verify(signature, message.encode(), PKCS1v15(), SHA256())
    except WrongSignature:
        return False
    return True
