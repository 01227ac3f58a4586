"""The run directory: permanent secrets, valid ports, and a temporary server."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from devstack.embedded import postgres
from devstack.embedded.home import Home, port_from
from devstack.embedded.ports import free_port, holder, is_free, trouble


def test_a_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path):
    home = Home(tmp_path)
    first = home.secret("redis")
    assert len(first) >= 32
    assert Home(tmp_path).secret("redis") == first != home.secret("postgres")
    file = tmp_path / "secrets" / "redis"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_no_secret_is_in_the_repr_of_an_instance(tmp_path: Path):
    home = Home(tmp_path)
    shown = f"{home!r} {home.postgres_instance()!r} {home.redis_instance()!r}"
    assert home.secret("postgres") not in shown
    assert home.secret("redis") not in shown


@pytest.mark.parametrize(
    ("text", "port"), [("", 15432), ("1", 1), ("65535", 65535), (" 80", None), ("-1", None)]
)
def test_a_port_is_a_number_that_tcp_has(text, port):
    if port is None:
        with pytest.raises(ValueError, match="P must be a port between 1 and 65535"):
            port_from({"P": text}, "P", 15432)
    else:
        assert port_from({"P": text}, "P", 15432) == port


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_somebody_listens_on_is_busy_and_its_holder_is_named(address):
    with socket.socket() as taken:
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert holder(port).endswith(f"(pid {os.getpid()})")
    assert is_free(port)


def test_a_server_for_the_time_being_is_gone_afterwards_and_one_that_runs_is_used(run_dir: Path):
    home = Home(run_dir, postgres_port=free_port())
    with home.postgres_running() as instance:
        assert postgres.accepts(instance)
        with Home(run_dir, postgres_port=free_port()).postgres_running() as other:
            assert other.port == instance.port, "found by its data directory"
        assert postgres.accepts(instance), "not ours to stop"
    assert not postgres.accepts(instance)


def test_a_database_belongs_to_its_role_and_no_other_role_may_enter(run_dir: Path):
    import psycopg

    home = Home(run_dir, postgres_port=free_port())
    with home.postgres_running() as instance:
        shop = postgres.ensure_database(instance, "shop", password="one")
        postgres.ensure_database(instance, "user", password="two")
        with psycopg.connect(shop) as connection:
            connection.execute("CREATE TABLE mine (a int)")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(instance.url("shop", user="user", password="two"))
        again = postgres.ensure_database(instance, "shop", password="changed")
        with psycopg.connect(again) as connection:
            assert connection.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_an_interrupted_first_run_is_started_over(run_dir: Path):
    home = Home(run_dir, postgres_port=free_port())
    (run_dir / "postgres.new").mkdir()
    (run_dir / "postgres.new" / "PG_VERSION").write_text("half")
    with home.postgres_running() as instance:
        assert postgres.accepts(instance)


def test_a_server_that_cannot_start_says_why(run_dir: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home = Home(run_dir, postgres_port=taken.getsockname()[1])
        with pytest.raises(RuntimeError, match=r"PostgreSQL did not start: .*could not"):
            postgres.Server(home.postgres_instance()).start()


def test_a_port_for_privileged_accounts_is_not_called_busy():
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first < 2:
        return  # a container, where every account may take every port
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        os._exit(trouble(first - 1) != "requires a privileged account")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
