"""Grafana as code: dashboards from one template, provisioned with their data source."""
