"""Features that a service may have besides requests, a database and a process."""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """A feature that only some services have.

    Only the dashboards of these services have the feature's panels.
    """

    HTTP = "http"
    GRPC = "grpc"
    LIMITS = "limits"
    CIRCUITS = "circuits"
    OUTBOX = "outbox"
    EVENTS = "events"
    CACHE = "cache"
