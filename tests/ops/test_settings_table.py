"""One table of settings: Compose, Kubernetes and ECS pass on the same settings, and each works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from codegen.tests.documents import read_yaml, read_yaml_all
from devstack.settings import ROOT, service_names
from lib.config import env_name
from tools.settings_page import LOCAL, spec_of
from tools.settings_table import CLOUD_SECRETS, IMAGE, KEPT, PLACES, table

COMPOSE: dict[str, Any] = read_yaml(ROOT / "docker-compose.yml")["services"]
TABLE = table()
SERVICES = service_names()


def compose(service: str) -> Mapping[str, str]:
    return COMPOSE[service]["environment"]


def kubernetes() -> Mapping[str, str]:
    parts = read_yaml_all(ROOT / "deploy/kubernetes/base/platform.yaml")
    return next(part["data"] for part in parts if part and part["kind"] == "ConfigMap")


def ecs(service: str) -> tuple[dict[str, str], set[str]]:
    (container, *_) = json.loads((ROOT / f"deploy/ecs/{service}.json").read_text())[
        "containerDefinitions"
    ]
    given = {entry["name"]: entry["value"] for entry in container["environment"]}
    return given, {entry["name"] for entry in container["secrets"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return secrets(tmp_path_factory.mktemp("site"))


def secrets(site: Path) -> Path:
    """Run the script in its own checkout; return the folder that it creates."""
    folder = site / "deploy" / "docker"
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "deploy/redis", site / "deploy/redis")
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", folder)
    subprocess.run(["bash", script, *SERVICES], check=True, capture_output=True)
    return folder / "secrets"


def variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_has_its_place_in_each_deployment(service, made):
    spec = spec_of(service)
    names = {env_name(spec, field) for field in spec.model_fields}
    in_compose = set(compose(service)) | set(variables(made / f"{service}.env")) | IMAGE
    assert names - in_compose == {"AUTH_CLIENT_ID", "AUTH_CLIENT_SECRET"} & (names - in_compose)
    plain = {s.name for s in TABLE if not s.secret and service in s.services}
    assert plain <= names - IMAGE - PLACES - KEPT
    assert plain - set(kubernetes()) == set()
    given, kept = ecs(service)
    assert plain - set(given) == set()
    # What a task keeps secret is not written into it as well.
    assert not set(given) & kept


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_of_compose_hides_one_of_the_made_secrets(service, made):
    assert set(compose(service)) & set(variables(made / f"{service}.env")) == set()


def test_secrets_are_written_into_no_description_of_a_cloud():
    hidden = {setting.name for setting in TABLE if setting.secret}
    assert hidden >= {"S3_SECRET_KEY", "CLOUDFRONT_PRIVATE_KEY", *CLOUD_SECRETS}
    assert hidden & set(kubernetes()) == set()
    for service in SERVICES:
        assert hidden & set(ecs(service)[0]) == set()


def test_every_variable_of_the_example_does_something_in_compose():
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    script = (ROOT / "deploy/docker/secrets.sh").read_text()
    assert 'given "${upper}_DATABASE_URL"' in script
    read |= {f"{name.upper()}_DATABASE_URL" for name in SERVICES}
    read |= set(re.findall(r"\bgiven ([A-Z_]+)", script))
    sections = re.split(r"\n\n# ", (ROOT / ".env.example").read_text())[1:]
    shared = [section for section in sections if LOCAL not in section.partition("\n")[0]]
    named = {name for section in shared for name in re.findall(r"^#(\w+)=", section, re.MULTILINE)}
    assert len(named) > 30
    assert named - read == set()


def test_databases_and_redis_of_one_s_own_replace_those_of_compose(tmp_path):
    own = "postgresql://order:p@db.example.com/order?sslmode=verify-full"
    (tmp_path / ".env").write_text(
        f"ORDER_DATABASE_URL={own}\nREDIS_URL=rediss://:p@redis.example.com:6379/0\n"
    )
    made = secrets(tmp_path)
    order, user = variables(made / "order.env"), variables(made / "user.env")
    assert order["ORDER_DATABASE_URL"] == own
    assert variables(made / "migrate-order.env")["ORDER_DATABASE_URL"] == own
    assert "@postgres:5432/user" in user["USER_DATABASE_URL"]
    assert order["REDIS_URL"] == user["REDIS_URL"] == "rediss://:p@redis.example.com:6379/0"
