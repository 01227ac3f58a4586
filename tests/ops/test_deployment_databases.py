"""Access to each deployed database, and the privileges that a migration grants."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from codegen.tests.documents import read_yaml, read_yaml_all
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import Instance, Server
from devstack.settings import ROOT
from lib.db import migrations
from lib.db.grants import role_of

NAMES = ("catalog", "user")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The folder of secrets that `secrets.sh` creates."""
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)
    subprocess.run(["bash", script, *NAMES], check=True, capture_output=True)
    return tmp_path / "secrets"


@pytest.fixture
def server(run_dir: Path, made: Path) -> Iterator[Instance]:
    """A server that has run the image's scripts at its first start."""
    instance = Instance(run_dir / "postgres", free_port(), "superuser")
    with Server(instance), psycopg.connect(instance.url(), autocommit=True) as connection:
        for statement in (made / "postgres_sql").read_text().splitlines():
            connection.execute(statement)  # type: ignore[arg-type]  # a file of ours, not of a caller
        yield instance


def test_a_role_enters_its_own_database_and_no_other(server: Instance, made: Path) -> None:
    """The owner's role migrates; the service's role can connect after it has its privileges."""
    for name in NAMES:
        passwords = {r: (made / f"{r}_password").read_text().strip() for r in (name, role_of(name))}
        owner = server.url(name, user=name, password=passwords[name])
        migrations.apply(owner, migrations.source(ROOT / "migrations", name, owner), db=name)
        (other,) = {*NAMES} - {name}
        for role, password in passwords.items():
            psycopg.connect(server.url(name, user=role, password=password)).close()
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(server.url(other, user=role, password=password))


def test_a_service_is_told_of_its_role_and_not_of_the_owner(server: Instance, made: Path) -> None:
    """With these settings, the service reads, but cannot change the schema or the ledger."""
    owner = (made / "migrate-user.env").read_text().partition("=")[2].strip()
    assert urlsplit(owner).username == "user"
    given = dict(line.split("=", 1) for line in (made / "user.env").read_text().splitlines())
    parts = urlsplit(given["USER_DATABASE_URL"])
    assert (made / "user_password").read_text().strip() not in "".join(given.values())
    at = server.url("user", user="user", password=urlsplit(owner).password or "")
    migrations.apply(at, ROOT / "migrations" / "user", db="user")
    url = server.url("user", user=parts.username or "", password=parts.password or "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT count(*) FROM audit_entry")
        for attack in (
            "DELETE FROM audit_entry",
            "DROP TABLE audit_entry",
            "CREATE TEMP TABLE t ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack.encode())
    password = (made / "monitoring_password").read_text().strip()
    for name in NAMES:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.url(name, user="monitoring", password=password))
    psycopg.connect(server.url("postgres", user="monitoring", password=password)).close()


def test_a_migration_is_told_of_its_database_and_of_no_other_secret(made: Path) -> None:
    compose = read_yaml(ROOT / "docker-compose.yml")["services"]
    for name in NAMES:
        (file,) = compose[f"migrate-{name}"]["env_file"]
        told = (made / Path(file).name).read_text().splitlines()
        assert [line.partition("=")[0] for line in told] == [f"{name.upper()}_DATABASE_URL"]
        job = next(
            part
            for part in read_yaml_all(ROOT / f"deploy/kubernetes/base/{name}.yaml")
            if part["kind"] == "Job"
        )
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert "envFrom" not in container
        (given,) = container["env"]
        secret = {"name": f"migrate-{name}", "key": f"{name.upper()}_DATABASE_URL"}
        assert given == {"name": secret["key"], "valueFrom": {"secretKeyRef": secret}}
        task = json.loads((ROOT / f"deploy/ecs/migrate/{name}.json").read_text())
        (container,) = task["containerDefinitions"]
        assert "environment" not in container
        place = f"${{SECRETS_ARN}}:{name}_owner_database_url::"
        assert container["secrets"] == [{"name": secret["key"], "valueFrom": place}]
