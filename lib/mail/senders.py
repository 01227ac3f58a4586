"""Email delivery: by an SMTP server, to one fixed address, or as files in a folder."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import aiosmtplib
import msgspec

from lib.errors import AppError, Code
from lib.log import get_logger
from lib.mail.message import Mail

log = get_logger(__name__)

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


class Sender(Protocol):
    """Delivers one mail."""

    async def send(self, mail: Mail) -> None:
        """Send the email.

        Raises:
            AppError: SERVICE_UNAVAILABLE if a later attempt may succeed; VALIDATION_ERROR if the
                server will never accept the email.
        """
        ...


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """SMTP settings. The connection uses STARTTLS by default.

    `ca_file` contains the certificate authorities that are trusted instead of the system's.
    """

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    implicit_tls: bool = False
    plain: bool = False
    seconds: float = 10.0
    ca_file: Path | None = None


class SmtpSender:
    """Send each email over a connection of its own, so that a failure affects one email only."""

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options

    async def send(self, mail: Mail) -> None:
        """Send the email. Raises the exceptions of `Sender.send`."""
        options = self._options
        try:
            await aiosmtplib.send(
                mail.compose(options.sender),
                hostname=options.host,
                port=options.port,
                username=options.user or None,
                password=options.password or None,
                use_tls=options.implicit_tls,
                start_tls=not (options.implicit_tls or options.plain),
                timeout=options.seconds,
                cert_bundle=None if options.ca_file is None else str(options.ca_file),
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            if _is_permanent(error):
                raise AppError(
                    Code.VALIDATION_ERROR, "the mail server refused the email"
                ) from error
            raise AppError(Code.SERVICE_UNAVAILABLE, "the mail server is not available") from error


class RedirectingSender:
    """Send every email to one address, with the recipient in the subject, to test a real server."""

    def __init__(self, inner: Sender, to: str) -> None:
        self._inner = inner
        self._to = to

    async def send(self, mail: Mail) -> None:
        """Send the email to the configured address. Raises the errors of `Sender.send`."""
        subject = f"[for {mail.to}] {mail.subject}"
        await self._inner.send(msgspec.structs.replace(mail, to=self._to, subject=subject))


class FileSender:
    """Write each email as `<id>.eml`, which mail programs open, for development."""

    def __init__(self, folder: Path, *, sender: str = "noreply@localhost.localdomain") -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Write the file atomically."""
        await asyncio.to_thread(self._write, mail)
        log.info("mail_written", mail_id=mail.id)

    def _write(self, mail: Mail) -> None:
        raw = mail.compose(self._sender).as_bytes()
        # The links in it sign people in: it is for its owner's eyes.
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{_UNSAFE.sub('_', mail.id)}.eml"
        draft = path.with_suffix(".part")
        made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(raw)
        draft.replace(path)


def _is_permanent(error: Exception) -> bool:
    """Return whether the server refused this email permanently."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= 500 for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
