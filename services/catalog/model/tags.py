"""What cached answers are made of, and which ones a change makes worthless: the same names."""

from __future__ import annotations

from uuid import UUID


def of_entry(level: str, entry_id: UUID | str) -> str:
    """`category:0189…`: one entry."""
    return f"{level}:{entry_id}"


def of_list(level: str) -> str:
    """`category`: all lists of a level."""
    return level


def of_provider(provider_id: UUID | str) -> str:
    """Return what somebody offers."""
    return f"provider:{provider_id}"


def of_providers(service_id: UUID | str) -> str:
    """Return who offers a service."""
    return f"providers:{service_id}"


def of_change(level: str, entry_id: UUID | str) -> tuple[str, ...]:
    """Return what is no longer true when an entry has changed."""
    return of_entry(level, entry_id), of_list(level)


def of_offer(provider_id: UUID | str, service_id: UUID | str) -> tuple[str, ...]:
    """Return what is no longer true when somebody has taken up or given up a service."""
    return of_provider(provider_id), of_providers(service_id)
