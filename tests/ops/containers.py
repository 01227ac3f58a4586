"""docker-compose.yml in a Docker engine, without its ELK: `make test-containers`.

These tests are separate (hence the file's name): they need an engine with Compose, and images,
which `deploy/docker/offline/build.sh` builds without a registry. Parts without an image (Grafana,
cAdvisor, Jaeger, the collector) are left out.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from testcontainers.compose import DockerCompose

from codegen.tests.documents import read_yaml
from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually
from lib.errors import Code

# Twenty containers begin at once, which a small or busy machine feels.
pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "deploy" / "docker" / "offline" / "offline.env"
DATABASES = sorted(path.name for path in (ROOT / "migrations").iterdir())
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/[a-z]*/__main__.py"))
PARTS = read_yaml(ROOT / "docker-compose.yml")["services"]
PROFILES = {"core", "monitoring", "docs"}
# What Debian has no program for.
ABSENT = {"grafana", "cadvisor", "jaeger", "otel-collector"}
FOREIGN_EXPORTERS = {"postgres-exporter", "redis-exporter", "mysqld-exporter"}
ADMIN, PASSWORD = "admin@example.com", "quite-long-0-and-random"


def started() -> set[str]:
    """Return the long-running parts of the profiles that have an image."""
    wanted = {
        name
        for name, part in PARTS.items()
        if part.get("restart") != "no" and PROFILES & set(part["profiles"])
    }
    assert wanted >= ABSENT
    return wanted - ABSENT


def published_ports() -> set[str]:
    """Return the settings for the published ports."""
    ports = "".join(port for name in started() for port in PARTS[name].get("ports", ()))
    return set(re.findall(r"\$\{(\w+_PORT):-", ports))


@pytest.fixture(scope="module")
def stack() -> Iterator[DockerCompose]:
    """Every part of the profile is healthy, with the demo data in its databases."""
    if not IMAGES.exists():
        pytest.fail("there are no images: run deploy/docker/offline/build.sh")
    make = [ROOT / "deploy/docker/secrets.sh", *DATABASES]
    subprocess.run(make, check=True, capture_output=True, env={**os.environ, **images()})
    compose = DockerCompose(
        ROOT, profiles=sorted(PROFILES), env_file=str(IMAGES), services=sorted(started())
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", "marketplace-test")  # beside one that is in use
        patch.setenv("GATEWAY_LOG_MIB", "1")
        for name in published_ports():
            patch.setenv(name, str(free_port()))
        with compose:
            compose.services = None  # at the end all of it goes, the migration jobs, too
            for name in DATABASES:
                demo = ["lib.db.migrations", "up", "--db", name, "--demo"]
                command = [*compose.compose_command_property, "run", "--rm", "--no-deps"]
                subprocess.run([*command, f"migrate-{name}", *demo], cwd=ROOT, check=True)
            yield compose


def images() -> dict[str, str]:
    """Return the images that the build without a registry wrote for Compose."""
    return dict(line.split("=", 1) for line in IMAGES.read_text().split())


@pytest.fixture(scope="module")
def gateway(stack: DockerCompose) -> str:
    return f"http://127.0.0.1:{stack.get_service_port('gateway', 8080)}"


@pytest.fixture(scope="module")
def admin(stack: DockerCompose, gateway: str) -> dict[str, str]:
    """The header of an administrator, who is added with the operator's command."""
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


