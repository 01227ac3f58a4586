"""The fuzz's sample: random statements that are proved answer the same without other tenants."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.relational import tenant

from tests.servers.postgres import TestPostgres
from tests.tenants.fuzz import Tally, fuzz


def sample(server: TestPostgres, folder: Path) -> Tally:
    url = server.create_empty("hunted")
    try:
        return fuzz(400, 5, 1, url, folder)
    finally:
        server.drop(url)


def test_proved_statements_answer_the_same_without_other_tenants(
    postgres_server: TestPostgres, tmp_path: Path
) -> None:
    tally = sample(postgres_server, tmp_path)
    assert tally.proved > 50
    assert tally.rows > 100
    assert tally.different == []


def test_the_fuzzer_sees_a_false_proof(
    postgres_server: TestPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant._Proof, "_unbound", lambda *_: iter(()))
    assert sample(postgres_server, tmp_path).different
