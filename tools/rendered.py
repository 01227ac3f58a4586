"""`python -m tools.rendered write|check`: files that depend on the list of services.

These are Grafana's dashboards, the deployment files and the pages in docs/. They are committed so
that people can read them.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Collection
from pathlib import Path

import jinja2

from devstack import gateway
from devstack.settings import CALLERS, PORTS, ROOT, Service, Settings
from observability.grafana import dashboards
from observability.grafana.panels import Dashboard, as_json
from tools import (
    access_page,
    events_page,
    nats_users,
    readme,
    redis_users,
    settings_page,
    settings_table,
)
from tools.features import features

DASHBOARDS = ROOT / "observability" / "grafana" / "dashboards"

DEPLOY = ROOT / "deploy"
COMPOSE_FILE = ROOT / "docker-compose.yml"
INTERNAL_PORT = 9000  # health and metrics inside a container
VOLUMES = (
    "postgres", "redis", "mariadb", "gateway", "exporter", "prometheus", "alertmanager", "grafana",
    "elasticsearch", "certificates", "filebeat", "files", "loki", "tempo",
)  # fmt: skip
SECRETS = (
    "postgres_password", "mariadb_root_password", "redis_password", "product_password",
    "grafana_password",
    "alert_on_call_url", "alert_team_url", "database_ca", "postgres_certificate", "postgres_key",
    "mariadb_certificate", "mariadb_key", "postgres_sql", "mariadb_sql", "mysqld_exporter",
    "redis_acl",
)  # fmt: skip
# In containers: the services whose database is MariaDB.
ON_MYSQL = ("product",)
# Templates and what they become under `deploy/`: once, and once for each service.
ONCE = {
    "kubernetes/platform.yaml.j2": "kubernetes/base/platform.yaml",
    "kubernetes/kustomization.yaml.j2": "kubernetes/base/kustomization.yaml",
    "ecs/gateway.json.j2": "ecs/gateway.json",
}
# Nothing else is kept in these places.
OWNED = (
    "observability/grafana/dashboards/*.json",
    "deploy/kubernetes/base/*.yaml",
    "deploy/ecs/*.json",
    "deploy/ecs/migrate/*.json",
)
PER_SERVICE = {
    "kubernetes/service.yaml.j2": "kubernetes/base/{name}.yaml",
    "ecs/task.json.j2": "ecs/{name}.json",
    "ecs/migrate.json.j2": "ecs/migrate/{name}.json",
}


def main(argv: list[str]) -> int:
    """Write or compare the files; exit code: 0 done, 1 a file is outdated, 2 wrong usage."""
    if argv not in (["write"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = {**files(), readme.README: page_of_services()}
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    left = left_over(wanted)
    if argv == ["check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make render", file=sys.stderr)
        for path in left:
            print(f"{path.relative_to(ROOT)} is left over: run make render", file=sys.stderr)
        return 1 if stale or left else 0
    for path in left:
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def page_of_services() -> str:
    """Return README.md with its generated parts updated; the rest is unchanged."""
    settings = Settings.read({})
    called = {service.name: calls(service, settings) for service in settings.services}
    return readme.with_services(readme.README.read_text(), settings, called)


def left_over(wanted: Collection[Path]) -> list[Path]:
    """Return the generated files whose service or template does not exist any more."""
    return sorted(path for pattern in OWNED for path in ROOT.glob(pattern) if path not in wanted)


def files() -> dict[Path, str]:
    """Return a mapping from path to text of all generated files, made only from the sources."""
    deployed = deployment()
    return {
        **{
            DASHBOARDS / f"{page.uid}.json": json.dumps(as_json(page), indent=2) + "\n"
            for page in all_dashboards()
        },
        **deployed,
        **settings_page.files(deployed[COMPOSE_FILE]),
        **access_page.files(),
        **events_page.files(),
        **redis_users.files(),
        **nats_users.files(),
    }


def deployment() -> dict[Path, str]:
    """Return the deployment files: Compose, Kubernetes and ECS."""
    settings = Settings.read({})
    found = {
        DEPLOY / "ecs/settings.txt": settings_table.ecs_names(),
        COMPOSE_FILE: _filled_in("docker/docker-compose.yml.j2", settings),
        DEPLOY / "docker/gateway/nginx.conf": _container_gateway(settings),
        DEPLOY / "docker/prometheus/targets/compose.json": _container_targets(settings),
    }
    for service in settings.services:
        for template, path in PER_SERVICE.items():
            called = {peer.name: calls(peer, settings) for peer in settings.services}
            text = _filled_in(
                template,
                settings,
                service=service,
                calls=called[service.name],
                callers=_callers(service, called),
            )
            found[DEPLOY / path.format(name=service.name)] = text
    for template, path in ONCE.items():
        found[DEPLOY / path] = _filled_in(template, settings)
    return found


def _filled_in(template: str, settings: Settings, **more: object) -> str:
    environment = jinja2.Environment(  # noqa: S701 - configuration files, not HTML
        loader=jinja2.FileSystemLoader(DEPLOY),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(
        services=settings.services,
        databases=[service.name for service in settings.services if service.database],
        user_port=PORTS["USER_PORT"],
        internal_port=INTERNAL_PORT,
        mysql=ON_MYSQL,
        calling=CALLERS,
        volumes=VOLUMES,
        shared=settings_table.shared(),
        own=settings_table.own,
        plain=settings_table.plain(),
        secrets=SECRETS,
        **more,
    )


def calls(service: Service, settings: Settings) -> list[tuple[str, int]]:
    """Return the services that a service calls, and their ports, from the service's settings."""
    module = importlib.import_module(f"services.{service.name}.config")
    fields = getattr(module, f"{service.name.title()}Config").model_fields
    found = {("user", PORTS["USER_PORT"])}  # the keys of tokens, and a token of its own
    for peer in settings.services:
        if f"{peer.name}_url" in fields:
            found.add((peer.name, peer.port))
        if f"{peer.name}_grpc_address" in fields and peer.grpc_port:
            found.add((peer.name, peer.grpc_port))
    return sorted(call for call in found if call[0] != service.name)


