"""Secrets of the services, created at the first run and stored with the database secrets."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence

from devstack.embedded.home import Home
from devstack.settings import CALLERS


def shared(home: Home, services: Sequence[str]) -> Mapping[str, str]:
    """Return the settings that all services share: the CSRF secret, and keys to verify events."""
    keys = [f"{name}:{_public(_events_key(home, name))}" for name in services]
    return {"AUTH_CSRF_SECRET": home.secret("csrf"), "EVENTS_PUBLIC_KEYS": ",".join(keys)}


def own(home: Home, service: str, others: Sequence[str]) -> Mapping[str, str]:
    """Return one service's secrets. For `user`, add the hashes of the other services' secrets."""
    signing = {"EVENTS_SIGNING_KEY": _events_key(home, service)}
    if service in CALLERS:
        secret = _client_secret(home, service)
        return signing | {"AUTH_CLIENT_ID": service, "AUTH_CLIENT_SECRET": secret}
    if service != "user":
        return signing
    clients = [
        f"{name}:{_hashed(_client_secret(home, name))}" for name in others if name in CALLERS
    ]
    return signing | {
        "USER_SERVICE_CLIENTS": ",".join(clients),
        "USER_JWT_PRIVATE_KEYS": home.secret("user_signing_keys", _signing_key),
        "USER_ENCRYPTION_KEYS": home.secret("user_encryption_keys", _encryption_key),
    }


def _events_key(home: Home, service: str) -> str:
    return home.secret(f"{service}_events_key", _random_key)


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _public(key: str) -> str:
    from lib.events.signing import EventSigner

    return EventSigner.of(key).public


def _client_secret(home: Home, service: str) -> str:
    return home.secret(f"{service}_client")


def _hashed(secret: str) -> str:
    """Return the hash of a secret. A caller who has only the hash cannot sign in."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"


def _signing_key() -> str:
    # Here, because only a first run makes one, and its imports are as long as the rest of ours.
    from lib.auth.keys import SigningKey

    return SigningKey.generate().pem().decode()


def _encryption_key() -> str:
    return f"first:{base64.b64encode(secrets.token_bytes(32)).decode()}"
