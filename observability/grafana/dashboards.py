"""The dashboards: an overview, one per service, the database's queries, the gateway, containers."""

from __future__ import annotations

from observability.grafana.panels import Dashboard, Needs, Panel, Row, Variable

RATE = "$__rate_interval"
# From this share on a budget of 0.1 % burns fast: see ErrorBudgetBurnsFast.
ERRORS = 0.0144
# What probes and scrapes ask for is no traffic.
REAL = 'route!~"/(health|livez|readyz|metrics)"'


def quantiles(metric: str, selector: str) -> dict[str, str]:
    """Return the queries of a histogram's quantiles, by legend."""
    buckets = f"sum by (le) (rate({metric}_bucket{{{selector}}}[{RATE}]))"
    return {f"p{q * 100:g}": f"histogram_quantile({q}, {buckets})" for q in (0.99, 0.9, 0.5)}


def overview() -> Dashboard:
    """All services beside one another: is anything wrong, and where?"""
    requests = f'http_requests_total{{kind="service",{REAL}}}'
    slow = f'http_request_duration_seconds_bucket{{kind="service",{REAL}}}'
    now = [
        Panel("Up", {"{{job}}": "min by (job) (up)"}, kind="stat", bad=1, low_is_bad=True),
        Panel(
            "Alerts",
            {"firing": 'count(ALERTS{alertstate="firing"}) or vector(0)'},
            kind="stat",
            bad=1,
        ),
        Panel(
            "Which alerts",
            {"": 'sort_desc(count by (alertname, job, severity) (ALERTS{alertstate="firing"}))'},
            kind="table",
            needs=Needs.ALERT,
        ),
        Panel(
            "Circuits (0 closed, 2 open)",
            {"{{job}} → {{upstream}}": "max by (job, upstream) (circuit_breaker_state)"},
            needs=Needs.FEATURE,
            bad=2,
        ),
    ]
    traffic = [
        Panel("Requests", {"{{job}}": f"sum by (job) (rate({requests}[{RATE}]))"}, "reqps"),
        Panel("Errors", {"{{job}}": "job:http_errors:ratio_rate5m"}, "percentunit", bad=ERRORS),
        Panel(
            "Latency p95",
            {"{{job}}": f"histogram_quantile(0.95, sum by (job, le) (rate({slow}[{RATE}])))"},
            "s",
        ),
    ]
    processes = [
        Panel("Event loop lag p99", {"{{job}}": "job:event_loop_lag_seconds:p99_5m"}, "s", bad=0.1),
        Panel(
            "Database connections used",
            {"{{job}}": "job:db_pool:used_ratio"},
            "percentunit",
            bad=0.9,
        ),
        Panel(
            "Outbox: oldest event",
            {"{{job}}": "max by (job) (outbox_oldest_seconds)"},
            "s",
            needs=Needs.FEATURE,
            bad=60,
        ),
        Panel("CPU", {"{{job}}": f"sum by (job) (rate(process_cpu_seconds_total[{RATE}]))"}),
        Panel("Memory", {"{{job}}": "sum by (job) (process_resident_memory_bytes)"}, "bytes"),
        Panel("Uptime", {"{{job}}": "time() - min by (job) (process_start_time_seconds)"}, "s"),
    ]
    return Dashboard(
        "overview",
        "Overview",
        [Row("Now", now), Row("Traffic", traffic), Row("Processes", processes)],
    )


def service(name: str, prefix: str, *, http: bool, grpc: bool) -> Dashboard:
    """One service from every side; `prefix` is its path at the gateway, such as `/api/users/v1`."""
    rows = []
    if http:
        rows += [Row("Requests", _http(name)), Row("Seen by the gateway", _seen(prefix))]
    if grpc:
        rows.append(Row("Calls", _grpc(name)))
    rows += [
        Row("Database", _database(f'job="{name}"')),
        Row("Process", _process(name)),
        Row("Dependencies and background work", _background(name)),
        *(Row(title, panels) for title, panels in _own(name)),
    ]
    return Dashboard(f"service-{name}", f"Service: {name}", rows)