def _callers(service: Service, calls: dict[str, list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """Return the callers of a service, the gateway first, with the port that each caller uses."""
    found = [("gateway", service.port)] if service.public else []
    for caller, called in sorted(calls.items()):
        found += [(caller, port) for name, port in called if name == service.name]
    return found


def _container_gateway(settings: Settings) -> str:
    place = gateway.Place(
        listen="8080",
        addresses={
            service.name: [f"{service.name}:{service.port}"] for service in settings.services
        },
        docs="/srv/docs",
        pages="/srv/pages",
        specs="/srv/specs",
        assets="/srv/assets",
        status_listen="8081",
        resolves=True,
    )
    return gateway.render(settings, Path("/var/lib/gateway"), place=place)


def _container_targets(settings: Settings) -> str:
    found = [(s.name, "service", f"{s.name}:{INTERNAL_PORT}") for s in settings.services]
    found += [
        ("nginx-exporter", "exporter", "nginx-exporter:9150"),
        ("postgres-exporter", "exporter", "postgres-exporter:9187"),
        ("redis-exporter", "exporter", "redis-exporter:9121"),
        ("mysqld-exporter", "exporter", "mysqld-exporter:9104"),
        ("cadvisor", "exporter", "cadvisor:8080"),
        ("prometheus", "infra", "prometheus:9090"),
        ("alertmanager", "infra", "alertmanager:9093"),
    ]
    groups = [
        {"targets": [address], "labels": {"job": name, "kind": kind}}
        for name, kind, address in found
    ]
    return json.dumps(groups, indent=2) + "\n"


def all_dashboards() -> list[Dashboard]:
    """Return every dashboard.

    The dashboard of a service shows the features which the service has.
    """
    return [
        dashboards.overview(),
        *(_service_dashboard(service) for service in Settings.read({}).services),
        dashboards.sql(),
        dashboards.replicas(),
        dashboards.gateway(),
        dashboards.basic(),
        dashboards.containers(),
    ]


def _service_dashboard(service: Service) -> Dashboard:
    return dashboards.service(service.name, f"/api/{service.plural}/v1", features(service.name))


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
