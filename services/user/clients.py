"""The services that may sign in, and how their secrets are compared."""

from __future__ import annotations

import re
from typing import Final

from lib.auth.opaque import digest

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,49}")
_SHORTEST: Final = 24


def parse_clients(text: str) -> dict[str, bytes]:
    """`order:<secret>,chat:<secret>` → the hash of each secret by the service's name.

    Raises:
        ValueError: naming the entry that is wrong, never a secret.
    """
    clients: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        name, separator, secret = entry.partition(":")
        if not separator or not _NAME.fullmatch(name) or name in clients:
            raise ValueError(f"entry {number} must be a new name, a colon and a secret")
        if len(secret) < _SHORTEST:
            raise ValueError(f"the secret of {name} has fewer than {_SHORTEST} characters")
        clients[name] = digest(secret)
    return clients
