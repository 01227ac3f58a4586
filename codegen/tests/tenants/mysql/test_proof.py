"""MySQL: a query of one tenant is proved; any other is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import Tenant

from tests.projects import write_project
from tests.tenants.mysql.asking import named, split, typed
from tests.tenants.mysql.queries import NOT_PROVED, PROVED, SCHEMA

_PREDICATE = re.compile(
    r"(?:\w+\.)?tenant_id = (?:@tenant_id|\w+\.tenant_id)(?! (?:WHERE|,))|USING \(tenant_id\)"
)
CONFIG = """\
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: queries.sql
    server: mariadb
    gen: {python: {out: out, driver: aiomysql}}
    tenant: {column: tenant_id, shared: [country]}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenants")


def leaks(
    schema: str, text: str, cache: Path, tenant: Tenant | None = None, *, server: str = "mariadb"
) -> dict[str, tuple[str, ...]]:
    """Return what is not proved of the statements of a text."""
    given = {"tenant": tenant} if tenant else {}
    texts = split(text)
    found = typed(schema, named(texts), cache, server=server, **given)
    return {one: found[f"Q{n}"].leaks for n, one in enumerate(texts)}


def test_each_query_of_one_tenant_is_proved(cache: Path) -> None:
    assert {text: why for text, why in leaks(SCHEMA, PROVED, cache).items() if why} == {}


def test_each_leak_is_found(cache: Path) -> None:
    assert [text for text, why in leaks(SCHEMA, NOT_PROVED, cache).items() if not why] == []


def without_one(text: str) -> Iterator[str]:
    """Yield a statement without each of its comparisons of tenants."""
    for found in _PREDICATE.finditer(text):
        instead = "ON true" if found[0].startswith("USING") else "true"
        yield f"{text[: found.start()]}{instead}{text[found.end() :]}"


def test_every_predicate_is_needed(cache: Path) -> None:
    texts = [less for text in split(PROVED) if "SET tenant_id" not in text
             for less in without_one(text)]  # fmt: skip
    found = leaks(SCHEMA, "\n\n".join(texts), cache)
    assert len(found) > 45
    assert [text for text, why in found.items() if not why] == []


_TEXT_KEY = """\
CREATE TABLE tenant (id {kind} PRIMARY KEY);
CREATE TABLE issue (id int PRIMARY KEY, tenant_id {other} NOT NULL{refers});
"""
_REFERS = ", FOREIGN KEY (tenant_id) REFERENCES tenant (id)"
_ASKED = "SELECT id FROM issue WHERE tenant_id = @tenant_id"
_FOLDED = "varchar(36) COLLATE utf8mb4_general_ci"
_PADDED = "varchar(36) COLLATE utf8mb4_bin"
_EXACT = "varchar(36) COLLATE utf8mb4_nopad_bin"


@pytest.mark.parametrize(
    ("kind", "other", "refers", "proved"),
    [
        (_FOLDED, _FOLDED, _REFERS, True),
        (_FOLDED, _FOLDED, "", False),
        (_PADDED, _PADDED, "", False),
        (_PADDED, _PADDED, _REFERS, True),
        (_EXACT, _EXACT, "", True),
        (_EXACT, _FOLDED, "", False),
        ("char(36)", "char(36)", "", False),
        ("uuid", "uuid", "", True),
        ("binary(16)", "binary(16)", "", True),
        ("bigint unsigned", "bigint unsigned", "", True),
        ("decimal(9)", "decimal(9)", "", False),
        ("date", "date", "", False),
        ("double", "double", "", False),
        ("year", "year", "", False),
        ("int", "enum('a', 'b')", "", False),
    ],
)
def test_tenants_that_are_texts_need_a_key_or_an_exact_collation(
    kind: str, other: str, refers: str, proved: bool, cache: Path
) -> None:
    schema = _TEXT_KEY.format(kind=kind, other=other, refers=refers)
    (why,) = leaks(schema, _ASKED, cache).values()
    assert (why == ()) is proved


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("bit(8)", "bit"),
        ("decimal(9)", "decimal"),
        ("year", "year"),
        ("enum('1', '2')", "enum"),
        ("text", "text"),
        ("double", "double"),
    ],
)
@pytest.mark.parametrize("tenant", ["int", _EXACT])
def test_a_column_of_another_type_is_named_only_for_its_table(
    tenant: str, kind: str, name: str, cache: Path
) -> None:
    schema = f"""CREATE TABLE issue (id int PRIMARY KEY, tenant_id {tenant} NOT NULL);
        CREATE TABLE odd (id int PRIMARY KEY, tenant_id {kind} NOT NULL);"""
    read = "SELECT id FROM odd WHERE tenant_id = @tenant_id"
    written = "INSERT INTO odd (id, tenant_id) VALUES (1, @tenant_id)"
    beside = "INSERT INTO issue (id, tenant_id) VALUES (1, @tenant_id)"
    found = leaks(schema, f"{_ASKED};\n\n{beside};\n\n{read};\n\n{written}", cache)
    assert found[_ASKED] == found[beside] == ()
    for text in (read, written):
        (why,) = found[text]
        assert why.startswith(f"`odd`: the tenant column has the type `{name}`"), why


