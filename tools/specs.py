"""`python -m tools.specs gen|config|check`: the API documents for the gateway's Swagger UI.

The documents are generated from the routes of the services, with the paths at the gateway.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from devstack.gateway import NOT_PUBLIC
from devstack.settings import ROOT, Service, Settings
from lib.config import Settings as ServiceSettings
from lib.http import openapi31
from lib.http.openapi import document, types_of
from tools import curl_page

FOLDER = ROOT / "api" / "swagger"
OPENAPI = ROOT / "api" / "openapi"
CURL = ROOT / "docs" / "curl"
_OWN_PREFIX = "/api/v1"
_HEADER = "# From the routes of services/{name}; regenerate with: make swag-gen svc={name}\n"


def main(argv: list[str]) -> int:
    """Write or compare the documents; exit code: 0 done, 1 a file is outdated, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tools.specs", description=__doc__)
    parser.add_argument("command", choices=("gen", "config", "check"))
    parser.add_argument("service", nargs="?", help="for gen: one service (default: all)")
    args = parser.parse_args(argv)
    public = [service for service in Settings.read(os.environ).services if service.public]
    names = [service.name for service in public]
    if args.service and args.service not in names:
        print(
            f"{args.service} has no HTTP API; services with an HTTP API: {', '.join(names)}",
            file=sys.stderr,
        )
        return 2
    files = {}
    if args.command != "gen":
        files[FOLDER / "config.json"] = ui_config(public)
        files[CURL / "README.md"] = curl_page.index(names)
    if args.command != "config":
        chosen = [service for service in public if args.service in (None, service.name)]
        for service in chosen:
            app = application(service.name)
            found = through_gateway(document(app), service)
            files[FOLDER / f"{service.name}.swagger.yaml"] = _as_yaml(service, found)
            modern = openapi31.convert(found, types_of(app))
            files[OPENAPI / f"{service.name}.openapi.yaml"] = _as_yaml(service, modern)
            files[CURL / f"{service.name}.md"] = curl_page.page(service.name, modern)
    return _compare(files) if args.command == "check" else _write(files)


def render(service: Service) -> str:
    """Return the Swagger 2.0 document of a service as YAML."""
    return _as_yaml(service, through_gateway(document(application(service.name)), service))


def openapi(name: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a service, with the gateway's paths."""
    (service,) = [one for one in Settings.read({}).services if one.name == name]
    app = application(name)
    return openapi31.convert(through_gateway(document(app), service), types_of(app))


def _as_yaml(service: Service, found: dict[str, Any]) -> str:
    return _HEADER.format(name=service.name) + yaml.safe_dump(
        found, sort_keys=False, allow_unicode=True
    )


def application(name: str) -> Any:
    """Build a service's application as its process does, without opening connections."""
    config = importlib.import_module(f"services.{name}.config")
    (spec,) = [
        found
        for _, found in inspect.getmembers(config, inspect.isclass)
        if issubclass(found, ServiceSettings) and found.__module__ == config.__name__
    ]
    # It is only described: no server listens under this address.
    given: dict[str, Any] = {"database_url": "postgresql://described@127.0.0.1/none"}
    settings = spec(**{name: url for name, url in given.items() if name in spec.model_fields})
    return importlib.import_module(f"services.{name}.app").create_app(settings)


def through_gateway(found: dict[str, Any], service: Service) -> dict[str, Any]:
    """Return the document with the gateway's paths, without routes that are not forwarded."""
    hidden = tuple(NOT_PUBLIC.get(service.name, ()))
    plain: dict[str, Any] = json.loads(json.dumps(found))  # plain dicts and lists, a copy
    paths = {
        path.removeprefix(_OWN_PREFIX): operations
        for path, operations in plain["paths"].items()
        if path.startswith(f"{_OWN_PREFIX}/")
        and not path.removeprefix(f"{_OWN_PREFIX}/").startswith(hidden)
    }
    return plain | {"basePath": f"/api/{service.plural}/v1", "paths": paths}


def ui_config(public: list[Service]) -> str:
    """Return the list of documents that Swagger UI offers, as JSON."""
    urls = [{"url": f"specs/{s.name}.swagger.yaml", "name": s.name} for s in public]
    return json.dumps({"urls": urls}, indent=2) + "\n"


def _write(files: dict[Path, str]) -> int:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def _compare(files: dict[Path, str]) -> int:
    """Print each document that differs from its service's routes or whose service is gone."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    there = (*FOLDER.glob("*.yaml"), *OPENAPI.glob("*.yaml"), *CURL.glob("*.md"))
    stale += [path for path in there if path not in files]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not up to date: run make swag-gen, make swag-config")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
