"""After any edits, the server still runs and publishes what a new server would publish."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from pathlib import Path

import pytest
from aiosqlc.lsp import worker
from aiosqlc.lsp.server import create
from aiosqlc.lsp.worker import AnalysisWorker
from lsprotocol import types

from tests.conftest import Full
from tests.lsp.editor import Editor, editor
from tests.lsp.test_features import QUERIES, SCHEMA
from tests.projects import write_project

FILES = {**SCHEMA, "queries.sql": QUERIES}
PIECES = [
    *"'\"();,.@$:-\n \\",
    *("--", "/*", "*/", "$$", "-- name: New :many\n", "-- :if x"),
    *("SELECT ", "sqlc.embed(", "😀", "é", "\r\n"),
]
# KiB from the middle on: until then, the caches of texts fill. A leak of 0.4 KiB per edit is seen.
GROWTH = 2048
EACH = 25  # edits between two texts that are compared


def edited(text: str, chance: random.Random) -> str:
    """Insert a piece, remove a part, or copy a part to another place."""
    at = chance.randrange(len(text) + 1)
    to = min(len(text), at + chance.choice([1, 1, 2, 5, 40]))
    how = chance.random()
    if how < 0.5:
        return text[:at] + chance.choice(PIECES) + text[at:]
    if how < 0.9 or len(text) > 4000:
        return text[:at] + text[to:]
    return text[:to] + text[at:]


def resident(desk: Editor) -> int:
    """Return the server's memory in KiB."""
    status = Path(f"/proc/{desk.process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if "VmRSS" in line))


async def test_random_edits_neither_stop_the_server_nor_lead_it_astray(
    tmp_path: Path, full: Full
) -> None:
    rounds = full(10_000, sample=100)
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    path = write_project(tmp_path, FILES) / "queries.sql"
    memory: list[int] = []
    kept: list[tuple[str, list[str]]] = []
    async with editor(tmp_path) as desk:
        await desk.open(path)
        texts = [QUERIES]
        for number in range(rounds):
            undo = len(texts) > 1 and chance.random() < 0.3
            texts = texts[:-1] if undo else [*texts[-30:], edited(texts[-1], chance)]
            if number % 200 == 199:
                texts = [QUERIES]
            desk.type(path, texts[-1])
            said = await desk.settled(path)
            if number % EACH == EACH - 1 and len(kept) < 100:
                kept.append((texts[-1], sorted(repr(item) for item in said)))
            if number % 500 == 499:
                memory.append(resident(desk))
        desk.type(path, QUERIES)
        assert await desk.settled(path) == []
    print("memory in KiB every 500 edits:", memory)
    if memory:
        assert memory[-1] - memory[len(memory) // 2] < GROWTH
    async with editor(tmp_path) as fresh:  # what it says has no history
        await fresh.open(path)
        for text, said in kept[:: max(1, len(kept) // 20)]:
            fresh.type(path, text)
            again = sorted(repr(item) for item in await fresh.settled(path))
            assert again == said, text


def test_what_was_made_of_texts_that_are_gone_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_AGE", 5)
    monkeypatch.setattr(worker, "_ROUNDS", 10)
    path, bench, state = write_project(tmp_path, FILES) / "queries.sql", AnalysisWorker(), None
    objects: list[int] = []
    try:
        for number in range(60):
            text = QUERIES.replace("@book_id", f"@book_{number}") + f"-- {number}"
            texts = {str(path): text.encode()}
            state = bench.analyse(tmp_path / "sqlc.yaml", texts, state)
            assert not state.diagnostics
            bench.tidy_up()
            if number % 20 == 19:
                gc.unfreeze()
                objects.append(len(gc.get_objects()))
    finally:
        bench.close()
    assert objects[2] - objects[1] < 100, objects  # what an edit makes are hundreds


async def test_no_notification_is_kept_when_it_is_handled() -> None:
    server = create()
    for _ in range(5):
        params = types.DidChangeWatchedFilesParams([])
        server.protocol._handle_notification(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, params)
    async with asyncio.timeout(60):
        while server.protocol._request_futures:
            await asyncio.sleep(0)
    server.analysis.close()
