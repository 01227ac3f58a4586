"""Panels and queries that several dashboards share."""

from __future__ import annotations

from observability.grafana.panels import Panel

RATE = "$__rate_interval"
# From this share on a budget of 0.1 % burns fast: see ErrorBudgetBurnsFast.
ERRORS = 0.0144
# Requests of probes and scrapes are not traffic.
REAL = 'route!~"/(health|livez|readyz|metrics)"'


def quantiles(metric: str, selector: str) -> dict[str, str]:
    """Return the queries for a histogram's quantiles. The keys are the legends, such as `p99`."""
    buckets = f"sum by (le) (rate({metric}_bucket{{{selector}}}[{RATE}]))"
    return {f"p{q * 100:g}": f"histogram_quantile({q}, {buckets})" for q in (0.99, 0.9, 0.5)}


def signals(selector: str, traffic: str) -> list[Panel]:
    """Return the panels on latency, traffic and availability, from the gateway's log."""
    requests = "nginx_http_requests_total"
    good = f'sum(rate({requests}{{{traffic},status!~"[45].*"}}[{RATE}]))'
    total = f"sum(rate({requests}{{{traffic}}}[{RATE}]))"
    rate = f"round(sum by (route) (rate({requests}{{{traffic}}}[{RATE}])), 0.001)"
    return [
        Panel(
            "Latency at the gateway",
            "Time from the first byte of a request to the last byte of its response, from the "
            "access log.",
            quantiles("nginx_http_request_duration_seconds", selector),
            "s",
        ),
        Panel(
            "Traffic at the gateway",
            "Requests per second by route, from the access log.",
            {"{{route}}": rate},
            "reqps",
        ),
        Panel(
            "Availability",
            "Share of requests whose status is neither 4xx nor 5xx.",
            {"not 4xx or 5xx": f"({good} or 0 * {total}) / {total}"},
            "percentunit",
        ),
    ]


def connections() -> list[Panel]:
    """Return the panels on connections of NGINX, from its status page or else from its log.

    The mean number of requests in progress is the sum of their durations per second (Little's law).
    WebSockets are excluded, because a WebSocket adds its whole duration when it ends.
    """
    busy = f'sum(rate(nginx_http_request_duration_seconds_sum{{status!="101"}}[{RATE}]))'
    serving = f'label_replace({busy}, "state", "serving", "", "")'
    return [
        Panel(
            "Active connections",
            "Open connections. If NGINX has no status page (stub_status), the value is the mean "
            "number of connections that serve a request, from the access log.",
            {"active": f"sum(nginx_connections_active) or {busy}"},
        ),
        Panel(
            "Connections by state",
            "Connections that read a request, write a response or wait for the next request. "
            "If NGINX has no "
            "status page, the access log gives only the connections that serve a request.",
            {"{{state}}": f"nginx_connections or {serving}"},
        ),
        Panel(
            "Connections opened",
            "Connections per second that sent their first request, from the access log. If there "
            "are far fewer connections than requests, clients keep connections alive.",
            {"opened": f"sum(rate(nginx_http_connections_total[{RATE}]))"},
            "cps",
        ),
    ]


def queries(selector: str) -> list[Panel]:
    """Return the panels on the queries and the connections of a database."""
    count = f"db_query_duration_seconds_count{{{selector}}}"
    pool = f"db_pool_connections{{{selector.partition(',')[0]}}}"
    return [
        Panel(
            "Queries",
            "Executions per second by the query's name in `sql/`.",
            {"{{query}}": f"sum by (query) (rate({count}[{RATE}])) > 0"},
            "ops",
        ),
        Panel(
            "Query time",
            "Time until the result of a query. On PostgreSQL, the time of a query outside a "
            "transaction includes the wait for a connection.",
            quantiles("db_query_duration_seconds", selector),
            "s",
        ),
        Panel(
            "Connections",
            "Connections of the pools: in use, idle, and the limit.",
            {"{{state}}": f"sum by (state) ({pool})"},
        ),
    ]
