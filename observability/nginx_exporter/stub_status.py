"""Get the number of connections from NGINX's stub_status page."""

from __future__ import annotations

import http.client
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_PAGE: Final = re.compile(
    rb"Active connections:\s*(\d+)\s+server accepts handled requests\s+(\d+)\s+(\d+)\s+(\d+)\s+"
    rb"Reading:\s*(\d+)\s+Writing:\s*(\d+)\s+Waiting:\s*(\d+)"
)


class Connections(NamedTuple):
    """The numbers on NGINX's page: `accepted`, `handled` and `requests` are totals."""

    active: int
    accepted: int
    handled: int
    requests: int
    reading: int
    writing: int
    waiting: int


def fetch(url: str, seconds: float) -> Connections | None:
    """Return the figures of the page, or None if NGINX is down or slow or the page is invalid."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path or "/", headers={"Connection": "close"})
        response = connection.getresponse()
        page = _PAGE.search(response.read(4096)) if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return Connections(*map(int, page.groups())) if page else None