def test_texts_of_two_collations_are_not_one_tenant(cache: Path) -> None:
    schema = (
        _TEXT_KEY.format(kind=_EXACT, other=_EXACT, refers="")
        + f"CREATE TABLE note (id int PRIMARY KEY, tenant_id {_FOLDED});"
    )
    assert all(leaks(schema, _ASKED, cache).values())


def test_a_key_separates_tenants_only_if_its_collation_does(cache: Path) -> None:
    text = """INSERT INTO note (tenant_id, id, n) VALUES (@tenant_id, 1, 1)
        ON DUPLICATE KEY UPDATE n = 2"""
    note = "CREATE TABLE note (tenant_id {kind}, id int, n int, PRIMARY KEY (tenant_id, id){more});"
    exact = note.format(kind=_EXACT, more="")
    folded = note.format(kind=_FOLDED, more="")
    prefix = note.format(kind="int", more=", UNIQUE (tenant_id, n)").replace(
        "UNIQUE (tenant_id, n)", "name varchar(99), UNIQUE (name(3))"
    )
    assert not any(leaks(exact, text, cache).values())
    assert all(leaks(folded, text, cache).values())
    assert all(leaks(prefix, text, cache).values())


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (
            "CREATE TABLE old (id int PRIMARY KEY, tenant_id int) WITH SYSTEM VERSIONING;",
            "SELECT id FROM old FOR SYSTEM_TIME ALL WHERE tenant_id = @tenant_id",
        ),
        (
            "CREATE TABLE word (id int, tenant_id int, t text, FULLTEXT (t));",
            "SELECT id FROM word WHERE tenant_id = @tenant_id AND MATCH (t) AGAINST ('a')",
        ),
        (
            "CREATE TABLE a (id int, tenant_id int);",
            "SELECT id FROM a WHERE id = 1 /*! AND tenant_id = @tenant_id */",
        ),
        (
            """CREATE TABLE a (id int, tenant_id tinyint) ENGINE = MyISAM;
            CREATE TABLE b (id int, tenant_id int);""",
            "INSERT INTO a (id, tenant_id) VALUES (1, @tenant_id), (2, @tenant_id)",
        ),
        (
            """CREATE TABLE a (x int, y int, tenant_id int, UNIQUE (x, y), KEY (x));
            CREATE TABLE b (x int, FOREIGN KEY (x) REFERENCES a (x));""",
            "SELECT b.x FROM b JOIN a ON a.x = b.x WHERE a.tenant_id = @tenant_id",
        ),
        (
            "CREATE TABLE `dual` (id int PRIMARY KEY, tenant_id int);",
            "SELECT (SELECT count(*) FROM `dual`) FROM `dual` WHERE tenant_id = @tenant_id",
        ),
        (
            """CREATE TABLE a (id int PRIMARY KEY, tenant_id int);
            CREATE DATABASE beside;
            CREATE TABLE beside.a (id int PRIMARY KEY, tenant_id int);""",
            """SELECT id FROM beside.a WHERE tenant_id = @tenant_id
                AND EXISTS (SELECT 1 FROM a WHERE beside.a.tenant_id = @tenant_id)""",
        ),
    ],
    ids=[
        "old rows",
        "relevance",
        "an executable comment",
        "truncation",
        "a key that is not unique",
        "a table named dual",
        "a table of another database",
    ],
)
def test_a_leak_of_an_odd_schema_is_found(schema: str, text: str, cache: Path) -> None:
    assert all(leaks(schema, text, cache).values())


_CODES = """\
CREATE TABLE a (code {its} PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE b (id int PRIMARY KEY AUTO_INCREMENT, code {own} NOT NULL,
    FOREIGN KEY (code) REFERENCES a (code));
"""
_BIN = "COLLATE utf8mb4_nopad_bin"


