"""An issuer of tokens for tests: it signs the requested tokens and publishes its key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.auth import Issuer, Role, SigningKey, jwks_document
from lib.auth.permissions import Grants, permissions_of
from lib.auth.service_tokens import ServiceTokens
from lib.auth.settings import AuthSettings
from lib.auth.tokens import Issued
from lib.clock import utc_now

SUBJECT = "01890000-0000-7000-8000-0000000000aa"
# Tokens that modules make when they are collected are used until the last test is done.
_TTL = timedelta(hours=6)


class TestIssuer:
    """Issue tokens that are valid for services with `auth_jwks_url=issuer.url`."""

    __test__ = False

    def __init__(
        self, key: SigningKey, url: str = "", *, name: str = "", grants: Grants | None = None
    ) -> None:
        self.key = key
        self.url = url
        self._grants = grants or {}
        defaults = AuthSettings.model_fields
        self._issuer = Issuer(
            key,
            issuer=name or defaults["auth_issuer"].default,
            audience=defaults["auth_audience"].default,
            ttl=_TTL,
        )

    def authorized(
        self,
        *permissions: str,
        subject: str = SUBJECT,
        role: Role = Role.STAFF,
        verified: bool = True,
        session: str = "",
        fresh: bool = True,
        second_factor_wanted: bool = False,
    ) -> dict[str, str]:
        """Return the header of a caller with `permissions` and the permissions of the role.

        A token of a `fresh` sign-in stays fresh until it expires.
        """
        scope = permissions_of([role], self._grants) | set(permissions)
        issued = self._issuer.issue(
            subject,
            [role],
            scope,
            verified=verified,
            session=session,
            signed_in_at=utc_now() + _TTL if fresh else None,
            second_factor_wanted=second_factor_wanted,
        )
        return {"Authorization": f"Bearer {issued.token}"}

    def tokens(self, subject: str, role: Role = Role.SERVICE, *permissions: str) -> ServiceTokens:
        """Return a function that gives a client the tokens of a service or of another caller."""

        async def obtain() -> Issued:
            return self._issuer.issue(subject, [role], permissions)

        return ServiceTokens(obtain)


@contextmanager
def running(key: SigningKey | None = None, grants: Grants | None = None) -> Iterator[TestIssuer]:
    """Publish a key at a port that the system selects. Without `key`, create a key.

    `grants` lists the permissions of each role; without it, roles have no permissions.
    """
    key = key or SigningKey.generate()
    document = jwks_document([key])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield TestIssuer(
            key, f"http://127.0.0.1:{server.server_address[1]}/jwks.json", grants=grants
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
