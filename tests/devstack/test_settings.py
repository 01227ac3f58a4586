"""The settings that the stack reads from the folders and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.settings import PORTS, Settings, service_names
from tools.settings_page import spec_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two services, one of them without HTTP routes, and a folder that is not a service."""
    for name in ("user", "point", "_stack"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "__main__.py").touch()
    for name, ports in {
        "user": {"port": 8081},
        "point": {"port": 8087, "grpc_port": 50051},
    }.items():
        lines = [f"    {field}: Port = {port}\n" for field, port in ports.items()]
        (tmp_path / "services" / name / "config.py").write_text("class C(S):\n" + "".join(lines))
    (tmp_path / "services" / "draft").mkdir()
    (tmp_path / "services" / "user" / "routes.py").touch()
    return tmp_path


def test_a_service_is_a_package_that_can_be_run(root):
    assert service_names(root) == ["point", "user"]


def test_only_a_service_with_routes_is_public(root):
    found = {s.name: (s.public, s.port, s.grpc_port) for s in Settings.read({}, root).services}
    assert found == {"point": (False, 8087, 50051), "user": (True, 8081, None)}


@pytest.mark.parametrize(
    ("name", "plural"),
    [
        ("user", "users"),
        ("category", "categories"),
        ("chat", "chats"),
        ("box", "boxes"),
        ("day", "days"),
        ("address", "addresses"),
        ("batch", "batches"),
    ],
)
def test_the_gateway_uses_the_plural(root, name, plural):
    (root / "services" / name).mkdir(exist_ok=True)
    (root / "services" / name / "__main__.py").touch()
    settings = Settings.read({f"{name.upper()}_PORT": "9001"}, root)
    assert plural in {service.plural for service in settings.services}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"USER_PORT": "x"}, "USER_PORT must be a port between 1 and 65535, not 'x'"),
        ({"USER_PORT": "8087"}, "POINT_PORT and USER_PORT are both 8087"),
        ({"PROMETHEUS_PORT": "8087"}, "POINT_PORT and PROMETHEUS_PORT are both 8087"),
        (
            {"GATEWAY_PORT": "8181", "PORT_OFFSET": "100"},
            "USER_PORT and GATEWAY_PORT|are both 8181",
        ),
        ({"PORT_OFFSET": "many"}, "PORT_OFFSET must be a whole number of 0 or more, not 'many'"),
        (
            {"PORT_OFFSET": "20000"},
            "PORT_OFFSET=20000 moves POINT_GRPC_PORT from 50051 to 70051",
        ),
        ({"GATEWAY_PORT": "65536"}, "GATEWAY_PORT must be"),
        ({"GATEWAY_PORT": "0"}, "GATEWAY_PORT must be a port between 1 and 65535, not '0'"),
    ],
)
def test_a_port_that_makes_no_sense_is_named(root, environ, said):
    with pytest.raises(ValueError, match=said):
        Settings.read(environ, root)


def test_the_stack_looks_at_every_port_that_it_takes(root):
    names = set(Settings.read({}, root).ports())
    ours = {"GATEWAY_PORT", "POSTGRES_PORT", "REDIS_PORT"}
    assert names == {*ours, "USER_PORT", "POINT_PORT", "POINT_GRPC_PORT"}


def test_the_ports_are_those_of_the_settings_that_services_load():
    for name in service_names():
        fields = spec_of(name).model_fields
        for field in ("port", "grpc_port"):
            default = fields[field].default if field in fields else None
            assert PORTS.get(f"{name}_{field}".upper()) == default


def test_a_service_without_a_known_port_says_which_variable_to_set(root):
    (root / "services" / "billing").mkdir()
    (root / "services" / "billing" / "__main__.py").touch()
    with pytest.raises(ValueError, match="the service billing has no port: set BILLING_PORT"):
        Settings.read({}, root)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"GATEWAY_TLS_KEY": "k.pem"}, "belong together: set GATEWAY_TLS_CERTIFICATE"),
        ({"GATEWAY_TLS_CERTIFICATE": "no.pem", "GATEWAY_TLS_KEY": "no.pem"}, "names no file: /.*"),
        ({"GATEWAY_LOG_MIB": "many"}, "GATEWAY_LOG_MIB: many is not a number from 1 to 99999"),
        ({"GATEWAY_LOG_FILES": "0"}, "GATEWAY_LOG_FILES: 0 is not a number from 1 to 99999"),
        ({"GATEWAY_LOG_FORMAT": "xml"}, "GATEWAY_LOG_FORMAT must be json or classic, not 'xml'"),
    ],
)
def test_what_the_gateway_cannot_use_is_named(root, environ, said):
    with pytest.raises(ValueError, match=said):
        Settings.read(environ, root)


def test_only_a_service_with_that_edge_has_a_websocket(root):
    (root / "services" / "user" / "ws.py").touch()
    found = {s.name: s.websocket for s in Settings.read({}, root).services}
    assert found == {"point": False, "user": True}


def test_an_offset_moves_every_port_that_is_not_set_by_itself():
    plain, moved = Settings.read({}), Settings.read({"PORT_OFFSET": "10000", "USER_PORT": "9001"})
    before = plain.ports() | plain.monitoring
    after = moved.ports() | moved.monitoring
    assert after == {name: port + 10_000 for name, port in before.items()} | {"USER_PORT": 9001}
