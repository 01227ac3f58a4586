"""A pytest plugin that fails a test if the program calls a query in a loop.

`addopts = "-p aiosqlc.loops.plugin"` turns it on. It is not an entry point, because pytest would
then load it for every project in the same environment. It must be loaded before a conftest imports
the program, which `pytest_plugins` does not guarantee.
"""

from __future__ import annotations

from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from aiosqlc.loops.calls import Loop, Scope, test_scope
from aiosqlc.loops.frames import TestFiles
from aiosqlc.loops.wrapping import trace_tasks, wrap_generated

_LIMIT = "aiosqlc_loops"
_ALLOWED = "aiosqlc_loops_allow"
_CALLERS = "aiosqlc_loops_callers"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of the plugin to pytest's configuration file."""
    parser.addini(_LIMIT, "maximum number of calls of one query from one line", default="3")
    parser.addini(_ALLOWED, "queries that may be called in a loop", type="linelist", default=[])
    parser.addini(
        _CALLERS, "modules that call the program once per job", type="linelist", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    """Wrap the functions of generated modules, and register the pytest mark."""
    config.addinivalue_line(
        "markers",
        f"{_LIMIT}(limit): maximum number of calls of one query from one line in this test",
    )
    if not str(config.getini(_LIMIT)).isdigit():
        raise pytest.UsageError(f"{_LIMIT} must be a number, not {config.getini(_LIMIT)!r}")
    wrap_generated()
    trace_tasks()
    config.stash[_FILES] = _Files(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Count the calls of a test, and fail the test if a loop made the calls."""
    scope = Scope(by_activation=True, tests=item.config.stash[_FILES])
    trace_tasks()  # uvloop may have been imported meanwhile
    test_scope(scope)
    try:
        result = yield
    finally:
        test_scope(None)
    limit, allowed = _limit(item), item.config.getini(_ALLOWED)
    found = [loop for loop in scope.loops(limit) if loop.query.name not in allowed]
    scope.frames.clear()
    if found:
        pytest.fail(_text(found, limit), pytrace=False)
    return result


def _limit(item: pytest.Item) -> int:
    mark = item.get_closest_marker(_LIMIT)
    if mark is None:
        return int(item.config.getini(_LIMIT))
    given = (*mark.args, *mark.kwargs.values())
    if len(given) != 1 or not isinstance(given[0], int):
        raise pytest.UsageError(f"{item.nodeid}: write the mark as `{_LIMIT}(20)`")
    return given[0]


def _text(found: list[Loop], limit: int) -> str:
    said = (
        f"{limit} calls are allowed: change `{_LIMIT}` in pytest's configuration, or mark the test"
    )
    return "\n".join([*map(str, found), said])


class _Files(TestFiles):
    """Test code: the files that pytest collects, conftest files, and the folders of `testpaths`."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config.getini(_CALLERS))
        self._patterns = [*config.getini("python_files"), "conftest.py"]
        self._folders = [config.rootpath / name for name in (*config.getini("testpaths"), "tests")]

    def __contains__(self, name: object) -> bool:
        """Return whether a file is test code."""
        path = Path(str(name))
        named = any(fnmatch(path.name, pattern) for pattern in self._patterns)
        return named or any(path.is_relative_to(folder) for folder in self._folders)


_FILES = pytest.StashKey[_Files]()
