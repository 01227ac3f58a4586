"""`make run` from the user's view: start, a second start, busy ports, stop and restart."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.embedded.ports import free_port
from devstack.settings import ROOT, service_names
from tests.e2e.conftest import Stack


def left(processes: list[psutil.Process], within: float = 15.0) -> list[psutil.Process]:
    """Return the processes that still run after a while."""
    _, alive = psutil.wait_procs(processes, timeout=within)
    return [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def service(running, name: str) -> list[psutil.Process]:
    """Return the processes of a service, found by their command lines."""
    wanted = f"-m services.{name}"
    return [p for p in running.children() if " ".join(p.cmdline()).rstrip().endswith(wanted)]


def worked(running) -> float:
    """Return the CPU seconds that a stack has used, including ended processes."""
    processes = [psutil.Process(running.process.pid), *running.children()]
    return sum(sum(process.cpu_times()[:4]) for process in processes)


class Terminal:
    """The user's end of a terminal, until it is closed."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self._said = b""

    def says(self, text: str, within: float = 90.0) -> bool:
        """Read until the text appears."""
        deadline = time.monotonic() + within
        while text.encode() not in self._said and time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.1)[0]:
                self._said += os.read(self._ours, 65536)
        return text.encode() in self._said

    @property
    def said(self) -> str:
        return self._said.decode()

    def close(self) -> None:
        os.close(self._ours)


@dataclass(frozen=True)
class First:
    """The results of the first run in a folder; its services could not be forked."""

    lines: list[str]
    password: str
    metrics: dict[str, set[str]]
    code: int
    left: list[psutil.Process]
    users: int


