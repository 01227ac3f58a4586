"""The editor's diagnostics equal the command's output, for sqlc's own test projects."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.lsp.editor import editor
from tests.lsp.test_diagnostics import as_underlined, printed
from tests.servers.programs import program

CORPUS = Path(__file__).parents[4] / "shared" / "conformance" / "corpus" / "cases"


@pytest.mark.long
@pytest.mark.parametrize("engine", ["pg", "my"])
async def test_each_project_of_the_corpus_is_said_of_as_by_the_command_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    if engine == "my":
        program("mariadbd", "mysqld")
    configs = sorted((CORPUS / engine).rglob("sqlc.yaml"))
    assert configs
    wrong = {}
    async with editor(tmp_path) as desk:
        for number, config in enumerate(configs):
            here = tmp_path / str(number)
            shutil.copytree(config.parent, here)
            monkeypatch.chdir(here)
            await asyncio.to_thread(main, ["generate", "--no-color"])
            wanted = printed(capsys.readouterr().err)
            shutil.rmtree(here / "out", ignore_errors=True)
            for lock in here.glob("*.lock.json"):
                lock.unlink()
            first = next(iter(sorted(here.rglob("*.sql"))), here / "sqlc.yaml")
            await desk.open(first)
            said = as_underlined(desk, here)
            desk.close(first)
            # The command line says a sentence once, with the other places below it.
            grouped = {finding[:4] for finding in wanted}
            more = [finding for finding in said - wanted if finding[:4] not in grouped]
            if more or not wanted <= said:
                name = config.parent.relative_to(CORPUS).as_posix()
                wrong[name] = (more, sorted(wanted - said))
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())
