"""For each service, a list that needs no parameters, from its document."""

from __future__ import annotations

from typing import Any

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT


def open_path(service: str) -> str:
    """Return a path that needs no parameters; for users, the list with points."""
    document = read_yaml(ROOT / f"api/swagger/{service}.swagger.yaml")
    plain = [
        path
        for path, methods in document["paths"].items()
        if "{" not in path and "get" in methods and not _asks(methods["get"])
    ]
    return str(document["basePath"] + ("/users" if "/users" in plain else plain[0]))


def _asks(operation: dict[str, Any]) -> bool:
    return any(parameter.get("required") for parameter in operation.get("parameters", ()))
