"""The list of things to do, as its clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from todo.app import create_app


@pytest.fixture
def client(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient[Litestar]]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with TestClient(create_app()) as client:
        yield client


def test_a_task_is_added_changed_and_counted(client: TestClient[Litestar]) -> None:
    first = client.post("/tasks", json={"title": "write", "due": "2030-01-02"})
    client.post("/tasks", json={"title": "read"})
    task: dict[str, Any] = {"id": 1, "title": "write", "due": "2030-01-02", "state": "open"}
    task["changes"] = 0
    assert (first.status_code, first.json()) == (201, task)
    assert client.patch("/tasks/1", json={"state": "done"}).json() == {
        **task,
        "state": "done",
        "changes": 1,
    }
    assert client.patch("/tasks/1", json={"due": None}).json()["due"] is None
    assert [found["title"] for found in client.get("/tasks?only=open").json()] == ["read"]
    assert client.get("/counts").json() == {"open": 1, "done": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/tasks/404", {"title": "x"}, 404),
        ("POST", "/tasks", {"title": ""}, 400),
        ("PATCH", "/tasks/1", {"state": "lost"}, 400),
        ("GET", "/tasks?only=lost", None, 400),
    ],
)
def test_an_invalid_request_is_rejected(
    client: TestClient[Litestar], method: str, path: str, body: object, status: int
) -> None:
    assert client.request(method, path, json=body).status_code == status
