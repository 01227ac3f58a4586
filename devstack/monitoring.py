"""Optional programs beside the platform: log rotation, exporters and Prometheus.

The platform runs without them: a program that cannot start is reported in one sentence and skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from devstack.embedded.ports import trouble
from devstack.program import Program
from devstack.programs import HOST, answers
from devstack.settings import ROOT, Settings

CONFIG = ROOT / "observability" / "prometheus"
SPECS = ROOT / "api" / "swagger"
RETENTION = ("--storage.tsdb.retention.time=2d", "--storage.tsdb.retention.size=512MB")
# One look at the gateway's log every few seconds: what it is given until then is little.
ROTATE_SECONDS = 10
# Paths that the gateway answers and no service's document holds.
OWN_ROUTES = ("/", "/docs/*", "/healthz")


def monitoring_programs(settings: Settings, say: Callable[[str], None]) -> list[Program]:
    """Prepare the installed monitoring programs, except those whose port is busy.

    Report each busy port with `say`.
    """
    found = [exporter_program(settings), blackbox_program(settings), prometheus_program(settings)]
    able = [
        program for program in found if program is not None and _is_free(program, settings, say)
    ]
    return [rotation_program(settings), *able]


def rotation_program(settings: Settings, seconds: float = ROTATE_SECONDS) -> Program:
    """Describe the program that rotates the gateway's access log."""
    look = 'while sh "$0" "$1"; do sleep "$2"; done; exit 2'
    folder = str(settings.home.path / "nginx")

    async def ready() -> bool:
        return True

    return Program(
        name="log-rotation",
        command=["sh", "-c", look, str(ROOT / "nginx" / "rotate.sh"), folder, str(seconds)],
        env={**os.environ, **settings.environ},
        ready=ready,
        optional=True,
    )


def exporter_program(settings: Settings) -> Program:
    """Describe the program that exports metrics from the gateway's access log to Prometheus.

    After a restart, the exporter continues at its last position in the log.
    """
    folder = settings.home.path / "exporter"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "observability.nginx_exporter",
        "--log", str(settings.home.path / "nginx" / "access.log"),
        "--state", str(folder / "state.json"),
        "--host", HOST,
        "--port", str(settings.monitoring["NGINX_EXPORTER_PORT"]),
        "--format", settings.log_format,
    ]  # fmt: skip
    if any(SPECS.glob("*.swagger.yaml")):
        command += ["--spec", str(SPECS / "*.swagger.yaml")]
    for route in OWN_ROUTES:
        command += ["--route", route]
    return Program(
        name="nginx-exporter",
        command=command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        ready=answers(settings.monitoring["NGINX_EXPORTER_PORT"], "/healthz"),
        optional=True,
    )


def blackbox_program(settings: Settings) -> Program | None:
    """Describe the Blackbox exporter, which checks the gateway's TLS certificate.

    Return None if the gateway does not use TLS or the exporter is not installed.
    """
    program = shutil.which("prometheus-blackbox-exporter", path=settings.environ.get("PATH"))
    if settings.tls is None or program is None:
        return None
    port = settings.monitoring["BLACKBOX_EXPORTER_PORT"]
    return Program(
        name="blackbox-exporter",
        command=[
            program,
            f"--config.file={CONFIG / 'blackbox.yml'}",
            f"--web.listen-address={HOST}:{port}",
            "--log.level=warn",
        ],
        ready=answers(port, "/-/healthy"),
        optional=True,
    )


def prometheus_program(settings: Settings) -> Program | None:
    """Configure and describe Prometheus. Return None if Prometheus is not installed."""
    program = shutil.which("prometheus", path=settings.environ.get("PATH"))
    if program is None:
        return None
    folder = settings.home.path / "prometheus"
    _write_config(folder, settings)
    port = settings.monitoring["PROMETHEUS_PORT"]
    return Program(
        name="prometheus",
        command=[
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            *RETENTION,
            f"--web.listen-address={HOST}:{port}",
            "--log.level=warn",
        ],
        ready=answers(port, "/-/ready"),
        optional=True,
    )


def targets(settings: Settings) -> list[dict[str, object]]:
    """Return Prometheus' target groups: every service, the exporter, and Prometheus itself."""
    named = [(service.name, "service", service.port) for service in settings.services]
    named += [
        ("nginx-exporter", "exporter", settings.monitoring["NGINX_EXPORTER_PORT"]),
        ("prometheus", "infra", settings.monitoring["PROMETHEUS_PORT"]),
    ]
    return [
        {"targets": [f"{HOST}:{port}"], "labels": {"job": name, "kind": kind}}
        for name, kind, port in named
    ]


def addresses(settings: Settings, running: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the URL of each running monitoring program, for the table of addresses."""
    if "prometheus" in running:
        yield "prometheus", f"http://{HOST}:{settings.monitoring['PROMETHEUS_PORT']}"
    if "nginx-exporter" in running:
        port = settings.monitoring["NGINX_EXPORTER_PORT"]
        yield "nginx-exporter", f"http://{HOST}:{port}/metrics"


def _write_config(folder: Path, settings: Settings) -> None:
    """Write the alert rules and the local targets to the folder that Prometheus reads."""
    for name in ("rules", "targets", "certificates", "alertmanagers"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for rules in CONFIG.glob("rules/*.yml"):
        shutil.copy(rules, folder / "rules")
    config = (CONFIG / "prometheus.yml").read_text()
    blackbox = f"{HOST}:{settings.monitoring['BLACKBOX_EXPORTER_PORT']}"
    (folder / "prometheus.yml").write_text(config.replace("blackbox-exporter:9115", blackbox))
    if settings.tls is not None:
        certificates = [{"targets": [f"{HOST}:{settings.tls.port}"]}]
        (folder / "certificates" / "stack.json").write_text(json.dumps(certificates))
    (folder / "targets" / "stack.json").write_text(json.dumps(targets(settings), indent=2))


def _is_free(program: Program, settings: Settings, say: Callable[[str], None]) -> bool:
    name = f"{program.name.upper().replace('-', '_')}_PORT"
    port = settings.monitoring[name]
    if why := trouble(port):
        say(f"port {port} {why}: continuing without {program.name}; set {name} to a free port")
    return why is None
