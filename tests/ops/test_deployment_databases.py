"""Who gets into which database as it is deployed, and what a migration is told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from devstack.embedded.ports import free_port
from devstack.embedded.postgres import Instance, Server
from devstack.settings import ROOT

NAMES = ("catalog", "user")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The folder of secrets that `secrets.sh` makes."""
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)
    subprocess.run(["bash", script, *NAMES], check=True, capture_output=True)
    return tmp_path / "secrets"


@pytest.fixture
def server(run_dir: Path, made: Path) -> Iterator[Instance]:
    """A server on which its first start has run what the image runs."""
    instance = Instance(run_dir / "postgres", free_port(), "superuser")
    with Server(instance), psycopg.connect(instance.url(), autocommit=True) as connection:
        for statement in (made / "postgres_sql").read_text().splitlines():
            connection.execute(statement)  # type: ignore[arg-type]  # a file of ours, not of a caller
        yield instance


def test_a_role_enters_its_own_database_and_no_other(server: Instance, made: Path) -> None:
    for name in NAMES:
        password = (made / f"{name}_password").read_text().strip()
        psycopg.connect(server.url(name, user=name, password=password)).close()
        (other,) = {*NAMES} - {name}
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.url(other, user=name, password=password))
    password = (made / "monitoring_password").read_text().strip()
    for name in NAMES:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.url(name, user="monitoring", password=password))
    psycopg.connect(server.url("postgres", user="monitoring", password=password)).close()


def test_a_migration_is_told_of_its_database_and_of_no_other_secret(made: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in NAMES:
        (file,) = compose[f"migrate-{name}"]["env_file"]
        told = (made / Path(file).name).read_text().splitlines()
        assert [line.partition("=")[0] for line in told] == [f"{name.upper()}_DATABASE_URL"]
        job = next(
            part
            for part in yaml.safe_load_all(
                (ROOT / f"deploy/kubernetes/base/{name}.yaml").read_text()
            )
            if part["kind"] == "Job"
        )
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert "envFrom" not in container
        assert [given["name"] for given in container["env"]] == [f"{name.upper()}_DATABASE_URL"]
