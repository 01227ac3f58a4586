"""The users of Redis, with the keys and channels that each may use, derived from the code.

A topic names its publisher, and the handlers name its consumers. All other names come from the code
too. The local stack, Compose or an administrator creates the users and adds a password to each
line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from devstack.embedded.redis import USERS
from devstack.settings import service_names
from lib.events.event import dead_letters_of, stream_of
from lib.limits.redis_store import PREFIX
from tools.events_page import consumed, published

# Keys that are not event streams: caches, presence, limits of notifications.
_OWN: Final[Mapping[str, Sequence[str]]] = {
    "catalog": ["catalog:*"],
    "chat": ["chat:*"],  # with chat
}
_WITHOUT_LIMITS: Final = frozenset({"point"})
_CHANNELS: Final[Mapping[str, Sequence[str]]] = {
    "chat": ["chat:*"],  # with chat
}
# No service may stop, empty or configure Redis, or list its keys. Scripts are permitted: the rate
# limits are a script, and Redis checks the keys of a script like those of any command.
_COMMANDS: Final = "+@all -@dangerous -@admin +info +client|setinfo"


def files() -> dict[Path, str]:
    """Return a mapping from the path of the user list to its text."""
    return {USERS: "".join(f"{line(name)}\n" for name in service_names())}


def line(service: str, *, without: str = "") -> str:
    """Return the line that defines a service's Redis user, without the password."""
    patterns = [f"~{key}" for key in keys(service)]
    patterns += [f"&{channel}" for channel in _CHANNELS.get(service, ())]
    kept = " ".join(pattern for pattern in patterns if pattern != without)
    return f"user {service} on resetkeys resetchannels {kept} {_COMMANDS}"


def keys(service: str) -> list[str]:
    """Return the patterns of the keys that a service reads and writes."""
    # All services with HTTP count the requests of a client together, under the same keys.
    found = [f"{PREFIX}*"] if service not in _WITHOUT_LIMITS else []
    found += _OWN.get(service, ())
    topics = {str(topic) for topic in published().get(service, ())}
    read = {topic for (topic, _), services in consumed().items() if service in services}
    found += [stream_of(topic) for topic in sorted(topics | read)]
    return found + [dead_letters_of(topic) for topic in sorted(read)]
