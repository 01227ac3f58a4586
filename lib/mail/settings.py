"""Settings of email delivery."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator

from lib.config import Port, Seconds, Settings, in_production
from lib.mail.senders import FileSender, RedirectingSender, Sender, SmtpOptions, SmtpSender


class SmtpSecurity(StrEnum):
    """The protection of the connection to the mail server."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailSettings(Settings):
    """Settings.

    Without `SMTP_HOST`, emails are written to files in `MAIL_FOLDER`; production requires
    `SMTP_HOST`.
    """

    # The mail server. If it is empty, emails are written to `MAIL_FOLDER`.
    smtp_host: str = Field(default="", validation_alias="SMTP_HOST")
    # The port of the mail server.
    smtp_port: Port = Field(default=587, validation_alias="SMTP_PORT")
    # The user name for the mail server. If it is empty, the service does not sign in.
    smtp_user: str = Field(default="", validation_alias="SMTP_USER")
    # The password of this user.
    smtp_password: SecretStr | None = Field(default=None, validation_alias="SMTP_PASSWORD")
    # STARTTLS, TLS from the start, or neither.
    smtp_security: SmtpSecurity = Field(
        default=SmtpSecurity.STARTTLS, validation_alias="SMTP_SECURITY"
    )
    # Certificate authorities to trust instead of the system's, for a private certificate.
    smtp_ca_file: FilePath | None = Field(default=None, validation_alias="SMTP_CA_FILE")
    # Time limit for sending one email.
    smtp_seconds: Seconds = Field(default=10.0, validation_alias="SMTP_SECONDS")
    # The sender's address in emails.
    mail_from: str = Field(default="noreply@localhost.localdomain", validation_alias="MAIL_FROM")
    # If set, all emails are sent to this address, to test a real mail server.
    mail_redirect_to: str = Field(default="", validation_alias="MAIL_REDIRECT_TO")
    # The folder for emails if `SMTP_HOST` is not set.
    mail_folder: Path = Field(default=Path(".run/mail"), validation_alias="MAIL_FOLDER")

    @field_validator("smtp_host")
    @classmethod
    def _production_has_a_mail_server(cls, value: str, info: ValidationInfo) -> str:
        if in_production(info) and not value:
            raise ValueError("in production you must set a mail server")
        return value

    @field_validator("smtp_security")
    @classmethod
    def _no_password_in_the_clear(cls, value: SmtpSecurity, info: ValidationInfo) -> SmtpSecurity:
        if in_production(info) and value is SmtpSecurity.NONE and info.data.get("smtp_password"):
            raise ValueError("in production a password requires starttls or tls")
        return value

    def mail_sender(self) -> Sender:
        """Return the email sender that these settings select."""
        if not self.smtp_host:
            return FileSender(self.mail_folder, sender=self.mail_from)
        password = "" if self.smtp_password is None else self.smtp_password.get_secret_value()
        server = SmtpSender(
            SmtpOptions(
                host=self.smtp_host,
                port=self.smtp_port,
                sender=self.mail_from,
                user=self.smtp_user,
                password=password,
                implicit_tls=self.smtp_security is SmtpSecurity.TLS,
                plain=self.smtp_security is SmtpSecurity.NONE,
                seconds=self.smtp_seconds,
                ca_file=self.smtp_ca_file,
            )
        )
        return RedirectingSender(server, self.mail_redirect_to) if self.mail_redirect_to else server
