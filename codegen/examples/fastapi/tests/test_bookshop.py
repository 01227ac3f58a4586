"""The bookshop, as its clients see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bookshop.app import app
from fastapi.testclient import TestClient

DUNE = {"title": "Dune", "author": "Herbert", "price": "9.50", "note": "used"}


@pytest.fixture
def client(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with TestClient(app) as client:
        yield client


def test_a_book_is_added_found_and_changed(client: TestClient) -> None:
    added = client.post("/books", json=DUNE)
    assert (added.status_code, added.json()) == (201, {"id": 1, **DUNE, "changes": 0})
    assert client.get("/books/1").json() == added.json()
    patched = client.patch("/books/1", json={"price": "7.00"})
    assert patched.json() == {"id": 1, **DUNE, "price": "7.00", "changes": 1}
    assert client.patch("/books/1", json={"note": None}).json()["note"] is None
    assert client.patch("/books/1", json={}).json()["price"] == "7.00"


def test_books_are_filtered_and_sorted(client: TestClient) -> None:
    for title, price in (("A", "3.00"), ("B", "1.00"), ("C", "9.00")):
        client.post("/books", json={**DUNE, "title": title, "price": price})
    found = client.get("/books", params={"at_most": 5, "sort": "price desc"}).json()
    assert [book["title"] for book in found] == ["A", "B"]
    assert client.get("/books", params={"author": "Nobody"}).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/books/404", None, 404),
        ("PATCH", "/books/404", {"title": "x"}, 404),
        ("POST", "/books", {**DUNE, "price": "-1"}, 422),
        ("GET", "/books?sort=password", None, 422),
    ],
)
def test_an_invalid_request_is_rejected(
    client: TestClient, method: str, path: str, body: object, status: int
) -> None:
    assert client.request(method, path, json=body).status_code == status