def sql() -> Dashboard:
    """Every query by its name in `sql/`."""
    selector = 'job=~"$job",query=~"$query"'
    timed = f"db_query_duration_seconds_sum{{{selector}}}"
    most = f"topk(10, sum by (job, query) (rate({timed}[{RATE}])))"
    worst = 'topk(10, job_query:db_query_seconds:p99_5m{job=~"$job",query=~"$query"} >= 0)'
    by_query = [
        Panel("Time spent, ten most", {"{{job}} {{query}}": most}, "s"),
        Panel("Slowest queries, p99 of 5 minutes", {"{{job}} {{query}}": worst}, "s"),
    ]
    return Dashboard(
        "sql",
        "SQL by query name",
        [Row("Queries", by_query), Row("All of them", _database(selector))],
        [
            Variable("job", "db_query_duration_seconds_count", "job"),
            Variable("query", "db_query_duration_seconds_count", "query"),
        ],
    )


def gateway() -> Dashboard:
    """NGINX by its log: traffic, time inside and in front of the services, the exporter itself."""
    requests = "nginx_http_requests_total"
    gap = (
        f"sum(rate(nginx_http_request_duration_seconds_sum[{RATE}]))"
        f" - sum(rate(nginx_http_upstream_duration_seconds_sum[{RATE}]))"
    )
    times = [
        Panel("To the client", quantiles("nginx_http_request_duration_seconds", ""), "s"),
        Panel("In the services", quantiles("nginx_http_upstream_duration_seconds", ""), "s"),
        Panel("Outside of the services, per second", {"time": gap}, "s"),
    ]
    traffic = [
        Panel("Statuses", {"{{status}}": f"sum by (status) (rate({requests}[{RATE}]))"}, "reqps"),
        Panel(
            "Busiest routes",
            {"{{route}}": f"topk(10, sum by (route) (rate({requests}[{RATE}])))"},
            "reqps",
        ),
        Panel(
            "Errors by route",
            {"{{route}}": f'sum by (route) (rate({requests}{{status=~"[45].."}}[{RATE}]))'},
            "reqps",
        ),
        Panel("Bytes sent", {"sent": f"sum(rate(nginx_size_bytes_total[{RATE}]))"}, "Bps"),
        Panel(
            "5xx share", {"share": "gateway:http_errors:ratio_rate5m"}, "percentunit", bad=ERRORS
        ),
    ]
    exporter = [
        Panel("Log not read yet", {"{{log}}": "nginx_exporter_lag_bytes"}, "bytes", bad=1e7),
        Panel("Lines", {"{{log}}": f"rate(nginx_exporter_lines_total[{RATE}])"}),
        Panel("Unreadable", {"{{log}}": f"rate(nginx_exporter_parse_errors_total[{RATE}])"}),
    ]
    rows = [
        Row("Time", times),
        Row("Traffic", traffic),
        Row("Connections", _connections()),
        Row("Exporter", exporter),
    ]
    return Dashboard("gateway", "Gateway", rows)


def basic() -> Dashboard:
    """The four golden signals by route, method and status."""
    chosen = 'route=~"$route",status=~"$status",method=~"$method"'
    rows = [Row("Signals", _signals(chosen, 'route=~"$route"')), Row("Connections", _connections())]
    return Dashboard(
        "basic",
        "Latency, traffic, errors, connections",
        rows,
        [
            Variable("route", "nginx_http_requests_total", "route"),
            Variable("status", values={"success": "[23].*", "error": "[45].*"}),
            Variable("method", "nginx_http_requests_total", "method"),
        ],
        refresh="5s",
    )


def containers() -> Dashboard:
    """Each container's CPU and memory by its short id, as cAdvisor sees them."""
    chosen = 'name=~"$name",name!=""'
    age = Panel(
        "Age in days",
        {"{{name}}": f"(time() - container_start_time_seconds{{{chosen}}}) / 86400"},
        kind="table",
        needs=Needs.CONTAINERS,
    )
    return Dashboard(
        "containers",
        "Containers",
        [Row("Resources", _containers(chosen)), Row("About", [age])],
        [Variable("name", "container_last_seen", "name")],
        span="now-1h",
    )


