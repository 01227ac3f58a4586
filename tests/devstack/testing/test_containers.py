"""The servers that tests share: embedded servers, or containers if requested."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from _pytest.outcomes import fail, skip

from devstack.testing import containers, mysql, postgres, redis

ROOT = Path(__file__).parents[3]
SHARED = {
    "postgres": lambda: postgres.shared(ROOT / "migrations"),
    "mysql": lambda: mysql.shared(ROOT / "migrations"),
    "redis": redis.shared,
}


@pytest.fixture
def no_engine(monkeypatch):
    """Containers are requested, but no engine runs."""
    monkeypatch.setenv("TEST_BACKEND", "containers")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.delenv("TEST_MYSQL_URL", raising=False)


@pytest.mark.parametrize(("ci", "outcome"), [("", skip), ("true", fail)])
@pytest.mark.parametrize("server", SHARED)
def test_containers_without_an_engine_are_skipped_with_the_remedy_and_fail_in_ci(
    no_engine, monkeypatch, server, ci, outcome
):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome.Exception, match="needs a Docker engine") as said, ExitStack() as s:
        s.enter_context(SHARED[server]())
    assert "start it, or unset it" in str(said.value)


def test_a_backend_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("TEST_BACKEND", "cloud")
    with pytest.raises(ValueError, match="must be embedded or containers, not 'cloud'"):
        containers.wanted()


@pytest.mark.parametrize("variable", ["POSTGRES_IMAGE", "MARIADB_IMAGE", "REDIS_IMAGE"])
def test_the_images_are_those_of_compose_or_of_its_variables(monkeypatch, variable):
    monkeypatch.delenv(variable, raising=False)
    assert containers.image(variable).startswith(variable.partition("_")[0].lower() + ":")
    monkeypatch.setenv(variable, "mine:1")
    assert containers.image(variable) == "mine:1"
