"""The `grpc_server_*` metrics, with the names and labels that gRPC dashboards expect."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_METHOD: Final = ("grpc_type", "grpc_service", "grpc_method")


class MethodMetrics:
    """The metrics of one method, so that its labels are looked up only once."""

    def __init__(self, metrics: ServerMetrics, kind: str, service: str, method: str) -> None:
        labels = (kind, service, method)
        self.started = metrics.started.labels(*labels)
        self.received = metrics.received.labels(*labels)
        self.sent = metrics.sent.labels(*labels)
        self.seconds = metrics.seconds.labels(*labels)
        self._handled = metrics.handled
        self._labels = labels
        self.handled("OK", 0)

    def handled(self, status: str, count: int = 1) -> None:
        """Count a finished call by its status, such as `OK` or `Unavailable`."""
        self._handled.labels(*self._labels, status).inc(count)


class ServerMetrics:
    """Register the metrics. `method` returns the metrics of one gRPC method."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(name, text, (*_METHOD, *more), registry=registry)

        self.started = counter("grpc_server_started_total", "Calls begun.")
        self.handled = counter("grpc_server_handled_total", "Calls finished.", "grpc_code")
        self.received = counter("grpc_server_msg_received_total", "Messages received.")
        self.sent = counter("grpc_server_msg_sent_total", "Messages sent.")
        self.seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds to respond to a call.",
            _METHOD,
            registry=registry,
        )

    def method(self, kind: str, service: str, method: str) -> MethodMetrics:
        """Return the metrics of one method. `kind` is `unary` or `server_stream`."""
        return MethodMetrics(self, kind, service, method)


def code_label(status_name: str) -> str:
    """Return the label of a status, such as `DeadlineExceeded` for `DEADLINE_EXCEEDED`."""
    return status_name if status_name == "OK" else status_name.title().replace("_", "")
