"""Email: templates, messages, and delivery to an SMTP server or a folder."""

from lib.mail.message import Mail
from lib.mail.senders import FileSender, RedirectingSender, Sender, SmtpOptions, SmtpSender
from lib.mail.templates import Templates

__all__ = [
    "FileSender",
    "Mail",
    "RedirectingSender",
    "Sender",
    "SmtpOptions",
    "SmtpSender",
    "Templates",
]
