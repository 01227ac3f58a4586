"""Names of any kind in any place: the code compiles, the lock can be read, and functions work.

`ODD_NAMES_SEED=N` selects other names than the default seed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from aiosqlc.config.project import ModelKind
from aiosqlc.plan.scope import CLASSES, FUNCTIONS, Scope

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.odd_names import QUERIES, THINGS, Names, built, drawn, judged, texts_of
from tests.drivers.running import Engine
from tests.sampling import sample

SEED = os.environ.get("ODD_NAMES_SEED", "20261125")
SETS = 8  # of names in a project
PROJECTS = int(os.environ.get("ODD_NAMES_PROJECTS", "24"))  # of each engine, at full length
NOT_IN_FILES = "\n/\\."  # a table's name is that of a file there


@pytest.mark.parametrize("number", sample(4, range(PROJECTS)))
def test_names_drawn_at_random_work_on_postgres(
    number: int, postgres: Engine, tmp_path: Path
) -> None:
    run(number, postgres, POSTGRES, "", tmp_path)


@pytest.mark.parametrize("number", sample(3, range(PROJECTS)))
def test_names_drawn_at_random_work_on_mysql(number: int, mysql: Engine, tmp_path: Path) -> None:
    run(number, mysql, MYSQL, NOT_IN_FILES, tmp_path)


def run(number: int, engine: Engine, drivers: Sequence[str], banned: str, folder: Path) -> None:
    """Build a project with one of the drivers and kinds of classes in turn, and call it."""
    driver = drivers[number % len(drivers)]
    models = list(ModelKind)[number // len(drivers) % len(ModelKind)]
    chosen = drawn(Random(f"{SEED}.{number}"), banned, SETS)
    with built(engine, driver, models, texts_of(engine, chosen), folder / "project") as subject:
        judged(subject, chosen)


SEEN = [
    ("class", "select", "self", "db", "import", "list", "int", "str", "None", "id", "row"),
    ("a", "b", "c.d", "e.f", "g.h", "i", "j", "k", "l", "m", "n.o"),
    ("_", '"""', ":", "back`tick", "Mixed Case", 'quo"te', "a.b", "1", "111", "11", "\n/"),
    ("__", "___", "____", "%", "%%", "__debug__", "mro", "chunk", "cursor", "results", "item"),
    ("w", "x", "y", "a\nb", "violation", "KeyError", "sql", "arguments", "len", "map", "bool"),
]


@pytest.mark.parametrize("names", SEEN)
@pytest.mark.parametrize("models", list(ModelKind))
def test_names_that_once_broke_the_code_work_on_postgres(
    models: ModelKind, names: tuple[str, ...], postgres: Engine, tmp_path: Path
) -> None:
    things = (*names, *(f"t{number}" for number in range(THINGS - len(names))))
    queries = ("_", "__", "A", "int", *(f"Query{number}" for number in range(QUERIES - 4)))
    chosen = (Names(things, names[:3], queries),)
    texts = texts_of(postgres, chosen)
    with built(postgres, "asyncpg", models, texts, tmp_path / "project") as subject:
        judged(subject, chosen)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["list", "id", "id"], ("list_", "id", "id_2")),
        (["list", "list_"], ("list_", "list__2")),
        (["id", "id_2", "id"], ("id", "id_2", "id_3")),
        (["x", "x"], ("x", "x_3")),
    ],
)
def test_a_scope_gives_each_name_one_of_its_own(names: list[str], expected: object) -> None:
    assert Scope(frozenset({"list", "x_2"})).distinct(names) == expected


def test_a_scope_of_generated_code_contains_no_keyword() -> None:
    assert all(name.isidentifier() for name in CLASSES | FUNCTIONS)
