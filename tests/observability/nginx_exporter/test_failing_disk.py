"""A log on a failing disk: no line is lost, no traceback is shown, and one message is written."""

from __future__ import annotations

import errno
import logging
import math

import pytest

from observability.nginx_exporter.exporter import Exporter
from observability.nginx_exporter.json_lines import JsonLines
from observability.nginx_exporter.routes import Router
from observability.nginx_exporter.snapshot import StateFile
from observability.nginx_exporter.totals import BUCKETS, Totals
from observability.nginx_exporter.tracks import Opened

LINE = b'{"method":"GET","path":"/","status":200,"bytes_sent":1,"duration":0.1}\n'


@pytest.fixture
def exporter(tmp_path):
    log = tmp_path / "access.log"
    log.write_bytes(LINE * 3)
    totals = Totals(Router(["/"]), buckets=BUCKETS, max_series=10, series=())
    file = StateFile(tmp_path / "state.json")
    yield Exporter([log], JsonLines({}), totals, file, None)
    file.close()


def requests(exporter):
    return sum(series.requests for series in exporter.totals.series)


@pytest.mark.parametrize("call", ["read", "size", "head"])
def test_lines_are_counted_when_the_disk_can_be_read_again(exporter, monkeypatch, caplog, call):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    exporter.look()
    (watched,) = exporter.logs
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Opened, call, broken)
        for _ in range(3):
            exporter.step()
        assert not watched.follower.up
        assert math.isnan(watched.lag()) or call != "size"
    assert (watched.read_errors > 0, requests(exporter)) == (True, 0)
    assert [r.getMessage().partition(": ")[2] for r in caplog.records] == ["Input/output error."]
    exporter.step()
    assert (watched.follower.up, requests(exporter)) == (True, 3)


def test_a_log_that_may_not_be_read_is_named_once_and_read_when_it_may(
    exporter, monkeypatch, caplog
):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    (watched,) = exporter.logs
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Opened, "__init__", refused)
        for _ in range(3):
            exporter.step()
    assert [r.getMessage().partition(": ")[2] for r in caplog.records] == ["Permission denied."]
    assert (watched.follower.up, watched.read_errors) == (False, 3)
    exporter.step()
    assert (watched.follower.up, requests(exporter)) == (True, 3)


def test_each_time_the_state_cannot_be_written_is_told_once(exporter, tmp_path, caplog):
    draft = tmp_path / "state.json.tmp"
    for _ in range(2):
        with (tmp_path / "access.log").open("ab") as log:
            log.write(LINE)
        exporter.step()
        draft.mkdir()
        for _ in range(3):
            exporter.commit()
        draft.rmdir()
        exporter.commit()
    assert [r.getMessage().rpartition(": ")[2] for r in caplog.records] == ["Is a directory."] * 2
    assert exporter.state_errors == 6
