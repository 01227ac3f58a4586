"""Bearer tokens for the HTTP transport. A token identifies a caller and its bound parameters."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from mcp.server.auth.provider import AccessToken
from msgspec import Struct

from aiosqlc.plan.naming import argument


class TokenFileError(Exception):
    """Raised for an unusable token file. The message names the file and the reason."""


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A caller: name in the audit log, SHA-256 of the token, and values of bound parameters."""

    name: str
    sha256: str
    bind: dict[str, str] = {}


class TokenFile:
    """The callers in the token file, which contains digests instead of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tuple(tokens)

    @property
    def bound(self) -> dict[str, dict[str, str]]:
        """Return the values of bound parameters of all callers, by the caller's name."""
        return {token.name: token.bind for token in self._tokens}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the caller who has this token, or None.

        Compare with every digest in constant time.
        """
        digest = sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for known in self._tokens:
            if hmac.compare_digest(known.sha256.lower(), digest):
                found = known
        if found is None:
            return None
        return AccessToken(
            token=digest, client_id=found.name, scopes=[], claims={"bind": dict(found.bind)}
        )


def read_tokens(path: Path, bound: Sequence[str]) -> TokenFile:
    """Read a JSON file of tokens. Every token must have a value for every bound parameter.

    In the result, the keys of the values are the Python names of the parameters. Raises
    `TokenFileError`.
    """
    try:
        tokens = msgspec.json.decode(path.read_bytes(), type=list[Token])
    except OSError as error:
        raise TokenFileError(f"cannot read {path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise TokenFileError(f"{path}: {error}") from None
    if not tokens:
        raise TokenFileError(f"{path} has no tokens")
    for token in tokens:
        if len(token.sha256) != 64 or not set(token.sha256.lower()) <= set("0123456789abcdef"):
            raise TokenFileError(f"{path}: `sha256` of `{token.name}` is not 64 hex digits")
        if missing := [name for name in bound if name not in token.bind]:
            raise TokenFileError(f"{path}: `{token.name}` does not have a value for `{missing[0]}`")
    names = [token.name for token in tokens]
    if len(set(names)) < len(names):
        raise TokenFileError(f"{path}: two tokens have the same name")
    return TokenFile(
        [
            msgspec.structs.replace(token, bind={argument(p): token.bind[p] for p in bound})
            for token in tokens
        ]
    )
