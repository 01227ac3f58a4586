"""The request for a new service, and the checks that can refuse it."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from aiosqlc.mysql.words import quoted

from devstack.settings import MONITORING_PORTS, Settings, default_ports, plural_of

ENGINES: Final = ("postgres", "mysql")
_NAME: Final = re.compile(r"[a-z]{2,30}")
_PUBLISHED: Final = re.compile(r"\$\{\w+_PORT:-(\d+)\}")
_FIRST_GRPC_PORT: Final = 50051
# Compose publishes the health of a service this much above its port.
_HEALTH: Final = 1000
# PostgreSQL's reserved words; a test asks the server for its own list.
RESERVED: Final = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross default deferrable desc distinct
    do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select similar some symmetric table tablesample then to trailing
    true union unique user using variadic verbose when where window with
    """.split()  # noqa: SIM905 - words read better without a hundred quotes
)
# Where a service has something of its own.
FOLDERS: Final = ("services", "sql", "migrations", "tests/services", "proto", "lib/pb")


class ScaffoldError(Exception):
    """The reason for a refusal, in one sentence."""


class Wanted(msgspec.Struct, frozen=True):
    """The name of a service in the singular, such as `inventory`, and its options."""

    name: str
    engine: str
    grpc: bool
    port: int
    grpc_port: int

    @property
    def words(self) -> dict[str, object]:
        """Return the words for the placeholders of the template."""
        names = plural_of(self.name)
        return {
            "name": self.name, "Name": self.name.title(), "NAME": self.name.upper(),
            "names": names, "Names": names.title(),
            "a_name": f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}",
            "dual": self.engine == "mysql", "grpc": self.grpc,
            "database": "new_engine_database" if self.engine == "mysql" else "new_database",
            "port": self.port, "grpc_port": self.grpc_port,
        }  # fmt: skip


def check_name(root: Path, name: str) -> None:
    """Raise ScaffoldError unless `name` is valid for a new service."""
    if not _NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} is not a valid service name: use 2 to 30 letters a-z")
    if name.endswith("s") and not name.endswith(("ss", "us", "is")):
        raise ScaffoldError(f"{name} is a plural: name the service in the singular")
    for folder in FOLDERS:
        if (root / folder / name).exists():
            raise ScaffoldError(f"the name {name} is taken: there is {folder}/{name}")
    names = plural_of(name)
    for service in Settings.read({}, root).services:
        if names == service.plural:
            raise ScaffoldError(f"the name {name} is taken: /api/{names}/v1 is {service.name}'s")
    for word in (name, names):
        if keyword.iskeyword(word) or keyword.issoftkeyword(word):
            raise ScaffoldError(f"{word} is a keyword of Python: choose another name")
        if word in RESERVED or quoted(word) != word:
            raise ScaffoldError(f"{word} is a keyword of SQL: choose another name")
    settings = (root / "docs" / "settings.md").read_text(encoding="utf-8")
    if found := re.search(rf"`({name.upper()}_\w+)`", settings):
        raise ScaffoldError(f"{found[1]} is already a setting: choose another name than {name}")
    compose = (root / "docker-compose.yml").read_text(encoding="utf-8")
    if re.search(rf"^  {name}:$", compose, re.MULTILINE):
        raise ScaffoldError(f"{name} is already in docker-compose.yml: choose another name")


def check_words(wanted: Wanted, texts: Iterator[str]) -> None:
    """Raise ScaffoldError if a class or function of the new service would hide another name.

    `texts` are the Python files of a service whose own names are unique.
    """
    used = {
        token.string
        for text in texts
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME
    }
    words = wanted.words
    for word in ("name", "Name", "names", "Names"):
        if words[word] in used:
            raise ScaffoldError(
                f"{words[word]} is a name in the code of every service: choose another name than "
                f"{wanted.name}"
            )


def taken_ports(root: Path) -> dict[int, str]:
    """Return the ports that are in use, each with the name of the program or file that uses it."""
    compose = (root / "docker-compose.yml").read_text(encoding="utf-8")
    found = {int(port): "docker-compose.yml" for port in _PUBLISHED.findall(compose)}
    found |= {port: name for name, port in MONITORING_PORTS.items()}
    ports = default_ports(root)
    found |= {port + _HEALTH: f"the health of {name}" for name, port in ports.items()}
    return found | {port: name for name, port in Settings.read({}, root).ports().items()}


def choose_port(root: Path, given: int | None) -> int:
    """Return the port of a new service: the requested port, or the next free port.

    Raises:
        ScaffoldError: if the port is in use or is not valid.
    """
    taken = taken_ports(root)
    if given is not None:
        if not 1024 <= given <= 65535 - _HEALTH:
            raise ScaffoldError(f"port {given} is not between 1024 and {65535 - _HEALTH}")
        for port in (given, given + _HEALTH):
            if port in taken:
                raise ScaffoldError(f"port {port} is taken by {taken[port]}")
        return given
    port = max(port for name, port in default_ports(root).items() if "_GRPC_" not in name)
    while port in taken or port + _HEALTH in taken:
        port += 1
    return port


def next_grpc_port(root: Path) -> int:
    """Return the next free port for gRPC."""
    taken, port = taken_ports(root), _FIRST_GRPC_PORT
    while port in taken:
        port += 1
    return port
