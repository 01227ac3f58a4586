"""Every document follows the rule about `If-Match`: accepted wherever there is a version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codegen.tests.documents import read_yaml

DOCUMENTS = sorted((Path(__file__).parents[2] / "api" / "swagger").glob("*.yaml"))
# A link between two things is there or not; the `ETag` is that of what it leads to.
LINKS = ("/providers/me/services/{service_id}", "/providers/{provider_id}/services/{service_id}")
NEEDED = ("/products/{id}",)  # of the product service; goods orders are the order service's


def conditions(operation: dict[str, Any]) -> dict[str, bool]:
    """Return the conditional headers of an operation, and whether it needs them."""
    return {
        found["name"]: found["required"]
        for found in operation.get("parameters", ())
        if found["in"] == "header" and found["name"] in ("If-Match", "If-None-Match")
    }


def changes() -> list[Any]:
    """Return each change of an object with an `ETag`, with its operation."""
    found = []
    for document in DOCUMENTS:
        for path, operations in read_yaml(document)["paths"].items():
            versioned = "If-None-Match" in conditions(operations.get("get", {}))
            for method, operation in operations.items():
                if versioned and path not in LINKS and method in ("patch", "put", "delete"):
                    name = f"{document.stem.partition('.')[0]} {method} {path}"
                    found.append(pytest.param(path, operation, id=name))
    return found


def test_there_is_something_to_hold_to_the_rule() -> None:
    assert len(changes()) > 10


@pytest.mark.parametrize(("path", "operation"), changes())
def test_a_change_of_what_has_a_version_hears_if_match(
    path: str, operation: dict[str, Any]
) -> None:
    assert "If-Match" in conditions(operation)
    assert "412" in operation["responses"]


@pytest.mark.parametrize(("path", "operation"), changes())
def test_the_header_is_required_exactly_where_its_absence_is_refused(
    path: str, operation: dict[str, Any]
) -> None:
    assert conditions(operation)["If-Match"] is ("428" in operation["responses"])
    if path in NEEDED:
        assert "428" in operation["responses"]
