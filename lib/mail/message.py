"""An email message, and its encoding as bytes."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from lib.clock import utc_now
from lib.errors import AppError, Code


class Mail(msgspec.Struct, frozen=True):
    """One email to one recipient. `id` becomes its Message-ID, which identifies duplicates."""

    id: str
    to: str
    subject: str
    text: str
    html: str

    def compose(self, sender: str) -> EmailMessage:
        """Return the message with its text body and its HTML body.

        Raises:
            AppError: VALIDATION_ERROR if an address or the subject is not valid in a header.
        """
        message = EmailMessage()
        try:
            message["From"] = _address(sender)
            message["To"] = _address(self.to)
            message["Subject"] = self.subject
            message["Message-ID"] = f"<{self.id}@{_address(sender).domain}>"
        except (ValueError, IndexError, HeaderParseError):
            # The library refuses line breaks, so a name cannot add a second header.
            raise AppError(
                Code.VALIDATION_ERROR, "an address or the subject of the email is not valid"
            ) from None
        message["Date"] = format_datetime(utc_now())
        message["Auto-Submitted"] = "auto-generated"
        # Not folded: a link stays in one piece for who reads the source, as in a folder of mails.
        message.set_content(self.text, cte="8bit")
        message.add_alternative(self.html, subtype="html", cte="8bit")
        return message


def _address(text: str) -> Address:
    address = Address(addr_spec=text)
    if not address.username or not address.domain:
        raise ValueError(text)
    return address
