"""Read your own writes: the log position of each database after a request's writes.

A request has a `Scope`. A signed header of the response has the positions of the request's own
writes and of the writes in called services. The client sends this header with its next request, and
a replica that is behind these positions does not serve it. Each service signs and checks only the
entry of its own database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Read-After"
# No replica has got this far: what stands for a position that could not be asked for.
BEYOND: Final = 2**63 - 1
_MOST_ENTRIES = 16
_LONGEST = 2048
_ENTRY = re.compile(r"([a-z_]{1,32})=([0-9a-f]{1,16})\.([A-Za-z0-9_-]{22})", re.ASCII)

Settle = Callable[[], Awaitable[int]]


class Signer:
    """Sign and verify the positions of one database."""

    def __init__(self, name: str, secret: bytes) -> None:
        self.name = name
        self._secret = hashlib.sha256(b"read-after " + secret).digest()

    def entry(self, position: int) -> tuple[int, str]:
        """Return a position with its signature."""
        return position, self._signature(position)

    def position(self, entry: tuple[int, str] | None) -> int:
        """Return the position in an entry, or 0 if there is no entry with a valid signature."""
        if entry is None or not hmac.compare_digest(self._signature(entry[0]), entry[1]):
            return 0
        return entry[0]

    def _signature(self, position: int) -> str:
        text = f"{self.name}={position:x}".encode()
        digest = hmac.digest(self._secret, text, "sha256")[:16]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Scope:
    """The log positions of one request. If `reads` is true, replicas may serve its reads.

    `header` has all known positions, for a call to another service. `has_written` says whether the
    request has written data, so that the response needs the header.
    """

    __slots__ = ("_changed", "_entries", "_unsettled", "has_written", "header", "reads")

    def __init__(self, reads: bool, header: str | None = None) -> None:
        self.reads = reads
        self._entries: dict[str, tuple[int, str]] = _parse(header) if header else {}
        self._unsettled: dict[str, tuple[Signer, Settle]] = {}
        self._changed = False
        self.has_written = False
        self.header = _header(self._entries) if header else ""

    def wrote(self, signer: Signer, settle: Settle) -> None:
        """Record a write of this request.

        `settle` is called later and returns the position of the write.
        """
        self._unsettled[signer.name] = (signer, settle)
        self.has_written = True

    async def needs(self, signer: Signer) -> int:
        """Return the position that a replica must have replayed to serve this request."""
        await self._settle(signer.name)
        return signer.position(self._entries.get(signer.name))

    def learn(self, header: str) -> None:
        """Record the log positions in the header of another service's response."""
        for name, entry in _parse(header).items():
            self._keep(name, entry)

    async def answer(self) -> str:
        """Return the header of the response, or '' if nothing was written."""
        for name in tuple(self._unsettled):
            await self._settle(name)
        return self.header if self._changed else ""

    async def _settle(self, name: str) -> None:
        if name not in self._unsettled:
            return
        # Taken out first: what is written meanwhile is to be asked for again.
        signer, settle = self._unsettled.pop(name)
        self._keep(name, signer.entry(await settle()))

    def _keep(self, name: str, entry: tuple[int, str]) -> None:
        known = self._entries.get(name)
        if (known is None and len(self._entries) < _MOST_ENTRIES) or (
            known and known[0] < entry[0]
        ):
            self._entries[name] = entry
            self._changed = self.has_written = True
            self.header = _header(self._entries)


# None outside of requests: there nothing reads from replicas.
scope: Final[ContextVar[Scope | None]] = ContextVar("scope", default=None)


def _header(entries: Mapping[str, tuple[int, str]]) -> str:
    return ",".join(f"{name}={at:x}.{sign}" for name, (at, sign) in entries.items())


def _parse(header: str) -> dict[str, tuple[int, str]]:
    """Parse the valid entries of a header. Ignore the rest: a client may send any text."""
    if len(header) > _LONGEST:
        return {}
    found = (_ENTRY.fullmatch(part.strip()) for part in header.split(",", _MOST_ENTRIES))
    entries = [(m[1], (int(m[2], 16), m[3])) for m in found if m]
    return dict(entries[:_MOST_ENTRIES])
