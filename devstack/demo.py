"""The demo administrator: an account with a random password, and an example request."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from devstack.embedded.children import Child, dies_with_parent
from devstack.embedded.forks import Forks
from devstack.settings import Settings
from devstack.supervisor import StartError

EMAIL: Final = "admin@example.com"
_SECRET: Final = "demo_admin"  # noqa: S105 - the name of a file


class Administrator(msgspec.Struct, frozen=True):
    """The demo administrator. `password` is set only if this run created the account."""

    password: str | None


async def administrator(
    settings: Settings, databases: Mapping[str, str], forks: Forks
) -> Administrator | None:
    """Add the administrator.

    If the user provided the database, change nothing and return None.

    Raises StartError if the administrator cannot be added.
    """
    if "user" not in databases or settings.environ.get("USER_DATABASE_URL"):
        return None
    password = settings.home.secret(_SECRET)
    command = [sys.executable, "-m", "services.user.admin", EMAIL, "--name", "Demo Admin"]
    env = {**settings.environ, "USER_DATABASE_URL": databases["user"]}
    child = forks.fork(command, env=env, stdin=password.encode())
    code, said = await asyncio.to_thread(_finish, child or _spawn(command, env, password))
    if code:
        raise StartError(f"cannot add the demo administrator: {' '.join(said[-30:])}")
    return Administrator(password if said[-1:] == ["added"] else None)


def _spawn(command: list[str], env: Mapping[str, str], password: str) -> Child:
    child = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl call, no locks
    )
    if child.stdin is not None:
        child.stdin.write(password.encode())
        child.stdin.close()
    return child


def _finish(child: Child) -> tuple[int, list[str]]:
    """Wait for the process to end; return its exit code and its output."""
    said = b""
    if child.stdout is not None:
        with child.stdout:
            said = child.stdout.read()
    return child.wait(), said.decode(errors="replace").split()


def introduce(found: Administrator | None, settings: Settings, say: Callable[[str], None]) -> None:
    """Print the administrator's email, the password if it is new, and an example request."""
    if found is None:
        return
    if found.password is not None:
        say(f"demo administrator: {EMAIL} with the password {found.password}")
    say("a request as the demo administrator:\n\n" + request(settings))


def request(settings: Settings) -> str:
    """Return shell commands that sign in with the stored password and list the users."""
    users = f"{settings.gateway_url}/api/users/v1"
    secret = settings.home.path / "secrets" / _SECRET
    curl = f"curl --cacert {settings.tls.certificate}" if settings.tls else "curl"
    body = f'{{"email":"{EMAIL}","password":"\'"$(cat {secret})"\'"}}'
    return (
        f"  TOKEN=$({curl} -s {users}/auth/login -H 'Content-Type: application/json' -d '{body}'"
        r""" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"""
        f'\n  {curl} -H "Authorization: Bearer $TOKEN" {users}/users'
    )
