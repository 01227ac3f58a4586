"""What generated code does on our own pool of MySQL connections, beside what every driver does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from lib.db.errors import UniqueViolationError
from tests.codegen.drivers.running import OURS, Engine, Subject
from tests.codegen.mysql.conftest import is_mysql

SCHEMA = """
CREATE TABLE a (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(50) NOT NULL, bio text,
    grp int NOT NULL DEFAULT 0, st enum('x', 'y z') NOT NULL DEFAULT 'x',
    ok tinyint(1) NOT NULL DEFAULT 0, d decimal(10, 2)
);
CREATE TABLE b (id int PRIMARY KEY, aid bigint unsigned NOT NULL, title varchar(99) NOT NULL);
CREATE TABLE kinds (
    i tinyint NOT NULL, u bigint unsigned NOT NULL, f float NOT NULL, g double NOT NULL,
    d decimal(9, 3) NOT NULL, b1 bit(9) NOT NULL, y year NOT NULL, t time(3) NOT NULL,
    da date NOT NULL, dt datetime(6) NOT NULL, ts timestamp(6) NOT NULL,
    c char(3) NOT NULL, bi varbinary(9) NOT NULL, bl blob NOT NULL,
    tx longtext NOT NULL, st set('p', 'q') NOT NULL, js json NOT NULL, uu uuid NOT NULL,
    ip inet6 NOT NULL, ok bool NOT NULL
);
"""
QUERIES = """
-- name: Add :execlastid
INSERT INTO a (name, bio, st, d) VALUES (?, ?, ?, ?);

-- name: Next :execlastid
UPDATE a SET grp = LAST_INSERT_ID(grp + 1) WHERE id = ?;

-- name: Find :many
SELECT id, ok FROM a
WHERE (name = sqlc.arg(word) OR bio = sqlc.arg(word)) AND id NOT IN (sqlc.slice(but)) ORDER BY id;

-- name: Copy :copyfrom
INSERT INTO b (id, aid, title) VALUES (?, ?, ?);

-- name: Of :batchmany
SELECT id, title FROM b WHERE aid = ? ORDER BY id;

-- name: Drop :one
DELETE FROM b WHERE id = ? RETURNING title;

-- name: AddKinds :exec
INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: AllKinds :one
SELECT * FROM kinds LIMIT 1;
"""


def of_server(text: str) -> str:
    """Return the text as the server under test takes it: uuid, inet6, RETURNING are MariaDB's."""
    if not is_mysql():
        return text
    text = text.replace("uu uuid", "uu char(36)").replace("ip inet6", "ip varchar(39)")
    deleted = "DELETE FROM b WHERE id = ? RETURNING title"
    return text.replace(deleted, "SELECT title FROM b WHERE id = ?")


@pytest.fixture(scope="module")
def package(mysql: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    texts = (of_server(SCHEMA), of_server(QUERIES))
    folder = tmp_path_factory.mktemp("ours")
    with mysql.compiled(folder, "aiomysql", texts=texts, options="models: msgspec") as package:
        yield package


@pytest.fixture
def subject(mysql: Engine, package: str) -> Iterator[Subject]:
    with mysql.subject(OURS, package, of_server(SCHEMA)) as found:
        yield found


def added(subject: Subject, name: str = "ann", bio: str | None = None) -> int:
    state = subject.module("models").ASt.X
    made: int = subject.call("add", name=name, bio=bio, st=state, d=Decimal("1.50"))
    return made


def copied(subject: Subject, *ids: int) -> Any:
    params = subject.module().CopyParams
    return subject.call("copy", [params(id=n, aid=1, title="t") for n in ids])


def test_an_update_may_make_the_id_itself(subject: Subject) -> None:
    row = added(subject)
    assert [subject.call("next", id=row), subject.call("next", id=row)] == [1, 2]


def test_a_repeated_parameter_is_passed_where_it_stands(subject: Subject) -> None:
    first = added(subject, name="x")
    second = added(subject, name="y", bio="x")
    assert [row.id for row in subject.call("find", word="x", but=[])] == [first, second]
    assert [row.id for row in subject.call("find", word="x", but=[first])] == [second]


def test_copying_is_all_or_nothing(subject: Subject) -> None:
    with pytest.raises(UniqueViolationError):
        copied(subject, *range(6), 0)
    assert subject.call("of", [1]) == [[]]


@pytest.mark.skipif(is_mysql(), reason="MySQL has no RETURNING; unset TEST_MYSQL_URL")
def test_returning_gives_the_row(subject: Subject) -> None:
    copied(subject, 1)
    assert subject.call("drop", id=1) == "t"
    assert subject.call("drop", id=1) is None


VALUES = {
    "i": -5, "u": 2**64 - 1, "f": 0.5, "g": 1e300, "d": Decimal("-1.125"), "b1": 257, "y": 2024,
    "t": timedelta(hours=-100, milliseconds=-5), "da": date(2024, 2, 29),
    "dt": datetime.fromisoformat("2024-02-29 01:02:03.000004"),
    "ts": datetime(2024, 1, 2, tzinfo=UTC), "c": "é", "bi": b"\x00'\xff", "bl": b"%s\\",
    "tx": "it's 100% \\ \"ok\"",
    "st": "p,q", "js": '{"a": [1, "é"]}',
    "uu": str(UUID(int=9)) if is_mysql() else UUID(int=2**127), "ip": "::1", "ok": True,
}  # fmt: skip


def test_every_type_comes_back_as_it_went_and_as_its_annotation_says(subject: Subject) -> None:
    subject.call("add_kinds", **VALUES)
    row = subject.call("all_kinds")
    got = {name: getattr(row, name) for name in VALUES}
    assert got == VALUES
    assert {name: type(value) for name, value in got.items()} == {
        name: type(value) for name, value in VALUES.items()
    }
    annotations = type(row).__annotations__
    assert {n: annotations[n].__name__ for n in VALUES} == {
        n: type(v).__name__ for n, v in VALUES.items()
    }
