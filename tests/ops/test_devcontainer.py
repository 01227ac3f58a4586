"""The development container starts what the README starts, with a supported Python."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from devstack.settings import GATEWAY_PORT, MONITORING_PORTS, ROOT

FILE = ROOT / ".devcontainer" / "devcontainer.json"
FOUND = json.loads(FILE.read_text())


def test_the_container_has_a_python_that_the_project_takes():
    (version,) = re.findall(r"/python:3\.(\d+)-", FOUND["image"])
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    (least,) = re.findall(r">=\s*3\.(\d+)", wanted)
    assert int(version) >= int(least)


def test_the_container_sets_up_by_a_target_of_make_and_forwards_the_ports():
    target = FOUND["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", Path(ROOT / "Makefile").read_text(), re.MULTILINE)
    assert FOUND["forwardPorts"] == [GATEWAY_PORT, MONITORING_PORTS["PROMETHEUS_PORT"]]
    assert set(FOUND["portsAttributes"]) == {str(port) for port in FOUND["forwardPorts"]}
