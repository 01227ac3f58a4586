"""TLS to a configured server, with the URL options of MySQL's clients."""

from __future__ import annotations

import ssl
from typing import Final
from urllib.parse import parse_qsl

_MODE: Final = "ssl-mode"
_CA: Final = "ssl-ca"
_MODES: Final = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")


def tls_arguments(query: str) -> dict[str, object]:
    """Return the driver's TLS arguments; without `ssl-mode`, TLS is used if available.

    Raises ValueError for an unknown parameter or mode, or for a missing file.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError(f"`{_MODE}` and `{_CA}` may each occur only once")
    if unknown := sorted(set(given) - {_MODE, _CA}):
        raise ValueError(f"`{unknown[0]}` is not a parameter of a MySQL URL: use {_MODE}, {_CA}")
    mode = given.get(_MODE, "").upper()
    if _MODE in given and mode not in _MODES:
        raise ValueError(f"`{_MODE}` must be one of {', '.join(_MODES)}")
    verifies = mode.startswith("VERIFY_")
    if _CA in given and not verifies:
        raise ValueError(f"`{_CA}` needs {_MODE}=VERIFY_CA or {_MODE}=VERIFY_IDENTITY")
    if not mode:
        return {}
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    try:
        context = ssl.create_default_context(cafile=given.get(_CA))
    except OSError as error:
        raise ValueError(f"`{_CA}` is not a file with certificates: {error}") from error
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
    return {"ssl": context}