@pytest.mark.parametrize(
    ("its", "own", "proved"),
    [
        (f"varchar(10) {_BIN}", f"varchar(10) {_BIN}", True),
        (f"varchar(10) {_BIN}", f"varchar(3) {_BIN}", False),  # cuts trailing spaces
        (f"varchar(10) {_BIN}", f"char(10) {_BIN}", False),
        ("varbinary(10)", "varbinary(10)", True),
        ("varbinary(10)", "binary(4)", False),  # adds bytes
        ("enum('a', 'b')", "enum('b', 'a')", False),  # compared by number, assigned by label
        ("datetime(6)", "datetime", False),
        ("int", "int", True),
    ],
)
def test_a_new_row_refers_to_the_tenant_if_its_key_is_stored_unchanged(
    its: str, own: str, proved: bool, cache: Path
) -> None:
    text = "INSERT INTO b (code) SELECT code FROM a WHERE tenant_id = @tenant_id"
    moved = """UPDATE b JOIN a x ON x.code = b.code JOIN a y ON y.tenant_id = x.tenant_id
        SET b.code = y.code WHERE x.tenant_id = @tenant_id"""
    found = leaks(_CODES.format(its=its, own=own), f"{text};\n\n{moved}", cache)
    assert (found[text] == ()) is proved
    assert proved or found[moved]


_NOTE = "CREATE TABLE note (id int, tenant_id {kind} NOT NULL, PRIMARY KEY (tenant_id, id));"


def test_a_column_that_counts_does_not_store_each_tenant(cache: Path) -> None:
    given = "INSERT INTO note (id, tenant_id) VALUES (1, @tenant_id)"
    read = "SELECT id FROM note WHERE tenant_id = @tenant_id"
    found = leaks(_NOTE.format(kind="int AUTO_INCREMENT"), f"{given};\n\n{read}", cache)
    assert [bool(why) for why in found.values()] == [True, False]


def test_ignore_may_change_a_tenant_that_is_a_text(cache: Path) -> None:
    plain = "INSERT INTO note (id, tenant_id) VALUES (1, @tenant_id)"
    ignored = plain.replace("INSERT", "INSERT IGNORE")
    for kind, proved in ((_EXACT, False), ("binary(16)", False), ("int", True)):
        found = leaks(_NOTE.format(kind=kind), f"{plain};\n\n{ignored}", cache)
        assert found[plain] == ()
        assert (found[ignored] == ()) is proved


_BESIDE = """\
CREATE TABLE country (code int PRIMARY KEY);
CREATE TABLE note (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE FUNCTION f_safe(n int) RETURNS int DETERMINISTIC RETURN n;
CREATE TRIGGER t BEFORE INSERT ON note FOR EACH ROW SET NEW.id = 1;
CREATE DATABASE beside;
CREATE TABLE beside.country (code int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE beside.note (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE FUNCTION beside.f_safe(n int) RETURNS int READS SQL DATA
    RETURN (SELECT max(code) FROM beside.country);
CREATE TRIGGER beside.t BEFORE INSERT ON beside.note FOR EACH ROW SET NEW.id = 1;
"""


@pytest.mark.parametrize(
    ("sql", "shared", "proved"),
    [
        ("SELECT code FROM country", "country", True),
        ("SELECT code FROM beside.country", "country", False),
        ("SELECT code FROM beside.country", "beside.country", True),
        ("SELECT code FROM country", "beside.country", False),
        ("SELECT f_safe(1)", "f_safe", True),
        ("SELECT beside.f_safe(1)", "f_safe", False),
        ("SELECT f_safe(1)", "beside.f_safe", False),
        ("INSERT INTO note (id, tenant_id) VALUES (1, @tenant_id)", "t", True),
        ("INSERT INTO beside.note (id, tenant_id) VALUES (1, @tenant_id)", "t", False),
        ("INSERT INTO beside.note (id, tenant_id) VALUES (1, @tenant_id)", "beside.t", True),
    ],
)
def test_a_shared_name_without_a_database_is_of_the_project(
    sql: str, shared: str, proved: bool, cache: Path
) -> None:
    tenant = Tenant("tenant_id", "tenant_id", (shared,))
    (why,) = leaks(_BESIDE, sql, cache, tenant).values()
    assert (why == ()) is proved


def test_a_shared_name_that_matches_nothing_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- tenant: all a test\n-- name: Q :many\nSELECT code FROM country;\n"
    for names, said in (
        ("country, beside.country, f_safe, t, beside.t", ""),
        ("county", "`county`"),
    ):
        config = CONFIG.replace("[country]", f"[{names}]")
        write_project(tmp_path, {"schema.sql": _BESIDE, "queries.sql": query, "sqlc.yaml": config})
        assert main(["generate", "-f", str(tmp_path)]) == (1 if said else 0)
        assert said in capsys.readouterr().err


