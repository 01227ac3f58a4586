"""Send the emails of the outbox through the mail server. Failed emails are retried."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from lib.auth.opaque import new_token
from lib.clock import Every, in_utc
from lib.db import Database
from lib.errors import AppError, Code
from lib.events.background import repeating
from lib.log import get_logger
from lib.mail import Mail, Sender, Templates
from services.user.store import mail, tokens
from services.user.store.mail import ClaimMailRow, GetAddresseeRow
from services.user.store.models import AccountStatus, TokenKind

log = get_logger(__name__)

TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Link:
    """A link in an email: the purpose of the token, the URL with `{token}`, and the lifetime."""

    kind: TokenKind
    url: str
    seconds: float
    former: bool = False


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """The number of attempts to send an email, and the waits between them. Times are in seconds."""

    attempts: int = 12
    # The first wait; each further one doubles, up to the longest. Twelve attempts take a day.
    first_wait: float = 15.0
    longest_wait: float = 4 * 3600.0
    # How long an attempt may take before another process makes the next one.
    lease: float = 60.0
    idle: float = 0.5
    # At the same time.
    senders: int = 4


class Mailer:
    """Send each email at least once.

    A crash before the email is recorded as sent causes a second email.

    Several mailers can run on one database. The token of a link is created when its email is sent,
    so the outbox never contains a token.
    """

    def __init__(
        self,
        db: Database,
        sender: Sender,
        links: dict[str, Link],
        *,
        registry: CollectorRegistry,
        policy: MailPolicy = MailPolicy(),
    ) -> None:
        """Create a mailer. `links` maps each template that contains a link to this link."""
        self._db = db
        self._sender = sender
        self._links = links
        self._policy = policy
        self._templates = Templates(TEMPLATES)
        self._metrics = _Metrics(registry)
        self._registry = registry
        self._measuring = Every(10.0)
        self._kinds = deque(sorted(path.stem for path in TEMPLATES.glob("*.txt")))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send emails in the background.

        Several emails are sent concurrently, because a server may be slow.
        """
        async with AsyncExitStack() as stack:
            for number in range(self._policy.senders):
                await stack.enter_async_context(
                    repeating(
                        self.step,
                        name=f"mailer-{number}",
                        idle_seconds=self._policy.idle,
                        registry=self._registry,
                    )
                )
            yield

    async def step(self) -> bool:
        """Send the next due email. Return whether an email was due."""
        await self._measure()
        # Each kind comes first in its turn: thousands of one do not delay those of another.
        self._kinds.rotate()
        claimed = await mail.claim_mail(
            self._db, lease_seconds=self._policy.lease, templates=list(self._kinds)
        )
        if claimed is None:
            return False
        try:
            outcome = await self._deliver(claimed)
        except AppError as error:
            outcome = await self._not_sent(claimed, error)
        self._metrics.mails.labels(claimed.template, outcome).inc()
        return True

    async def _deliver(self, claimed: ClaimMailRow) -> str:
        to = await mail.get_addressee(self._db, id=claimed.account_id)
        link = self._links.get(claimed.template)
        if link is not None and not _may_have_link(claimed, to, link):
            return await self._drop(claimed)
        composed = await self._compose(claimed, to, link)
        if composed is None:
            return await self._drop(claimed)
        await self._sender.send(composed)
        await mail.mark_sent(self._db, id=claimed.id)
        return "sent"

    async def _drop(self, claimed: ClaimMailRow) -> str:
        await mail.mark_failed(self._db, id=claimed.id, last_error="no longer needed")
        return "dropped"

    async def _compose(
        self, claimed: ClaimMailRow, to: GetAddresseeRow | None, link: Link | None
    ) -> Mail | None:
        """Build the email.

        Return None if its link would verify an address that is already verified.
        """
        values: dict[str, object] = {
            "first_name": "" if to is None else to.first_name,
            "at": f"{in_utc(claimed.created_at):%Y-%m-%d %H:%M} UTC",
        }
        if link is not None:
            token, hashed = new_token()
            # Before the email is sent, because a received link must work.
            added = await tokens.add_token(
                self._db,
                hash=hashed,
                kind=link.kind,
                account_id=claimed.account_id,
                email=claimed.recipient,
                seconds=link.seconds,
            )
            if not added:
                return None
            values |= {
                "link": link.url.replace("{token}", token),
                "hours": round(link.seconds / 3600),
            }
        return self._templates.render(
            claimed.template, mail_id=str(claimed.id), to=claimed.recipient, values=values
        )

    async def _not_sent(self, claimed: ClaimMailRow, error: AppError) -> str:
        said = repr(error)
        if error.code is Code.VALIDATION_ERROR or claimed.attempts >= self._policy.attempts:
            log.error("mail_given_up", mail_id=str(claimed.id), reason=said)
            await mail.mark_failed(self._db, id=claimed.id, last_error=said)
            return "failed"
        log.warning("mail_delayed", mail_id=str(claimed.id), reason=said)
        wait = min(self._policy.longest_wait, self._policy.first_wait * 2 ** (claimed.attempts - 1))
        # Spread, so that a server that comes back is not met by everything at once.
        wait *= random.uniform(0.8, 1.2)  # noqa: S311 - no secret depends on it
        await mail.retry_mail(self._db, id=claimed.id, seconds=wait, last_error=said)
        return "delayed"

    async def _measure(self) -> None:
        if self._measuring.is_due():
            backlog = await mail.measure_mail(self._db)
            self._metrics.waiting.set(backlog.waiting)
            self._metrics.oldest.set(backlog.oldest_seconds)


def _may_have_link(claimed: ClaimMailRow, to: GetAddresseeRow | None, link: Link) -> bool:
    """Return whether the link may be sent to the account's recipient.

    The account must be active and, unless `link.former` is true, still have this address.
    """
    return (
        to is not None
        and to.status is AccountStatus.ACTIVE
        and (link.former or to.email.lower() == claimed.recipient.lower())
    )


class _Metrics:
    """Metrics of sent and waiting emails."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.mails = Counter(
            "mail_attempts_total",
            "Attempts to send an email, by template and outcome.",
            ("template", "outcome"),
            registry=registry,
        )
        self.waiting = Gauge("mail_waiting", "Emails waiting to be sent.", registry=registry)
        self.oldest = Gauge(
            "mail_oldest_seconds", "Age of the oldest waiting email.", registry=registry
        )
