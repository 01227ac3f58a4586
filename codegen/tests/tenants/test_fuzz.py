"""The fuzz's sample: a proved statement does not depend on the rows of other tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.infer.tenants import Tenants
from aiosqlc.relational import tenant
from aiosqlc.relational.joins import conditions_of

from tests.servers.postgres import TestPostgres
from tests.tenants.fuzz import Fuzz
from tests.tenants.writes import Statement


@pytest.fixture
def run(analyzer: Analyzer, postgres_server: TestPostgres, tmp_path: Path) -> Iterator[Fuzz]:
    url = postgres_server.create_empty("fuzzed")
    with Fuzz(1, 5, analyzer, url, tmp_path) as made:
        yield made
    postgres_server.drop(url)


def test_a_proved_statement_does_not_depend_on_other_tenants(run: Fuzz) -> None:
    run.portion(100)
    assert run.tally.proved > 10
    assert run.tally.weakened > 5
    assert run.tally.rows > 300
    assert run.tally.different == []


@pytest.mark.long
def test_many_proved_statements_do_not_depend_on_other_tenants(run: Fuzz) -> None:
    for _ in range(2):
        run.portion(200)
    assert run.tally.executions > 4_000
    assert run.tally.different == []


def _ignores_sides(root: Any) -> Iterator[tuple[None, Any]]:
    yield from ((None, condition) for _, condition in _CONDITIONS_OF(root))


_CONDITIONS_OF = conditions_of
_PROOF = tenant._Proof
# A weaker rule, and statements of which it proves one falsely.
_MUTANTS: dict[str, tuple[object, str, Callable[..., Any], list[str]]] = {
    "a table needs no condition": (
        _PROOF,
        "_unbound",
        lambda *_: iter(()),
        ["SELECT i.id FROM issue i", "SELECT c.n FROM comment c WHERE c.issue_id = @other"],
    ),
    "a window or a limit does not matter": (
        tenant,
        "_keeps_rows",
        lambda _: True,
        ["""SELECT s.n FROM (SELECT i.tenant_id, count(*) OVER () AS n FROM issue i) s
            WHERE s.tenant_id = @tenant_id"""],
    ),
    "the condition of an outer join restricts both sides": (
        tenant,
        "conditions_of",
        _ignores_sides,
        ["""SELECT i.id FROM issue i LEFT JOIN project p
            ON i.tenant_id = @tenant_id AND p.tenant_id = @tenant_id"""],
    ),
    "a write needs no condition": (
        _PROOF,
        "_written",
        lambda *_: iter(()),
        ["UPDATE issue i SET tenant_id = @other WHERE i.tenant_id = @tenant_id"],
    ),
    "a foreign key needs no comparison": (
        _PROOF,
        "_refers",
        lambda *_: True,
        ["""SELECT c.id FROM comment c JOIN issue i ON i.n = c.n
            WHERE i.tenant_id = @tenant_id"""],
    ),
    "a deferred foreign key holds": (
        Tenants,
        "references",
        Tenants.ties,
        ["""SELECT l.id FROM late a JOIN label l ON l.id = a.label_id
            WHERE a.tenant_id = @tenant_id"""],
    ),
    "a deferred key is unique": (
        Tenants,
        "unique",
        lambda *_: True,
        ["""SELECT s.n FROM plug p JOIN slot s ON s.id = p.slot_id
            WHERE p.tenant_id = @tenant_id"""],
    ),
    "a key of a parent covers its children": (
        Tenants,
        "_inherited",
        lambda *_: False,
        ["""SELECT r.n FROM remark r JOIN issue i ON i.id = r.issue_id
            WHERE i.tenant_id = @tenant_id"""],
    ),
    "a shared table has no child of the tenants": (
        Tenants,
        "shared",
        lambda *_: True,
        ["SELECT c.n FROM currency c"],
    ),
    "a generated foreign key keeps its value": (
        Tenants,
        "generated",
        lambda *_: False,
        ["""UPDATE built b SET issue = @other FROM issue i
            WHERE i.id = b.issue_id AND i.tenant_id = @tenant_id""",
         "UPDATE made m SET owner = @other WHERE m.tenant_id = @tenant_id"],
    ),
    "a trigger writes as the statement says": (
        Tenants,
        "replaced",
        lambda *_: False,
        ["INSERT INTO worked (id, tenant_id, n) VALUES (@new::int, @tenant_id, 1)"],
    ),
    "a trigger keeps the tenant": (
        Tenants,
        "changed",
        lambda *_: False,
        ["""WITH w AS (INSERT INTO moved (id, tenant_id, n) VALUES (@new::int, @tenant_id, 3)
            RETURNING tenant_id) SELECT i.id FROM issue i JOIN w ON i.tenant_id = w.tenant_id"""],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("owner", "name", "mutant", "texts"), _MUTANTS.values(), ids=_MUTANTS)
def test_the_data_sets_disprove_a_false_proof(
    owner: object,
    name: str,
    mutant: Callable[..., Any],
    texts: list[str],
    run: Fuzz,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [Statement(text, "SELECT" in text, not text.startswith("SELECT")) for text in texts]
    run.check(made)
    assert run.tally.proved == 0
    monkeypatch.setattr(owner, name, mutant)
    run.check(made)
    assert len(run.tally.different) > 0
