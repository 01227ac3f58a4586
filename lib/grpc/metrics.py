"""The `grpc_server_*` series, named and labelled as every gRPC dashboard expects them."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_METHOD: Final = ("grpc_type", "grpc_service", "grpc_method")


class MethodMetrics:
    """The series of one method, their labels bound once so that a call only increments."""

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
        """Count a finished call under its status, such as `OK` or `Unavailable`."""
        self._handled.labels(*self._labels, status).inc(count)


class ServerMetrics:
    """Registers the families; `method` hands out the series of each method served."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(name, text, (*_METHOD, *more), registry=registry)

        self.started = counter("grpc_server_started_total", "Calls begun.")
        self.handled = counter("grpc_server_handled_total", "Calls finished.", "grpc_code")
        self.received = counter("grpc_server_msg_received_total", "Messages received.")
        self.sent = counter("grpc_server_msg_sent_total", "Messages sent.")
        self.seconds = Histogram(
            "grpc_server_handling_seconds", "Time to answer a call.", _METHOD, registry=registry
        )

    def method(self, kind: str, service: str, method: str) -> MethodMetrics:
        """The series of one method; `kind` is `unary` or `server_stream`."""
        return MethodMetrics(self, kind, service, method)


def code_label(status_name: str) -> str:
    """`DEADLINE_EXCEEDED` → `DeadlineExceeded`, the spelling of the label; OK stays OK."""
    return status_name if status_name == "OK" else status_name.title().replace("_", "")
