"""Authenticate a gRPC call by the Bearer token in its metadata, as over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lib.auth.principal import Principal, unauthorized
from lib.auth.tokens import Verifier

AUTHORIZATION: Final = "authorization"


async def identify(metadata: Iterable[tuple[str, str | bytes]], verifier: Verifier) -> Principal:
    """Return the caller that the token in the metadata of a call identifies.

    Raises:
        AppError: UNAUTHORIZED unless the metadata has exactly one token and it is valid;
            SERVICE_UNAVAILABLE if the keys to check it are unavailable.
    """
    given = [value for key, value in metadata if key == AUTHORIZATION]
    # Two are an attempt to show each side of a proxy another one.
    if len(given) != 1 or not isinstance(given[0], str):
        raise unauthorized()
    scheme, _, token = given[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized()
    return await verifier.verify(token.strip())
