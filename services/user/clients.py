"""The services that may request tokens, with their permissions and the hashes of their secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lib.auth.opaque import digest
from lib.auth.permissions import service_scopes

# What each service may ask of others, and nothing else: its token carries it, who is asked looks.
SCOPES: Final[Mapping[str, frozenset[str]]] = service_scopes()
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,49}")
_SHORTEST: Final = 24
_HASHED: Final = re.compile(r"sha256:([0-9a-f]{64})")


def parse_clients(text: str) -> dict[str, bytes]:
    """Parse `order:<secret>,chat:sha256:<hash>` into the hash of each service's secret.

    If a setting has the hash of a secret, only the service that uses the secret stores the secret
    itself. The hash needs no salt or stretching, because these secrets are random and cannot be
    guessed.

    Raises:
        ValueError: if an entry is invalid; the message names the entry but never contains a secret.
    """
    clients: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        name, separator, secret = entry.partition(":")
        if not separator or not _NAME.fullmatch(name) or name in clients:
            raise ValueError(
                f"entry {number} must be name:secret, with a name that is not repeated"
            )
        if hashed := _HASHED.fullmatch(secret):
            clients[name] = bytes.fromhex(hashed[1])
            continue
        if len(secret) < _SHORTEST:
            raise ValueError(f"the secret of {name} has less than {_SHORTEST} characters")
        clients[name] = digest(secret)
    return clients
