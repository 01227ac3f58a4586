"""Panels and dashboards as values, and the JSON that Grafana provisions from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

DATA_SOURCE = {"type": "prometheus", "uid": "prometheus"}
# From each page to every other one, with the time that is looked at.
LINKS = {
    "type": "dashboards",
    "title": "Dashboards",
    "tags": ["marketplace"],
    "asDropdown": True,
    "includeVars": False,
    "keepTime": True,
    "targetBlank": False,
    "url": "",
}
WIDTH, HEIGHT, COLUMNS = 8, 7, 24


class Needs(StrEnum):
    """The component that must be installed for a panel to show data."""

    PLATFORM = "platform"  # always there
    CONTAINERS = "cadvisor"
    REPLICAS = "replicas"


class Panel(msgspec.Struct, frozen=True):
    """A graph: PromQL expressions by legend.

    `unit` is one of Grafana's units: `s`, `reqps`, `percentunit`, `bytes`.

    Grafana shows `description` when the pointer is on the panel's corner.

    Values from `bad` on are red, with the same limit as in the alert. With `low_is_bad`, values
    below `bad` are red.
    """

    title: str
    description: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    needs: Needs = Needs.PLATFORM
    bad: float | None = None
    low_is_bad: bool = False


class Row(msgspec.Struct, frozen=True):
    """Panels under a heading."""

    title: str
    panels: list[Panel]


class Variable(msgspec.Struct, frozen=True):
    """A selector at the top of a dashboard, of a label's values or fixed values; default `All`."""

    name: str
    metric: str = ""
    label: str = ""
    values: dict[str, str] = {}


class Dashboard(msgspec.Struct, frozen=True):
    """One dashboard. `uid` is its address in Grafana and its file name."""

    uid: str
    title: str
    rows: list[Row]
    description: str
    variables: list[Variable] = []
    refresh: str = "10s"
    span: str = "now-30m"

    def panels(self) -> list[Panel]:
        """Return every panel, in order."""
        return [panel for row in self.rows for panel in row.panels]


def as_json(dashboard: Dashboard) -> dict[str, Any]:
    """Return the dashboard in Grafana's JSON format."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["marketplace"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": dashboard.refresh,
        "links": [LINKS],
        "time": {"from": dashboard.span, "to": "now"},
        "templating": {"list": [_variable(variable) for variable in dashboard.variables]},
        "panels": _laid_out(dashboard.rows),
    }


def _laid_out(rows: list[Row]) -> list[dict[str, Any]]:
    """Return the panels with their positions: three in a row under each heading."""
    placed: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        placed.append(
            {
                "id": len(placed) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
            }
        )
        top += 1
        for index, panel in enumerate(row.panels):
            across, down = index * WIDTH % COLUMNS, index * WIDTH // COLUMNS * HEIGHT
            placed.append(
                {
                    **_panel(panel, len(placed) + 1),
                    "gridPos": {"x": across, "y": top + down, "w": WIDTH, "h": HEIGHT},
                }
            )
        top += -(-len(row.panels) * WIDTH // COLUMNS) * HEIGHT
    return placed


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    # A share or a rate below zero means nothing; Grafana would scale to the data.
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind != "table":
        defaults["min"] = 0
    if panel.bad is not None:
        good, bad = ("red", "green") if panel.low_is_bad else ("green", "red")
        steps = [{"color": good, "value": None}, {"color": bad, "value": panel.bad}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        if panel.kind == "timeseries":
            defaults["custom"] = {"thresholdsStyle": {"mode": "dashed"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATA_SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATA_SOURCE,
                "expr": expr,
                "legendFormat": legend,
                **({"format": "table", "instant": True} if panel.kind == "table" else {}),
            }
            for index, (legend, expr) in enumerate(panel.queries.items())
        ],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    shared = {
        "name": variable.name,
        "label": variable.name,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
    if variable.values:
        listed = ", ".join(f"{text} : {value}" for text, value in variable.values.items())
        return shared | {"type": "custom", "query": listed}
    query = f"label_values({variable.metric}, {variable.label})"
    return shared | {
        "type": "query",
        "datasource": DATA_SOURCE,
        "query": {"query": query, "refId": variable.name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
    }
