"""docker-compose.yml in a Docker engine, the core and what watches it: `make test-containers`.

Not among the other tests (hence the file's name): it needs an engine with Compose, and images,
which `deploy/docker/offline/build.sh` makes without a registry. Parts that it has no image of
(Grafana, cAdvisor, Jaeger, the collector) are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from testcontainers.compose import DockerCompose

from lib.embedded.ports import free_port
from lib.errors import Code
from lib.testing.wait import eventually

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "deploy" / "docker" / "offline" / "offline.env"
DATABASES = sorted(path.name for path in (ROOT / "migrations").iterdir())
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/[a-z]*/__main__.py"))
PARTS = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
# What Debian has no program for.
ABSENT = {"grafana", "cadvisor", "jaeger", "otel-collector"}
ADMIN, PASSWORD = "admin@example.com", "quite-long-0-and-random"


@pytest.fixture(scope="module")
def stack() -> Iterator[DockerCompose]:
    """Every part of the profile, healthy, with the demo data in its databases."""
    if not IMAGES.exists():
        pytest.fail("there are no images: run deploy/docker/offline/build.sh")
    make = [ROOT / "deploy/docker/secrets.sh", *DATABASES]
    subprocess.run(make, check=True, capture_output=True, env={**os.environ, **images()})
    compose = DockerCompose(
        ROOT, profiles=["core", "monitoring"], env_file=str(IMAGES), services=sorted(started())
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", "marketplace-test")  # beside one that is in use
        patch.setenv("GATEWAY_LOG_MIB", "1")
        for name in ("GATEWAY_PORT", "MAIL_PORT", "PROMETHEUS_PORT"):
            patch.setenv(name, str(free_port()))
        with compose:
            compose.services = None  # at the end all of it goes, the migration jobs, too
            for name in DATABASES:
                demo = ["lib.db.migrations", "up", "--db", name, "--demo"]
                command = [*compose.compose_command_property, "run", "--rm", "--no-deps"]
                subprocess.run([*command, f"migrate-{name}", *demo], cwd=ROOT, check=True)
            yield compose


def images() -> dict[str, str]:
    """What the build without a registry wrote for Compose."""
    return dict(line.split("=", 1) for line in IMAGES.read_text().split())


def started() -> set[str]:
    """The lasting parts of both profiles that there is an image of."""
    wanted = {
        name
        for name, part in PARTS.items()
        if part.get("restart") != "no" and {"core", "monitoring"} & set(part["profiles"])
    }
    assert wanted >= ABSENT
    return wanted - ABSENT


@pytest.fixture(scope="module")
def gateway(stack: DockerCompose) -> str:
    return f"http://127.0.0.1:{stack.get_service_port('gateway', 8080)}"


@pytest.fixture(scope="module")
def admin(stack: DockerCompose, gateway: str) -> dict[str, str]:
    """The header of an administrator, added as an operator would."""
    add = [*stack.compose_command_property, "exec", "-T", "user", "python", "-m"]
    add += ["services.user.admin", ADMIN]
    subprocess.run(add, cwd=ROOT, check=True, input=PASSWORD.encode())
    answer = requests.post(
        f"{gateway}/api/users/v1/auth/login",
        json={"email": ADMIN, "password": PASSWORD},
        timeout=10,
    )
    return {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}


def test_the_reference_values_come_through_the_gateway(gateway, admin):
    answer = requests.get(f"{gateway}/api/users/v1/users", headers=admin, timeout=10).json()
    assert answer["meta"]["total_count"] == 9
    assert answer["data"]["statistics"]["avg_age"] == "31.22"
    assert {user["points"] is None for user in answer["data"]["users"]} == {False}  # by gRPC
    departments = requests.get(f"{gateway}/api/departments/v1/departments", timeout=10).json()
    assert departments["meta"]["total_count"] == 3


def test_products_are_on_mariadb(gateway, stack):
    answer = requests.get(f"{gateway}/api/products/v1/products", timeout=10)
    assert answer.json()["meta"]["total_count"] > 0
    said, _, _ = stack.exec_in_container(["sh", "-c", "echo $PRODUCT_DATABASE_URL"], "product")
    assert said.startswith("mysql://product:")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_nobody_and_cannot_write_to_its_root(stack, name):
    said, _, _ = stack.exec_in_container(["id", "-u"], name)
    assert said.strip() == "10001"
    probe = ["python", "-c", "open('/app/x', 'w')"]
    with pytest.raises(subprocess.CalledProcessError):
        stack.exec_in_container(probe, name)


async def test_a_mail_is_caught(stack, gateway):
    """Our catcher shows mails in its log."""
    address = "somebody@example.com"
    body = {
        "email": address, "password": "quite-Long-0", "first_name": "Some", "last_name": "Body",
        "phone_number": "995555123456",
    }  # fmt: skip
    url = f"{gateway}/api/users/v1/auth/register/customer"
    assert requests.post(url, json=body, timeout=10).ok
    await eventually(lambda: f"To: {address}" in stack.get_logs("mail")[0], within=30)


def test_a_service_that_is_away_is_answered_for_and_comes_back(stack, gateway):
    command = [*stack.compose_command_property]
    subprocess.run([*command, "kill", "catalog"], cwd=ROOT, check=True)
    url = f"{gateway}/api/catalogs/v1/category-types"
    answer = requests.get(url, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) in {
        (502, Code.SERVICE_UNAVAILABLE), (504, Code.DEADLINE_EXCEEDED),
    }  # fmt: skip
    subprocess.run([*command, "up", "--wait", "catalog"], cwd=ROOT, check=True)
    assert requests.get(url, timeout=10).status_code == 200


# --- what watches it ------------------------------------------------------------------------------

SHOW = (
    "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9150/metrics').read().decode())"
)


@pytest.fixture(scope="module")
def query(stack: DockerCompose) -> Callable[[str], dict[str, float]]:
    """Ask the Prometheus in its container: values by job."""
    url = f"http://127.0.0.1:{stack.get_service_port('prometheus', 9090)}/api/v1/query"

    def ask(expr: str) -> dict[str, float]:
        found = requests.get(url, params={"query": expr}, timeout=10).json()["data"]["result"]
        return {one["metric"].get("job", ""): float(one["value"][1]) for one in found}

    return ask


async def test_prometheus_reaches_every_part_that_is_there(query):
    groups = json.loads((ROOT / "deploy/docker/prometheus/targets/compose.json").read_text())
    jobs = {group["labels"]["job"] for group in groups}
    await eventually(lambda: query("up == 1").keys() == jobs - ABSENT, within=60)
    assert query("up == 0").keys() == jobs & ABSENT


@pytest.mark.parametrize("metric", ["pg_up", "redis_up", "nginx_up", "nginx_exporter_up"])
async def test_an_exporter_reaches_what_it_watches(query, metric):
    await eventually(lambda: [*query(metric).values()] == [1], within=60)


async def test_an_alert_arrives_at_the_alert_manager(stack):
    """The exporter that is not there is one: after two minutes."""

    def arrived() -> bool:
        ask = ["wget", "-q", "-O", "-", "http://127.0.0.1:9093/api/v2/alerts"]
        said, _, _ = stack.exec_in_container(ask, "alertmanager")
        told = {(a["labels"]["alertname"], a["labels"]["job"]) for a in json.loads(said)}
        return ("ExporterDown", "cadvisor") in told

    await eventually(arrived, within=240)


def test_no_service_is_uncertain_of_its_database(stack):
    """They verify MariaDB; PostgreSQL, too, unless it was built without TLS, and is said to be."""
    for name in SERVICES:
        assert "database_not_verified" not in "".join(stack.get_logs(name))
    ask = """SELECT usename, bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE client_addr IS NOT NULL AND client_addr <> '127.0.0.1' GROUP BY usename"""
    said, _, _ = stack.exec_in_container(
        ["psql", "-h", "/tmp", "-U", "postgres", "-At", "-c", ask], "postgres"
    )
    users = dict(line.split("|") for line in said.split())
    assert users.keys() >= set(SERVICES) - {"product"}
    assert set(users.values()) == {"f" if images().get("POSTGRES_SSL") == "off" else "t"}
    url, _, _ = stack.exec_in_container(["sh", "-c", "echo $PRODUCT_DATABASE_URL"], "product")
    assert "ssl-mode=VERIFY_IDENTITY" in url


async def test_the_gateways_log_is_rotated_and_counted_to_the_line(stack, gateway):
    def exported(name: str, **labels: str) -> float:
        text, _, _ = stack.exec_in_container(["python", "-c", SHOW], "nginx-exporter")
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    unknown: dict[str, Any] = {
        "name": "nginx_http_requests_total", "status": "404", "route": "other",
    }  # fmt: skip
    before = exported(**unknown)
    for _ in range(250):  # more than a megabyte of lines
        requests.get(f"{gateway}/nothing", headers={"User-Agent": "x" * 6000}, timeout=10)
    await eventually(lambda: exported("nginx_exporter_rotations_total") >= 1, within=30)
    assert requests.get(f"{gateway}/nothing", timeout=10).status_code == 404
    await eventually(lambda: exported(**unknown) == before + 251, within=30)
    assert exported("nginx_exporter_lost_files_total") == 0
    assert exported("nginx_exporter_parse_errors_total") == 0
    assert exported("nginx_exporter_state_errors_total") == 0  # it can keep its place