def _http(name: str) -> list[Panel]:
    mine = f'job="{name}",{REAL}'
    total, seconds = "http_requests_total", "http_request_duration_seconds"
    route = f"sum by (route, le) (rate({seconds}_bucket{{{mine}}}[{RATE}]))"
    return [
        Panel(
            "Requests by route",
            {"{{method}} {{route}}": f"sum by (method, route) (rate({total}{{{mine}}}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Statuses",
            {"{{status}}": f"sum by (status) (rate({total}{{{mine}}}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Error share",
            {"5xx": f'job:http_errors:ratio_rate5m{{job="{name}"}}'},
            "percentunit",
            bad=ERRORS,
        ),
        Panel("Latency", quantiles(seconds, mine), "s"),
        Panel("Latency by route, p95", {"{{route}}": f"histogram_quantile(0.95, {route})"}, "s"),
        Panel("In progress", {"requests": f'sum(http_requests_in_progress{{job="{name}"}})'}),
    ]


def _seen(prefix: str) -> list[Panel]:
    mine = f'route=~"{prefix}/.*"'
    return _signals(mine, mine)


def _signals(selector: str, traffic: str) -> list[Panel]:
    requests = "nginx_http_requests_total"
    good = f'sum(rate({requests}{{{traffic},status!~"[45].*"}}[{RATE}]))'
    total = f"sum(rate({requests}{{{traffic}}}[{RATE}]))"
    rate = f"round(sum by (route) (rate({requests}{{{traffic}}}[{RATE}])), 0.001)"
    return [
        Panel(
            "Latency at the gateway",
            quantiles("nginx_http_request_duration_seconds", selector),
            "s",
        ),
        Panel("Traffic at the gateway", {"{{route}}": rate}, "reqps"),
        Panel(
            "Availability", {"not 4xx or 5xx": f"({good} or 0 * {total}) / {total}"}, "percentunit"
        ),
    ]


def _grpc(name: str) -> list[Panel]:
    mine = f'job="{name}"'
    handled = f"rate(grpc_server_handled_total{{{mine}}}[{RATE}])"
    return [
        Panel("Calls", {"{{grpc_method}}": f"sum by (grpc_method) ({handled})"}, "reqps"),
        Panel("Statuses", {"{{grpc_code}}": f"sum by (grpc_code) ({handled})"}, "reqps"),
        Panel("Latency", quantiles("grpc_server_handling_seconds", mine), "s"),
    ]


def _database(selector: str) -> list[Panel]:
    count = f"db_query_duration_seconds_count{{{selector}}}"
    job = selector.partition(",")[0]
    pool = f"db_pool_connections{{{job}}}"
    return [
        Panel("Queries", {"{{query}}": f"sum by (query) (rate({count}[{RATE}])) > 0"}, "ops"),
        Panel("Query time", quantiles("db_query_duration_seconds", selector), "s"),
        Panel("Connections", {"{{state}}": f"sum by (state) ({pool})"}),
        Panel(
            "Reads by server",
            {"{{server}}": f"sum by (server) (rate(db_reads_total{{{job}}}[{RATE}]))"},
            "ops",
            needs=Needs.FEATURE,
        ),
        Panel(
            "Replica lag",
            {"{{replica}}": f"max by (replica) (db_replica_lag_seconds{{{job}}})"},
            "s",
            bad=5.0,
            needs=Needs.FEATURE,
        ),
    ]


def _process(name: str) -> list[Panel]:
    mine = f'{{job="{name}"}}'
    collections = f"rate(python_gc_collections_total{mine}[{RATE}])"
    return [
        Panel("CPU", {"{{instance}}": f"rate(process_cpu_seconds_total{mine}[{RATE}])"}),
        Panel("Memory", {"{{instance}}": f"process_resident_memory_bytes{mine}"}, "bytes"),
        Panel("Open files", {"{{instance}}": f"process_open_fds{mine}"}),
        Panel("Event loop lag", quantiles("event_loop_lag_seconds", f'job="{name}"'), "s"),
        Panel(
            "Garbage collections",
            {"{{generation}}": f"sum by (generation) ({collections})"},
        ),
    ]


def _background(name: str) -> list[Panel]:
    mine = f'{{job="{name}"}}'
    wanted = [
        ("Circuits (0 closed, 2 open)", "{{upstream}}", f"circuit_breaker_state{mine}", "short"),
        ("Outbox: waiting", "events", f"outbox_waiting_events{mine}", "short"),
        ("Outbox: oldest", "age", f"outbox_oldest_seconds{mine}", "s"),
        ("Events behind", "{{topic}}", f"events_lag{mine} + events_pending{mine}", "short"),
        (
            "Events handled",
            "{{topic}} {{outcome}}",
            f"sum by (topic, outcome) (rate(events_handled_total{mine}[{RATE}]))",
            "ops",
        ),
        ("Dead letters", "{{topic}}", f"max by (topic) (events_dead_letters{mine})", "short"),
        (
            "Cache",
            "{{outcome}}",
            f"sum by (outcome) (rate(cache_requests_total{mine}[{RATE}]))",
            "ops",
        ),
        (
            "Rate limits",
            "{{store}} {{outcome}}",
            f"sum by (store, outcome) (rate(rate_limit_decisions_total{mine}[{RATE}]))",
            "ops",
        ),
    ]
    return [
        Panel(title, {legend: expr}, unit, needs=Needs.FEATURE)
        for title, legend, expr, unit in wanted
    ]


def _own(name: str) -> list[tuple[str, list[Panel]]]:
    """Return what only one service does, by its heading."""
    mine = f'{{job="{name}"}}'

    def rate(metric: str, by: str = "") -> str:
        return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{mine}[{RATE}]))"

    def panel(title: str, unit: str = "short", /, **queries: str) -> Panel:
        return Panel(title, queries, unit, needs=Needs.FEATURE)

    mail = [
        panel("Mails: waiting", waiting=f"mail_waiting{mine}"),
        panel("Mails: oldest", "s", age=f"mail_oldest_seconds{mine}"),
        Panel(
            "Mails: attempts",
            {"{{template}} {{outcome}}": rate("mail_attempts_total", "template, outcome")},
            "ops",
            needs=Needs.FEATURE,
        ),
    ]
    backlog = [
        panel(
            "Left to do",
            goods=f"max(orders_waiting{mine})",
            services=f"max(service_orders_overdue{mine})",
        ),
        panel(
            "Left to do: oldest",
            "s",
            goods=f"max(orders_oldest_seconds{mine})",
            services=f"max(service_orders_overdue_oldest_seconds{mine})",
        ),
        panel("Service orders expired", "ops", expired=rate("service_orders_expired_total")),
    ]
    talk = [
        Panel("Sockets", {"{{instance}}": f"chat_connections{mine}"}, needs=Needs.FEATURE),
        panel(
            "Users and channels",
            users=f"sum(chat_users{mine})",
            channels=f"sum(chat_channels{mine})",
        ),
        panel(
            "Messages",
            "ops",
            stored=rate("chat_messages_stored_total"),
            delivered=rate("chat_messages_delivered_total"),
        ),
        Panel("Hears the others", {"{{instance}}": f"chat_fanout_up{mine}"}, needs=Needs.FEATURE),
        panel("Read because an announcement was lost", "ops", fills=rate("chat_gap_fills_total")),
        Panel(
            "Sockets closed",
            {"{{code}}": rate("chat_closed_total", "code")},
            "ops",
            needs=Needs.FEATURE,
        ),
    ]
    return {
        "user": [("Mail", mail)], "order": [("Backlog", backlog)], "chat": [("Talk", talk)],
    }.get(name, [])  # fmt: skip


def _connections() -> list[Panel]:
    return [
        Panel(
            "Active connections", {"active": "nginx_connections_active"}, needs=Needs.STATUS_PAGE
        ),
        Panel("Connections", {"{{state}}": "nginx_connections"}, needs=Needs.STATUS_PAGE),
    ]


def _containers(selector: str) -> list[Panel]:
    def rate(metric: str) -> str:
        return f"sum by (name) (rate({metric}{{{selector}}}[{RATE}]))"

    wanted = [
        ("CPU", rate("container_cpu_usage_seconds_total"), "percentunit"),
        ("Memory (rss)", f"sum by (name) (container_memory_rss{{{selector}}})", "bytes"),
        ("Memory (cache)", f"sum by (name) (container_memory_cache{{{selector}}})", "bytes"),
    ]
    return [
        Panel(title, {"{{name}}": expr}, unit, needs=Needs.CONTAINERS)
        for title, expr, unit in wanted
    ]
