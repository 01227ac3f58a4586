"""Rendering needs one run: no file depends on the former text of another rendered file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import rendered


def test_rendering_reads_no_file_that_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = set(rendered.files())
    read, original = set[Path](), Path.read_text

    def noting(path: Path, *args: str, **more: str) -> str:
        read.add(path.resolve())
        return original(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", noting)
    rendered.files()
    assert read & written == set()
    assert read