def test_texts_of_two_lengths_are_not_one_tenant(cache: Path) -> None:
    schema = _TEXT_KEY.format(kind=_EXACT, other=_EXACT, refers="")
    short = f"CREATE TABLE note (id int PRIMARY KEY, tenant_id {_EXACT});".replace("36", "3")
    assert all(leaks(schema + short, _ASKED, cache).values())


_TREE = """\
CREATE TABLE issue (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE person (id int PRIMARY KEY);
CREATE TABLE tree (id int PRIMARY KEY, parent int, issue_id int, author int,
    FOREIGN KEY (parent) REFERENCES tree (id), FOREIGN KEY (issue_id) REFERENCES issue (id),
    FOREIGN KEY (author) REFERENCES person (id));
"""


@pytest.mark.parametrize(
    ("columns", "values", "proved"),
    [
        ("id, issue_id", "1, i.id", True),
        ("id, issue_id, author", "1, i.id, 5", True),
        ("id, issue_id, parent", "1, i.id, u.id", True),
        ("id, issue_id, parent", "1, i.id, 2", False),
        ("id, issue_id, parent", "1, 2, u.id", False),
    ],
)
def test_each_foreign_key_of_a_new_row_refers_to_the_tenant(
    columns: str, values: str, proved: bool, cache: Path
) -> None:
    text = f"""INSERT INTO tree ({columns}) SELECT {values} FROM issue i
        JOIN tree u ON u.issue_id = i.id WHERE i.tenant_id = @tenant_id"""
    (why,) = leaks(_TREE, text, cache).values()
    assert (why == ()) is proved


@pytest.mark.parametrize(
    ("key", "action", "proved"),
    [
        ("(parent) REFERENCES node (id)", "ON DELETE CASCADE", False),
        ("(parent) REFERENCES node (id)", "ON DELETE SET NULL", False),
        ("(parent) REFERENCES node (id)", "", True),
        ("(tenant_id, parent) REFERENCES node (tenant_id, id)", "ON DELETE CASCADE", True),
    ],
)
def test_a_delete_does_not_follow_a_key_to_other_tenants(
    key: str, action: str, proved: bool, cache: Path
) -> None:
    schema = f"""CREATE TABLE node (id int PRIMARY KEY, tenant_id int NOT NULL, parent int,
        UNIQUE (tenant_id, id), FOREIGN KEY {key} {action});"""
    (why,) = leaks(schema, "DELETE FROM node WHERE tenant_id = @tenant_id", cache).values()
    assert (why == ()) is proved


def test_no_proof_is_given_without_a_server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    from aiosqlc.mysql import analyzer
    from aiosqlc.servers.private import NoServerError

    def refuse(*_: object) -> None:
        raise NoServerError("none")

    monkeypatch.setattr(analyzer, "open_session", refuse)
    (why,) = leaks("CREATE TABLE issue (id int, tenant_id int);", _ASKED, cache).values()
    assert why == ("the compiler knows the tables only from the schema's text",)


def test_each_text_of_a_dynamic_query_is_proved(cache: Path) -> None:
    text = """SELECT id FROM issue WHERE id = @id
        AND tenant_id = @tenant_id -- :if tenant_id
        ORDER BY id"""
    (why,) = leaks(SCHEMA, text, cache).values()
    assert why


def test_the_command_refuses_a_leak_unless_every_tenant_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- name: AllIssues :many\nSELECT id FROM issue;\n"
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": query, "sqlc.yaml": CONFIG})
    assert main(["generate", "-f", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "error[E374]: `AllIssues` may touch another tenant's rows: `issue`:" in said
    assert "`-- tenant: all REASON`" in said
    (tmp_path / "queries.sql").write_text(f"-- tenant: all the nightly report\n{query}")
    assert main(["generate", "-f", str(tmp_path)]) == 0
    (tmp_path / "queries.sql").write_text(query)
    assert main(["generate", "-f", str(tmp_path)]) == 1  # the lock has not forgotten it


@pytest.mark.parametrize("command", [":exec :bulk", ":copyfrom"])
def test_each_row_of_a_list_is_proved_for_its_tenant(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = (
        f"-- name: Put {command}\nINSERT INTO spare (id, tenant_id)"
        " VALUES (sqlc.arg(id), sqlc.arg(tenant_id));"
    )
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": query, "sqlc.yaml": CONFIG})
    assert main(["generate", "-f", str(tmp_path)]) == 0
    (tmp_path / "queries.sql").write_text(query.replace("arg(tenant_id)", "arg(other)"))
    assert main(["generate", "-f", str(tmp_path)]) == 1
    assert "error[E374]" in capsys.readouterr().err
