"""The way out for messages: a mail server in production, files anywhere else."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from storefront.infra.config import Settings

TIMEOUT_SECONDS = 20
HANGS_UP = 421  # RFC 5321, 3.8: the server closes the connection after this answer


class Refused(Exception):
    """The server will never take this message: it says that nobody has this address."""


class Postponed(Exception):
    """The server will not take this message now; it may later."""


class Sender(Protocol):
    """Hands messages over, one by one, within a `with` block.

    Raises `Refused` for ever; `Postponed`, OSError or SMTPException for now.
    """

    def __enter__(self) -> Sender: ...
    def __exit__(self, *_: object) -> None: ...
    def send(self, message: EmailMessage) -> None: ...


class FolderSender:
    """Writes messages as `.eml` files, which any mail reader opens; oldest first by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> FolderSender:
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, message: EmailMessage) -> None:
        """Write the message; the same one again overwrites its own file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        instant = message["Date"].datetime
        path = self._folder / f"{instant:%Y%m%dT%H%M%S}-{name}.eml"
        draft = path.with_suffix(".part")
        draft.write_bytes(bytes(message))
        draft.replace(path)


class SmtpSender:
    """`smtps://user:password@host` encrypts from the start, `smtp://host` as soon as the server
    offers it. A password never travels in the clear.

    One connection serves a whole block. After an error that is not about one recipient, the next
    message opens another.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._host = self._url.hostname or ""
        if self._url.scheme not in ("smtp", "smtps") or not self._host:
            raise ValueError("STOREFRONT_SMTP_URL is smtp://host[:port] or smtps://host[:port]")
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> SmtpSender:
        return self

    def __exit__(self, *_: object) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def send(self, message: EmailMessage) -> None:
        """Hand the message over to the server."""
        try:
            if self._server is None:
                self._server = self._signed_in()
            self._server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            answers = [(code, _readable(text)) for code, text in error.recipients.values()]
            for_ever = all(500 <= code < 600 for code, _ in answers)
            said = "; ".join(f"{code} {text}" for code, text in answers)
            if any(code == HANGS_UP for code, _ in answers):
                self.__exit__()
            raise (Refused if for_ever else Postponed)(said) from None
        except (OSError, smtplib.SMTPException):
            self.__exit__()
            raise

    def _signed_in(self) -> smtplib.SMTP:
        server = self._connect()
        try:
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(
                self._host, self._url.port or 465, timeout=TIMEOUT_SECONDS, context=context
            )
        server = smtplib.SMTP(self._host, self._url.port or 25, timeout=TIMEOUT_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif self._url.username:
                raise smtplib.SMTPNotSupportedError("the server does not encrypt: no password sent")
        except BaseException:
            server.close()
            raise
        return server


def _readable(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def sender_for(settings: Settings) -> Sender:
    """The mail server of the settings, or the folder `mail` of the instance when none is set."""
    if settings.smtp_url:
        return SmtpSender(settings.smtp_url)
    return FolderSender(settings.instance / "mail")
