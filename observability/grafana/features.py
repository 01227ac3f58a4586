"""What a service may have besides requests, a database and a process."""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """Something that is measured only where a service has it: panels are drawn for these alone."""

    HTTP = "http"
    GRPC = "grpc"
    LIMITS = "limits"
    CIRCUITS = "circuits"
    OUTBOX = "outbox"
    EVENTS = "events"
    CACHE = "cache"
