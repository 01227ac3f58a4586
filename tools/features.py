"""Features of a service that have metrics, derived from its imports of `lib`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from devstack.settings import ROOT, default_ports, has_edge
from observability.grafana.features import Feature

# The name of `lib` whose use brings the metrics of a feature.
MARKS: Final[dict[tuple[str, str], Feature]] = {
    ("lib.http.middleware.install", "install_middleware"): Feature.LIMITS,
    ("lib.resilience", "Upstream"): Feature.CIRCUITS,
    ("lib.events", "Relay"): Feature.OUTBOX,
    ("lib.events", "consuming"): Feature.EVENTS,
    ("lib.cache", "Cache"): Feature.CACHE,
}


def features(name: str, root: Path = ROOT) -> frozenset[Feature]:
    """Return the features of the service.

    `tests/e2e/test_monitoring.py` compares the features with the metrics of the service.
    """
    found = {
        MARKS[imported]
        for path in (root / "services" / name).rglob("*.py")
        for imported in _imported(path)
        if imported in MARKS
    }
    if f"{name.upper()}_GRPC_PORT" in default_ports(root):
        found.add(Feature.GRPC)
    if has_edge(root / "services" / name, "routes"):
        found.add(Feature.HTTP)
    return frozenset(found)


def _imported(path: Path) -> list[tuple[str, str]]:
    return [
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
