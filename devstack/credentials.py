"""The secrets of the services, made on the first run and kept beside those of the databases."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence

from devstack.embedded.home import Home


def shared(home: Home) -> Mapping[str, str]:
    """Return what every service needs to believe the others' tokens."""
    return {"AUTH_CSRF_SECRET": home.secret("csrf")}


def own(home: Home, service: str, others: Sequence[str]) -> Mapping[str, str]:
    """Return what `service` alone may know; the user service, which of `others` may sign in."""
    if service != "user":
        return {"AUTH_CLIENT_ID": service, "AUTH_CLIENT_SECRET": _client_secret(home, service)}
    clients = [
        f"{name}:{_hashed(_client_secret(home, name))}" for name in others if name != service
    ]
    return {
        "USER_SERVICE_CLIENTS": ",".join(clients),
        "USER_JWT_PRIVATE_KEYS": home.secret("user_signing_keys", _signing_key),
        "USER_ENCRYPTION_KEYS": home.secret("user_encryption_keys", _encryption_key),
    }


def _client_secret(home: Home, service: str) -> str:
    return home.secret(f"{service}_client")


def _hashed(secret: str) -> str:
    """What is shown cannot be used."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"


def _signing_key() -> str:
    # Here, because only a first run makes one, and its imports are as long as the rest of ours.
    from lib.auth.keys import SigningKey

    return SigningKey.generate().pem().decode()


def _encryption_key() -> str:
    return f"first:{base64.b64encode(secrets.token_bytes(32)).decode()}"
