"""The middleware of every service, in its one order, outermost first.

1. `request_id`: so that everything below can name the request.
2. `trace`: takes up the caller's trace context.
3. `recovery`: nothing that is raised gets past it.
4. `access_log`: sees every outcome, exceptions and disconnects included.
5. `metrics`: the same, as numbers.
6. `cors`: answers preflights; errors get its headers too.
7. `deadline`: bounds what follows.
8. `caller_deadline`: bounds it further, where the caller waits less long.

A service that needs them appends, in this order: `limit_clients` (before anything costs),
`authenticate`, `limit_users`, `idempotent`.
"""

from __future__ import annotations

from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry

from lib.config import Settings
from lib.http.middleware.access_log import access_log
from lib.http.middleware.caller_deadline import caller_deadline
from lib.http.middleware.cors import cors
from lib.http.middleware.deadline import deadline
from lib.http.middleware.metrics import metrics
from lib.http.middleware.recovery import recovery
from lib.http.middleware.request_id import request_id
from lib.http.middleware.trace import trace


def standard(settings: Settings, registry: CollectorRegistry) -> list[Middleware]:
    """Return the chain in its documented order."""
    return [
        request_id,
        trace,
        recovery,
        access_log,
        metrics(registry),
        cors(settings.cors_origins),
        deadline(settings.request_seconds),
        caller_deadline,
    ]
