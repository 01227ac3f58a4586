"""The fuzz's sample on MariaDB: a proved statement does not depend on the rows of other tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosqlc.mysql.tenancy import changes, inserts
from aiosqlc.mysql.tenancy.facts import number_of
from aiosqlc.relational import tenant
from aiosqlc.relational.joins import conditions_of

from tests.servers.mysql import TestMysql
from tests.tenants.mysql.fuzz import Fuzz
from tests.tenants.writes import Statement


@pytest.fixture
def run(mysql_server: TestMysql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    url = mysql_server.create_empty("tenants")
    with Fuzz(1, 5, url, tmp_path_factory.getbasetemp() / "tenants") as made:
        yield made
    mysql_server.drop(url)


def test_a_proved_statement_does_not_depend_on_other_tenants(run: Fuzz) -> None:
    run.portion(200)
    assert run.tally.proved > 10
    assert run.tally.weakened > 10
    assert run.tally.rows > 300
    assert run.tally.different == []


@pytest.mark.long
def test_many_proved_statements_do_not_depend_on_other_tenants(run: Fuzz) -> None:
    for _ in range(3):
        run.portion(200)
    assert run.tally.executions > 4_000
    assert run.tally.different == []


def _ignores_sides(root: Any) -> Iterator[tuple[None, Any]]:
    yield from ((None, condition) for _, condition in _CONDITIONS_OF(root))


def _forgets_order(self: Any, number: int, targets: Any) -> Any:
    relation = self.level.sources[number].relation
    return {number_of(relation, i.this.name): self.expr(i.expression) for i in targets[number]}


_CONDITIONS_OF = conditions_of
_PROOF = tenant._Proof
# A weaker rule, and statements of which it proves one falsely.
_MUTANTS: dict[str, tuple[object, str, Callable[..., Any], list[str]]] = {
    "a table needs no condition": (
        _PROOF,
        "_unbound",
        lambda *_: iter(()),
        ["SELECT i.id FROM issue i", "DELETE w0 FROM issue w0 WHERE w0.id = @other"],
    ),
    "a window or a limit does not matter": (
        tenant,
        "_keeps_rows",
        lambda _: True,
        ["""SELECT s.n FROM (SELECT i.tenant_id, COUNT(*) OVER () AS n FROM issue i) s
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
        ["UPDATE issue i SET i.tenant_id = @other WHERE i.tenant_id = @tenant_id"],
    ),
    "a conflict has the tenant of the new row": (
        inserts._Insert,
        "shared",
        lambda self: frozenset(range(1, len(self.relation.table.columns) + 1)),
        [f"REPLACE INTO issue (id, tenant_id, n) VALUES ({n}, @tenant_id, 9)" for n in range(8)],
    ),
    "a column that is assigned twice keeps its first value": (
        changes._Change,
        "assigned",
        _forgets_order,
        ["""UPDATE issue i SET i.n = 2, i.tenant_id = i.n
            WHERE i.tenant_id = @tenant_id AND i.n = @tenant_id"""],
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
    made = [Statement(text, "SELECT" in text, "SELECT" not in text) for text in texts]
    run.check(made)
    assert run.tally.refused == 0
    assert run.tally.proved == 0
    monkeypatch.setattr(owner, name, mutant)
    run.check(made)
    assert len(run.tally.different) > 0
