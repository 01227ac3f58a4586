"""Grafana's provisioning: the committed files match the template and each other."""

from __future__ import annotations

import importlib
import json
import re

import pytest

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT, service_names
from observability.grafana.features import Feature
from observability.grafana.panels import DATA_SOURCE
from observability.grafana.service import service
from tools.features import MARKS, features
from tools.rendered import DASHBOARDS, all_dashboards

PAGES = {page.uid: page for page in all_dashboards()}
PROVISIONING = ROOT / "observability" / "grafana" / "provisioning"


def test_no_dashboard_is_left_over():
    assert {path.stem for path in DASHBOARDS.glob("*.json")} == set(PAGES)


def test_every_service_has_a_dashboard():
    names = {uid.removeprefix("service-") for uid in PAGES if uid.startswith("service-")}
    assert names == set(service_names())


@pytest.mark.parametrize("uid", PAGES)
def test_a_panel_explains_itself_in_whole_sentences(uid):
    written = json.loads((DASHBOARDS / f"{uid}.json").read_text())
    shown = {p["title"]: p["description"] for p in written["panels"] if p["type"] != "row"}
    assert shown
    for title, text in {written["title"]: written["description"], **shown}.items():
        assert text.endswith("."), title
        assert len(text) > len(title) + 5, title


def test_a_service_shows_the_features_that_it_has_and_no_others():
    every = frozenset(Feature)
    alone = {
        feature: {p.title for p in service("x", "/x", every).panels()}
        - {p.title for p in service("x", "/x", every - {feature}).panels()}
        for feature in Feature
    }
    assert all(alone.values())
    for name in service_names():
        titles = {panel.title for panel in PAGES[f"service-{name}"].panels()}
        shown = {feature for feature in Feature if alone[feature] <= titles}
        assert shown == features(name), name
        for feature in every - shown:
            assert not alone[feature] & titles, (name, feature)


def test_features_follow_from_what_a_service_imports(tmp_path):
    package = tmp_path / "services" / "point" / "deep"
    package.mkdir(parents=True)
    (package.parent / "__main__.py").touch()
    (package.parent / "config.py").write_text("class C(S):\n    grpc_port: Port = 50051\n")
    assert features("point", tmp_path) == {Feature.GRPC}
    (package / "app.py").write_text("def late():\n    from lib.events import Relay as R\n")
    assert features("point", tmp_path) == {Feature.GRPC, Feature.OUTBOX}
    for (module, name), feature in MARKS.items():
        assert hasattr(importlib.import_module(module), name), feature


@pytest.mark.parametrize("uid", PAGES)
def test_panels_have_numbers_and_places_of_their_own(uid):
    panels = json.loads((DASHBOARDS / f"{uid}.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("uid", PAGES)
def test_every_variable_that_a_query_uses_is_offered(uid):
    text = json.dumps([p.queries for p in PAGES[uid].panels()]).replace("$__rate_interval", "")
    offered = {variable.name for variable in PAGES[uid].variables}
    used = {name for name in offered if f"${name}" in text}
    assert used == offered
    assert text.count("$") == sum(text.count(f"${name}") for name in offered)


def test_the_data_source_and_the_folder_are_those_that_are_provisioned():
    sources = read_yaml(PROVISIONING / "datasources/prometheus.yml")
    assert DATA_SOURCE["uid"] in {source["uid"] for source in sources["datasources"]}
    (provider,) = read_yaml(PROVISIONING / "dashboards/marketplace.yml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


def test_a_panel_is_red_from_where_an_alert_begins():
    rules = "".join(p.read_text() for p in (ROOT / "observability/prometheus/rules").glob("*.yml"))
    begins = {
        float(value) for value in re.findall(r"(?:>=?|==) ([\d.e]+)(?:$| and)", rules, re.MULTILINE)
    } | {14.4 * 0.001}
    marked = [panel for page in PAGES.values() for panel in page.panels() if panel.bad is not None]
    assert len(marked) >= 10
    for panel in marked:
        if panel.kind != "stat":
            assert any(abs(panel.bad - value) < 1e-9 for value in begins), panel.title
    errors = next(p for p in marked if p.title == "Errors")
    shown = next(
        p
        for p in json.loads((DASHBOARDS / "overview.json").read_text())["panels"]
        if p["title"] == errors.title
    )
    steps = shown["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps == [{"color": "green", "value": None}, {"color": "red", "value": errors.bad}]


def test_a_panel_that_the_runbook_names_is_on_a_dashboard():
    text = " ".join((ROOT / "docs" / "runbook.md").read_text().split())
    titles = " / ".join(panel.title for page in PAGES.values() for panel in page.panels()).lower()
    prose = re.sub(r"```.*?```|`[^`]*`", "", text)
    named = re.findall(r'"([^"]+)"', prose)
    assert len(named) >= 6
    assert [name for name in named if name.lower() not in titles] == []


@pytest.mark.parametrize("uid", PAGES)
def test_a_page_leads_to_every_other_one(uid):
    page = json.loads((DASHBOARDS / f"{uid}.json").read_text())
    (link,) = page["links"]
    assert link["type"] == "dashboards"
    assert set(link["tags"]) <= set(page["tags"])
