"""The users of NATS, and the subjects that each user may use, derived from the code.

A topic names its publisher, and the handlers name its consumers. A consumer of a topic can create
dead letters and trim the topic, but cannot publish to it. Each user receives responses in its own
inbox. A server's configuration includes the file. The passwords are in the server's environment,
such as `ORDER_NATS_PASSWORD`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from devstack.settings import ROOT, service_names
from lib.events.jetstream_names import dead_name, stream_name
from tools.events_page import consumed, published

USERS: Final = ROOT / "deploy" / "nats" / "users.conf"
_HEAD: Final = """\
# From tools/nats_users.py; remake it with: make render
# The server reads the variables as it reads this file: quotes belong to the value,
# ORDER_NATS_PASSWORD='"…"', or a password may be taken for a number.
"""


def files() -> dict[Path, str]:
    """Return a mapping from the path of the user list to its text."""
    return {USERS: _HEAD + "users: [\n" + "".join(map(user, service_names())) + "]\n"}


def user(service: str) -> str:
    """Return the NATS configuration of a service's user."""
    lines = "".join(f'      "{subject}"\n' for subject in subjects(service))
    return (
        f"  {{ user: {service}, password: ${service.upper()}_NATS_PASSWORD, permissions: {{\n"
        f'    publish: {{ allow: [\n{lines}    ], deny: ["$JS.API.STREAM.DELETE.>"] }}\n'
        f'    subscribe: ["_INBOX_{service}.>"]\n  }} }}\n'
    )


def subjects(service: str) -> list[str]:
    """Return the subjects that a service may publish to."""
    own = sorted(str(topic) for topic in published().get(service, ()))
    read = sorted({topic for (topic, _), by in consumed().items() if service in by})
    found = ["$JS.API.INFO"]
    found += [f"events.{topic}.*" for topic in own]
    for topic in sorted({*own, *read}):
        found += [*_kept(stream_name(topic)), *_kept(dead_name(topic))]
    for topic in read:
        found += [dead_name(topic), *_read(stream_name(topic))]
    return found


def _kept(stream: str) -> Iterator[str]:
    """Yield the subjects that are needed to create, measure and trim a stream."""
    for call in ("STREAM.*", "STREAM.MSG.GET", "CONSUMER.*"):
        yield f"$JS.API.{call}.{stream}"
    yield f"$JS.API.CONSUMER.*.{stream}.>"


def _read(stream: str) -> Iterator[str]:
    for call in ("CONSUMER.DURABLE.CREATE", "CONSUMER.MSG.NEXT"):
        yield f"$JS.API.{call}.{stream}.*"
    yield f"$JS.ACK.{stream}.>"
