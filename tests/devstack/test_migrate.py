"""Migrations on a developer's machine, where no server may run yet."""

from __future__ import annotations

from devstack import migrate
from devstack.embedded.ports import free_port


async def test_without_a_url_the_command_starts_the_embedded_server(
    run_dir, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "migrations" / "shop"
    folder.mkdir(parents=True)
    (folder / "0001_book.sql").write_text("CREATE TABLE book (id int PRIMARY KEY);")
    (folder / "0001_book.rollback.sql").write_text("DROP TABLE book;")
    monkeypatch.chdir(tmp_path)
    environ = {"RUN_DIR": str(run_dir), "POSTGRES_PORT": str(free_port())}
    assert migrate.main(["up", "--db", "shop"], environ) == 0
    assert migrate.main(["down", "--db", "shop"], environ) == 0
    assert "rolled back 0001_book" in capsys.readouterr().out
    assert not (run_dir / "postgres" / "postmaster.pid").exists()
