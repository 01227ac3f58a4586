"""Read routes from OpenAPI documents and from plain lists."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec


class SpecError(ValueError):
    """A document without routes; the message is one sentence."""


def spec_routes(argument: str) -> list[str]:
    """Return the routes in the OpenAPI documents of `GLOB[,FROM=TO]`, with the gateway's paths.

    FROM is the prefix of the service's paths, and TO is the prefix at the gateway. `{name}` in TO
    is the file's name up to its first dot, so `api/*.swagger.yaml,/api/v1=/api/{name}s/v1` covers
    every service. Raises SpecError for an invalid argument or document.
    """
    pattern, _, mapping = argument.partition(",")
    served, arrow, public = mapping.partition("=")
    if mapping and not arrow:
        raise SpecError(f"In --spec {argument}, what follows the comma must read FROM=TO.")
    files = sorted(glob.glob(pattern))  # noqa: PTH207 (the pattern may be absolute)
    if not files:
        raise SpecError(f"--spec {pattern} matches no file.")
    routes: list[str] = []
    for file in map(Path, files):
        prefix = public.replace("{name}", file.name.partition(".")[0])
        routes += [_moved(path, served, prefix) for path in _paths(file)]
    return routes


def rule_routes(path: Path) -> list[str]:
    """Return the routes listed in a file, one pattern a line; `#` starts a comment.

    Raises SpecError for an invalid route.
    """
    lines = (line.partition("#")[0].strip() for line in _read(path).splitlines())
    return [checked(line) for line in lines if line]


def checked(pattern: str) -> str:
    """Return the route pattern if it is valid. Raises SpecError if it can match no path."""
    if not pattern.isprintable():  # Bytes that are not UTF-8 come as unprintable characters.
        raise SpecError(f"The route {pattern!a} contains unprintable characters.")
    if not pattern.startswith("/"):
        raise SpecError(f"The route {pattern!r} does not start with a slash.")
    if "*" in pattern.removesuffix("/*"):
        raise SpecError(f"In the route {pattern!r}, * may only be the last segment.")
    return pattern


def _paths(file: Path) -> list[str]:
    document = _load(file)
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping):
        raise SpecError(f"{file} is not an OpenAPI document: it has no `paths`.")
    base = _base(document).rstrip("/")
    return [base + str(path) for path in paths if str(path).startswith("/")]


def _base(document: Mapping[str, Any]) -> str:
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], Mapping):
        return urlsplit(str(servers[0].get("url", ""))).path
    return str(document.get("basePath") or "")


def _moved(path: str, served: str, public: str) -> str:
    inside = bool(served) and (path == served or path.startswith(served.rstrip("/") + "/"))
    return public + path.removeprefix(served) if inside else path


def _load(file: Path) -> Any:
    text = _read(file)
    try:
        if file.suffix == ".json":
            return msgspec.json.decode(text)
        return msgspec.yaml.decode(text)
    except ImportError as missing:
        raise SpecError(f"{file} is YAML, which needs the package PyYAML.") from missing
    except (msgspec.DecodeError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise SpecError(f"{file} cannot be read as {file.suffix[1:]}: {reason}.") from error


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the file is not UTF-8"
        raise SpecError(f"{file} cannot be read: {reason}.") from error
