"""Paths become routes: from documents, from rules, or `other`."""

import json

import pytest

from observability.nginx_exporter.routes import Router
from observability.nginx_exporter.specs import SpecError, checked, rule_routes, spec_routes

ROUTER = Router(
    ["/users", "/users/{id}", "/users/me", "/users/{id}/orders", "/users/me/card", "/docs/*", "/"]
)


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/users", "/users"),
        ("/users/", "/users"),
        ("/users?token=secret", "/users"),
        ("/users/7", "/users/{id}"),
        ("/users/me", "/users/me"),
        ("/users/me/orders", "/users/{id}/orders"),
        ("/users/me/card", "/users/me/card"),
        ("/users/7/card", "other"),
        ("/users//orders", "other"),
        ("/docs", "/docs/*"),
        ("/docs/a/b.js", "/docs/*"),
        ("/", "/"),
        ("/wp-login.php", "other"),
        ("", "other"),
        ("*", "other"),
        ("http://example.com/users/7?x", "/users/{id}"),
        ("example.com:443", "other"),
    ],
)
def test_a_path_belongs_to_the_most_literal_route(target, route):
    assert ROUTER.route(target) == route


SWAGGER = {"swagger": "2.0", "basePath": "/api/v1", "paths": {"/users/{id}": {}, "/health": {}}}


@pytest.mark.parametrize(
    ("document", "mapping", "routes"),
    [
        (SWAGGER, "", ["/api/v1/users/{id}", "/api/v1/health"]),
        (
            SWAGGER,
            ",/api/v1=/api/{name}s/v1",
            ["/api/users/v1/users/{id}", "/api/users/v1/health"],
        ),
        (
            {"paths": {"/api/v1/a": {}, "/api/v1x": {}}},
            ",/api/v1=/b",
            ["/b/a", "/api/v1x"],
        ),
        ({"servers": [{"url": "https://h/v2/"}], "paths": {"/a": {}}}, "", ["/v2/a"]),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_documents_give_routes_as_the_gateway_shows_them(
    tmp_path, document, mapping, routes, suffix
):
    # JSON is YAML, so one text serves both readers.
    (tmp_path / f"user.swagger.{suffix}").write_text(json.dumps(document))
    assert spec_routes(f"{tmp_path}/*.swagger.{suffix}{mapping}") == routes


def test_rules_are_listed_one_a_line(tmp_path):
    rules = tmp_path / "routes.txt"
    rules.write_text("# pages\n/docs/*  # below\n\n/healthz\n")
    assert rule_routes(rules) == ["/docs/*", "/healthz"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("[]", "no `paths`"), ("{", "cannot be read as json"), ('{"paths": 3}', "no `paths`")],
)
def test_a_document_without_routes_is_refused(tmp_path, text, sentence):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SpecError, match=sentence):
        spec_routes(f"{tmp_path}/a.json")


@pytest.mark.parametrize("pattern", ["users", "/a/*/b", "/a*"])
def test_a_pattern_that_matches_nothing_is_refused(pattern):
    with pytest.raises(SpecError):
        checked(pattern)
