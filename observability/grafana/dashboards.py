"""The dashboards: an overview, one per service, queries, replicas, the gateway, containers."""

from __future__ import annotations

from observability.grafana.panels import Dashboard, Needs, Panel, Row, Variable
from observability.grafana.service import service
from observability.grafana.shared import (
    ERRORS,
    RATE,
    REAL,
    connections,
    quantiles,
    queries,
    signals,
)

__all__ = ["basic", "containers", "gateway", "overview", "replicas", "service", "sql"]


def overview() -> Dashboard:
    """Return the overview dashboard, which compares the errors, latency and load of services."""
    rows = [Row("Now", _now()), Row("Traffic", _traffic()), Row("Processes", _processes())]
    return Dashboard(
        "overview", "Overview", rows, "All services side by side: errors, latency and load."
    )


def _now() -> list[Panel]:
    firing = 'ALERTS{alertstate="firing"}'
    return [
        Panel(
            "Up",
            "1 if every instance of a service or exporter responds to Prometheus, else 0.",
            {"{{job}}": "min by (job) (up)"},
            kind="stat",
            bad=1,
            low_is_bad=True,
        ),
        Panel(
            "Alerts",
            "Number of firing alerts.",
            {"firing": f"count({firing}) or vector(0)"},
            kind="stat",
            bad=1,
        ),
        Panel(
            "Which alerts",
            "Firing alerts. The runbook has a section on each alert. Empty if no alert fires.",
            {"": f"sort_desc(count by (alertname, job, severity) ({firing}))"},
            kind="table",
        ),
        Panel(
            "Circuits (0 closed, 2 open)",
            "Circuit breakers by service and upstream: 0 closed, 1 half-open, 2 open (calls are "
            "refused).",
            {"{{job}} → {{upstream}}": "max by (job, upstream) (circuit_breaker_state)"},
            bad=2,
        ),
    ]


