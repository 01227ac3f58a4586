"""A value inside JSON that a query builds equals the value of its column, by every MySQL driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiosqlc.contract.conforms import unlike
from hypothesis import given

from tests.conftest import Full
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject, trying
from tests.drivers.test_mysql_types import COLUMNS, SCHEMA, values_of
from tests.sampling import sample

# MariaDB writes these as text that is not valid JSON, or as JSON of an unknown structure.
_UNTYPED = frozenset({"year", "bit(16)", "binary(4)", "varbinary(20)", "blob", "json"})
_TYPED = {name: column for name, column in COLUMNS.items() if name not in _UNTYPED}
_QUERIES = "\n".join(
    f"-- name: Put_{column} :exec\n"
    f"REPLACE INTO kinds (id, {column}) VALUES (1, sqlc.arg(value));\n"
    f"-- name: Get_{column} :one\n"
    f"SELECT {column} AS plain, JSON_OBJECT('value', {column}, 'again', IFNULL("
    f"(SELECT JSON_ARRAYAGG(JSON_ARRAY(k.{column}, k.id)) FROM kinds AS k), JSON_ARRAY())) AS doc\n"
    f"FROM kinds WHERE id = 1;\n"
    for column in _TYPED.values()
)
_SUBJECTS = [(driver, "dataclass") for driver in MYSQL]
_SUBJECTS += [("aiomysql", models) for models in ("msgspec", "pydantic", "attrs")]


@pytest.fixture(scope="module", params=sample(1, [(subject,) for subject in _SUBJECTS]))
def subject(
    request: pytest.FixtureRequest, mysql: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    driver, models = request.param
    options = f"models: {models}, typed_json: true"
    folder = tmp_path_factory.mktemp(f"json_{models}")
    compiled = mysql.compiled(folder, MYSQL, texts=(SCHEMA, _QUERIES), options=options)
    with compiled as package, mysql.subject(driver, package, SCHEMA) as found:
        yield found


@pytest.mark.parametrize("name", _TYPED)
def test_a_value_in_json_equals_the_value_of_its_column(
    subject: Subject, name: str, full: Full
) -> None:
    column = _TYPED[name]

    @trying(full(200, sample=4))
    @given(values_of(name, subject).filter(_is_complete))
    def equals(value: Any) -> None:
        subject.call(f"put_{column}", value=value)
        _compare(subject, column)

    equals()
    subject.call(f"put_{column}", value=None)
    _compare(subject, column)


def _is_complete(value: Any) -> bool:
    """Return whether MariaDB writes a text whole: it cuts off escaped control characters."""
    return not isinstance(value, str) or min(value, default=" ") >= " "


def _compare(subject: Subject, column: str) -> None:
    row = subject.call(f"get_{column}")
    plain = row.plain.replace(tzinfo=None) if hasattr(row.plain, "tzinfo") else row.plain
    assert row.doc.value == plain
    assert row.doc.again == [(plain, 1)]
    assert type(row.doc.value) is type(plain)
    assert unlike(row, type(row)) == ""
