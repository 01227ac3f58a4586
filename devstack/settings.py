"""Settings that the stack reads from the environment and from the folders of the repository."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from devstack.embedded.home import Home, port_from

ROOT = Path(__file__).resolve().parents[1]
GATEWAY_PORT = 8080
GATEWAY_TLS_PORT = 8443
LOG_FORMATS = ("json", "classic")
# The ports of the monitoring programs. If one is busy, only its program does not start.
MONITORING_PORTS: Mapping[str, int] = {
    "NGINX_EXPORTER_PORT": 9150,
    "PROMETHEUS_PORT": 9090,
    "BLACKBOX_EXPORTER_PORT": 9115,
}


# What a service's settings say where it listens: `port: Port = 8081`, and gRPC's the same way.
_LISTENS: Final = re.compile(r"^    (port|grpc_port): Port = (\d+)$", re.MULTILINE)


class Service(msgspec.Struct, frozen=True):
    """A service of the stack: the package to run, and its ports."""

    name: str
    port: int  # HTTP: the API, or only health and metrics
    grpc_port: int | None
    public: bool  # has HTTP routes that the gateway forwards
    database: bool
    websocket: bool = False  # and one of them, `/api/v1/ws`, becomes a WebSocket

    @property
    def plural(self) -> str:
        """Return the name of the service in the gateway's paths."""
        return plural_of(self.name)


def plural_of(name: str) -> str:
    """Return the plural of a service's name: category → categories, box → boxes, user → users."""
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "z", "ch", "sh")) else f"{name}s"


class Tls(msgspec.Struct, frozen=True):
    """The gateway's certificate chain and key (PEM files), and its TLS port."""

    certificate: Path
    key: Path
    port: int


# The services that call others in their own name, with a secret of their own.
CALLERS: Final = ("order",)


class Settings(msgspec.Struct, frozen=True):
    """Settings of one stack: its folder, its ports, and the services to start."""

    home: Home
    gateway_port: int
    services: tuple[Service, ...]
    environ: Mapping[str, str]
    monitoring: Mapping[str, int] = msgspec.field(default_factory=lambda: dict(MONITORING_PORTS))
    tls: Tls | None = None
    log_format: str = LOG_FORMATS[0]  # of the gateway's access log
    trusted_proxies: tuple[str, ...] = ()  # before the gateway: networks and addresses

    @property
    def gateway_url(self) -> str:
        """Return the URL of the gateway for callers on this machine."""
        if self.tls is not None:
            return f"https://127.0.0.1:{self.tls.port}"
        return f"http://127.0.0.1:{self.gateway_port}"

    @classmethod
    def read(cls, environ: Mapping[str, str], root: Path = ROOT) -> Settings:
        """Read the environment. Raises ValueError with one sentence if the settings are invalid."""
        known = default_ports(root)
        settings = cls(
            home=Home.from_environment(environ),
            gateway_port=port_from(environ, "GATEWAY_PORT", GATEWAY_PORT),
            services=tuple(_service(name, root, environ, known) for name in service_names(root)),
            environ=environ,
            monitoring={
                name: port_from(environ, name, port) for name, port in MONITORING_PORTS.items()
            },
            tls=_tls(environ),
            log_format=_log_format(environ),
            trusted_proxies=_networks(environ, "GATEWAY_TRUSTED_PROXIES"),
        )
        _refuse_shared_ports({**settings.ports(), **settings.monitoring})
        for name in ("GATEWAY_LOG_MIB", "GATEWAY_LOG_FILES"):
            _refuse_bound(environ, name)
        return settings

    def ports(self) -> dict[str, int]:
        """Return every port of the stack by the environment variable that sets the port."""
        taken = {
            "GATEWAY_PORT": self.gateway_port,
            "POSTGRES_PORT": self.home.postgres_port,
            "REDIS_PORT": self.home.redis_port,
        }
        if self.tls is not None:
            taken["GATEWAY_TLS_PORT"] = self.tls.port
        for service in self.services:
            taken[f"{service.name.upper()}_PORT"] = service.port
            if service.grpc_port:
                taken[f"{service.name.upper()}_GRPC_PORT"] = service.grpc_port
        return taken


def service_names(root: Path = ROOT) -> list[str]:
    """Return the names of the services: the packages with a `__main__`."""
    return sorted(path.parent.name for path in (root / "services").glob("[a-z]*/__main__.py"))


def default_ports(root: Path = ROOT) -> dict[str, int]:
    """Return the ports of the services by the environment variable that sets each port.

    The ports are read from the source of the settings, because an import takes longer than the
    start.
    """
    found = {
        f"{name}_{field}".upper(): int(port)
        for name in service_names(root)
        if (settings := root / "services" / name / "config.py").is_file()
        for field, port in _LISTENS.findall(settings.read_text(encoding="utf-8"))
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


PORTS: Final[Mapping[str, int]] = default_ports()


def _service(
    name: str, root: Path, environ: Mapping[str, str], ports: Mapping[str, int]
) -> Service:
    http, grpc = f"{name.upper()}_PORT", f"{name.upper()}_GRPC_PORT"
    if http not in ports and not environ.get(http):
        raise ValueError(f"the service {name} has no port: set {http}")
    return Service(
        name=name,
        port=port_from(environ, http, ports.get(http, 0)),
        grpc_port=port_from(environ, grpc, ports[grpc]) if grpc in ports else None,
        public=has_edge(root / "services" / name, "routes"),
        database=(root / "migrations" / name).is_dir(),
        websocket=has_edge(root / "services" / name, "ws"),
    )


def has_edge(package: Path, edge: str) -> bool:
    """Return whether a service has the module or package `edge`, which is `routes` or `ws`."""
    return (package / f"{edge}.py").exists() or (package / edge).is_dir()


def _tls(environ: Mapping[str, str]) -> Tls | None:
    names = ("GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY")
    files = {name: Path(environ[name]).absolute() for name in names if environ.get(name)}
    if not files:
        return None
    for name in names:
        if name not in files:
            raise ValueError(f"{' and '.join(names)} belong together: set {name}")
        if not files[name].is_file():
            raise ValueError(f"{name} names no file: {files[name]}")
    certificate, key = (files[name] for name in names)
    return Tls(certificate, key, port_from(environ, "GATEWAY_TLS_PORT", GATEWAY_TLS_PORT))


def _log_format(environ: Mapping[str, str]) -> str:
    wanted = environ.get("GATEWAY_LOG_FORMAT") or LOG_FORMATS[0]
    if wanted not in LOG_FORMATS:
        raise ValueError(f"GATEWAY_LOG_FORMAT must be {' or '.join(LOG_FORMATS)}, not {wanted!r}")
    return wanted


def _refuse_bound(environ: Mapping[str, str], name: str) -> None:
    """Refuse an invalid setting of log rotation now; `nginx/rotate.sh` would refuse it later."""
    given = environ.get(name)
    if given and not re.fullmatch("[1-9][0-9]{0,4}", given):
        raise ValueError(f"{name}: {given} is not a number from 1 to 99999")


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = [part.strip() for part in environ.get(name, "").split(",") if part.strip()]
    try:
        return tuple(str(ipaddress.ip_network(part, strict=False)) for part in found)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _refuse_shared_ports(ports: Mapping[str, int]) -> None:
    first: dict[int, str] = {}
    for name, port in ports.items():
        if port in first:
            raise ValueError(f"{first[port]} and {name} are both {port}: use different ports")
        first[port] = name
