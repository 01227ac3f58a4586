"""A service starts with every environment that a deployment file gives it."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from codegen.tests.documents import read_yaml, read_yaml_all
from devstack.settings import CALLERS, ROOT, service_names
from lib.auth import SigningKey
from lib.config import Settings, load
from lib.events.signing import EventSigner
from lib.http.client_credentials import ServiceLoginSettings
from services.user.clients import SCOPES
from tools.rendered import deployment

SECRET = "x7Kq" * 12
EVENTS = base64.b64encode(b"e" * 32).decode()
NATS = "tls://order:p@nats-0:4222,nats-1:4222?replicas=3"
KEYS = SigningKey.generate().pem().decode()
# The secrets and variables that docs/deployment.md and docs/ecs.md list.
SHARED = (
    "<SVC>_DATABASE_URL", "REDIS_URL", "EVENTS_URL", "AUTH_CSRF_SECRET", "EVENTS_SIGNING_KEY",
    "EVENTS_PUBLIC_KEYS",
)  # fmt: skip
CALLS = ("AUTH_CLIENT_SECRET",)
USER = (
    "USER_JWT_PRIVATE_KEYS", "USER_ENCRYPTION_KEYS", "USER_SERVICE_CLIENTS",
    "USER_OIDC_CLIENT_SECRETS", "SMTP_USER", "SMTP_PASSWORD", "CLOUDFRONT_PRIVATE_KEY",
)  # fmt: skip
ORIGIN = "https://app.example.com"
SITE = {
    "CORS_ORIGINS": ORIGIN,
    "PUBLIC_URL": "https://shop.example.com", "VPC_CIDR": "10.0.0.0/16", "AWS_REGION": "eu-west-1",
    "LOAD_BALANCER_CIDRS": "10.0.1.0/24",
    "SMTP_HOST": "smtp.example.com", "MAIL_FROM": "noreply@example.com", "S3_BUCKET": "pictures",
}  # fmt: skip


@pytest.fixture
def starts(monkeypatch, tmp_path):
    """Load a service's configuration in the image's environment and `given`."""
    monkeypatch.chdir(tmp_path)  # where no .env is
    for name in os.environ:
        if name != "PATH":
            monkeypatch.delenv(name)

    def start(service: str, given: dict[str, str]) -> Settings:
        for name, value in (image() | given).items():
            monkeypatch.setenv(name, value)
        module = importlib.import_module(f"services.{service}.config")
        config = load(getattr(module, f"{service.title()}Config"))
        assert config.environment == "production"
        return config

    return start


def image() -> dict[str, str]:
    """The environment that the Dockerfile sets for services."""
    stage = (ROOT / "Dockerfile").read_text().split(" AS service")[1].split("\nFROM ")[0]
    line = re.search(r"^ENV ((?:.*\\\n)*.*)", stage, re.MULTILINE)[1].replace("\\\n", " ")
    found = dict(part.split("=", 1) for part in shlex.split(line))
    return {name: found[name] for name in ("HOST", "INTERNAL_PORT", "ENVIRONMENT", "LOG_FORMAT")}


def secret(name: str) -> str:
    """Return a value that a secret with this name may have."""
    if name.endswith("DATABASE_URL"):
        return "postgresql://u:p@db/x"
    return {
        "REDIS_URL": "rediss://:p@redis:6379/0",
        "EVENTS_URL": NATS,
        "EVENTS_SIGNING_KEY": EVENTS,
        "EVENTS_PUBLIC_KEYS": f"order:{EventSigner.of(EVENTS).public}",
        "USER_JWT_PRIVATE_KEYS": KEYS,
        "USER_ENCRYPTION_KEYS": f"first:{base64.b64encode(b'k' * 32).decode()}",
        "USER_SERVICE_CLIENTS": f"order:{SECRET}",
        "CLOUDFRONT_PRIVATE_KEY": "",  # not used: no CLOUDFRONT_URL
        "USER_OIDC_CLIENT_SECRETS": "",  # nor USER_OIDC_PROVIDERS
    }.get(name, SECRET)


def secrets_of(service: str) -> dict[str, str]:
    own = {"user": USER} | dict.fromkeys(CALLERS, CALLS)
    names = (*SHARED, *own.get(service, ()))
    names = [name.replace("<SVC>", service.upper()) for name in names]
    return {name: secret(name) for name in names}


def addresses(config: Settings) -> set[str]:
    """Return all addresses that the service returns to callers."""
    names = {"auth_issuer", "files_url", "verification_link", "reset_link"}
    return {str(getattr(config, name)) for name in names if hasattr(config, name)}


def interpolated(text: str, environ: dict[str, str]) -> str:
    """Return Compose's value of `${NAME:-default}`, also inside a default."""
    inner = re.compile(r"\$\{(\w+):-([^${}]*)\}")
    while (found := inner.search(text)) is not None:
        text = text.replace(found[0], environ.get(found[1]) or found[2])
    return text


