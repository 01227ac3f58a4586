"""An identity provider that a test controls: it follows the standard unless a test changes it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from aiohttp import web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from yarl import URL

CLIENT = "shop"
SECRET = "a-client-secret"
Claims = dict[str, Any]


@dataclass
class Key:
    """A signing key with its name."""

    kid: str
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def public(self) -> dict[str, Any]:
        found: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**found, "kid": self.kid, "use": "sig", "alg": "RS256"}


KEY = Key("first")
OTHER = Key("second")


@dataclass
class Provider:
    """A provider and its user; tests change the fields for attacks, and read the requests."""

    issuer: str = ""
    user: Claims = field(
        default_factory=lambda: {
            "sub": "1234",
            "email": "ann@example.com",
            "email_verified": True,
            "given_name": "Ann",
            "family_name": "O'Neil",
        }
    )
    # Change the claims of the ID token, the document of discovery, the answer of each endpoint.
    claims: Callable[[Claims], Claims] = lambda claims: claims
    metadata: Claims = field(default_factory=dict)
    sign: Callable[[Claims], str] | None = None
    keys: list[Key] = field(default_factory=lambda: [KEY])
    answers: dict[str, Callable[[], Any]] = field(default_factory=dict)
    in_userinfo: bool = False
    # What has come: the path of each request, and the forms of the token endpoint.
    asked: list[str] = field(default_factory=list)
    forms: list[Claims] = field(default_factory=list)
    codes: dict[str, Claims] = field(default_factory=dict)
    headers: list[Any] = field(default_factory=list)

    def authorize(self, url: str, user: Claims | None = None) -> Claims:
        """Sign the user in at `url`, and return the query with which the browser returns."""
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**query, "user": user or self.user}
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def token(self, claims: Claims, key: Key = KEY, algorithm: str = "RS256") -> str:
        return jwt.encode(claims, key.private, algorithm=algorithm, headers={"kid": key.kid})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(request.headers)
        if changed := self.answers.get(request.path):
            answer = changed()
            return await answer if asyncio.iscoroutine(answer) else answer
        return await {
            "/.well-known/openid-configuration": self._discovery,
            "/authorize": self._authorize,
            "/jwks": self._jwks,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }[request.path](request)

    async def _discovery(self, _: web.Request) -> web.Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }
        return web.json_response(document | self.metadata)

    async def _authorize(self, request: web.Request) -> web.Response:
        """Sign a browser in without a question, and redirect it."""
        back = URL(request.query["redirect_uri"]).with_query(self.authorize(str(request.url)))
        return web.Response(status=302, headers={"Location": str(back)})

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [key.public() for key in self.keys]})

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl(await request.text()))
        self.forms.append(form)
        known = self.codes.pop(form["code"], None)
        if (
            known is None
            or known["redirect_uri"] != form["redirect_uri"]
            or known["code_challenge"] != create_s256_code_challenge(form["code_verifier"])
            or known["code_challenge_method"] != "S256"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        about = known["user"]
        claims = {
            "iss": self.issuer,
            "aud": known["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": known["nonce"],
            **({"sub": about["sub"]} if self.in_userinfo else about),
        }
        sign = self.sign or (lambda claims: self.token(claims, self.keys[0]))
        id_token = sign(self.claims(claims))
        return web.json_response(
            {"access_token": "access", "token_type": "Bearer", "id_token": id_token}
        )

    async def _userinfo(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer access":
            return web.json_response({}, status=401)
        return web.json_response(self.user)


@asynccontextmanager
async def playing(**changes: Any) -> AsyncIterator[Provider]:
    """Serve a provider on a free port of the loopback."""
    provider = Provider(**changes)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider._handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
