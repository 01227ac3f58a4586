"""The type checkers of the tests report an error in each package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.realworld.typecheck import type_errors

_ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("package", ["p1", "typed_rows"])
def test_both_checkers_report_an_error_in_a_package(package: str, tmp_path: Path) -> None:
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").write_text('number: int = "text"\n')
    checkers = {line.partition(":")[0] for line in type_errors(tmp_path, _ROOT)}
    assert checkers == {"mypy", "pyright"}


def test_a_folder_without_python_files_has_no_errors(tmp_path: Path) -> None:
    assert type_errors(tmp_path, _ROOT) == []