def env_file(path: Path) -> dict[str, str]:
    """Read a file as Compose does: \n in double quotes is a line end."""
    found = dict(line.split("=", 1) for line in path.read_text().splitlines())
    return {
        name: value[1:-1].replace("\\n", "\n") if value.startswith('"') else value
        for name, value in found.items()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The secrets that the script creates."""
    folder = tmp_path_factory.mktemp("docker")
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", folder)
    subprocess.run(["bash", script, *service_names()], check=True, capture_output=True)
    return folder / "secrets"


@pytest.mark.parametrize("service", service_names())
@pytest.mark.parametrize(
    ("environ", "at"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"GATEWAY_PORT": "9999"}, "http://127.0.0.1:9999"),
        ({"GATEWAY_PORT": "9999", "PUBLIC_URL": "https://shop.example.com"},
         "https://shop.example.com"),
    ],
    ids=["as it is", "another port", "behind a name"],
)  # fmt: skip
def test_a_service_starts_as_compose_starts_it(starts, made, service, environ, at):
    part = read_yaml(ROOT / "docker-compose.yml")["services"][service]
    environ = environ | {"CORS_ORIGINS": ORIGIN}
    given = {name: interpolated(value, environ) for name, value in part["environment"].items()}
    config = starts(service, env_file(made / f"{service}.env") | given)
    assert {address.startswith(at) for address in addresses(config)} == {True}
    assert config.cors_origins == (ORIGIN,)
    if service == "user":
        mounted = [mount.split(":")[1] for mount in part["volumes"]]
        assert str(config.files_folder) in mounted


@pytest.mark.parametrize("service", service_names())
def test_compose_gives_each_service_a_broker_in_its_own_name_or_none(service):
    part = read_yaml(ROOT / "docker-compose.yml")["services"][service]
    url = part["environment"]["EVENTS_URL"]
    assert interpolated(url, {f"{service.upper()}_EVENTS_URL": NATS}) == NATS
    assert interpolated(url, {}) == ""


def test_who_calls_in_its_own_name_has_a_secret_and_is_given_what_it_may_ask():
    """With a secret on one side only, a service could not call, or another could imitate it."""
    modules = {name: importlib.import_module(f"services.{name}.config") for name in service_names()}
    calls = {
        name
        for name, module in modules.items()
        if issubclass(getattr(module, f"{name.title()}Config"), ServiceLoginSettings)
    }
    assert calls == set(CALLERS) == set(SCOPES)


@pytest.mark.parametrize("service", service_names())
def test_a_service_starts_as_kubernetes_starts_it(starts, service):
    base = ROOT / "deploy/kubernetes/base"
    parts = [
        part
        for name in ("platform", service)
        for part in read_yaml_all(base / f"{name}.yaml")
        if part
    ]
    (shared,) = (part["data"] for part in parts if part["kind"] == "ConfigMap")
    pod = next(
        part["spec"]["template"]["spec"]
        for part in parts
        if part["kind"] == "Deployment" and part["metadata"]["name"] == service
    )
    own = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    config = starts(service, shared | secrets_of(service) | own)
    host = next(p for p in parts if p["kind"] == "Ingress")["spec"]["rules"][0]["host"]
    assert {a.startswith(f"https://{host}") for a in addresses(config)} == {True}
    assert config.url_for("events") == NATS
    if service == "user":
        assert config.s3_bucket


@pytest.mark.parametrize("service", service_names())
def test_a_service_starts_as_ecs_starts_it(starts, service):
    task = json.loads((ROOT / f"deploy/ecs/{service}.json").read_text())
    (container,) = task["containerDefinitions"]
    given = {}
    for entry in container["environment"]:
        given[entry["name"]] = re.sub(r"\$\{(\w+)\}", lambda m: SITE.get(m[1], ""), entry["value"])
    kept = {entry["name"]: secret(entry["name"]) for entry in container["secrets"]}
    assert set(kept) == set(secrets_of(service))
    config = starts(service, given | kept)
    assert config.cors_origins == (ORIGIN,)
    assert config.url_for("events") == NATS
    # A key that is not used is empty.
    nowhere = starts(service, given | kept | {"EVENTS_URL": ""})
    assert nowhere.url_for("events") == secret("REDIS_URL")
    assert {a.startswith(SITE["PUBLIC_URL"]) for a in addresses(config)} == {True}


def test_what_a_task_of_ecs_leaves_open_the_roll_out_fills_in_and_asks_for():
    script = (ROOT / "deploy/ecs/roll-out.sh").read_text()
    workflow = (ROOT / ".github/workflows/cd.yml").read_text()
    text = "".join(path.read_text() for path in (ROOT / "deploy/ecs").rglob("*.json"))
    # These may be set; they are empty otherwise. tests/ops/test_roll_out.py fills them in.
    optional = set((ROOT / "deploy/ecs/settings.txt").read_text().split())
    assert optional <= set(re.findall(r"\$\{(\w+)\}", text))
    for name in set(re.findall(r"\$\{(\w+)\}", text)) - optional:
        assert f"${name}" in script.split("envsubst '")[1].split("'")[0].split()
        assert f"${{{name}:?}}" in script
        assert re.search(rf"\b{name}[:=]", workflow)


def test_the_pages_on_deployment_name_every_secret():
    page = "".join((ROOT / f"docs/{name}.md").read_text() for name in ("deployment", "ecs"))
    assert [name for name in (*SHARED, *CALLS, *USER, *SITE) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("site", ["staging", "production"])
def test_a_site_replaces_only_what_is_there(site):
    """A patch of a missing path would stop the roll-out."""
    base = read_yaml_all(ROOT / "deploy/kubernetes/base/platform.yaml")
    known = {(part["kind"], part["metadata"]["name"]): part for part in base if part}
    overlay = ROOT / f"deploy/kubernetes/overlays/{site}/kustomization.yaml"
    for patch in read_yaml(overlay)["patches"]:
        # In brackets it would have to be JSON: kustomize takes this form for a list of steps.
        assert patch["patch"].startswith("- ")
        target = (patch["target"]["kind"], patch["target"].get("name"))
        if target not in known:
            continue
        for step in yaml.safe_load(patch["patch"]):
            place = known[target]
            for key in step["path"].strip("/").split("/"):
                place = place[int(key) if isinstance(place, list) else key]


def test_the_gateway_is_rolled_out_on_ecs():
    assert ROOT / "deploy/ecs/gateway.json" in deployment()
