"""Requests are counted under few labels, and the number of label sets is bounded."""

import pytest

from observability.nginx_exporter.routes import Router
from observability.nginx_exporter.totals import Totals


def hit(method="GET", path="/a", status="200", size="5", duration="0.02", upstream="-"):
    return method, path, status, size, duration, upstream


@pytest.mark.parametrize(
    ("request_", "labels"),
    [
        (hit(), ("GET", "200", "/a")),
        (hit(method="BREW"), ("other", "200", "/a")),
        (hit(method=""), ("other", "200", "/a")),
        (hit(status="700"), ("GET", "other", "/a")),
        (hit(status="²00"), ("GET", "other", "/a")),
        (hit(path="/" + "long" * 500), ("GET", "200", "other")),
        (hit(path="/a?" + "long" * 500), ("GET", "200", "/a")),
    ],
)
def test_labels_are_method_status_and_route(request_, labels):
    totals = Totals(Router(["/a"]))
    totals.add([request_])
    (series,) = totals.series
    assert (series.method, series.status, series.route) == labels


def test_sizes_and_times_are_summed_and_a_dash_is_not_observed():
    totals = Totals(Router(["/a"]), buckets=(0.01, 0.1))
    totals.add([hit(), hit(duration="0.01"), hit(duration="9", upstream="0.1, 0.2")])
    (series,) = totals.series
    assert (series.requests, series.size) == (3, 15)
    assert series.duration == [1, 1, 1]
    assert series.upstream == [0, 0, 1]
    assert series.upstream_sum == pytest.approx(0.3)


def test_past_the_limit_everything_new_is_other():
    totals = Totals(Router(["/a"]), max_series=4)
    totals.add([hit(status=str(code)) for code in range(200, 300)])
    labels = {(s.method, s.status, s.route): s.requests for s in totals.series}
    assert len(labels) == 3
    assert labels["other", "other", "other"] == 98


@pytest.mark.parametrize("most", [1, 2, 3, 8, 100])
def test_there_are_never_more_series_than_the_limit(most):
    totals = Totals(Router(["/a"]), max_series=most)
    for method in ("BREW", "GET", "PUT", ""):
        totals.add(
            [hit(method, path, str(code)) for code in range(99, 601) for path in ("/a", "/")]
        )
    assert len(totals.series) <= most
    assert sum(series.requests for series in totals.series) == 4 * 502 * 2