@dataclass(frozen=True)
class Second:
    """The results of the second run there, which watched `user`; its terminal was closed."""

    said: str
    worked: float
    code: int
    left: list[psutil.Process]
    is_new: bool  # has `user` another process after its code changed?


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for stacks that run one after the other."""
    with tempfile.TemporaryDirectory(prefix="test-lives-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def first(folder) -> First:
    running = Stack(folder)
    try:
        deadline = time.monotonic() + 90
        while not (found := forkserver(running)):
            assert time.monotonic() < deadline
        found[0].kill()
        running.wait_until_said("ready; press Ctrl-C")
        password = (running.secrets / "demo_admin").read_text()
        begin = next(n for n, line in enumerate(running.lines) if line.startswith("  TOKEN=$(curl"))
        script = "\n".join(running.lines[begin : begin + 2])
        assert password not in script
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        seen = {name: metrics(running, name) for name in service_names()}
        children = running.children()
        code = running.stop(signal.SIGINT)
        users = json.loads(done.stdout)["meta"]["total_count"]
        return First(running.lines, password, seen, code, left(children), users)
    finally:
        running.stop()


@pytest.fixture(scope="module")
def second(folder, first) -> Second:
    terminal = Terminal()
    running = Stack(folder, watch="user", stdout=terminal.theirs)
    try:
        os.close(terminal.theirs)
        assert terminal.says("ready; press Ctrl-C"), terminal.said
        used = worked(running)
        (before,) = service(running, "user")
        deadline = time.monotonic() + 90
        while not terminal.says("user: code changed, restarting", within=0.2):
            assert time.monotonic() < deadline
            (ROOT / "services" / "user" / "__init__.py").touch()  # again until the watcher looks
        assert terminal.says("user is back"), terminal.said
        is_new = before not in service(running, "user")
        children = running.children()
        terminal.close()  # nobody hears "stopping" any more, and nobody tells: no session there
        code = running.process.wait(120)
        return Second(terminal.said, used, code, left(children), is_new)
    finally:
        running.stop()


@pytest.mark.long
def test_everything_that_was_started_stops_in_order_and_says_where_the_data_is(first, folder):
    assert first.code == 0
    assert first.left == []
    assert first.lines[-1].endswith(f"stopped; the data stays in {folder}")


@pytest.mark.long
def test_a_start_survives_the_end_of_what_services_are_forked_from(first, stack):
    assert any(
        "services do not share imported modules (killed by SIGKILL)" in line for line in first.lines
    )
    # Nothing tells services that were forked from those that were not.
    for name in service_names():
        assert first.metrics[name] == metrics(stack, name)


@pytest.mark.long
def test_the_administrator_is_introduced_once_with_a_request_that_works(first, second):
    introduced = f"demo administrator: admin@example.com with the password {first.password}"
    assert any(introduced in line for line in first.lines)
    assert first.users == 9
    assert first.password not in second.said
    assert "a request as the demo administrator" in second.said


@pytest.mark.long
def test_the_data_survives_and_the_next_start_is_quick(first, second):
    assert any("first run" in line for line in first.lines)
    assert "first run" not in second.said
    # The bar is 5 s on two processors. A machine that runs other tests as well makes it work longer
    # for the same, twice perhaps, and wait in between.
    assert second.worked < 20


@pytest.mark.long
def test_a_watched_service_is_restarted_when_its_code_changes(second):
    assert second.is_new


@pytest.mark.long
def test_a_terminal_that_is_closed_stops_everything_in_order(second):
    assert second.code == 0
    assert second.left == []


def test_a_second_start_names_the_first_and_starts_nothing(stack):
    again = Stack(Path(stack.environ["RUN_DIR"]), GATEWAY_PORT=str(free_port()))
    assert again.process.wait(90) == 1
    again.stop()
    (line,) = again.lines
    assert f"python (pid {stack.process.pid}) serves port {stack.environ['GATEWAY_PORT']}" in line
    assert line.startswith("cannot start: the stack is already running")


def test_all_busy_ports_are_named_in_one_message_with_their_holders(own_stack):
    with socket.socket() as one, socket.socket() as two:
        ports = {}
        for name, taken in (("POSTGRES_PORT", one), ("USER_PORT", two)):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ports[name] = str(taken.getsockname()[1])
        running = own_stack(**ports)
        assert running.process.wait(90) == 1
        running.stop()
    held = f"is held by {psutil.Process().name()} (pid {os.getpid()})"
    busy = "; ".join(f"port {port} {held} ({name})" for name, port in ports.items())
    remedy = (
        "Free them, set the variable named in parentheses, or set PORT_OFFSET=10000 to move"
        " every port"
    )
    assert running.lines == [f"cannot start: {busy}. {remedy}"]


def test_a_setting_that_makes_no_sense_is_one_sentence(own_stack):
    running = own_stack(GATEWAY_PORT="http")
    assert running.process.wait(90) == 1
    running.stop()
    assert running.lines == [
        "cannot start: GATEWAY_PORT must be a port between 1 and 65535, not 'http'"
    ]


@pytest.fixture
def again(folder, second) -> Iterator[Callable[..., Stack]]:
    """Start a stack again in the folder of two earlier ones, which is fast."""
    started: list[Stack] = []

    def start(**options: str) -> Stack:
        started.append(Stack(folder, **options))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.mark.long
def test_a_killed_stack_takes_its_parts_with_it(again):
    running = again()
    running.wait_until_said("department is ready")
    children = running.children()
    assert len(children) > 4
    running.process.kill()
    running.process.wait()
    assert left(children) == []


@pytest.mark.long
def test_every_part_that_is_killed_is_told_and_comes_back(stack):
    parts = {m[1] for line in stack.lines if (m := re.search(r"  (\S+) is ready \(pid", line))}
    assert {
        "postgres",
        "redis",
        "nginx",
        "nginx-exporter",
        "log-rotation",
        *service_names(),
    } <= parts
    assert ("prometheus" in parts) is (shutil.which("prometheus") is not None)
    before = {part: stack.pid(part) for part in parts}
    begin = len(stack.lines)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 90
    while [part for part in parts if stack.pid(part) == before[part]]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    told = "\n".join(stack.lines[begin:])
    for part in parts:
        assert f"  {part} was killed by SIGKILL; restarting in " in told
        assert psutil.pid_exists(stack.pid(part))


def test_a_folder_that_cannot_be_used_is_one_sentence(own_stack):
    running = own_stack(RUN_DIR="/dev/null/run")
    assert running.process.wait(90) == 1
    running.stop()
    assert running.lines == [
        "cannot start: cannot write data to /dev/null/run: Not a directory; set RUN_DIR"
    ]


def forkserver(running) -> list[psutil.Process]:
    return [
        child for child in running.children() if "devstack.embedded.forkserver" in child.cmdline()
    ]


def metrics(running, service: str) -> set[str]:
    """Return the metrics of a service, counted or not, without the creation times."""
    url = f"http://127.0.0.1:{running.port(f'{service.upper()}_PORT')}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line for line in lines if line.startswith("# TYPE") and "_created " not in line}


def test_a_service_is_found_by_its_command_line(stack):
    assert forkserver(stack) == []
    for name in service_names():
        found = psutil.Process(stack.pid(name))
        assert " ".join(found.cmdline()).rstrip() == f"{sys.executable} -m services.{name}"
        assert found.name() == Path(sys.executable).name


@pytest.mark.long
def test_a_signal_during_the_start_leaves_nothing_behind(again):
    running = again()
    running.wait_until_said("postgres is ready")
    children = running.children()
    assert running.stop(signal.SIGTERM) == 0
    assert left(children) == []
    assert not running.said("ready; press Ctrl-C")


def test_secrets_are_for_their_owner_only(stack):
    folder = stack.secrets
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_no_secret_is_on_a_command_line(stack):
    folder = stack.secrets
    secrets = [file.read_text() for file in folder.iterdir()]
    shown = [" ".join(process.cmdline()) for process in stack.children()]
    assert not [line for line in shown for secret in secrets if secret in line]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("sqlc", "db=? is not one of: "),
        ("sqlc db=nope", "db=nope is not one of: "),
        ("migrate-up db=nope", "db=nope is not one of: "),
        ("migrate-init name=x", "db=? is not one of: "),
        ("swag-gen", "svc=? is not one of: "),
        ("swag-gen svc=nope", "svc=nope is not one of: "),
    ],
)
def test_a_missing_or_unknown_name_prints_the_valid_ones(target, said):
    done = subprocess.run(
        ["make", "--old-file=.venv/.ready", "--old-file=.venv/.local", *target.split()],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr


def test_help_lists_every_target_with_what_it_does():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    wanted = {"setup", "run", "test", "check", "sqlc", "migrate-up", "swag-gen", "dev-<svc>"}
    assert wanted <= listed


@pytest.mark.long
def test_a_service_that_cannot_start_is_one_sentence_and_stops_the_rest(again):
    running = again(USER_POINTS_SECONDS="soon")
    running.wait_until_said("postgres is ready")
    children = running.children()
    assert running.process.wait(60) == 1
    assert left(children) == []
    running.stop()
    assert running.lines[-1].startswith("cannot start: user stopped while it was starting: ")
    assert "USER_POINTS_SECONDS" in running.lines[-1]
    assert not running.said("Traceback")
