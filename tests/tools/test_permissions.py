"""A new line in services/permissions.toml becomes a migration that PostgreSQL accepts."""

from __future__ import annotations

import shutil

import asyncpg

from lib.auth.permissions import FILE, read
from lib.db.migrations import apply, roll_back_one
from tools import permissions

MORE = """
["stock:write"]
description = "Count everybody's stock."
roles = ["ADMIN", "STAFF"]
"""
GRANTED = "SELECT role FROM role_permission WHERE permission = $1 ORDER BY role::text"


def test_the_migrations_add_every_declared_permission():
    assert permissions.main(["check"]) == 0


async def test_a_new_permission_is_missing_until_its_migration_is_written(
    tmp_path, monkeypatch, capsys, new_database
):
    folder = tmp_path / "user"
    shutil.copytree(permissions.FOLDER, folder)
    more = FILE.read_text().replace('roles = ["ADMIN"]', 'roles = ["ADMIN", "STAFF"]', 1) + MORE
    monkeypatch.setattr(permissions, "FOLDER", folder)
    monkeypatch.setattr(permissions, "ROOT", tmp_path)
    monkeypatch.setattr(permissions, "declared", lambda: read(more))
    assert permissions.main(["check"]) == 1
    missing = "no migration adds the permissions stock:write, users:write: run make permissions"
    assert missing in capsys.readouterr().err
    assert permissions.main(["write"]) == 0
    assert permissions.main(["check"]) == 0
    url = await new_database("user")
    (name,) = apply(url, folder, db="user")
    assert name == f"{name[:4]}_permissions_{int(name[:4])}"
    db = await asyncpg.connect(url)
    try:
        granted = [row["role"] for row in await db.fetch(GRANTED, "stock:write")]
        assert granted == ["ADMIN", "STAFF"]
        assert len(await db.fetch(GRANTED, "users:write")) == 2
        assert roll_back_one(url, folder, db="user") == name
        assert not await db.fetch(GRANTED, "stock:write")
        assert [row["role"] for row in await db.fetch(GRANTED, "users:write")] == ["ADMIN"]
    finally:
        await db.close()
