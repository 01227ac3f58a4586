"""Every function of every golden case is called on random rows, and returns its types."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.selfcheck.calling import Package
from aiosqlc.selfcheck.search import Checked, selfcheck
from msgspec.structs import replace

from tests.golden import CASES, analyzer_on, copy_case
from tests.projects import loaded
from tests.servers.postgres import TestPostgres

GENERATED = sorted(path.parent.parent.name for path in CASES.glob("*/expected/__init__.py"))
PACKAGE = "called_case"


def checked(name: str, folder: Path, server: TestPostgres) -> Checked:
    url = server.create_empty()
    try:
        project = loaded(copy_case(CASES / name, folder).parent)
        [analysed, *_] = analyze_project(project, analyzer_on(url))
        shutil.copytree(CASES / name / "expected", folder / PACKAGE)
        here = replace(analysed, entry=replace(analysed.entry, database_uri=url))
        return selfcheck(here, executions=10, package=Package(PACKAGE, folder))
    finally:
        server.drop(url)


@pytest.mark.parametrize("name", GENERATED)
def test_the_functions_of_a_case_return_what_they_promise(
    name: str, tmp_path: Path, postgres_server: TestPostgres
) -> None:
    found = checked(name, tmp_path, postgres_server)
    assert [(item.message, item.notes) for item in found.refuted] == []
    assert [why for _, why in found.uncalled if "cannot be imported" in why] == []
