"""The gateway's configuration: NGINX accepts it, and it routes only to the public services."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from devstack import gateway
from devstack.embedded.home import Home
from devstack.settings import ROOT, Service, Settings
from devstack.supervisor import StartError

SERVICES = (
    Service(name="user", port=8081, grpc_port=None, public=True, database=True),
    Service(name="point", port=8087, grpc_port=50051, public=False, database=True),
)


def settings(run: Path, services: tuple[Service, ...] = SERVICES) -> Settings:
    return Settings(home=Home(run), gateway_port=8080, services=services, environ={})


@pytest.mark.parametrize("services", [(), SERVICES])
def test_nginx_accepts_the_configuration(run_dir, services):
    _, config = gateway.prepare(settings(run_dir, services))
    checked = subprocess.run(
        [*gateway.command(config), "-t"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0
    assert "warn" not in checked.stderr


@pytest.mark.parametrize(
    "name", ["two words", "ünïcode", 'quo"te', "back\\slash", "semi;colon", "{}"]
)
def test_its_folder_may_have_any_name(run_dir, name):
    _, config = gateway.prepare(settings(run_dir / name))
    assert (run_dir / name / "nginx" / "nginx.conf") == config


@pytest.mark.parametrize("name", ["a$b", "a*b", "a?b", "a[b"])
def test_a_folder_that_nginx_cannot_name_is_one_sentence(run_dir, name):
    with pytest.raises(
        StartError, match=rf"^NGINX does not accept '\{name[1]}' in the name of a folder: "
    ):
        gateway.prepare(settings(run_dir / name))


def test_a_configuration_that_nginx_refuses_is_one_sentence(run_dir):
    odd = Service(name="two words", port=8081, grpc_port=None, public=True, database=False)
    with pytest.raises(StartError, match=r"^NGINX refuses its configuration: "):
        gateway.prepare(settings(run_dir, (odd,)))


def test_there_is_a_route_for_each_public_service_only(tmp_path):
    text = gateway.render(settings(tmp_path), tmp_path)
    found = re.findall(r"location (?:= )?(/api/\S+)", text)
    assert "/api/users/v1/" in found
    assert [path for path in found if not path.startswith("/api/users/v1")] == []


def test_every_location_logs_to_the_one_log_in_json(tmp_path):
    text = gateway.render(settings(tmp_path), tmp_path)
    assert re.findall(r"access_log (?!off)(.*);", text) == [f'"{tmp_path}/access.log" json']


@pytest.mark.parametrize("folder", ["docs", "pages"])
def test_a_page_fetches_nothing_from_elsewhere(folder):
    for file in (ROOT / "nginx" / folder).iterdir():
        assert not re.search(r"""["'(](https?:)?//\w""", file.read_text())