@pytest.mark.parametrize("name", sorted(started()))
def test_a_part_is_nobody_without_privileges_and_has_limits(stack, name):
    container = inspected(stack, name)
    host = container["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0
    assert host["LogConfig"]["Config"].keys() >= {"max-size", "max-file"}
    # As the kernel sees it: every process, not only the first.
    top = run(["docker", "top", container["Id"], "-eo", "pid,uid,comm"])
    for pid, uid, _ in (line.split(None, 2) for line in top.splitlines()[1:]):
        assert uid != "0", top
        status = Path(f"/proc/{pid}/status")
        if status.exists():  # a look at its health may be over
            capable = re.search(r"CapEff:\s*(\w+)", status.read_text())
            assert capable is not None
            assert int(capable[1], 16) == 0


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_cannot_change_its_code(stack, name):
    probe = ["python", "-c", "open('/app/x', 'w')"]
    with pytest.raises(subprocess.CalledProcessError):
        stack.exec_in_container(probe, name)


def test_no_image_has_a_secret_in_its_history_or_environment(stack):
    files = [*(ROOT / "deploy/docker/secrets").glob("*_password")]
    secret = [file.read_text().strip() for file in files]
    assert len(secret) > 10
    for image in {inspected(stack, name)["Image"] for name in started()}:
        told = run(["docker", "history", "--no-trunc", image])
        told += run(["docker", "image", "inspect", image])
        assert [one for one in secret if one in told] == []


def test_swagger_ui_has_every_document_and_what_is_tried_on_it_arrives(stack):
    at = f"http://127.0.0.1:{stack.get_service_port('swagger-ui', 8080)}"
    page = requests.get(f"{at}/", timeout=10)
    assert "swagger-ui-bundle.js" in page.text
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert requests.get(f"{at}/{asset}", timeout=10).ok, asset
    listed = requests.get(f"{at}/specs/config.json", timeout=10).json()["urls"]
    assert {document["name"] for document in listed} == set(SERVICES) - {"point"}  # gRPC
    for document in listed:
        answer = requests.get(f"{at}/{document['url']}", timeout=10)
        spec = yaml.safe_load(answer.text)
        assert spec["paths"]
        path = next(path for path, how in spec["paths"].items() if "get" in how)
        tried = requests.get(f"{at}{spec['basePath']}{path}", timeout=10)
        assert "success" in tried.json(), tried.text


@pytest.mark.parametrize("name", DATABASES)
def test_migrating_again_changes_nothing(stack, name):
    job = ["run", "--rm", "--no-deps", f"migrate-{name}", "lib.db.migrations", "up", "--db", name]
    said = asked(stack, *job)
    assert (said.returncode, said.stderr.count("applied")) == (0, 0), said


WRONG_URL = "postgresql://catalog:secret-no-more@postgres:5432/catalog?sslmode=disable"


def test_a_migration_that_fails_says_why_and_what_runs_goes_on(stack):
    """`make docker-up` migrates in this way, before it replaces any container."""
    said = asked(
        stack, "run", "--rm", "-T", "-e", f"CATALOG_DATABASE_URL={WRONG_URL}", "migrate-catalog"
    )
    assert said.returncode == 1
    assert "password authentication failed" in said.stderr
    assert "Traceback" not in said.stderr
    assert "secret-no-more" not in said.stderr
    assert inspected(stack, "catalog")["State"]["Health"]["Status"] == "healthy"


def test_a_service_does_not_start_on_a_database_that_could_not_be_migrated(stack, tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(
        f"services: {{migrate-catalog: {{environment: {{CATALOG_DATABASE_URL: '{WRONG_URL}'}}}}}}"
    )
    try:
        files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(broken)]
        said = asked(stack, "up", "--detach", "catalog", files=files)
        assert said.returncode != 0
        assert 'service "migrate-catalog" didn\'t complete successfully' in said.stderr
        assert inspected(stack, "catalog")["State"]["Running"] is False
    finally:
        assert asked(stack, "up", "--detach", "--wait", "catalog").returncode == 0


def inspected(stack: DockerCompose, name: str) -> dict[str, Any]:
    """Return Docker's data about the container of a part."""
    container = stack.get_container(name, include_all=True).ID
    (found,) = json.loads(run(["docker", "inspect", str(container)]))
    return dict(found)


def run(command: list[str]) -> str:
    """Return the output of a command that must succeed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def asked(
    stack: DockerCompose, *command: str, files: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a Compose command on the stack; it may fail."""
    whole = [*stack.compose_command_property, *command]
    whole[2:2] = files
    return subprocess.run(whole, cwd=ROOT, check=False, capture_output=True, text=True)


async def test_a_mail_is_caught(stack, gateway):
    """The mail catcher shows emails in its log."""
    address = "somebody@example.com"
    body = {
        "email": address, "password": "quite-Long-0", "first_name": "Some", "last_name": "Body",
        "phone_number": "995555123456",
    }  # fmt: skip
    url = f"{gateway}/api/users/v1/auth/register/customer"
    assert requests.post(url, json=body, timeout=10).ok
    await eventually(lambda: f"To: {address}" in stack.get_logs("mail")[0])


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
    """Query the Prometheus in its container; return values by job."""
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


@pytest.mark.parametrize(
    "metric", ["pg_up", "mysql_up", "redis_up", "nginx_up", "nginx_exporter_up"]
)
async def test_an_exporter_reaches_what_it_watches(query, metric):
    await eventually(lambda: [*query(metric).values()] == [1], within=60)


async def test_the_end_of_a_databases_certificate_is_watched(query):
    """MariaDB's certificate is valid for a year; the PostgreSQL of the wheel has no TLS."""
    left = "(db_server_certificate_expiry_timestamp_seconds - time()) / 86400"
    await eventually(lambda: "product" in query(left), within=60)
    assert 300 < query(left)["product"] <= 365


def test_the_exporter_of_mariadb_sees_counters_and_no_data(stack):
    password = (ROOT / "deploy/docker/secrets/mariadb_monitoring_password").read_text().strip()
    ask = ["mariadb", "-h", "127.0.0.1", "-u", "monitoring", f"-p{password}", "--ssl", "-BN"]
    said, _, _ = stack.exec_in_container([*ask, "-e", "SHOW GRANTS"], "mariadb")
    (only,) = said.strip().splitlines()
    assert only.startswith("GRANT USAGE ON *.*")
    assert "REQUIRE SSL" in only


async def test_an_alert_arrives_at_the_alert_manager(stack):
    """The missing exporter causes an alert after two minutes."""

    def arrived() -> bool:
        ask = ["wget", "-q", "-O", "-", "http://127.0.0.1:9093/api/v2/alerts"]
        said, _, _ = stack.exec_in_container(ask, "alertmanager")
        told = {(a["labels"]["alertname"], a["labels"]["job"]) for a in json.loads(said)}
        return ("ExporterDown", "cadvisor") in told

    await eventually(arrived, within=240)


def test_no_service_is_uncertain_of_its_database(stack):
    """Services verify MariaDB, and PostgreSQL too, unless it was built without TLS."""
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
    await eventually(lambda: exported("nginx_exporter_rotations_total") >= 1)
    assert requests.get(f"{gateway}/nothing", timeout=10).status_code == 404
    await eventually(lambda: exported(**unknown) == before + 251)
    assert exported("nginx_exporter_lost_files_total") == 0
    assert exported("nginx_exporter_parse_errors_total") == 0
    assert exported("nginx_exporter_state_errors_total") == 0  # it can keep its place


# --- accidents, and the end -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["catalog", "postgres", "mariadb", "redis", "gateway"])
async def test_what_is_killed_is_started_again_by_the_engine(stack, gateway, name):
    """The test does not use `docker kill`, because the engine does not restart such a container."""
    os.kill(inspected(stack, name)["State"]["Pid"], signal.SIGKILL)

    def healthy() -> bool:
        state = inspected(stack, name)
        return state["RestartCount"] > 0 and state["State"]["Health"]["Status"] == "healthy"

    await eventually(healthy, within=180)
    paths = ("catalogs/v1/category-types", "products/v1/products")

    def answered() -> bool:
        return all(requests.get(f"{gateway}/api/{path}", timeout=20).ok for path in paths)

    await eventually(answered, within=60)


def test_the_end_is_in_order_and_a_new_beginning_finds_everything(stack):
    """This test runs last, because it stops what the other tests need."""
    began = time.monotonic()
    assert asked(stack, "stop").returncode == 0
    seconds = time.monotonic() - began
    ended = {name: inspected(stack, name)["State"]["ExitCode"] for name in started()}
    # Exporters of others end by the signal's default, as theirs do.
    assert {name for name, code in ended.items() if code != 0} <= FOREIGN_EXPORTERS, ended
    assert seconds < 60
    assert asked(stack, "down").returncode == 0
    assert asked(stack, "up", "--detach", "--wait", "gateway").returncode == 0
    at = f"http://127.0.0.1:{stack.get_service_port('gateway', 8080)}"
    for path, least in (("departments/v1/departments", 3), ("products/v1/products", 1)):
        answer = requests.get(f"{at}/api/{path}", timeout=20).json()
        assert answer["meta"]["total_count"] >= least