def _traffic() -> list[Panel]:
    requests = f'http_requests_total{{kind="service",{REAL}}}'
    slow = f'http_request_duration_seconds_bucket{{kind="service",{REAL}}}'
    return [
        Panel(
            "Requests",
            "Requests per second by service, without probes and scrapes.",
            {"{{job}}": f"sum by (job) (rate({requests}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Errors",
            "Share of requests answered with 5xx in the last 5 minutes, by service.",
            {"{{job}}": "job:http_errors:ratio_rate5m"},
            "percentunit",
            bad=ERRORS,
        ),
        Panel(
            "Latency p95",
            "95 % of a service's requests are faster than this value.",
            {"{{job}}": f"histogram_quantile(0.95, sum by (job, le) (rate({slow}[{RATE}])))"},
            "s",
        ),
    ]


def _processes() -> list[Panel]:
    return [
        Panel(
            "Event loop lag p99",
            "Delay of the event loop's timers. If the delay exceeds 0.1 s, a call blocks the event "
            "loop or the CPU is overloaded.",
            {"{{job}}": "job:event_loop_lag_seconds:p99_5m"},
            "s",
            bad=0.1,
        ),
        Panel(
            "Database connections used",
            "Share of a pool's connections that are in use. At 100 % requests wait.",
            {"{{job}}": "job:db_pool:used_ratio"},
            "percentunit",
            bad=0.9,
        ),
        Panel(
            "Outbox: oldest event",
            "Age of the oldest event that is not published, by service.",
            {"{{job}}": "max by (job) (outbox_oldest_seconds)"},
            "s",
            bad=60,
        ),
        Panel(
            "CPU",
            "Cores in use by service.",
            {"{{job}}": f"sum by (job) (rate(process_cpu_seconds_total[{RATE}]))"},
        ),
        Panel(
            "Memory",
            "Resident memory by service.",
            {"{{job}}": "sum by (job) (process_resident_memory_bytes)"},
            "bytes",
        ),
        Panel(
            "Uptime",
            "Time since the latest start of an instance of a service.",
            {"{{job}}": "time() - max by (job) (process_start_time_seconds)"},
            "s",
        ),
    ]


def sql() -> Dashboard:
    """Return the dashboard of every query, by its name in `sql/`."""
    selector = 'job=~"$job",query=~"$query"'
    timed = f"db_query_duration_seconds_sum{{{selector}}}"
    most = f"topk(10, sum by (job, query) (rate({timed}[{RATE}])))"
    worst = 'topk(10, job_query:db_query_seconds:p99_5m{job=~"$job",query=~"$query"} >= 0)'
    by_query = [
        Panel(
            "Ten queries with the most database time",
            "Seconds per second that all executions of a query take together.",
            {"{{job}} {{query}}": most},
            "s",
        ),
        Panel(
            "Slowest queries, p99 of 5 minutes",
            "The ten slowest queries. 99 % of a query's executions are faster than this value.",
            {"{{job}} {{query}}": worst},
            "s",
            bad=1,
        ),
    ]
    return Dashboard(
        "sql",
        "SQL by query name",
        [Row("Queries", by_query), Row("All of them", queries(selector))],
        "Queries of the services, by their names in `sql/`.",
        [
            Variable("job", "db_query_duration_seconds_count", "job"),
            Variable("query", "db_query_duration_seconds_count", "query"),
        ],
    )


def replicas() -> Dashboard:
    """Return the dashboard of reads by server and of the lag of replicas."""
    reads = f'sum by (job, server) (rate(db_reads_total{{job=~"$job"}}[{RATE}]))'
    panels = [
        Panel(
            "Reads by server",
            "Read-only queries per second, by the server that ran them.",
            {"{{job}} {{server}}": reads},
            "ops",
            needs=Needs.REPLICAS,
        ),
        Panel(
            "Replica lag",
            "Age of the oldest change that the replica has not applied.",
            {"{{job}} {{replica}}": 'max by (job, replica) (db_replica_lag_seconds{job=~"$job"})'},
            "s",
            needs=Needs.REPLICAS,
        ),
        Panel(
            "In rotation",
            "1 if queries can use the replica, 0 if the replica is unreachable or lags too far.",
            {"{{job}} {{replica}}": 'min by (job, replica) (db_replica_in_rotation{job=~"$job"})'},
            needs=Needs.REPLICAS,
        ),
    ]
    return Dashboard(
        "replicas",
        "Database replicas",
        [Row("Replicas", panels)],
        "These panels have data only if `…_DB_REPLICA_URLS` is set (docs/replicas.md).",
        [Variable("job", "db_reads_total", "job")],
    )


def gateway() -> Dashboard:
    """Return the dashboard of NGINX, from its log: traffic, durations, and the exporter."""
    rows = [
        Row("Time", _times()),
        Row("Traffic", _gateway_traffic()),
        Row("Connections", connections()),
        Row("Exporter", _exporter()),
    ]
    return Dashboard(
        "gateway",
        "Gateway",
        rows,
        "NGINX metrics from the access log, and the state of the log exporter.",
    )


def _times() -> list[Panel]:
    gap = (
        f"sum(rate(nginx_http_request_duration_seconds_sum[{RATE}]))"
        f" - sum(rate(nginx_http_upstream_duration_seconds_sum[{RATE}]))"
    )
    return [
        Panel(
            "To the client",
            "Time from the first byte of a request to the last byte of its response.",
            quantiles("nginx_http_request_duration_seconds", ""),
            "s",
        ),
        Panel(
            "In the services",
            "Time that the gateway waited for services.",
            quantiles("nginx_http_upstream_duration_seconds", ""),
            "s",
        ),
        Panel(
            "Request time outside the services",
            "Seconds per second that all requests together spend outside the services: in NGINX, "
            "or waiting for slow clients.",
            {"time": gap},
            "s",
        ),
    ]


def _gateway_traffic() -> list[Panel]:
    requests = "nginx_http_requests_total"
    return [
        Panel(
            "Statuses",
            "Responses per second by status.",
            {"{{status}}": f"sum by (status) (rate({requests}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Busiest routes",
            "The ten routes with the most requests per second.",
            {"{{route}}": f"topk(10, sum by (route) (rate({requests}[{RATE}])))"},
            "reqps",
        ),
        Panel(
            "Errors by route",
            "Responses per second with 4xx or 5xx, by route.",
            {"{{route}}": f'sum by (route) (rate({requests}{{status=~"[45].."}}[{RATE}]))'},
            "reqps",
        ),
        Panel(
            "Bytes sent",
            "Bytes of response bodies per second.",
            {"sent": f"sum(rate(nginx_size_bytes_total[{RATE}]))"},
            "Bps",
        ),
        Panel(
            "5xx share",
            "Share of all requests answered with 5xx, by NGINX or by a service, in the last 5 "
            "minutes.",
            {"share": "gateway:http_errors:ratio_rate5m"},
            "percentunit",
            bad=ERRORS,
        ),
    ]


def _exporter() -> list[Panel]:
    return [
        Panel(
            "Unread part of the log",
            "Bytes of the access log that are not counted yet.",
            {"{{log}}": "nginx_exporter_lag_bytes"},
            "bytes",
            bad=1e7,
        ),
        Panel(
            "Lines",
            "Number of lines that the exporter reads from the access log per second.",
            {"{{log}}": f"rate(nginx_exporter_lines_total[{RATE}])"},
        ),
        Panel(
            "Unreadable",
            "Lines per second in an unexpected format. Other panels do not count such lines.",
            {"{{log}}": f"rate(nginx_exporter_parse_errors_total[{RATE}])"},
        ),
    ]


def basic() -> Dashboard:
    """Return the dashboard of the four golden signals, by route, method and status."""
    chosen = 'route=~"$route",status=~"$status",method=~"$method"'
    rows = [
        Row("Signals", signals(chosen, 'route=~"$route"')),
        Row("Connections", connections()),
    ]
    return Dashboard(
        "basic",
        "Latency, traffic, errors, connections",
        rows,
        "The four golden signals at the gateway, by route, status and method.",
        [
            Variable("route", "nginx_http_requests_total", "route"),
            Variable("status", values={"success": "[23].*", "error": "[45].*"}),
            Variable("method", "nginx_http_requests_total", "method"),
        ],
        refresh="5s",
    )


def containers() -> Dashboard:
    """Return the dashboard of each container's CPU and memory, from cAdvisor."""
    chosen = 'name=~"$name",name!=""'
    age = Panel(
        "Age in days",
        "Days since a container started.",
        {"{{name}}": f"(time() - container_start_time_seconds{{{chosen}}}) / 86400"},
        kind="table",
        needs=Needs.CONTAINERS,
    )
    return Dashboard(
        "containers",
        "Containers",
        [Row("Resources", _containers(chosen)), Row("About", [age])],
        "These panels need cAdvisor: the `monitoring` profile of Compose, or the kubelet of "
        "Kubernetes.",
        [Variable("name", "container_last_seen", "name")],
        span="now-1h",
    )


def _containers(selector: str) -> list[Panel]:
    cpu = f"sum by (name) (rate(container_cpu_usage_seconds_total{{{selector}}}[{RATE}]))"
    wanted = [
        ("CPU", "Cores in use by container.", cpu, "percentunit"),
        (
            "Memory (rss)",
            "Memory of a container's processes, without cached files.",
            f"sum by (name) (container_memory_rss{{{selector}}})",
            "bytes",
        ),
        (
            "Memory (cache)",
            "Memory that caches a container's files. The kernel frees this memory on demand.",
            f"sum by (name) (container_memory_cache{{{selector}}})",
            "bytes",
        ),
    ]
    return [
        Panel(title, text, {"{{name}}": expr}, unit, needs=Needs.CONTAINERS)
        for title, text, expr, unit in wanted
    ]
