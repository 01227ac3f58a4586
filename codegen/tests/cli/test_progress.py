"""A long run shows its progress on a terminal and removes it; elsewhere it shows none."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.messages import progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_is_written_now_and_then_and_erased_at_the_end() -> None:
    seconds = iter([0.0, 0.4, 0.6, 0.65, 0.75])
    terminal = Terminal()
    line = progress.Line(terminal, lambda: next(seconds))
    for number in range(4):
        line.show(f"compiling {number}/4")
    line.erase()
    assert terminal.getvalue().split("\r\033[K") == ["", "compiling 1/4", "compiling 3/4", ""]


def test_a_part_of_the_work_shows_the_progress_of_all_work(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    line = progress.Line(Terminal())
    monkeypatch.setattr(line, "show", shown.append)
    monkeypatch.setattr(progress, "_line", line)
    assert list(progress.counted("compiling", "ab", 7, 9)) == ["a", "b"]
    assert shown == ["compiling 7/9", "compiling 8/9"]


@pytest.fixture
def project(project: Path) -> Path:
    with (project / "queries" / "queries.sql").open("a") as queries:  # known to no other test
        queries.write("\n-- name: ProgressIsShown :many\nSELECT id, bio FROM author;\n")
    return project


SHOWN = [
    (["generate"], Terminal, True),
    (["generate"], StringIO, False),
    (["explain", "GetAuthor", "--json"], Terminal, False),
    (["vet", "--format", "sarif"], Terminal, False),
]


@pytest.mark.parametrize(("words", "stream", "shown"), SHOWN)
def test_progress_is_for_people_at_a_terminal(
    words: list[str],
    stream: type[StringIO],
    shown: bool,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0)
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("NO_COLOR", "1")
    main([*words, "-f", str(project)])
    assert ("compiling 0/" in written.getvalue()) is shown
    if shown:
        # What was written is listed on the line that the progress has left empty.
        _, _, after = written.getvalue().rpartition("\r\033[K")
        assert not after or after.startswith("wrote ")
