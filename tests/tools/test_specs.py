"""The gateway's API documents: generated from the routes, with the gateway's paths, up to date."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from devstack.gateway import NOT_PUBLIC
from devstack.settings import ROOT, Settings
from tools import specs

PUBLIC = [service for service in Settings.read({}).services if service.public]


@pytest.mark.parametrize("service", PUBLIC, ids=lambda service: service.name)
def test_the_document_has_exactly_the_public_routes_of_the_service(service):
    written = yaml.safe_load((specs.FOLDER / f"{service.name}.swagger.yaml").read_text())
    documented = {
        (method.upper(), written["basePath"] + path)
        for path, operations in written["paths"].items()
        for method in operations
    }
    routed = {
        (
            route.method,
            f"/api/{service.plural}/v1" + route.resource.canonical.removeprefix("/api/v1"),
        )
        for route in specs.application(service.name).router.routes()
        if route.method != "HEAD"
        and route.resource.canonical.startswith("/api/v1/")
        # What the gateway keeps inside is nothing that callers can use.
        and not route.resource.canonical.startswith(
            tuple(f"/api/v1/{path}" for path in NOT_PUBLIC.get(service.name, ()))
        )
    }
    if service.websocket:  # which OpenAPI has no words for: the service's page describes it
        routed.remove(("GET", f"/api/{service.plural}/v1/ws"))
    assert documented == routed


@pytest.mark.parametrize("service", PUBLIC, ids=lambda service: service.name)
def test_every_reference_in_a_document_resolves(service):
    text = (specs.FOLDER / f"{service.name}.swagger.yaml").read_text()
    definitions = yaml.safe_load(text)["definitions"]
    assert set(re.findall(r"#/definitions/(\w+)", text)) <= set(definitions)


def test_check_names_a_document_that_differs_and_one_that_nobody_serves(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(specs, "FOLDER", tmp_path)
    monkeypatch.setattr(specs, "OPENAPI", tmp_path)
    monkeypatch.setattr(specs, "CURL", tmp_path)
    monkeypatch.setattr(specs, "ROOT", tmp_path)
    assert specs.main(["gen"]) == 0
    assert specs.main(["config"]) == 0
    assert specs.main(["check"]) == 0
    (tmp_path / f"{PUBLIC[0].name}.swagger.yaml").write_text("old")
    (tmp_path / "former.swagger.yaml").write_text("old")
    capsys.readouterr()
    assert specs.main(["check"]) == 1
    said = capsys.readouterr().out
    assert f"{PUBLIC[0].name}.swagger.yaml is not up to date" in said
    assert "former.swagger.yaml is not up to date" in said


def test_a_service_without_an_http_api_is_refused_with_the_valid_names(capsys):
    assert specs.main(["gen", "point"]) == 2
    assert "point has no HTTP API; services with an HTTP API: " in capsys.readouterr().err


def test_the_list_offers_every_document():
    listed = json.loads((specs.FOLDER / "config.json").read_text())["urls"]
    assert {entry["url"] for entry in listed} == {
        f"specs/{path.name}" for path in (ROOT / "api" / "swagger").glob("*.yaml")
    }
