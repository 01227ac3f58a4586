"""The dashboard of one service, with the panels that it has data for."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from observability.grafana.features import Feature
from observability.grafana.own import own
from observability.grafana.panels import Dashboard, Panel, Row
from observability.grafana.shared import ERRORS, RATE, REAL, quantiles, queries, signals


def service(name: str, prefix: str, features: AbstractSet[Feature]) -> Dashboard:
    """Return a service's dashboard. `prefix` is the service's path at the gateway."""
    rows = []
    if Feature.HTTP in features:
        routes = f'route=~"{prefix}/.*"'
        rows += [
            Row("Requests", _http(name)),
            Row("Requests at the gateway", signals(routes, routes)),
        ]
    if Feature.GRPC in features:
        rows.append(Row("Calls", _grpc(name)))
    rows += [
        Row("Database", queries(f'job="{name}"')),
        Row("Process", _process(name)),
        Row("Dependencies and background work", _background(name, features)),
        *own(name),
    ]
    about = f"Requests, database, process and background work of the {name} service."
    return Dashboard(f"service-{name}", f"Service: {name}", rows, about)


def _http(name: str) -> list[Panel]:
    mine = f'job="{name}",{REAL}'
    total, seconds = "http_requests_total", "http_request_duration_seconds"
    route = f"sum by (route, le) (rate({seconds}_bucket{{{mine}}}[{RATE}]))"
    return [
        Panel(
            "Requests by route",
            "Requests per second by method and route, without probes and scrapes.",
            {"{{method}} {{route}}": f"sum by (method, route) (rate({total}{{{mine}}}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Statuses",
            "Responses per second by status.",
            {"{{status}}": f"sum by (status) (rate({total}{{{mine}}}[{RATE}]))"},
            "reqps",
        ),
        Panel(
            "Error share",
            "Share of requests answered with 5xx in the last 5 minutes. The panel is red if two "
            "days at this rate would use up the monthly error budget of 0.1 %.",
            {"5xx": f'job:http_errors:ratio_rate5m{{job="{name}"}}'},
            "percentunit",
            bad=ERRORS,
        ),
        Panel(
            "Latency",
            "Time in the service from the head of a request to the end of its response.",
            quantiles(seconds, mine),
            "s",
        ),
        Panel(
            "Latency by route, p95",
            "95 % of a route's requests are faster than this value.",
            {"{{route}}": f"histogram_quantile(0.95, {route})"},
            "s",
        ),
        Panel(
            "In progress",
            "Requests being served at the time of the scrape.",
            {"requests": f'sum(http_requests_in_progress{{job="{name}"}})'},
        ),
    ]


def _grpc(name: str) -> list[Panel]:
    mine = f'job="{name}"'
    handled = f"rate(grpc_server_handled_total{{{mine}}}[{RATE}])"
    return [
        Panel(
            "Calls",
            "gRPC calls per second by method.",
            {"{{grpc_method}}": f"sum by (grpc_method) ({handled})"},
            "reqps",
        ),
        Panel(
            "Call statuses",
            "gRPC calls per second by status code.",
            {"{{grpc_code}}": f"sum by (grpc_code) ({handled})"},
            "reqps",
        ),
        Panel(
            "Call latency",
            "Time in the service from a call to the end of its response.",
            quantiles("grpc_server_handling_seconds", mine),
            "s",
        ),
    ]


def _process(name: str) -> list[Panel]:
    mine = f'{{job="{name}"}}'
    collections = f"rate(python_gc_collections_total{mine}[{RATE}])"
    return [
        Panel(
            "CPU",
            "Cores in use by each instance. An instance is one process and can use one core.",
            {"{{instance}}": f"rate(process_cpu_seconds_total{mine}[{RATE}])"},
        ),
        Panel(
            "Memory",
            "Resident memory of each instance.",
            {"{{instance}}": f"process_resident_memory_bytes{mine}"},
            "bytes",
        ),
        Panel(
            "Open files",
            "File descriptors of each instance: sockets, files, pipes.",
            {"{{instance}}": f"process_open_fds{mine}"},
        ),
        Panel(
            "Event loop lag",
            "Delay of the event loop's timers. If the delay exceeds 0.1 s, a call blocks the loop"
            " or the CPU is overloaded.",
            quantiles("event_loop_lag_seconds", f'job="{name}"'),
            "s",
            bad=0.1,
        ),
        Panel(
            "Garbage collections",
            "Garbage collections per second by generation.",
            {"{{generation}}": f"sum by (generation) ({collections})"},
        ),
    ]


def _background(name: str, features: AbstractSet[Feature]) -> list[Panel]:
    mine = f'{{job="{name}"}}'

    def rate(metric: str, by: str) -> str:
        return f"sum by ({by}) (rate({metric}{mine}[{RATE}]))"

    panels = {
        Feature.CIRCUITS: [
            Panel(
                "Circuits (0 closed, 2 open)",
                "State of the circuit breaker of each upstream: 0 closed, 1 half-open, 2 open "
                "(calls are refused).",
                {"{{upstream}}": f"circuit_breaker_state{mine}"},
                bad=2,
            ),
            Panel(
                "Upstream calls",
                "Calls per second to other services. A call and its retries count as one call.",
                {"{{upstream}}": rate("upstream_call_seconds_count", "upstream")},
                "ops",
            ),
        ],
        Feature.OUTBOX: [
            Panel(
                "Outbox: waiting",
                "Events stored but not yet published.",
                {"events": f"outbox_waiting_events{mine}"},
            ),
            Panel(
                "Outbox: oldest",
                "Age of the oldest unpublished event. Other services receive events with this "
                "delay.",
                {"age": f"outbox_oldest_seconds{mine}"},
                "s",
                bad=60,
            ),
        ],
        Feature.EVENTS: [
            Panel(
                "Events behind",
                "Events of other services that this service has not handled yet: undelivered or in "
                "progress.",
                {"{{topic}}": f"events_lag{mine} + events_pending{mine}"},
                bad=1000,
            ),
            Panel(
                "Events handled",
                "Events per second by topic and outcome.",
                {"{{topic}} {{outcome}}": rate("events_handled_total", "topic, outcome")},
                "ops",
            ),
            Panel(
                "Dead letters",
                "Events that failed permanently and wait for an operator.",
                {"{{topic}}": f"max by (topic) (events_dead_letters{mine})"},
            ),
        ],
        Feature.CACHE: [
            Panel(
                "Cache",
                "Cache look-ups per second by outcome.",
                {"{{outcome}}": rate("cache_requests_total", "outcome")},
                "ops",
            ),
        ],
        Feature.LIMITS: [
            Panel(
                "Rate limits",
                "Rate limit decisions per second by outcome and store. The store is `redis`, or "
                "`memory` while Redis is unavailable.",
                {"{{store}} {{outcome}}": rate("rate_limit_decisions_total", "store, outcome")},
                "ops",
            ),
        ],
    }
    steps = Panel(
        "Background steps",
        "Steps per second of each background loop.",
        {"{{loop}}": rate("background_step_seconds_count", "loop")},
        "ops",
    )
    return [steps, *(p for feature, row in panels.items() if feature in features for p in row)]
