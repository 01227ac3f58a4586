"""Cache tags: a change of an entry invalidates all cached responses that have the entry's tags."""

from __future__ import annotations

from uuid import UUID


def of_entry(level: str, entry_id: UUID | str) -> str:
    """`category:0189…`: one entry."""
    return f"{level}:{entry_id}"


def of_list(level: str) -> str:
    """Return the cache tag of all lists of one kind of entry, such as `category`."""
    return level


def of_provider(provider_id: UUID | str) -> str:
    """Return the cache tag of a provider's list of offered services."""
    return f"provider:{provider_id}"


def of_providers(service_id: UUID | str) -> str:
    """Return the cache tag of the list of providers who offer a service."""
    return f"providers:{service_id}"


def of_change(level: str, entry_id: UUID | str) -> tuple[str, ...]:
    """Return the tags to invalidate after a change of an entry."""
    return of_entry(level, entry_id), of_list(level)


def of_offer(provider_id: UUID | str, service_id: UUID | str) -> tuple[str, ...]:
    """Return the tags to invalidate after a provider starts or stops offering a service."""
    return of_provider(provider_id), of_providers(service_id)
