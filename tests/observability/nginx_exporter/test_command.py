"""The command serves metrics, stops on a signal, and reports an error in one sentence."""

import json
import socket
import subprocess
import sys
import time

import pytest

LINE = '{"method":"GET","path":"/a?token=secret","status":200,"bytes_sent":5,"duration":0.1}\n'


# One word at one place in each, and any words around it: what a path may be is all their mixtures.
OVERLAPPING = [
    "/" + "/".join(f"w{word}" if place == at else "{x}" for place in range(7))
    for at in range(7)
    for word in range(9)
]


def run(*arguments):
    command = [sys.executable, "-m", "observability.nginx_exporter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_metrics_are_served_and_hold_no_query_string(tmp_path, start_exporter):
    log = tmp_path / "access.log"
    log.write_text(LINE + "nonsense\n")
    exporter = start_exporter("--log", log, "--route", "/a")
    exporter.wait_for(1, "nginx_http_requests_total", method="GET", status="200", route="/a")
    exporter.wait_for(1, "nginx_exporter_parse_errors_total", log=str(log))
    assert exporter.total("nginx_exporter_lines_total") == 2
    assert exporter.total("nginx_size_bytes_total") == 5
    assert exporter.total("nginx_exporter_lag_bytes") == 0
    assert exporter.total("nginx_exporter_up") == 1
    assert exporter.total("nginx_exporter_last_line_age_seconds") < 20
    assert "secret" not in exporter.text()
    assert exporter.text("/healthz") == "ok\n"
    assert exporter.stop() == 0


def test_several_logs_are_added_up_and_told_apart(tmp_path, start_exporter):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(LINE)
    exporter = start_exporter("--log", tmp_path / "a.log", "--log", tmp_path / "b.log")
    exporter.wait_for(2, "nginx_http_requests_total", route="other")
    assert exporter.total("nginx_exporter_lines_total", log=str(tmp_path / "b.log")) == 1


def test_a_log_that_appears_later_is_followed(tmp_path, start_exporter):
    exporter = start_exporter("--log", tmp_path / "access.log")
    exporter.wait_for(0, "nginx_exporter_up")
    (tmp_path / "access.log").write_text(LINE)
    exporter.wait_for(1, "nginx_exporter_lines_total")


def test_asked_to_stop_in_the_middle_it_goes_on_there(tmp_path, start_exporter):
    log = tmp_path / "access.log"
    log.write_text(LINE * 400_000)
    for attempt in range(10):
        first = start_exporter("--log", log)
        limit = time.monotonic() + 60
        while not first.total("nginx_exporter_lines_total"):
            assert time.monotonic() < limit
        assert first.stop() == 0
        state = tmp_path / "access.log.state.json"
        lines = json.loads(state.read_text())["logs"][0]["counts"]["lines"]
        if lines < 400_000:
            break
        # It had read all when the signal came: we were held up.
        assert attempt < 9
        state.unlink()
    assert lines > 0
    start_exporter("--log", log).wait_for(400_000, "nginx_http_requests_total")


def test_changed_buckets_count_from_zero_but_read_no_line_again(tmp_path, start_exporter):
    log = tmp_path / "access.log"
    log.write_text(LINE)
    first = start_exporter("--log", log)
    first.wait_for(1, "nginx_http_requests_total")
    first.stop()
    log.write_text(LINE * 3)
    second = start_exporter("--log", log, "--buckets", "1,2")
    second.wait_for(3, "nginx_exporter_lines_total")
    assert second.total("nginx_http_requests_total") == 2


def test_two_exporters_do_not_share_a_state_file(tmp_path, start_exporter):
    start_exporter("--log", tmp_path / "access.log")
    second = run("--log", tmp_path / "access.log", "--port", "0")
    assert second.returncode == 1
    assert "Another exporter is using the state file" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_busy_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        result = run("--log", tmp_path / "access.log", "--port", port)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr


STATE = '{"buckets":[1.0],"series":[%s],"logs":[%s],"version":1}'
LOG = '{"state":{"path":"/a","tracks":[{"device":1,"inode":1,"offset":-1}]},"counts":{}}'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "\udcff",
        '{"buckets":[],"series":[]}',
        json.dumps({"version": 9}),
        STATE.replace("1}", "2}") % ("", ""),
        STATE % ('["GET","200","/",1,1,[1],0.1,[0],0.0]', ""),
        STATE % ("", LOG),
        '{"a":' * 100_000,
    ],
)
def test_a_state_file_that_makes_no_sense_is_not_overwritten(tmp_path, content):
    state = tmp_path / "state"
    state.write_text(content, errors="surrogateescape")
    result = run("--log", tmp_path / "access.log", "--state", state, "--port", "0")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "delete the file to count from zero" in result.stderr
    assert state.read_text(errors="surrogateescape") == content


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "required: --log"),
        (["--log", "/nowhere/access.log"], "does not exist"),
        (["--log", "/dev/null"], "is not a regular file"),
        (["--log", "x", "--port", "99999"], "not between 0 and 65535"),
        (["--log", "x", "--port", "http"], "invalid int value"),
        (["--log", "x", "--format", "$request"], "no $status"),
        (["--log", "x", "--json-keys", "colour=c"], "must have the form FACT=KEY"),
        (["--log", "x", "--format", "classic", "--json-keys", "path=p"], "only for --format json"),
        (["--log", "x", "--spec", "/nowhere/*.yaml"], "matches no file"),
        (["--log", "x", "--spec", "a.yaml,b"], "FROM=TO"),
        (["--log", "x", "--route", "users"], "does not start with a slash"),
        (["--log", "x", "--routes", "/nowhere"], "cannot be read"),
        (["--log", "x", "--buckets", "2,1"], "must rise"),
        (["--log", "x", "--buckets", "0"], "more than 0"),
        (["--log", "x", "--buckets", ""], "'' is not a number"),
        (["--log", "x", "--interval", "nan"], "more than 0"),
        (["--log", "x", "--max-series", "1.5"], "'1.5' is not a whole number"),
        (["--log", "\udcff"], "contains unprintable characters"),
        (["--log", "x", "--route", "/\udcff"], "contains unprintable characters"),
        (["--log", "/usr/x", "--log", "/usr/../usr/x"], "are the same file"),
        (["--log", "x", "--log", "x.1"], "is a rotated file of --log"),
        (["--log", "x", "--state", "x.state"], "has the name of a rotated file"),
        (["--log", "x", "--format", "$status\n$request"], "several lines"),
        (["--log", "x", *(f"--route={route}" for route in OVERLAPPING)], "overlap"),
        (["--log", "x", "--max-series", "0"], "at least 1"),
        (["--log", "x", "--status-url", "localhost:81"], "not an http or https URL"),
        (["--log", "x", "--start", "middle"], "invalid choice"),
        (["--log", "x", "--colour"], "Unrecognized arguments"),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence(arguments, sentence):
    result = run(*arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
