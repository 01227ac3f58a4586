"""The core profile of docker-compose.yml in a Docker engine: `make test-containers`.

Not among the other tests (hence the file's name): it needs an engine with Compose, and images,
which `deploy/docker/offline/build.sh` makes without a registry.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from testcontainers.compose import DockerCompose

from lib.embedded.ports import free_port
from lib.errors import Code
from lib.testing.wait import eventually

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "deploy" / "docker" / "offline" / "offline.env"
DATABASES = sorted(path.name for path in (ROOT / "migrations").iterdir())
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/[a-z]*/__main__.py"))
ADMIN, PASSWORD = "admin@example.com", "quite-long-0-and-random"

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def stack() -> Iterator[DockerCompose]:
    """Every part of the profile, healthy, with the demo data in its databases."""
    if not IMAGES.exists():
        pytest.fail("there are no images: run deploy/docker/offline/build.sh")
    subprocess.run([ROOT / "deploy/docker/secrets.sh", *DATABASES], check=True, capture_output=True)
    compose = DockerCompose(ROOT, profiles=["core"], env_file=str(IMAGES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", "marketplace-test")  # beside one that is in use
        for name in ("GATEWAY_PORT", "MAIL_PORT"):
            patch.setenv(name, str(free_port()))
        with compose:
            for name in DATABASES:
                demo = ["lib.db.migrations", "up", "--db", name, "--demo"]
                command = [*compose.compose_command_property, "run", "--rm", "--no-deps"]
                subprocess.run([*command, f"migrate-{name}", *demo], cwd=ROOT, check=True)
            yield compose


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
